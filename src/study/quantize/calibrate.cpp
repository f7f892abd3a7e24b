#include "quantize/calibrate.h"

#include <algorithm>

#include "base/error.h"
#include "base/float_mode.h"
#include "formats/rotation.h"
#include "model/activations.h"
#include "ops/rotate.h"

namespace bitlaw {
namespace {

struct Worker {
  Context context;
  ActivationsPtr activations;
  Tensor losses;
  Operand rounded;

  void make(const Model& model) {
    if (activations) return;
    activations = make_activations(model, false);
    losses = Tensor::empty(DType::kF32, {model.config().sequence});
  }
};

void set_backend(Context& context, const Context& like) {
  context.backend = like.backend;
  context.isa = like.isa;
}

// The input of a projection as its product sees it, in FP32, [rows, columns]: rounded, in blocks of
// `width` that are rotated before and back after it.
void take_input(Worker& worker, const Rounding& rounding, int64_t width, const Tensor& input,
                std::vector<float>& out) {
  const int64_t rows = input.extent(0), columns = input.extent(1);
  worker.rounded = make_operand(rounding, rows, columns);
  Tensor rotated = input;
  if (width > 1) {
    rotated = Tensor::empty(DType::kF32, input.shape());
    rotate(worker.context, width, input, rotated);
  }
  quantize(worker.context, rounding, rotated, worker.rounded);
  out.resize(static_cast<size_t>(rows * columns));
  const Tensor& codes = worker.rounded.codes;
  const Tensor& scales = worker.rounded.scales;
  const int64_t group = worker.rounded.group,
                groups = group == 0 ? 1 : (columns + group - 1) / group;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t i = r * columns + c;
      const int64_t block = group == 0 ? r : r * groups + c / group;
      const float scale = scales.defined() ? scales.f32()[block] : 1.0f;
      const float code = codes.dtype() == DType::kBF16 ? codes.bf16()[i].value() : codes.f32()[i];
      out[static_cast<size_t>(i)] = code * scale;
    }
  }
  rotate_blocks(out.data(), rows * columns, width);
}

struct Piece {  // of the sums, that one task adds to
  size_t matrix;
  int64_t block;
};

}  // namespace

Calibration calibrate(const Model& model, const Parameters& parameters,
                      std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                      const Context& like) {
  BITLAW_CHECK(!windows.empty());
  const int64_t T = model.config().sequence;
  const Rounding rounding = rounding_of(model.recipe().activations, Role::kActivations);
  const auto width_of = [&](const Tensor& input) {
    return model.recipe().projection_rotation(input.extent(1));
  };
  std::vector<StatisticsCollector> collectors;
  std::vector<Piece> pieces;
  for (int64_t l = 0; l < model.config().layers; ++l) {
    for (int p = 0; p < kProjections; ++p) {
      collectors.emplace_back(
          parameters.tensors[model.parameter_index(l, Projection(p))].extent(1));
      for (int64_t block = 0; block < collectors.back().blocks(); ++block)
        pieces.push_back({collectors.size() - 1, block});
    }
  }

  // As many windows at once as there are threads, or as training had in a batch if a batch shares
  // scales: they run through the model, then their products are added in the order of the windows.
  const bool in_batches = model.recipe().has_batch_scales();
  const auto threads = static_cast<size_t>(pool.threads());
  const size_t at_once = in_batches ? static_cast<size_t>(model.recipe().batch_sequences) : threads;
  BITLAW_CHECK(at_once > 0);
  std::vector<Worker> workers(at_once);  // one per thread, or one per window of a batch
  std::vector<Context> contexts(in_batches ? threads : 0);
  for (Worker& worker : workers) set_backend(worker.context, like);
  for (Context& context : contexts) set_backend(context, like);
  std::vector<std::vector<std::vector<float>>> inputs(
      at_once, std::vector<std::vector<float>>(collectors.size()));
  const auto input_of = [&](int64_t slot, int64_t layer, Projection projection) -> auto& {
    return inputs[static_cast<size_t>(slot)]
                 [static_cast<size_t>(layer * kProjections) + static_cast<size_t>(projection)];
  };
  for (size_t first = 0; first < windows.size(); first += at_once) {
    const size_t count = std::min(at_once, windows.size() - first);
    const auto window_of = [&](int64_t slot) {
      const auto window = windows[first + static_cast<size_t>(slot)];
      BITLAW_CHECK(static_cast<int64_t>(window.size()) == T + 1);
      return window;
    };
    if (in_batches) {
      std::vector<BatchMember> members;
      for (size_t slot = 0; slot < count; ++slot) {
        workers[slot].make(model);
        members.push_back({window_of(static_cast<int64_t>(slot)).first(static_cast<size_t>(T)),
                           workers[slot].activations.get()});
      }
      model.forward_batch(parameters, members, pool, contexts,
                          [&](int64_t slot, int64_t layer, Projection projection,
                              const Tensor& input, const Rounding& how) {
                            take_input(workers[static_cast<size_t>(slot)], how, width_of(input),
                                       input, input_of(slot, layer, projection));
                          });
    } else {
      pool.parallel_for(static_cast<int64_t>(count), [&](int64_t slot, int number) {
        const FlushSubnormals flush;
        Worker& worker = workers[static_cast<size_t>(number)];
        worker.make(model);
        const auto window = window_of(slot);
        model.forward_tapped(worker.context, parameters, window.first(static_cast<size_t>(T)),
                             window.subspan(1), *worker.activations, worker.losses,
                             [&](int64_t layer, Projection projection, const Tensor& input) {
                               take_input(worker, rounding, width_of(input), input,
                                          input_of(slot, layer, projection));
                             });
      });
    }
    pool.parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t index, int) {
      const Piece& piece = pieces[static_cast<size_t>(index)];
      for (size_t slot = 0; slot < count; ++slot)
        collectors[piece.matrix].add_block(piece.block, inputs[slot][piece.matrix].data(), T);
    });
    for (StatisticsCollector& collector : collectors)
      collector.count(static_cast<int64_t>(count) * T);
  }
  Calibration out;
  out.tokens = static_cast<int64_t>(windows.size()) * T;
  for (StatisticsCollector& collector : collectors)
    out.inputs.push_back(std::move(collector).finish());
  return out;
}

}  // namespace bitlaw
