// A checksum inside a JSON document, by which an edit by hand or a damaged disk is noticed.
#pragma once

#include <string>

#include "base/json.h"

namespace bitlaw {

// Adds .checksum: the hash of the object without it, whatever the blanks and the order of its keys.
Json with_checksum(Json document);

// Error if the document has one that is not that of its content. Files of earlier versions have
// none.
void require_checksum(const Json& document, const std::string& where);

}  // namespace bitlaw
