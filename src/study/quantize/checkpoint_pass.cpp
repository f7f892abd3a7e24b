#include "quantize/checkpoint_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/error.h"

namespace bitlaw {
namespace {

using hf::Input;
using hf::kInputs;

constexpr int64_t kEffectiveRows = 64;         // of a matrix, one task
constexpr int64_t kLogitsAtOnce = 16'000'000;  // numbers of one model and thread

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The effective matrix in FP32, and how far it is from the weights.
Tensor effective(const QuantizedMatrix& quantized, const Tensor& weights, ThreadPool& pool,
                 double* relative_error) {
  const int64_t R = quantized.rows, C = quantized.columns;
  const Tensor out = Tensor::empty(DType::kF32, {R, C});
  std::vector<double> errors(static_cast<size_t>(R)), squares(static_cast<size_t>(R));
  pool.parallel_for((R + kEffectiveRows - 1) / kEffectiveRows, [&](int64_t task, int) {
    const int64_t begin = task * kEffectiveRows, end = std::min(R, begin + kEffectiveRows);
    quantized.effective_rows(begin, end, out.f32() + begin * C);
    for (int64_t r = begin; r < end; ++r) {
      const float *const q = out.f32() + r * C, *const w = weights.f32() + r * C;
      double error = 0, square = 0;
      for (int64_t c = 0; c < C; ++c) {
        error += (double{q[c]} - w[c]) * (double{q[c]} - w[c]);
        square += double{w[c]} * w[c];
      }
      errors[static_cast<size_t>(r)] = error;
      squares[static_cast<size_t>(r)] = square;
    }
  });
  const double error = std::accumulate(errors.begin(), errors.end(), 0.0);
  const double square = std::accumulate(squares.begin(), squares.end(), 0.0);
  *relative_error = error == 0 ? 0 : error / square;
  return out;
}

// A cell on its way through the layers.
struct Traveller {
  size_t number;  // among the cells of the pass
  const PtqCell* cell;
  Tensor states;  // [windows T, d]
  PassResult result;
};

// The seed of the text that a cell is calibrated on; none is needed otherwise.
std::optional<int64_t> text_of(const PtqCell& cell) {
  return cell.calibrated() ? std::optional(cell.calibration_seed) : std::nullopt;
}

bool same_weights(const PtqCell& a, const PtqCell& b) {
  return a.weights == b.weights && text_of(a) == text_of(b);
}

hf::StateRounding states_of(const PtqCell& cell) {
  hf::StateRounding out;
  if (cell.activations) out.activations = *cell.activations;
  if (cell.kv) out.keys = out.values = *cell.kv;
  return out;
}

class Wave {
 public:
  Wave(const PassInput& input, std::span<const PtqCell> cells, std::span<const size_t> numbers,
       ThreadPool& pool, const PassListener& listener,
       const std::function<void(int64_t layer)>& step)
      : in_(input),
        pool_(pool),
        listener_(listener),
        step_(step),
        forward_(input.architecture, input.sequence, pool),
        baseline_(embed(input.evaluation)) {
    for (const size_t number : numbers) {
      const PtqCell& cell = cells[number];
      Tensor states = Tensor::empty(DType::kF32, baseline_.shape());
      states.copy_from(baseline_);
      travellers_.push_back({number, &cell, states, {}});
      const std::optional<int64_t> seed = text_of(cell);
      if (!seed || calibrations_.contains(*seed)) continue;
      calibrations_.emplace(*seed, embed(in_.calibrations.at(*seed)));
    }
  }

  void pass_layer(int64_t l) {
    const hf::Layer layer = load_layer(in_.weights, l);
    pass_cells(l, layer, std::nullopt, nullptr);
    for (auto& [seed, states] : calibrations_) {
      std::vector<InputSolver> solvers =
          solve_layer(forward_, in_.architecture, l, layer, states, pool_);
      pass_cells(l, layer, seed, &solvers);
    }
    forward_.run(l, layer, {}, baseline_);
    step_(l);
  }

  // Compares every cell's predictions with the baseline's.
  void compare() {
    if (in_.evaluation.tokens.empty()) return;
    const hf::Head head = load_head(in_.weights);
    const int64_t T = in_.sequence, V = in_.architecture.vocabulary, tokens = baseline_.extent(0);
    const int64_t rows = std::clamp<int64_t>(kLogitsAtOnce / V, 1, 256);
    for (Traveller& one : travellers_) one.result.tokens.resize(static_cast<size_t>(tokens));
    pool_.parallel_for((tokens + rows - 1) / rows, [&](int64_t task, int worker) {
      const int64_t begin = task * rows, end = std::min(tokens, begin + rows);
      Context context;
      const Tensor before = forward_.logits(head, baseline_.rows(begin, end), worker);
      require_finite(before);
      for (Traveller& one : travellers_) {
        const Tensor after = forward_.logits(head, one.states.rows(begin, end), worker);
        require_finite(after);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t target =
              in_.evaluation.tokens[static_cast<size_t>(i / T * (T + 1) + i % T + 1)];
          one.result.tokens[static_cast<size_t>(i)] = compare_logits(
              context, before.f32() + (i - begin) * V, after.f32() + (i - begin) * V, V, target);
        }
      }
    });
  }

