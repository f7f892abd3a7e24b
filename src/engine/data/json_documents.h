// Documents in JSON: an object on every line (JSONL), a list of objects, or objects one after the
// other over any lines. Which key of an object holds the text is the caller's choice.
#pragma once

#include <string>

#include "base/json.h"
#include "data/byte_source.h"
#include "data/documents.h"

namespace bitlaw {

// The text of a record under `key`. If the record has no such key, a dot leads into objects, and
// through every element of lists: "conversations.content". Texts of a list are joined with a line
// end. Error, naming `where` and the keys that are there, if there is none.
std::string record_text(const Json& record, const std::string& key, const std::string& where);

// "", or why the first value of a JSON file holds no text under `key`.
std::string why_no_documents(ByteSource& source, const std::string& name, const std::string& key);

}  // namespace bitlaw
