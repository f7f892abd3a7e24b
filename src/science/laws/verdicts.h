// How each law does on public tables: figures that tools/measure_verdicts measured and wrote to
// laws/verdicts.inc, for docs/laws.md. The tables themselves are not part of this repository.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace bitlaw {

struct VerdictTable {
  const char* name;     // "quest_qat"
  const char* what;     // whose runs, of what
  const char* options;  // of `bitlaw compare`, beside the file
  bool deltas;          // loss differences of quantization after training rather than losses
  int points;           // rows
};

struct Verdict {
  const char* table;
  const char* law;
  int free;   // constants fitted
  double r2;  // of the losses, or of the deltas in nats
  // Root mean square over five folds, and its standard error: of log losses, as a share; of deltas, in
  // standard errors of a row.
  double held_out, standard_error;
  int rank;   // by held_out; laws that coincide on the table share one
  bool tied;  // with the best
};

std::span<const VerdictTable> verdict_tables();
std::span<const Verdict> verdicts();
// Of one law, in the order of the tables.
std::vector<Verdict> verdicts_of(std::string_view law);
// The last rank of a table.
int worst_rank(std::string_view table);

}  // namespace bitlaw
