// The elementwise passes of a training step, as a table of functions for each instruction set.
// kernels_body.h is the one body; it is compiled three times, and the results have the same bits.
// BF16 is uint16_t here. A null scale pointer means all ones. `ld` is the row stride in elements.
#pragma once

#include <cstdint>

namespace bitlaw::cpu {

// A scaled Format prepared for the kernels (formats/format.h is the definition).
struct CodeRule {
  bool is_integer;
  float max_code, min_code;
  float smallest_normal;  // floats: below it codes are multiples of `unit`
  float steps, unit;      // 1 / unit and unit
  int dropped;            // floats: bits of the 23 of a float's mantissa to round away
};

// Destination of a row pass: BF16, or F32 (rounded to BF16 or not).
struct RowTarget {
  uint16_t* bf16;  // or null
  float* f32;      // or null
  int64_t ld;
  bool rounded;  // f32 only: round to BF16 first
};

// One head's block of attention: rows i0 .. i0 + rows, each seeing keys 0 .. i, columns beyond that
// and below `columns` are written as zeros.
struct AttentionRows {
  int64_t rows, i0, columns;
  float factor;                     // 1 / sqrt(dim)
  const float* score_query_scales;  // of the scores' operands, from row 0 of the block
  const float* score_key_scales;
  const float* query_scales;  // of the codes that gradients multiply; the same, unless the scores
  const float* key_scales;    // are products of values
  const float* value_scales;
};

// [gate | up] of some rows: raw products with scales of rows and columns (or null), or as kept for
// backward in one of two types (or neither).
struct GateScales {
  const float *rows, *gate, *up;
};
struct KeptGate {
  uint16_t* bf16;
  float* f32;
  int64_t ld, up;  // row stride; distance from gate to up, in elements
};

// How the scale of a group is rounded (formats/quantizer.h: block_scale).
struct GroupScales {
  enum Kind { kFloat32, kE8M0, kE4M3 } kind;
  float unit;     // E8M0: the scale is this times a power of two; E4M3: the tensor's scale
  CodeRule e4m3;  // of E4M3's numbers
};

// Destination of a matrix rounded in groups, and of the scales.
struct GroupTarget {
  uint16_t* bf16;  // or null
  float* f32;      // or null
  // What is written: codes; code * scale; or code * scale without the tensor's.
  enum Entries { kCodes, kValues, kNumbers } entries;
  float* scales;  // [rows, groups] or null
};

// For one token, from the logits of two models; sums of exponentials are in double.
struct RowComparison {
  double baseline_log_sum, log_sum;  // log sum_v exp(logit)
  double kl;                         // sum_v p (log p - log q), p of the baseline
  bool same_top;                     // they share a most likely token
};

struct AdamWFactors {
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  float inverse_m, inverse_v;  // 1 / (1 - beta^step)
  float epsilon, learning_rate, weight_decay, gradient_scale;
};

struct Kernels {
  // Rounding.
  float (*absmax)(const float* x, int64_t n);
  void (*absmax_columns)(const float* x, int64_t rows, int64_t columns, float* absmax);
  void (*encode)(const CodeRule&, const float* x, int64_t n, float inverse, uint16_t* codes);
  // code * factor, which are BF16 numbers: folded_number() of formats/e8m0.h
  void (*encode_numbers)(const CodeRule&, const float* x, int64_t n, float inverse, float factor,
                         uint16_t* numbers);
  void (*encode_values)(const CodeRule&, const float* x, int64_t n, float inverse, float scale,
                        float* values);
  void (*encode_columns)(const CodeRule&, const float* x, int64_t rows, int64_t columns,
                         const float* inverse, const float* scale, float* values);
  void (*encode_groups)(const CodeRule&, const float* x, int64_t rows, int64_t columns,
                        int64_t group, const GroupScales& scales, GroupTarget to);
  // y = code * scales[r, c / group] in F32, then rounded to BF16 if y is BF16; codes are BF16 or
  // F32
  void (*group_values)(const uint16_t* codes_bf16, const float* codes_f32, const float* scales,
                       int64_t rows, int64_t columns, int64_t group, uint16_t* y_bf16,
                       float* y_f32);
  // trusted = 1 if low <= x * inverse <= high, else 0
  void (*mark_trusted)(const float* x, int64_t n, float inverse, float low, float high,
                       uint16_t* trusted);
  void (*round_bf16)(const float* x, int64_t n, uint16_t* codes);
  // y = x R of blocks of `width`, a power of two that divides n; `factor` is 1 / sqrt(width). x may
  // be y.
  void (*rotate_blocks)(const float* x, int64_t n, int64_t width, float factor, float* y);
  // x *= factors
  void (*multiply)(const uint16_t* factors, int64_t n, float* x);
  // target = x[r, c] * row_scales[r] * column_scales[c]; at most one of the two is given
  void (*scale_rows)(const float* x, int64_t ld, int64_t rows, int64_t columns,
                     const float* row_scales, const float* column_scales, RowTarget target);
  void (*widen)(const uint16_t* x, int64_t ld, int64_t rows, int64_t columns,
                const float* row_scales, float* y, int64_t ldy);
  // y = (accumulate ? y : 0) + x * (row_scales[r] * column_scales[c])
  void (*scale_product)(const float* x, int64_t ldx, int64_t rows, int64_t columns,
                        const float* row_scales, const float* column_scales, bool accumulate,
                        float* y, int64_t ldy);

