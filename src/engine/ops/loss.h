// Output head and cross-entropy as one op, in chunks of rows, so that tokens x vocabulary logits
// are never in memory at once.
#pragma once

#include <cstdint>
#include <span>

#include "ops/linear.h"

namespace bitlaw {

// logits = x head^T;  losses[t] = logsumexp(logits[t]) - logits[t, targets[t]], nats. x [T, d] BF16
// or F32 operand, head [V, d], losses [T] F32 (F64 on the reference with F64 operands).
void head_loss(Context&, const Operand& x, const Weight& head, std::span<const uint16_t> targets,
               Tensor& losses);

// The same, and the gradient, with g = gradient_scale:
//   dlogits[t,v] = (softmax(logits[t])[v] - [v == targets[t]]) g, rounded to context.gradient_dtype
//   dx [T, d] = dlogits head (written);  dhead [V, d] as in linear_backward, dlogits^T x
void head_loss_backward(Context&, const Operand& x, const Weight& head,
                        std::span<const uint16_t> targets, double gradient_scale, Tensor& losses,
                        Tensor& dx, WeightGradient dhead);

// Logits of every row, [T, V] F32: for tests and small evaluations.
void head_logits(Context&, const Operand& x, const Weight& head, Tensor& logits);

}  // namespace bitlaw
