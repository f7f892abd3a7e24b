// How a table of runs is to be read, in words: the options that every verb with a table has, on the
// command line, in a question (ask.h) and from other languages.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw {

struct TableWords {
  std::string format = "auto", columns, scale, cluster = "run", reference, gap_to;
  std::string replicates = "all", gaussian_error = "least";
  std::vector<std::string> set, where, pool;
  bool last_row_per_run = false, drop_duplicates = false, keep_3bit = false;
  bool tokens_by_step = false;  // of learning curves: TableOptions
  bool uses_compute = false;    // C is taken from the table where it has one, besides N and D

  template <class V>
  void visit(V& v) {
    v("format", format, "auto, csv, tsv, json, jsonl or quest");
    v("columns", columns, "names of your columns: N=params,D=tokens,loss=val_loss; P_w=- for none");
    v("scale", scale, "units of columns: N=1e6,D=1e9 for millions and billions");
    v("set", set,
      "a computed column: 'N=params-50304*width', 'loss=val_bpb*log(2)*4.5'; repeatable");
    v("where", where, "rows to use: dataset=c4, P_w=3,4, P_w!=16, N=1e6..3e8, D/N>20; repeatable");
    v("cluster", cluster,
      "columns that define clusters, resampled as a whole: size,seed; or inputs, or row");
    v("pool", pool,
      "factors in which rows may differ: lr,batch,extra_norm, or all (docs/tables.md#factors)");
    v("reference", reference,
      "the precision class that is not quantized, if its name does not say so: baseline");
    v("gaussian_error", gaussian_error,
      "what rates a number format for panferov: least (its best scale), block (its own, from each "
      "block's largest entry) or printed (arXiv 2510.25602)");
    v("gap_to", gap_to,
      "fit gaps: losses minus those of this class at the same N, D and seed (bf16)");
    v("replicates", replicates,
      "runs of equal N, D and precision: all, best (the least loss) or mean");
    v("last_row_per_run", last_row_per_run, "keep only the last row of each run or learning curve");
    v("drop_duplicates", drop_duplicates, "keep only the first of identical rows");
    v("keep_3bit", keep_3bit,
      "use runs with 3 bits or fewer of activations or KV, which fits leave out");
  }

  bool takes_gaps() const { return !gap_to.empty(); }  // rows become gaps (table/gaps.h)
};

// Error for a word that cannot be read.
TableOptions table_options(const TableWords& words);

// The table for these laws; its notes are followed by what looks odd in it (table/warnings.h). Error for
// laws of losses where gaps are asked for, and the other way round.
Table table_for(const std::vector<const Law*>& laws, RawTable raw, const std::string& where,
                const TableWords& words);

// The law for a verb that is given none, and a note on why it is not the default; "" = it is.
struct UsualLaw {
  std::string name, note;
};
UsualLaw usual_law(const RawTable& raw, const std::string& where, const TableWords& words);
// For a table without bits.
const Law& law_without_bits();

// Whether `pool` names models along the runs, which are left out otherwise; `all` does not.
bool pool_models_along(const std::vector<std::string>& pool);

// Error where no law can be fitted to the table at all.
void must_have_something_to_fit(const Table& table, const std::string& path);

// The table of a result's document: path, rows, what was left out, notes.
Json table_json(const Table& table, const std::string& path);

}  // namespace bitlaw
