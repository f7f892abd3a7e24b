// What a reader of a table should know of how it was read, in sentences.
#pragma once

#include <string>
#include <vector>

#include "table/columns.h"
#include "table/precision_columns.h"
#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw {

// What was read from somewhere else than its own column, for a note each.
struct Derived {
  int params = 0, tokens = 0, losses = 0, other_compute = 0, low_totals = 0;
  PrecisionSources precision;
};

// Adds a sentence for each count of the table that is not 0.
void add_notes(Table& table, const Derived& derived);

// Adds one on rows whose text repeats, unless every law has an input for it (`modelled`).
void note_repetition(Table& table, const std::vector<std::string>& modelled);

// Adds one on columns without a meaning here that hold a few words, each in several rows: their
// names may hide a factor. `except`: columns that the user named.
void note_unread(const RawTable& raw, const Columns& columns, const std::vector<size_t>& except,
                 Table& table);

// "status running in 3 rows, status crashed in 1 row. --columns status=- uses all rows"
std::string unknown_statuses(const Table& table);

}  // namespace bitlaw
