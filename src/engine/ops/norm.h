// Root-mean-square normalisation (Zhang and Sennrich, 2019).
#pragma once

#include "ops/context.h"

namespace bitlaw {

// y[r,c] = x[r,c] * rstd[r] * weight[c],  rstd[r] = 1 / sqrt(mean_c(x[r,c]^2) + epsilon)
// x, y [R, C]; weight [C]; rstd [R]
void rms_norm(Context&, const Tensor& x, const Tensor& weight, double epsilon, Tensor& y,
              Tensor& rstd);

// dx[r,c] += rstd[r] (weight[c] dy[r,c] - x[r,c] rstd[r]^2 mean_c(weight dy x)[r])
// dweight[c] += sum_r dy[r,c] x[r,c] rstd[r]                        (dx = ... without accumulate)
void rms_norm_backward(Context&, const Tensor& dy, const Tensor& x, const Tensor& weight,
                       const Tensor& rstd, bool accumulate, Tensor& dx, Tensor& dweight);

}  // namespace bitlaw
