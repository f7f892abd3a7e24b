// Keys of a configuration with dots in them: "train.lr" is the key lr of the section train.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace bitlaw {

// "a.b" and nested objects come to the same: {a: {b: value}}. Error if that is nested too deeply
// (base/nesting.h).
void set_path(Json& document, const std::string& dotted, const Json& value);

// Sets every key of `keys`.
void merge(Json& document, const Json& keys);

// Null if there is none.
const Json* find_path(const Json& document, const std::string& dotted);

// Every value with its dotted key, prefixed.
void flatten(const Json& document, const std::string& prefix,
             std::vector<std::pair<std::string, Json>>& out);

// A value as people write it: 1e+06, int4.
std::string text_of(const Json& value);

}  // namespace bitlaw