  std::vector<Traveller>& travellers() { return travellers_; }

 private:
  Tensor embed(const PassText& text) const {
    return forward_.embed(in_.weights, inputs_of(text, in_.sequence));
  }

  // The cells of one calibration; those with the same weights are adjacent.
  void pass_cells(int64_t l, const hf::Layer& layer, std::optional<int64_t> seed,
                  std::vector<InputSolver>* solvers) {
    const Traveller* last = nullptr;
    hf::Layer quantized;
    RtnErrors known;
    for (Traveller& one : travellers_) {
      if (text_of(*one.cell) != seed) continue;
      const auto start = std::chrono::steady_clock::now();
      if (last != nullptr && same_weights(*last->cell, *one.cell)) {
        const auto of_layer = [l](const MatrixReport& matrix) { return matrix.layer == l; };
        std::copy_if(last->result.matrices.begin(), last->result.matrices.end(),
                     std::back_inserter(one.result.matrices), of_layer);
      } else {
        quantized = quantize_layer(one.cell->weights, l, layer, solvers, pool_,
                                   &one.result.matrices, &known);
      }
      forward_.run(l, quantized, states_of(*one.cell), one.states);
      one.result.seconds += seconds_since(start);
      if (listener_.solved) listener_.solved(one.number, quantized);
      last = &one;
      step_(l);
    }
  }

  void require_finite(const Tensor& logits) const {
    const float* const x = logits.f32();
    if (std::all_of(x, x + logits.elements(), [](float v) { return std::isfinite(v); })) return;
    throw Error(
        fmt::format("{}: its logits are not finite on the evaluation text; its weights are damaged "
                    "or too large for FP32",
                    in_.name));
  }

  const PassInput& in_;
  ThreadPool& pool_;
  const PassListener& listener_;
  const std::function<void(int64_t layer)>& step_;
  hf::Forward forward_;
  Tensor baseline_;                         // states of the evaluation windows
  std::map<int64_t, Tensor> calibrations_;  // states, by seed
  std::vector<Traveller> travellers_;
};

// Cells by calibration, equal weights together, cut to waves whose states fit into the budget.
std::vector<std::vector<size_t>> waves_of(const PassInput& in, std::span<const PtqCell> cells) {
  std::vector<size_t> order;
  for (size_t i = 0; i < cells.size(); ++i) {  // behind the last cell with the same weights
    const auto same = std::find_if(order.rbegin(), order.rend(), [&](size_t other) {
      return same_weights(cells[other], cells[i]);
    });
    order.insert(same == order.rend() ? order.end() : same.base(), i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return text_of(cells[a]) < text_of(cells[b]); });

  const int64_t window_bytes = in.sequence * in.architecture.width * 4;
  const auto bytes = [&](const PassText& text) {
    return static_cast<int64_t>(text.tokens.size()) / (in.sequence + 1) * window_bytes;
  };
  const int64_t cell_bytes = bytes(in.evaluation);
  std::vector<std::vector<size_t>> waves;
  int64_t left = 0;
  std::optional<int64_t> last_seed;
  for (const size_t i : order) {
    const std::optional<int64_t> seed = text_of(cells[i]);
    const int64_t text = seed ? bytes(in.calibrations.at(*seed)) : 0;
    const int64_t more = cell_bytes + (seed == last_seed ? 0 : text);
    if (waves.empty() || more > left) {
      waves.emplace_back();
      left = in.memory_budget - cell_bytes - cell_bytes - text;  // the baseline's, and the cell's
    } else {
      left -= more;
    }
    waves.back().push_back(i);
    last_seed = seed;
  }
  return waves;
}

}  // namespace

std::vector<int32_t> inputs_of(const PassText& text, int64_t T) {
  std::vector<int32_t> tokens;
  for (size_t begin = 0; begin < text.tokens.size(); begin += static_cast<size_t>(T + 1)) {
    const auto window = text.tokens.subspan(begin, static_cast<size_t>(T));
    tokens.insert(tokens.end(), window.begin(), window.end());
  }
  return tokens;
}

