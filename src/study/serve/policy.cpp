#include "serve/policy.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace bitlaw {
namespace {

constexpr std::string_view kScript = "<script>";
constexpr std::string_view kEnd = "</script>";

std::string hash_source(std::string_view script) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(script.data()), script.size(), digest.data());
  std::array<unsigned char, 64> text{};
  ::EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(text.data()));
}

std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t from = text.find(before);
  if (from == std::string_view::npos) return {};
  const size_t start = from + before.size(), end = text.find(after, start);
  return end == std::string_view::npos ? std::string_view() : text.substr(start, end - start);
}

}  // namespace

std::string policy_of(std::string_view page) {
  constexpr std::string_view kFrames = "; frame-ancestors 'none'";
  const std::string_view own =
      between(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\"");
  if (!own.empty()) return std::string(own) + std::string(kFrames);
  std::string scripts;
  for (size_t at = page.find(kScript); at != std::string_view::npos; at = page.find(kScript, at)) {
    at += kScript.size();
    const size_t end = page.find(kEnd, at);
    if (end == std::string_view::npos) break;
    scripts += " " + hash_source(page.substr(at, end - at));
    at = end;
  }
  return fmt::format(
      "default-src 'none'; script-src{}; style-src 'unsafe-inline'; img-src data: blob:; base-uri "
      "'none'; form-action 'none'{}",
      scripts.empty() ? " 'none'" : scripts, kFrames);
}

}  // namespace bitlaw
