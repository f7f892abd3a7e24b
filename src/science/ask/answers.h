// What verbs answer about a table: the result, and the document that --json prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "approach/approach.h"
#include "base/json.h"
#include "compare/compare.h"
#include "design/design.h"
#include "fit/fit.h"
#include "fit/lack_of_fit.h"
#include "fit/row_residuals.h"
#include "table/pure_error.h"
#include "table/table.h"
#include "table/write_table.h"

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

// How far every row lies from the fit (fit/row_residuals.h), with the rows that the table itself leaves out:
//   .residuals[]  row (its place in the table), residual, unit, of, measured, predicted, weight,
//                 standardised, outlier; or left_out, a reason
//   .rows[]       the same rows' columns, N as the law counts it; null for those of the table
//   .unit .threshold of Huber
Json residuals_document(const Table& table, const std::vector<RowResidual>& residuals,
                        const Fit& fit);
// The same as columns of the table of `bitlaw fit --residuals`.
std::vector<ExtraColumn> residual_columns(const Table& table,
                                          const std::vector<RowResidual>& residuals);

struct ApproachedTable {
  Approaches found;
  Json document;
};

// approach: isoflop, envelope, parametric or all (approach/approach.h). `fit`: for the law, and for what
// both have, such as draws. curves: the training loss along the runs; empty = those among the rows.
ApproachedTable approach_table(const Table& table, const std::string& path,
                               const std::string& approach, ApproachOptions options, const Law& law,
                               FitOptions fit, std::vector<LearningCurve> curves,
                               const ParallelFor& parallel_for = {});

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
