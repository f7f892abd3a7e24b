// The cells of a grid on a third-party checkpoint, in one pass over its layers:
//
//   for every layer
//     its weights are read
//     the calibration windows move through it: statistics of every input
//     for every cell
//       its matrices are rounded, and the cell's evaluation windows move through the rounded layer
//     the baseline's evaluation windows move through it
//   finally every cell's predictions of the evaluation tokens are compared with the baseline's
//
// Memory: one layer, its statistics, and states of tokens x width x 4 bytes for every cell, the
// baseline and a calibration. If the cells' states exceed the budget, cells are done in waves, each
// with its own pass. Neither waves nor threads change a bit of the results.
//
// Statistics are of the unquantized model's inputs, so that one calibration serves all cells.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "hf/forward.h"
#include "ops/compare.h"
#include "ptq/quantize_matrix.h"
#include "quantize/cell.h"
#include "quantize/rows.h"

namespace bitlaw {

struct PassResult {
  std::vector<TokenComparison> tokens;  // [windows, T]
  std::vector<MatrixReport> matrices;   // layer by layer; empty if the weights are kept as they are
  double seconds = 0;  // of the cell only, without baseline, calibration and comparison
};

// Windows of text: T inputs and the token after each of them.
struct PassText {
  std::span<const int32_t> tokens;  // [windows, T + 1]
};

using PassProgress = std::function<void(double done, double total, const std::string& note)>;

struct PassInput {
  const hf::Architecture& architecture;
  const hf::Weights& weights;
  int64_t sequence;                          // T
  std::map<int64_t, PassText> calibrations;  // by the seeds of the cells
  PassText evaluation;                       // empty: the cells are only solved
  int64_t memory_budget = int64_t{4} << 30;  // bytes for states
  std::string name = "the checkpoint";       // for messages
};

// Callbacks of a pass; each may be empty. The order of cells is unspecified.
struct PassListener {
  // Every cell, as soon as its wave is done.
  std::function<void(size_t cell, PassResult&&)> finished;
  // Every layer of every cell with its rounded weights, the layers of a cell in their order.
  std::function<void(size_t cell, const hf::Layer& rounded)> solved;
  PassProgress progress;  // counts layers of cells
};

// Error for tokens outside the vocabulary, T beyond the checkpoint's context, and weights or states
// that are not finite.
void run_checkpoint_pass(const PassInput& input, std::span<const PtqCell> cells, ThreadPool& pool,
                         const PassListener& listener);

// [windows T] the tokens that the model reads, without the last target of each window.
std::vector<int32_t> inputs_of(const PassText& text, int64_t sequence);

// Statistics of every input of layer l, by hf::Input; applies the layer to `states` [windows T, d].
std::vector<InputSolver> solve_layer(hf::Forward& forward, const hf::Architecture& architecture,
                                     int64_t l, const hf::Layer& layer, Tensor& states,
                                     ThreadPool& pool);

// Errors of round-to-nearest that the cells of one layer and calibration share.
using RtnErrors = std::map<std::string, double>;

// A copy of `layer` with rounded matrices; norms and biases are shared. `solvers` are those of
// solve_layer(), or null without a calibration. `reports` and `known` may be null; `reports` gets
// one entry per matrix.
hf::Layer quantize_layer(const MatrixCell& cell, int64_t l, const hf::Layer& layer,
                         std::vector<InputSolver>* solvers, ThreadPool& pool,
                         std::vector<MatrixReport>* reports, RtnErrors* known = nullptr);

}  // namespace bitlaw