std::vector<InputSolver> solve_layer(hf::Forward& forward, const hf::Architecture& a, int64_t l,
                                     const hf::Layer& layer, Tensor& states, ThreadPool& pool) {
  const int64_t T = forward.T(), windows = states.extent(0) / T;
  std::vector<StatisticsCollector> collectors;
  for (int input = 0; input < kInputs; ++input) collectors.emplace_back(width_of(a, Input(input)));
  struct Block {
    size_t input;
    int64_t block;
  };
  std::vector<Block> blocks;
  for (size_t input = 0; input < collectors.size(); ++input) {
    for (int64_t b = 0; b < collectors[input].blocks(); ++b) blocks.push_back({input, b});
  }
  // As many windows at once as there are threads, added in their order.
  const int64_t at_once = pool.threads();
  std::vector<std::vector<Tensor>> seen(static_cast<size_t>(at_once),
                                        std::vector<Tensor>(static_cast<size_t>(kInputs)));
  for (int64_t first = 0; first < windows; first += at_once) {
    const int64_t count = std::min(at_once, windows - first);
    Tensor some = states.rows(first * T, (first + count) * T);
    forward.run(l, layer, {}, some, [&](int64_t slot, Input input, const Tensor& x) {
      Tensor& copy = seen[static_cast<size_t>(slot)][static_cast<size_t>(input)];
      if (!copy.defined()) copy = Tensor::empty(DType::kF32, x.shape());
      copy.copy_from(x);
    });
    pool.parallel_for(static_cast<int64_t>(blocks.size()), [&](int64_t index, int) {
      const auto& [input, block] = blocks[static_cast<size_t>(index)];
      for (int64_t slot = 0; slot < count; ++slot) {
        collectors[input].add_block(block, seen[static_cast<size_t>(slot)][input].f32(), T);
      }
    });
    for (StatisticsCollector& collector : collectors) collector.count(count * T);
  }
  std::vector<InputSolver> solvers;
  for (StatisticsCollector& collector : collectors) {
    solvers.emplace_back(std::move(collector).finish(), pool);
  }
  return solvers;
}

hf::Layer quantize_layer(const MatrixCell& cell, int64_t l, const hf::Layer& layer,
                         std::vector<InputSolver>* solvers, ThreadPool& pool,
                         std::vector<MatrixReport>* reports, RtnErrors* known) {
  hf::Layer out = layer;
  if (cell.method->round == nullptr) return out;
  for (hf::Matrix& matrix : out.matrices) {
    const Tensor weights = matrix.weight;
    InputSolver* const solver =
        solvers == nullptr ? nullptr : &(*solvers)[static_cast<size_t>(matrix.spec.input)];
    // NaN if not known yet.
    double own_error = MatrixResult::kNone;
    double& rtn_error =
        known == nullptr
            ? own_error
            : known
                  ->try_emplace(fmt::format("{} {} {} {}", matrix.spec.role, cell.scheme.name(),
                                            cell.scheme.group, cell.rotated),
                                own_error)
                  .first->second;
    const int64_t R = weights.extent(0), C = weights.extent(1);
    const MatrixResult result = quantize_matrix(cell, solver, weights.f32(), R, C, pool, rtn_error);
    rtn_error = result.rtn_error;
    double relative_error = 0;
    matrix.weight = effective(result.quantized, weights, pool, &relative_error);
    if (reports != nullptr)
      reports->push_back(matrix_report(l, matrix.spec.role, result, relative_error));
  }
  return out;
}

void run_checkpoint_pass(const PassInput& input, std::span<const PtqCell> cells, ThreadPool& pool,
                         const PassListener& listener) {
  const auto window = static_cast<size_t>(input.sequence + 1);
  BITLAW_CHECK(input.evaluation.tokens.size() % window == 0);
  for (const auto& [seed, text] : input.calibrations) {
    BITLAW_CHECK(!text.tokens.empty() && text.tokens.size() % window == 0);
    require_tokens(input.architecture, text.tokens);
  }
  require_tokens(input.architecture, input.evaluation.tokens);  // targets too
  const std::vector<std::vector<size_t>> waves = waves_of(input, cells);
  // Layers of cells and of each wave's baseline.
  const int64_t L = input.architecture.layers;
  const auto total = static_cast<double>((cells.size() + waves.size()) * static_cast<size_t>(L));
  double done = 0;
  for (const std::vector<size_t>& numbers : waves) {
    const std::function<void(int64_t)> step = [&](int64_t l) {
      ++done;
      if (listener.progress)
        listener.progress(done, total, fmt::format("layer {} of {}", l + 1, L));
    };
    Wave wave(input, cells, numbers, pool, listener, step);
    for (int64_t l = 0; l < L; ++l) wave.pass_layer(l);
    wave.compare();
    if (!listener.finished) continue;
    for (Traveller& one : wave.travellers()) listener.finished(one.number, std::move(one.result));
  }
}

}  // namespace bitlaw
