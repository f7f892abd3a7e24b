#include "ptq/awq.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "ptq/hessian_error.h"
#include "ptq/rtn.h"
#include "ptq/tiles.h"

namespace bitlaw {
namespace {

// The first pass, the middle first: what it leaves over is a bound for the rest.
constexpr int kEighths[] = {8, 4, 6, 10, 2, 12, 14, 16};

class Search {
 public:
  Search(const WeightScheme& scheme, const float* weights, int64_t rows, int64_t columns,
         const linalg::Matrix& hessian, ThreadPool& pool)
      : weights_(weights),
        hessian_(hessian),
        pool_(pool),
        workers_(static_cast<size_t>(pool.threads())),
        errors_(static_cast<size_t>(rows)),
        candidate_(scheme, rows, columns) {}

  // The error of W diag(s) rounded, in candidate(); empty if it is above `bound`.
  std::optional<double> error_of(const std::vector<float>& s, double bound) {
    const int64_t rows = candidate_.rows, columns = candidate_.columns;
    candidate_.column_scale = s;
    candidate_.tensor_scale = tensor_scale(
        candidate_.scheme,
        candidate_.scheme.scales == ScaleRule::kE4M3 ? largest_scaled_magnitude(s) : 0);
    // Sums in another order differ by less than this, so that no candidate is given up that could
    // still be the best.
    const double surely_above = bound * (1 + 1e-9);
    std::atomic<double> sum = 0;
    for_row_tiles(rows, pool_, [&](int64_t begin, int64_t end, int number) {
      if (sum > surely_above) return;
      Worker& worker = workers_[static_cast<size_t>(number)];
      worker.values.resize(static_cast<size_t>((end - begin) * columns));
      scale_rows(s, begin, end, worker.values.data());
      round_rows(worker.values.data(), begin, end, candidate_);
      candidate_.effective_rows(begin, end, worker.values.data());
      row_errors(worker.values.data(), weights_ + begin * columns, end - begin, hessian_,
                 worker.memory, errors_.data() + begin);
      for (int64_t r = begin; r < end; ++r) sum += errors_[static_cast<size_t>(r)];
    });
    if (sum > surely_above) return std::nullopt;
    double total = 0;  // in the order of the rows
    for (const double error : errors_) total += error;
    return total;
  }

  QuantizedMatrix& candidate() { return candidate_; }

 private:
  struct Worker {
    std::vector<float> values;
    std::vector<double> memory;
  };

  void scale_rows(const std::vector<float>& s, int64_t begin, int64_t end, float* out) const {
    const int64_t columns = candidate_.columns;
    const float* in = weights_ + begin * columns;
    if (s.empty()) {
      std::copy_n(in, (end - begin) * columns, out);
      return;
    }
    for (int64_t r = 0; r < end - begin; ++r) {
      for (int64_t c = 0; c < columns; ++c)
        out[r * columns + c] = in[r * columns + c] * s[static_cast<size_t>(c)];
    }
  }

  float largest_scaled_magnitude(const std::vector<float>& s) const {
    const int64_t columns = candidate_.columns;
    float largest = 0;
    for (int64_t r = 0; r < candidate_.rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        const float factor = s.empty() ? 1.0f : s[static_cast<size_t>(c)];
        largest = std::max(largest, std::fabs(weights_[r * columns + c] * factor));
      }
    }
    return largest;
  }

  const float* weights_;
  const linalg::Matrix& hessian_;
  ThreadPool& pool_;
  std::vector<Worker> workers_;
  std::vector<double> errors_;  // [rows]
  QuantizedMatrix candidate_;
};

}  // namespace

std::vector<float> awq_scales(std::span<const float> magnitude, int step) {
  BITLAW_CHECK(0 <= step && step <= kAwqSteps);
  double smallest = std::numeric_limits<double>::infinity();
  for (const float m : magnitude) {
    BITLAW_CHECK(m >= 0 && std::isfinite(m));
    if (m > 0) smallest = std::min<double>(smallest, m);
  }
  std::vector<float> out(magnitude.size(), 1.0f);
  if (step == 0 || std::isinf(smallest)) return out;
  std::vector<double> power(magnitude.size());
  for (size_t c = 0; c < power.size(); ++c) {
    double root = std::max<double>(magnitude[c], smallest);
    for (int steps = kAwqSteps; steps > 1; steps /= 2) root = std::sqrt(root);
    power[c] = root;
    for (int i = 1; i < step; ++i) power[c] *= root;
  }
  const auto [low, high] = std::minmax_element(power.begin(), power.end());
  const double middle = std::sqrt(*low * *high);
  for (size_t c = 0; c < power.size(); ++c) out[c] = static_cast<float>(power[c] / middle);
  return out;
}

AwqResult quantize_awq(const WeightScheme& scheme, const float* weights, int64_t rows,
                       int64_t columns, std::span<const float> magnitude,
                       const linalg::Matrix& hessian, ThreadPool& pool) {
  BITLAW_CHECK(static_cast<int64_t>(magnitude.size()) == columns && hessian.columns() == columns);
  Search search(scheme, weights, rows, columns, hessian, pool);
  AwqResult out;
  out.rtn_error = out.error = *search.error_of({}, std::numeric_limits<double>::infinity());
  out.quantized = search.candidate();
  int best = 0;
  const auto consider = [&](int step) {
    const std::vector<float> s = awq_scales(magnitude, step);
    if (std::all_of(s.begin(), s.end(), [](float x) { return x == 1; })) return;
    const std::optional<double> error = search.error_of(s, out.error);
    if (!error || !(*error < out.error || (*error == out.error && step < best))) return;
    std::swap(out.quantized, search.candidate());
    out.error = *error;
    best = step;
  };
  for (const int step : kEighths) consider(step);
  const int eighth = best;
  if (eighth > 0) consider(eighth - 1);
  if (eighth < kAwqSteps) consider(eighth + 1);
  out.alpha = static_cast<double>(best) / kAwqSteps;
  return out;
}

MatrixResult round_by_awq(const MatrixTask& task) {
  const bool rotated = task.cell.rotated;
  AwqResult awq =
      quantize_awq(task.cell.scheme, task.weights, task.rows, task.columns,
                   task.input->magnitude(rotated), task.input->hessian(rotated), task.pool);
  return {.quantized = std::move(awq.quantized),
          .error = awq.error,
          .rtn_error = awq.rtn_error,
          .alpha = awq.alpha};
}

}  // namespace bitlaw
