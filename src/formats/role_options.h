// What a role of a recipe does besides rounding to the nearest code, as options behind its format
// (docs/decisions/0016-formats-in-training.md):
//
//   +clip          the range of each block is searched for the least squared error, as after
//                  training
//   +gauss         the range that is best for normal numbers of the block's size
//                  (both: formats/weight_scheme.h)
//   +hadamard      the matrix is rotated before it is rounded, in blocks as wide as its rows allow;
//   +hadamard32    in blocks of at most 32 entries (formats/rotation.h)
//   +trust         no gradient for entries that the range cuts off (formats/gaussian_scale.h)
//
// as in "int4+gauss+hadamard128+trust".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitlaw {

struct RoleOptions {
  bool clip = false, gauss = false, trust = false;
  int64_t hadamard = 0;  // most entries that are rotated together; 0: not rotated

  // Whether the range of a block is not simply that of its largest magnitude.
  bool fits_range() const { return clip || gauss; }
  std::string name() const;  // "", "+clip+hadamard": in alphabetical order
  bool operator==(const RoleOptions&) const = default;
};

// Inverse of name(), in any order. Error if an option is unknown or stands twice, or if both clip
// and gauss are asked for.
RoleOptions parse_role_options(std::string_view text);

// The format in the name of a role: "mxfp4" of "mxfp4+clip+hadamard".
std::string_view without_options(std::string_view name);

}  // namespace bitlaw
