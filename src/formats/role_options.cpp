#include "formats/role_options.h"

#include <fmt/format.h>

#include <bit>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/rotation.h"

namespace bitlaw {
namespace {

constexpr std::string_view kHadamard = "hadamard";

// The width in "hadamard32"; 0 if the text is no such option.
int64_t hadamard_width(std::string_view text) {
  if (!text.starts_with(kHadamard)) return 0;
  text.remove_prefix(kHadamard.size());
  if (text.empty()) return kWidestRotation;
  const int64_t width = parse_whole(text).value_or(0);
  if (width < 2 || width > kWidestRotation || !std::has_single_bit(static_cast<uint64_t>(width))) {
    throw Error(fmt::format("+hadamard{}: blocks of a rotation are a power of two wide, 2 to {}",
                            text, kWidestRotation));
  }
  return width;
}

}  // namespace

std::string RoleOptions::name() const {
  std::string out;
  if (clip) out += "+clip";
  if (gauss) out += "+gauss";
  if (hadamard == kWidestRotation) out += "+hadamard";
  if (hadamard != 0 && hadamard != kWidestRotation) out += fmt::format("+hadamard{}", hadamard);
  if (trust) out += "+trust";
  return out;
}

RoleOptions parse_role_options(std::string_view text) {
  RoleOptions out;
  if (text.empty()) return out;
  if (text.front() == '+') text.remove_prefix(1);
  if (text.empty()) throw Error("'+' is not followed by an option");
  for (const std::string& each : split(text, '+')) {
    const RoleOptions before = out;
    if (each == "clip") {
      out.clip = true;
    } else if (each == "gauss") {
      out.gauss = true;
    } else if (each == "trust") {
      out.trust = true;
    } else if (const int64_t width = hadamard_width(each); width > 0 && out.hadamard == 0) {
      out.hadamard = width;
    } else if (width == 0) {
      throw Error(unknown_name("option", each, {"clip", "gauss", "hadamard", "trust"},
                               "expected +clip, +gauss, +hadamard, +hadamard32 or +trust"));
    }
    if (out == before) throw Error(fmt::format("+{} stands twice", each));
  }
  if (out.clip && out.gauss)
    throw Error("+clip searches the range and +gauss computes it; use one of the two");
  return out;
}

std::string_view without_options(std::string_view name) {
  return name.substr(0, name.find('+'));
}

}  // namespace bitlaw
