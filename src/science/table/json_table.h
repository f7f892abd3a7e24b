// Tables in JSON: a list of objects, or an object a line. Keys are columns; keys of nested objects
// are joined with dots.
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

// The rows are the list, or the one list of objects in an object, or, where every member of an
// object is an equally long list, its columns; an object without a list is one row. null and lists
// inside a row are no fields. NaN and Infinity, which Python writes, are read as text. Error names
// the line of what is not JSON, a row that is not an object, and nesting deeper than 64.
RawTable read_json_table(const std::string& text, const std::string& where);
RawTable read_jsonl(const std::string& text, const std::string& where);

// The first line that is not blank is an object of its own, and it is not the last.
bool looks_like_jsonl(const std::string& text);

}  // namespace bitlaw
