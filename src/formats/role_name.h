// Names of several parts (formats/precision.h) where one role of a recipe is meant: W4 for weights.
#pragma once

#include <string>

namespace bitlaw {

// The format of a role ("weights", "activations", "kv", "queries") in a name such as W4, W4A16, A8
// or KV4: "int4". Any other text is returned as it is. Error if the name quantizes other parts,
// too, or says more than formats.
std::string role_name(const std::string& role, const std::string& text);

}  // namespace bitlaw
