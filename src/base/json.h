// JSON documents. Keys are sorted, so that equal documents print equal bytes (and hash equally).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace bitlaw {

using Json = nlohmann::json;

// Parses `text`; an Error names `where` (a path) and the first mistake, or that it nests too deep.
Json parse_json(const std::string& text, const std::string& where);

// Compact, sorted, with every digit a double needs to be read back exactly; NaN and infinities
// become null.
std::string dump_json(const Json& document, int indent = -1);

}  // namespace bitlaw
