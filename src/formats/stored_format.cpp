#include "formats/stored_format.h"

#include <cctype>

#include "base/text.h"
#include "formats/precision.h"

namespace bitlaw {
namespace {

// Blocks as ggml lays them out (ggml-common.h of llama.cpp): bytes, and weights.
struct GgufType {
  const char* name;
  int block_bytes, weights;
};
constexpr GgufType kGgufTypes[] = {
    {"q4_0", 2 + 16, 32},      // a half scale
    {"q4_1", 2 + 2 + 16, 32},  // and a half minimum
    {"q5_0", 2 + 4 + 16, 32},  // fifth bits apart
    {"q5_1", 2 + 2 + 4 + 16, 32},
    {"q8_0", 2 + 32, 32},
    {"q2_k", 16 + 64 + 2 + 2, 256},   // 16 scales and minima of 4 bits
    {"q3_k", 32 + 64 + 12 + 2, 256},  // high bits apart, 16 scales of 6 bits
    {"q4_k", 2 + 2 + 12 + 128, 256},  // 8 scales and minima of 6 bits
    {"q5_k", 2 + 2 + 12 + 32 + 128, 256},
    {"q6_k", 128 + 64 + 16 + 2, 256},  // 16 scales of 8 bits
    {"iq1_s", 2 + 32 + 16, 256},
    {"iq2_xxs", 2 + 64, 256},
    {"iq2_xs", 2 + 64 + 8, 256},
    {"iq2_s", 2 + 64 + 8 + 8, 256},
    {"iq3_xxs", 2 + 96, 256},
    {"iq3_s", 2 + 64 + 8 + 32 + 4, 256},
    {"iq4_nl", 2 + 16, 32},
    {"iq4_xs", 2 + 2 + 4 + 128, 256},
    {"tq1_0", 48 + 4 + 2, 256},  // ternary, five to a byte
    {"tq2_0", 64 + 2, 256},
};

}  // namespace

std::optional<StoredFormat> find_stored_format(std::string_view text) {
  std::string name = trim(text);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const GgufType& type : kGgufTypes) {
    if (name != type.name) continue;
    const double bits = 8.0 * type.block_bytes / type.weights;
    return StoredFormat{.name = name,
                        .bits = bits,
                        .code_bits = bits,
                        .group = type.weights,
                        .is_gguf = true,
                        .format = std::nullopt};
  }
  const auto named = named_precision(text);
  if (!named || named->name.empty() || name.empty()) return std::nullopt;
  const PartPrecision& weights = named->weights;
  return StoredFormat{.name = named->name,
                      .bits = weights.storage_bits,
                      .code_bits = weights.bits,
                      .group = weights.group,
                      .is_gguf = false,
                      .format = weights.format};
}

std::vector<std::string> gguf_type_names() {
  std::vector<std::string> out;
  for (const GgufType& type : kGgufTypes) out.emplace_back(type.name);
  return out;
}

}  // namespace bitlaw
