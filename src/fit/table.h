// From the text of a CSV file to observations. Any column order, quoted fields (RFC 4180), extra
// columns ignored. Columns and the names they are looked for by:
//
//   N D loss                 parameters (non-embedding), tokens, nats per token; required
//   N_total                  parameters with embeddings
//   P_w P_a P_kv P_post      bits; 16 where absent or empty (P_post: none)
//   delta standard_error     loss difference of post-training quantization, and its standard error
//   method group             how it was quantized; a group size above 0 makes "gptq" "gptq-g128"
//   run                      trunk the row belongs to (its cluster in a bootstrap)
//   status                   rows that say "diverged" or "failed" are counted and left out, as
//                            are others than "finished" without a loss
//
// A row with P_post in (0, 16) is a cell of post-training quantization: its loss may be empty, its
// delta may not. Everything wrong is an Error with row and column.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// Our name of a column -> the file's.
using ColumnMap = std::map<std::string, std::string>;

// "N=params,D=tokens,loss=val_loss"; an Error names an unknown column's nearest.
ColumnMap parse_columns(const std::string& text);

struct Table {
  std::vector<Observation> runs;
  int diverged = 0;                // rows left out because their status says so
  int unfinished = 0;              // rows left out that have no loss yet, as their status explains
  std::vector<std::string> notes;  // what looks odd but can be fitted
};

// `where` is the file's name for messages.
Table read_table(const std::string& csv_text, const std::string& where,
                 const ColumnMap& columns = {});

}  // namespace bitlaw
