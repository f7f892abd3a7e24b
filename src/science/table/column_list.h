// The columns that a table may have: what each is called, here and by other programs.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace bitlaw {

struct TableColumn {
  const char* name;     // ours
  const char* meaning;  // for messages
  const char* usual;    // usual plain names that can mean nothing else
  const char* too;      // plain names that mean it if none of `usual` is present
  const char* parts;    // what names that might mean it contain, for messages
  bool has_unit;        // may be scaled
};

// Names of a count of parameters that may include embeddings: beside a count without, they do.
extern const char* const kParameterCounts;

// Those that are no factors, the more important ones first.
std::span<const TableColumn> table_columns();
// Also of factors, which have no entry of their own. Error if there is none.
TableColumn column_named(const std::string& name);
// Of all, the factors included.
std::vector<std::string> known_columns();

}  // namespace bitlaw
