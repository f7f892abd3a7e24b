// From the text of a table of runs to observations: any of the formats of raw_table.h, with the
// columns of columns.h in any order. docs/tables.md explains both to people. What a row says:
//
//   N D loss                 parameters (non-embedding), tokens, nats per token. C = 6 N D stands
//                            for a missing N or D, perplexity for a missing loss
//   N_total                  parameters with embeddings
//   unique_tokens epochs     distinct tokens, or how often they were seen
//   P_w P_a P_kv P           bits in training, of a part or of all; 16 where absent or empty
//   format format_w ...      number formats in training, which also say bits: e2m1, int4, bf16
//   precision backward       classes of the forward and backward pass, for laws with a constant per
//                            class; W4A16 or fp4 also says bits, where no column of bits does
//   training_group           entries that share a scale in training
//   gaussian_error_w ...     mean squared error of a part's format on a unit Gaussian
//   qat_share                best share of the tokens to train with quantization
//   P_post delta standard_error   bits after training, loss difference, its standard error
//   loss_standard_error      of the loss; or loss_low and loss_high, its interval of 95 %
//   method group             how it was quantized after training; a group size above 0 makes "gptq"
//                            "gptq-g128"
//   run                      trunk the row belongs to (its cluster in a bootstrap)
//   status                   rows that say "diverged" or "failed" are counted and left out, as
//                            are others than "finished" without a loss
//
// A row with P_post in (0, 16) is a cell of post-training quantization: its loss may be empty, its
// delta may not. A row with a qat_share needs no loss either. Everything wrong is an Error with row
// and column.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "laws/observation.h"
#include "table/columns.h"

namespace bitlaw {

struct TableOptions {
  std::string format = "auto";          // or one of table_formats()
  ColumnMap columns;                    // from parse_columns()
  std::vector<std::string> where;       // conditions of row_filter.h
  std::string cluster = "run";          // columns, with commas, whose rows are resampled together
  std::map<std::string, double> scale;  // from parse_scale()
  bool drop_duplicates = false;         // keep the first of rows that are equal in everything
  bool measured = true;  // false: runs still to be made, of which nothing is measured
};

struct Table {
  std::vector<Observation> runs;
  std::string kind;    // what it was read as: "csv", "tsv", "json", "jsonl", "quest", "runs"
  int filtered = 0;    // rows left out because a condition says so
  int diverged = 0;    // rows left out because their status says so
  int unfinished = 0;  // rows left out that have no loss yet, as their status explains
  int in_use = 0;      // rows left out because activations or KV were rounded after training, too
  int dropped = 0;     // rows left out that repeat an earlier one
  std::vector<std::string> notes;  // how the table was understood; warnings.h has what looks odd
};

// `where` is the file's name for messages.
Table read_table(const std::string& text, const std::string& where, const TableOptions& options);
Table read_table(const std::string& text, const std::string& where, const ColumnMap& columns = {});
// Of a table that is read already (options.format does not count).
Table table_of(RawTable raw, const std::string& where, const TableOptions& options);

}  // namespace bitlaw
