// What verbs answer about a table: the result, and the document that --json prints.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "compare/compare.h"
#include "design/design.h"
#include "fit/fit.h"
#include "fit/lack_of_fit.h"
#include "table/pure_error.h"
#include "table/table.h"

namespace bitlaw {

struct FittedTable {
  Fit fit;
  PureError noise;
  std::optional<LackOfFit> lack;  // none for laws of gaps
  Json document;
};

// `path`: the table's name, for messages and the document. Error if nothing can be fitted to it.
FittedTable fit_table(const Table& table, const std::string& path, const Law& law,
                      const FitOptions& options, const ParallelFor& parallel_for = {});

struct ComparedTable {
  Comparison comparison;
  std::string lack;  // of fit, a line for each law; "" = there are no replicates
  Json document;
};

ComparedTable compare_table(const Table& table, const std::string& path,
                            const CompareOptions& options, const ParallelFor& parallel_for = {});

struct DesignedTable {
  Design design;
  Json document;
};

// `candidates`: planned runs to choose from; empty = those that the options describe.
DesignedTable design_table(const Table& table, const std::string& path,
                           const DesignOptions& options, const std::vector<Observation>& candidates,
                           const ParallelFor& parallel_for = {});

}  // namespace bitlaw
