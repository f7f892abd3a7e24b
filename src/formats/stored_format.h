// What a weight takes in a file: its code and its share of scales, zero points and block headers.
//
//   a format or precision   int4, mxfp4 (4.25), nvfp4 (4.5), W4A16g128 (4.125), e4m3, BF16, FP32
//   a type of GGUF          q4_0 (4.5), q4_k (4.5), q6_k (6.5625), q8_0 (8.5) ...: bytes of a block
//                           over its weights
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace bitlaw {

struct StoredFormat {
  std::string name;
  double bits = 16;       // per weight, all that a group shares included
  double code_bits = 16;  // of them for the code itself; as `bits` for types of GGUF
  int group = 0;          // weights that share a scale; 0: the name does not say
  bool is_gguf = false;
  std::optional<Format> format;  // of the codes; empty for types of GGUF and fp6

  // Whether the name leaves open what shares a scale, and so what the scales take.
  bool lacks_scales() const { return !is_gguf && group == 0 && code_bits < 16; }
};

// Empty if the text is neither. Case does not matter; q4_K_M is a mixture, not a type.
std::optional<StoredFormat> find_stored_format(std::string_view text);

// "q4_0", "q4_k" and so on.
std::vector<std::string> gguf_type_names();

}  // namespace bitlaw
