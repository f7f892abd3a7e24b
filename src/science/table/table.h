// From the text of a table of runs to observations: any of the formats of raw_table.h, with the
// columns of columns.h in any order. docs/tables.md describes both for users. The columns:
//
//   N D loss                 parameters (non-embedding), tokens, nats per token. C = 6 N D replaces
//                            a missing N or D, perplexity a missing loss
//   N_total                  parameters with embeddings
//   unique_tokens epochs     distinct tokens, or how often they were seen
//   P_w P_a P_kv P           bits in training, of a part or of all; 16 if absent or empty
//   format format_w ...      number formats in training, which also define bits: e2m1, int4, bf16
//   precision backward       classes of the forward and backward pass, for laws with a constant per
//                            class; W4A16 or fp4 also defines bits if no column does
//   training_group           entries that share a scale in training
//   gaussian_error_w ...     mean squared error of a part's format on a unit Gaussian
//   qat_share                best share of the tokens to train with quantization
//   P_post delta standard_error   bits after training, loss difference, its standard error
//   loss_standard_error      of the loss; or loss_low and loss_high, its 95 % interval
//   method group             PTQ method; a group size above 0 makes "gptq" "gptq-g128"
//   run                      trunk the row belongs to (its cluster in a bootstrap)
//   status                   rows that are not finished (row_status.h) are counted and left out
//   unstable                 1, or true: the row is counted and left out unless keep_3bit
//   run_fraction             below 1: the model was kept along its run; the row is counted and left
//                            out unless somebody asks for such rows
//
// A row with P_post in (0, 16) is a cell of post-training quantization: its loss may be empty, its
// delta may not. A row with a qat_share needs no loss either. Every problem is an Error with row
// and column. Rows that differ in a factor without saying so are an Error, too (factors.h).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "formats/block_noise.h"
#include "laws/formula_law.h"
#include "laws/observation.h"
#include "table/columns.h"
#include "table/factors.h"

namespace bitlaw {

struct TableOptions {
  std::string format = "auto";          // or one of table_formats()
  ColumnMap columns;                    // from parse_columns()
  std::vector<std::string> where;       // conditions of row_filter.h
  std::string cluster = "run";          // what is resampled together (row_clusters.h)
  std::map<std::string, double> scale;  // from parse_scale()
  std::string reference;                // the class that is not quantized; "" = by its name
  // Of formats on a unit Gaussian, where the table does not give them.
  GaussianErrorSource gaussian_error = GaussianErrorSource::kLeast;
  // The class whose runs the others are paired with: rows become gaps (gaps.h). "" = none. It is also the
  // reference, and no other may be named.
  std::string gap_to;
  std::vector<std::string> set;    // computed columns (computed_columns.h)
  std::string replicates = "all";  // of equal inputs: all, best or mean (merge_replicates.h)
  bool last_row_per_run = false;   // of learning curves (row_clusters.h)
  bool tokens_by_step = false;   // where D is that of the whole run in all its rows: D of the step
  bool uses_compute = false;     // C as the table has it, where N and D are known, too
  bool drop_duplicates = false;  // keep only the first of identical rows
  bool keep_3bit = false;        // also rows that are marked as unstable
  bool along = false;            // also models along runs; so does a condition on run_fraction
  bool measured = true;          // false: planned runs, with nothing measured
  // A table without any measured column is one of planned runs, and of planned cells if it has P_post.
  bool may_be_planned = false;
  // Columns of laws made from formulas. Rows without a value of one are counted and left out, unless
  // the table is one of planned runs.
  std::vector<LawInputName> inputs;
  // No law that the table is for has N or D: without their columns they stand in (Observation).
  bool sizes_optional = false;
  // Factors that rows may differ in (factors.h). Which law is fitted is not known: some have inputs
  // for these.
  MayDiffer may_differ = {.modelled = {"precision", "backward", "training_group"}};
};

// A row of the table that no fit gets, and why.
struct LeftOutRow {
  int place = 0;  // RawRow::place
  std::string reason;
};

struct Table {
  std::vector<Observation> runs;
  std::vector<FactorRow> factors;                                    // of each of them
  std::string reference;                                             // of TableOptions
  GaussianErrorSource gaussian_error = GaussianErrorSource::kLeast;  // of TableOptions
  std::string kind;     // what it was read as: "csv", "tsv", "json", "jsonl", "quest", "runs"
  std::string hash;     // of its text; of a directory of runs, of the CSV that `bitlaw runs` writes
  int filtered = 0;     // rows left out by a condition
  int diverged = 0;     // runs left out by their status
  int of_diverged = 0;  // rows of models along these runs, and of their cells
  int unfinished = 0;   // rows left out that have no loss yet, according to their status
  // Rows left out whose status says neither: by the column, and by its name and word in the file.
  std::map<std::pair<std::string, std::string>, int> unknown_status;
  int in_use = 0;    // rows left out because activations or KV were rounded after training, too
  int unstable = 0;  // rows left out because 3 bits of activations or KV are too few to train
  int along = 0;     // rows left out because the model was kept along its run
  int tuning = 0;    // rows left out because they are runs of tuning
  int dropped = 0;   // rows left out that repeat an earlier one
  std::map<std::string, int> without_input;  // rows left out, by the column that has no value there
  std::vector<LeftOutRow> left_out;          // all of these rows
  std::vector<std::string> notes;  // how the table was read; warnings.h has what looks wrong
};

// `where` is the file's name for messages.
Table read_table(const std::string& text, const std::string& where, const TableOptions& options);
Table read_table(const std::string& text, const std::string& where, const ColumnMap& columns = {});
// From a table that was read already (ignores options.format).
Table table_of(RawTable raw, const std::string& where, const TableOptions& options);

// Keeps the rows for which `stays` of their number is true, with their factors; `reason`: why the others
// are left out.
void keep_only(Table& table, const std::function<bool(size_t row)>& stays,
               const std::string& reason);

// Whether the table says anything of a precision, in training or after it: a column of bits or formats,
// or a class that is quantized.
bool tells_precision(const RawTable& raw, const std::string& where, const TableOptions& options);

// The precision class of every row (class_of), as --where class=W4A4 compares it.
std::vector<std::string> row_classes(const RawTable& raw, const std::string& where,
                                     const TableOptions& options);

}  // namespace bitlaw