  // Norm, gated activation, heads.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, int64_t rows,
                   int64_t columns, float* y, float* rstd);
  void (*rms_norm_backward)(const float* dy, const float* x, const float* weight, const float* rstd,
                            int64_t rows, int64_t columns, bool accumulate, float* dx,
                            float* dweight);
  // kept = gate, up after scaling; y = silu(gate) up, before the rounding of what is kept
  void (*swiglu)(const float* gate, const float* up, int64_t ld, int64_t rows, int64_t columns,
                 const GateScales& scales, const KeptGate& kept, float* y, int64_t ldy);
  // dgate and dup, with row stride ld; they may overwrite the kept F32 numbers
  void (*swiglu_backward)(const float* dy, int64_t ldy, const KeptGate& kept, int64_t rows,
                          int64_t columns, float* dgate, float* dup, int64_t ld);
  // y = the rotation of x by a row of the rope table, forwards or (inverse) backwards
  void (*rotate)(const float* x, int64_t ldx, const float* rope, int64_t rows, int64_t dim,
                 bool inverse, float* y, int64_t ldy);

  // Attention: products[r, j] = raw q . k codes. p = probabilities times value scales; lse [rows].
  // products is scratch afterwards.
  void (*probabilities)(const AttentionRows&, float* products, int64_t ld, RowTarget p, float* lse);
  // gradients[r, j] = raw round(dout) . v codes. p as rounded, for dv; for_q = ds key_scales; for_k
  // = ds query_scales.
  void (*attention_gradients)(const AttentionRows&, const float* products, const float* gradients,
                              int64_t ld, const float* lse, const float* delta, RowTarget p,
                              RowTarget for_q, RowTarget for_k);
  float (*dot)(const float* x, const float* y, int64_t n);

  // losses[r] = logsumexp(logits[r]) - logits[r, targets[r]]; the second also writes the gradient
  // times gradient_scale, and uses logits as scratch.
  void (*cross_entropy)(const float* logits, int64_t rows, int64_t columns, const uint16_t* targets,
                        float* losses);
  void (*cross_entropy_gradient)(float* logits, int64_t rows, int64_t columns,
                                 const uint16_t* targets, float gradient_scale, float* losses,
                                 RowTarget gradient);

  // In blocks of columns: top[r] and total[r] grow from -infinity and 0 to the largest logit of a
  // row and sum_v exp(logits[r, v] - top[r]).
  void (*exponentials_of_block)(const float* logits, int64_t rows, int64_t columns, float* top,
                                float* total);

  void (*compare_rows)(const float* baseline, const float* logits, int64_t rows, int64_t columns,
                       RowComparison* out);

  // Flat ranges.
  void (*add)(const float* x, int64_t n, float* y);
  double (*sum_of_squares)(const float* x, int64_t n);
  void (*adamw)(const AdamWFactors&, const float* g, int64_t n, float* w, float* m, float* v);

  void (*exponential)(const float* x, int64_t n,
                      float* y);  // for tests: the exp of the kernels above
  void (*reciprocal)(const float* x, int64_t n, float* y);  // for tests: their 1 / x
};

const Kernels& kernels_plain();
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();
const Kernels& kernels_avx512bf16();  // rounds gradients and probabilities below 2^-126 to zero

}  // namespace bitlaw::cpu
