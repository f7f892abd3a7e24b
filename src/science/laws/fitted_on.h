// The runs that published constants were fitted to, as their sources say: docs/laws.md, and what plans
// and predictions call an extrapolation (predict/reach.h).
#pragma once

#include <span>
#include <string_view>

namespace bitlaw {

// Zeros and "" = the source does not say.
struct FittedOn {
  const char* law = "";
  const char* constants = "";  // the set's name
  const char* runs = "";       // how many: "465", "over 400"
  double least_params = 0, most_params = 0;
  double least_tokens = 0, most_tokens = 0;
  double least_bits = 0, most_bits = 0;  // while training; 16 = also runs that are not quantized
  const char* data = "";
  const char* source = "";  // where these numbers are from, and what was read of it
};

std::span<const FittedOn> fitted_on();
// Null if nothing is known.
const FittedOn* fitted_on(std::string_view law, std::string_view constants);

}  // namespace bitlaw
