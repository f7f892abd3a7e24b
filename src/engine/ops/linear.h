// Products with a weight matrix, on rounded operands.
#pragma once

#include <cstddef>
#include <memory>

#include "ops/quantize.h"

namespace bitlaw {

// A weight in the layout of one backend, which creates it in prepare_weight and pack_weight. Other
// code treats it as opaque.
class PackedWeight {
 public:
  explicit PackedWeight(const Backend& owner) : owner_(&owner) {}
  virtual ~PackedWeight() = default;
  PackedWeight(const PackedWeight&) = delete;
  PackedWeight& operator=(const PackedWeight&) = delete;

  const Backend& owner() const { return *owner_; }

 private:
  const Backend* owner_;
};

// A weight prepared once per optimizer step. It may be read by many workers at once.
struct Weight {
  Operand operand;                       // [N, K]: rounded, out features by in features; scales [N]
  std::shared_ptr<PackedWeight> packed;  // or null: then laid out in each call if needed
};

// Rounds `master` [N, K] F32 and packs it. Memory is reused if `out` was prepared before by the
// same backend with the same shape. With `training`, also lays out what linear_backward needs.
void prepare_weight(Context&, const Rounding& rounding, const Tensor& master, bool training,
                    Weight& out);

// Packs a weight whose operand was set by the caller (post-training quantization).
void pack_weight(Context&, bool training, Weight& weight);

// y[t,n] = sum_k x[t,k] w[n,k]      (y += ... with accumulate)
// x [T, K], w [N, K], y [T, N] F32. With BF16 codes on both sides and one scale per row: BF16
// product with FP32 accumulation, then times x.scales[t] * w.scales[n] (their product is rounded
// first). Otherwise at least as exact as FP32 products of values (docs/numerics.md).
void linear_forward(Context&, const Operand& x, const Weight& w, bool accumulate, Tensor& y);
// y = addend + x W^T, addend [T, N]
void linear_forward_add(Context&, const Tensor& addend, const Operand& x, const Weight& w,
                        Tensor& y);

// dx[t,k] = sum_n g[t,n] w[n,k],  g = round(dy[t,n] * w.scales[n])   (dx += ... with accumulate)
// dw[n,k] = sum_t h[t,n] x[t,k],  h = round(dy[t,n] * x.scales[t])   (dw += ... unless it is new)
// round() rounds to context.gradient_dtype. F32 operands are rounded to it as well, and so are the
// values of operands in groups, whose scales count as 1 above. dx or dw may be null.
struct WeightGradient {
  Tensor* dw = nullptr;
  bool fresh = false;  // dw is overwritten, not added to, and need not be initialised
  WeightGradient(std::nullptr_t) {}
  WeightGradient(Tensor* sum, bool is_fresh = false) : dw(sum), fresh(is_fresh) {}
};
void linear_backward(Context&, const Tensor& dy, const Operand& x, const Weight& w, bool accumulate,
                     Tensor* dx, WeightGradient dw);

}  // namespace bitlaw
