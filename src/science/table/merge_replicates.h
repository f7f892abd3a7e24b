// Rows of equal inputs: the runs of a grid of learning rates or batches, of which a law is often of the
// best, and runs with other seeds, of which it is of the mean.
#pragma once

#include <string>
#include <vector>

#include "table/table.h"

namespace bitlaw {

enum class Replicates {
  kAll,   // every row counts
  kBest,  // the row with the least loss
  kMean,  // one row with the mean of their losses, and its standard error
};

// "all", "best" or "mean".
Replicates parse_replicates(const std::string& text);

// Makes one row of each group of runs that have equal inputs: what a law may see of them (N, D,
// precision), and the factors that never vary, so that nothing is mixed that cannot be compared. Cells
// of quantization after training, and rows without a loss, stay. A note counts them.
void merge_replicates(Table& table, Replicates how);

// Gives rows that have equal inputs, and no cluster, one cluster: they share what the law misses at
// this point, so they are not independent.
void cluster_by_inputs(Table& table);

// Joins the clusters of rows that have equal inputs and differ in a factor that varies by size, as those
// of a grid of learning rates do: the number of rows. Their spread is that of the grid, not of seeds.
int join_grids(Table& table);

}  // namespace bitlaw
