// The reference backend: the ops of the public headers, which say what each computes, with the same
// signatures. Only the dispatch in src/engine/ops/*.cpp includes this; it has checked the arguments.
#pragma once

#include "ops/attention.h"
#include "ops/embed.h"
#include "ops/glu.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "ops/norm.h"
#include "ops/quantize.h"
#include "ops/swiglu.h"
#include "ops/update.h"

namespace bitlaw::ref {

void quantize(Context&, const Rounding& rounding, const Tensor& x, Operand& out);

// `out.operand` has memory of the right shape already; `out.packed` is null or from an earlier call
// with the same shape.
void prepare_weight(Context&, const Rounding& rounding, const Tensor& master, bool training,
                    Weight& out);
void pack_weight(Context&, bool training, Weight& weight);
void linear_forward(Context&, const Operand& x, const Weight& w, bool accumulate, Tensor& y);
void linear_backward(Context&, const Tensor& dy, const Operand& x, const Weight& w, bool accumulate,
                     Tensor* dx, WeightGradient dw);
void linear_forward_add(Context&, const Tensor& addend, const Operand& x, const Weight& w,
                        Tensor& y);

void glu_forward(Context&, const Operand& x, const Weight& w, Tensor& gate_up, Tensor& y);
void glu_backward(Context&, const Tensor& dy, const Tensor& gate_up, const Operand& x,
                  const Weight& w, Tensor& dx, WeightGradient dw);

void rms_norm(Context&, const Tensor& x, const Tensor& weight, double epsilon, Tensor& y,
              Tensor& rstd);
void rms_norm_backward(Context&, const Tensor& dy, const Tensor& x, const Tensor& weight,
                       const Tensor& rstd, bool accumulate, Tensor& dx, Tensor& dweight);

void split_heads(Context&, const HeadShape&, const Tensor& qkv, const Tensor& rope, Tensor& q,
                 Tensor& k, Tensor& v);
void merge_heads(Context&, const HeadShape&, const Tensor& dq, const Tensor& dk, const Tensor& dv,
                 const Tensor& rope, Tensor& dqkv);
void attention(Context&, const HeadShape&, const Operand& q, const Operand& k, const Operand& v,
               Tensor& out, Tensor& lse);
void attention_backward(Context&, const HeadShape&, const Operand& q, const Operand& k,
                        const Operand& v, const Tensor& out, const Tensor& lse, const Tensor& dout,
                        Tensor& dq, Tensor& dk, Tensor& dv);
void attention_backward(Context&, const HeadShape&, const Operand& q, const Operand& k,
                        const Operand& v, const Tensor& out, const Tensor& lse, const Tensor& dout,
                        const Tensor& rope, Tensor& dqkv);

void swiglu(Context&, const Tensor& gate_up, Tensor& y);
void swiglu_backward(Context&, const Tensor& dy, const Tensor& gate_up, Tensor& dgate_up);

void embed(Context&, std::span<const uint16_t> tokens, const Tensor& table, Tensor& y);
void embed_backward(Context&, std::span<const uint16_t> tokens, const Tensor& dy, Tensor& dtable);

void head_loss(Context&, const Operand& x, const Weight& head, std::span<const uint16_t> targets,
               Tensor& losses);
void head_loss_backward(Context&, const Operand& x, const Weight& head,
                        std::span<const uint16_t> targets, double gradient_scale, Tensor& losses,
                        Tensor& dx, WeightGradient dhead);
void head_logits(Context&, const Operand& x, const Weight& head, Tensor& logits);

void add_in_place(Context&, const Tensor& x, Tensor& y);
double sum_of_squares(Context&, const Tensor& x);
void adamw_update(Context&, const AdamW& settings, const Tensor& g, Tensor& w, Tensor& m,
                  Tensor& v);

}  // namespace bitlaw::ref
