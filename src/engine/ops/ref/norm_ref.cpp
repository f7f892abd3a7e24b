// Root-mean-square normalisation in plain loops.
#include <cmath>

#include "ops/ref/backend.h"
#include "ops/ref/numbers.h"

namespace bitlaw::ref {

void rms_norm(Context&, const Tensor& x, const Tensor& weight, double epsilon, Tensor& y,
              Tensor& rstd) {
  const int64_t R = x.extent(0), C = x.extent(1);
  for (int64_t r = 0; r < R; ++r) {
    double squares = 0;
    for (int64_t c = 0; c < C; ++c) squares += x.at(r * C + c) * x.at(r * C + c);
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(C) + epsilon);
    rstd.set(r, inverse);
    for (int64_t c = 0; c < C; ++c) y.set(r * C + c, x.at(r * C + c) * inverse * weight.at(c));
  }
}

void rms_norm_backward(Context&, const Tensor& dy, const Tensor& x, const Tensor& weight,
                       const Tensor& rstd, bool accumulate, Tensor& dx, Tensor& dweight) {
  const int64_t R = x.extent(0), C = x.extent(1);
  std::vector<double> weight_sums = numbers(dweight);
  for (int64_t r = 0; r < R; ++r) {
    const double inverse = rstd.at(r);
    double mean = 0;
    for (int64_t c = 0; c < C; ++c) {
      const int64_t i = r * C + c;
      mean += weight.at(c) * dy.at(i) * x.at(i) / static_cast<double>(C);
      weight_sums[c] += dy.at(i) * x.at(i) * inverse;
    }
    for (int64_t c = 0; c < C; ++c) {
      const int64_t i = r * C + c;
      const double gradient =
          inverse * (weight.at(c) * dy.at(i) - x.at(i) * inverse * inverse * mean);
      dx.set(i, accumulate ? dx.at(i) + gradient : gradient);
    }
  }
  store(weight_sums, dweight);
}

}  // namespace bitlaw::ref
