#include "ptq/calibrate.h"

#include <algorithm>

#include "base/error.h"
#include "base/float_mode.h"
#include "model/activations.h"
#include "ptq/fixed_order.h"

namespace bitlaw {
namespace {

using Inputs = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int64_t kColumnBlock = 128;  // columns of a Hessian that one task sums

struct Worker {
  Context context;
  ActivationsPtr activations;
  Tensor losses;
  Operand rounded;
};

// The input of a projection as its product sees it: rounded, in FP32.
void take_input(Worker& worker, const Rounding& rounding, const Tensor& input, Inputs& out) {
  const int64_t rows = input.extent(0), columns = input.extent(1);
  worker.rounded = make_operand(rounding, rows, columns);
  quantize(worker.context, rounding, input, worker.rounded);
  out.resize(rows, columns);
  const Tensor& codes = worker.rounded.codes;
  const Tensor& scales = worker.rounded.scales;
  const int64_t group = worker.rounded.group,
                groups = group == 0 ? 1 : (columns + group - 1) / group;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t i = r * columns + c;
      const int64_t block = group == 0 ? r : r * groups + c / group;
      const float scale = scales.defined() ? scales.f32()[block] : 1.0f;
      out(r, c) =
          (codes.dtype() == DType::kBF16 ? codes.bf16()[i].value() : codes.f32()[i]) * scale;
    }
  }
}

struct ColumnBlock {
  size_t matrix;
  int64_t begin, end;
};

// Lower part of columns [begin, end) of H += X^T X.
void add_products(const Inputs& inputs, const ColumnBlock& block, Eigen::MatrixXd& hessian) {
  const int64_t below = hessian.rows() - block.begin, width = block.end - block.begin;
  const Eigen::MatrixXd x = inputs.rightCols(below).cast<double>();
  hessian.block(block.begin, block.begin, below, width).noalias() +=
      x.transpose() * x.leftCols(width);
}

}  // namespace

Calibration calibrate(const Model& model, const Parameters& parameters,
                      std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                      const Context& like) {
  BITLAW_CHECK(kSameBlocksOnEveryMachine && !windows.empty());
  const int64_t T = model.config().sequence;
  const Rounding rounding = rounding_of(model.recipe().activations, Role::kActivations);
  Calibration out;
  out.tokens = static_cast<int64_t>(windows.size()) * T;
  std::vector<ColumnBlock> blocks;
  for (int64_t l = 0; l < model.config().layers; ++l) {
    for (int p = 0; p < kProjections; ++p) {
      const int64_t in = parameters.tensors[model.parameter_index(l, Projection(p))].extent(1);
      for (int64_t begin = 0; begin < in; begin += kColumnBlock) {
        blocks.push_back({out.hessians.size(), begin, std::min(in, begin + kColumnBlock)});
      }
      out.hessians.push_back(Eigen::MatrixXd::Zero(in, in));
    }
  }

  std::vector<Worker> workers(static_cast<size_t>(pool.threads()));
  for (Worker& worker : workers) {
    worker.context.backend = like.backend;
    worker.context.isa = like.isa;
  }
  // As many windows at once as there are threads: each runs through the model by itself, then their
  // products are added in the order of the windows.
  const size_t at_once = workers.size();
  std::vector<std::vector<Inputs>> inputs(at_once, std::vector<Inputs>(out.hessians.size()));
  for (size_t first = 0; first < windows.size(); first += at_once) {
    const size_t count = std::min(at_once, windows.size() - first);
    pool.parallel_for(static_cast<int64_t>(count), [&](int64_t slot, int number) {
      const FlushSubnormals flush;
      Worker& worker = workers[static_cast<size_t>(number)];
      if (!worker.activations) {
        worker.activations = make_activations(model, false);
        worker.losses = Tensor::empty(DType::kF32, {T});
      }
      const auto window = windows[first + static_cast<size_t>(slot)];
      BITLAW_CHECK(static_cast<int64_t>(window.size()) == T + 1);
      model.forward_tapped(
          worker.context, parameters, window.first(static_cast<size_t>(T)), window.subspan(1),
          *worker.activations, worker.losses,
          [&](int64_t layer, Projection projection, const Tensor& input) {
            const auto matrix =
                static_cast<size_t>(layer * kProjections) + static_cast<size_t>(projection);
            take_input(worker, rounding, input, inputs[static_cast<size_t>(slot)][matrix]);
          });
    });
    pool.parallel_for(static_cast<int64_t>(blocks.size()), [&](int64_t index, int) {
      const ColumnBlock& block = blocks[static_cast<size_t>(index)];
      for (size_t slot = 0; slot < count; ++slot) {
        add_products(inputs[slot][block.matrix], block, out.hessians[block.matrix]);
      }
    });
  }
  for (Eigen::MatrixXd& hessian : out.hessians) {
    hessian *= 2.0 / static_cast<double>(out.tokens);
    hessian.triangularView<Eigen::StrictlyUpper>() = hessian.transpose();
  }
  return out;
}

}  // namespace bitlaw
