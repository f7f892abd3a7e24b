// Tables in JSON: a list of objects, or one object per line. Keys are columns; keys of nested
// objects are joined with dots.
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

// The rows are the list, or the only list of objects in an object, unless that object has a number of
// parameters or tokens itself: then it is one row. An object of equally long lists is a table by
// columns. Objects in an object that are alike are rows by the names of runs ("run-1": {...}), or
// columns ("N": {"0": ...}), as pandas writes them; so is {"columns", "data"}. Any other object is one
// row. null is no field. A list inside a row is a text; a list of objects also has its fields as
// columns, results.0.loss, or results.c4.loss if a field names each entry. NaN and Infinity, which
// Python writes, are read as text. An Error names the line of invalid JSON, a row that is not an
// object, or nesting deeper than 64.
RawTable read_json_table(const std::string& text, const std::string& where);
RawTable read_jsonl(const std::string& text, const std::string& where);

// Whether the first nonblank line is a complete object and not the last line.
bool looks_like_jsonl(const std::string& text);

}  // namespace bitlaw
