#include "ops/loss.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {
namespace {

// The head is never quantized to a scaled format, and neither is its input.
bool is_head(const Operand& x, const Weight& head, DType real) {
  const Tensor& table = head.operand.codes;
  return x.codes.shape().rank() == 2 && table.shape().rank() == 2 && !x.scales.defined() &&
         !head.operand.scales.defined() &&
         is_row_operand(x, x.codes.extent(0), table.extent(1), real) &&
         is_row_operand(head.operand, table.extent(0), table.extent(1), real);
}

double flops(const Operand& x, const Weight& head) {
  return product_flops(x.codes.extent(0), head.operand.codes.extent(0), x.codes.extent(1));
}

bool are_targets(std::span<const uint16_t> targets, const Operand& x, const Weight& head) {
  return static_cast<int64_t>(targets.size()) == x.codes.extent(0) &&
         all_below(targets, head.operand.codes.extent(0));
}

}  // namespace

void head_loss(Context& c, const Operand& x, const Weight& head, std::span<const uint16_t> targets,
               Tensor& losses) {
  BITLAW_CHECK(is_real(c, losses) && is_head(x, head, losses.dtype()));
  BITLAW_CHECK(are_targets(targets, x, head) && losses.shape() == Shape{x.codes.extent(0)});
  const Timed timed(c.profile, "head and loss", flops(x, head),
                    bytes_of(x.codes, head.operand.codes));
  dispatch(c, op::head_loss, x, head, targets, losses);
}

void head_loss_backward(Context& c, const Operand& x, const Weight& head,
                        std::span<const uint16_t> targets, double gradient_scale, Tensor& losses,
                        Tensor& dx, WeightGradient dhead) {
  BITLAW_CHECK(is_real(c, losses) && is_head(x, head, losses.dtype()));
  BITLAW_CHECK(are_targets(targets, x, head) && losses.shape() == Shape{x.codes.extent(0)});
  BITLAW_CHECK(dx.shape() == x.codes.shape() && dhead.dw != nullptr &&
               dhead.dw->shape() == head.operand.codes.shape());
  BITLAW_CHECK(same_dtype(losses, dx, *dhead.dw));
  const Timed timed(
      c.profile, "head and loss, both ways", 3 * flops(x, head),
      bytes_of(x.codes, head.operand.codes, dx) + (dhead.fresh ? 1 : 2) * bytes_of(*dhead.dw));
  dispatch(c, op::head_loss_backward, x, head, targets, gradient_scale, losses, dx, dhead);
}

void head_logits(Context& c, const Operand& x, const Weight& head, Tensor& logits) {
  BITLAW_CHECK(is_real(c, logits) && is_head(x, head, logits.dtype()));
  BITLAW_CHECK(logits.shape() == (Shape{x.codes.extent(0), head.operand.codes.extent(0)}));
  dispatch(c, op::head_logits, x, head, logits);
}

}  // namespace bitlaw
