// The runs that published constants were fitted to, as their sources say: docs/laws.md.
#pragma once

#include <span>
#include <string_view>

namespace bitlaw {

// Zeros and "" = the source does not say.
struct FittedOn {
  const char* law;
  const char* constants;  // the set's name
  const char* runs;       // how many: "465", "over 400"
  double least_params, most_params;
  double least_tokens, most_tokens;
  double least_bits, most_bits;  // 16 = also runs that are not quantized
  const char* data;
  const char* source;  // where these numbers are from, and what was read of it
};

std::span<const FittedOn> fitted_on();
// Null if nothing is known.
const FittedOn* fitted_on(std::string_view law, std::string_view constants);

}  // namespace bitlaw
