#include "ops/cpu/products.h"

#include <algorithm>
#include <cstring>

#include "ops/cpu/amx/glu_amx.h"
#include "ops/cpu/amx/head_amx.h"
#include "ops/cpu/amx/products_amx.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/words.h"

namespace bitlaw::cpu {
namespace {

DType multiplied_type(Engine engine) {
  return engine == Engine::kOneDnnF32 ? DType::kF32 : DType::kBF16;
}

// `x` [rows, columns] as the engine multiplies it: itself, or widened into the workspace.
Source as_multiplied(Context& context, Engine engine, int64_t rows, int64_t columns,
                     const Source& x) {
  if (x.dtype == multiplied_type(engine)) return x;
  BITLAW_CHECK(x.dtype == DType::kBF16 && engine == Engine::kOneDnnF32);
  if (x.transposed) std::swap(rows, columns);
  const Tensor wide = context.workspace.take(DType::kF32, {rows, columns});
  kernels(context).widen(static_cast<const uint16_t*>(x.data), x.ld, rows, columns, nullptr,
                         wide.f32(), columns);
  return {DType::kF32, wide.raw(), columns, x.transposed};
}

// ------------------------------------------------------------------------------------ AMX

// As many rows of A as stay in L1 meet all of B, which is then read from L2 once for those rows. A
// B too large for L2 is read once, and A for each of its panels.
constexpr int64_t kResidentA = 12 * 1024, kResidentB = 512 * 1024;  // elements

int64_t rows_at_once(int64_t M, int64_t N, int64_t K) {
  return N * K > kResidentB ? (M + 31) / 32 * 32 : std::max<int64_t>(32, kResidentA / K / 32 * 32);
}

// `product` but for its right side and what becomes of the result.
amx::Product left_product(Context& context, int64_t M, int64_t N, int64_t K, const Left& left) {
  const Source& a = left.source;
  const int64_t steps = amx::steps(K);
  amx::Product product{};
  product.M = M, product.N = N, product.steps = steps;
  product.rows_at_once = rows_at_once(M, N, K);
  product.a = words(a.data);
  product.a_panel = amx::kRows * a.ld, product.a_step = amx::kStep, product.a_row = a.ld;
  if (left.tiled.row != 0) {
    product.a_panel = left.tiled.panel, product.a_step = left.tiled.step,
    product.a_row = left.tiled.row;
  } else if (a.transposed || M % amx::kRows != 0 || K % amx::kStep != 0) {
    const Tensor tiled = context.workspace.take(DType::kBF16, {amx::tiled_elements(M, K)});
    amx::tile_left(words(a.data), a.ld, a.transposed, M, K, words(tiled));
    product.a = words(tiled);
    product.a_panel = steps * amx::kTile, product.a_step = amx::kTile, product.a_row = amx::kStep;
  }
  return product;
}

void multiply_amx(Context& context, int64_t M, int64_t N, int64_t K, const Left& left,
                  const Right& b, Scales scales, const float* addend, float* c, int64_t ldc) {
  amx::Product product = left_product(context, M, N, K, left);
  product.b = words(b.memory) + b.offset, product.b_panel = b.panel;
  product.row_scales = scales.rows, product.column_scales = scales.columns;
  product.addend = addend, product.c = c, product.ldc = ldc;
  amx::multiply(product);
}

// ------------------------------------------------------------------------------------ oneDNN

void multiply_onednn(Context& context, int64_t M, int64_t N, int64_t K, const Source& a,
                     const Right& b, Scales scales, bool accumulate, float* c, int64_t ldc) {
  const Source left = as_multiplied(context, b.engine, M, K, a);
  const bool scaled = scales.rows != nullptr || scales.columns != nullptr;
  float* products = c;
  int64_t ld = ldc;
  if (scaled && accumulate) {
    products = context.workspace.take(DType::kF32, {M, N}).f32();
    ld = N;
  }
  const onednn::Problem problem{.dtype = multiplied_type(b.engine),
                                .M = M,
                                .N = N,
                                .K = K,
                                .lda = left.ld,
                                .ldb = b.packed ? 0 : b.source.ld,
                                .ldc = ld,
                                .a_transposed = left.transposed,
                                .b_transposed = !b.packed && b.source.transposed,
                                .b_packed = b.packed,
                                .accumulate = accumulate && !scaled};
  onednn::multiply(problem, left.data, b.packed ? b.memory.raw() : b.source.data, products);
  if (scaled)
    kernels(context).scale_product(products, ld, M, N, scales.rows, scales.columns, accumulate, c,
                                   ldc);
}

}  // namespace

const Kernels& kernels(const Context& context) {
  static const bool has_bf16 = __builtin_cpu_supports("avx512bf16");
  switch (context.isa) {
    case Isa::kPlain:
      return kernels_plain();
    case Isa::kAvx2:
      return kernels_avx2();
    case Isa::kAvx512:
      return has_bf16 ? kernels_avx512bf16() : kernels_avx512();
  }
  return kernels_plain();
}

Engine engine_for(const Context& context, DType dtype) {
  if (dtype != DType::kBF16 || context.isa != Isa::kAvx512) return Engine::kOneDnnF32;
  if (amx::available()) return Engine::kAmx;
  return onednn::prefers_bf16() ? Engine::kOneDnnBf16 : Engine::kOneDnnF32;
}

Right arrange(Context& context, int64_t K, int64_t N, const Source& source) {
  Right right{.engine = engine_for(context, source.dtype), .dtype = source.dtype, .K = K, .N = N};
  if (right.engine == Engine::kAmx) {
    right.memory = context.workspace.take(DType::kBF16, {amx::tiled_elements(N, K)});
    right.panel = amx::steps(K) * amx::kTile;
    amx::tile_right(words(source.data), source.ld, source.transposed, K, N, words(right.memory));
  } else {
    right.source = as_multiplied(context, right.engine, K, N, source);
  }
  return right;
}

void pack(Context& context, int64_t K, int64_t N, const Source& source, Right& out) {
  Workspace::Scope scope(context.workspace);
  out.engine = engine_for(context, source.dtype);
  out.dtype = source.dtype;
  out.K = K, out.N = N, out.packed = true;
  out.offset = 0, out.panel = amx::steps(K) * amx::kTile;
  const DType type = multiplied_type(out.engine);
  const int64_t elements =
      out.engine == Engine::kAmx
          ? amx::tiled_elements(N, K)
          : static_cast<int64_t>(onednn::packed_bytes(type, K, N) / size_of(type));
  if (!out.memory.defined() || out.memory.dtype() != type || out.memory.elements() != elements) {
    out.memory = Tensor::empty(type, {elements});
  }
  if (out.engine == Engine::kAmx) {
    amx::tile_right(words(source.data), source.ld, source.transposed, K, N, words(out.memory));
  } else {
    const Source from = as_multiplied(context, out.engine, K, N, source);
    onednn::pack(type, K, N, from.data, from.ld, from.transposed, out.memory.raw());
  }
}

Right part(const Right& b, int64_t k0, int64_t n0) {
  BITLAW_CHECK(has_parts(b) && k0 <= b.K && n0 <= b.N);
  Right part = b;
  part.K -= k0, part.N -= n0;
  if (b.engine == Engine::kAmx) {
    BITLAW_CHECK(k0 % amx::kStep == 0 && n0 % amx::kRows == 0);
    part.offset += n0 / amx::kRows * b.panel + k0 / amx::kStep * amx::kTile;
  } else {
    const int64_t elements = b.source.transposed ? n0 * b.source.ld + k0 : k0 * b.source.ld + n0;
    part.source.data = static_cast<const char*>(b.source.data) +
                       static_cast<size_t>(elements) * size_of(b.source.dtype);
  }
  return part;
}

void multiply(Context& context, int64_t M, int64_t N, int64_t K, const Left& a, const Right& b,
              Scales scales, bool accumulate, float* c, int64_t ldc) {
  multiply_add(context, M, N, K, a, b, scales, accumulate ? c : nullptr, c, ldc);
}

void multiply_add(Context& context, int64_t M, int64_t N, int64_t K, const Left& a, const Right& b,
                  Scales scales, const float* addend, float* c, int64_t ldc) {
  BITLAW_CHECK(a.source.dtype == b.dtype && K <= b.K && N <= b.N &&
               (has_parts(b) || (K == b.K && N == b.N)));
  Workspace::Scope scope(context.workspace);
  if (b.engine == Engine::kAmx) return multiply_amx(context, M, N, K, a, b, scales, addend, c, ldc);
  if (addend != nullptr && addend != c) {
    for (int64_t m = 0; m < M; ++m) std::copy_n(addend + m * ldc, N, c + m * ldc);
  }
  multiply_onednn(context, M, N, K, a.source, b, scales, addend != nullptr, c, ldc);
}

void multiply_gated(Context& context, int64_t M, int64_t F, int64_t K, const Left& a,
                    const Right& b, Scales scales, const KeptGate& kept, float* y) {
  BITLAW_CHECK(b.engine == Engine::kAmx && F % amx::kRows == 0 && b.N == 2 * F && b.K == K);
  Workspace::Scope scope(context.workspace);
  amx::Gated gated{.product = left_product(context, M, F, K, a),
                   .up = F / amx::kRows * b.panel,
                   .kept = kept,
                   .y = y,
                   .ldy = F};
  gated.product.b = words(b.memory) + b.offset, gated.product.b_panel = b.panel;
  gated.product.row_scales = scales.rows, gated.product.column_scales = scales.columns;
  amx::multiply_gated(gated);
}

namespace {

amx::Logits tiled_logits(Context& context, const LogitColumns& logits) {
  const Right& table = logits.table;
  BITLAW_CHECK(table.engine == Engine::kAmx && table.K == logits.d && logits.N <= table.N);
  amx::Product product = left_product(context, logits.T, logits.N, logits.d, Left(logits.x));
  product.b = words(table.memory) + table.offset, product.b_panel = table.panel;
  return {product, logits.first, logits.targets, logits.shift};
}

}  // namespace

void add_exponentials(Context& context, const LogitColumns& logits, float* sums,
                      float* target_logits, float* kept) {
  Workspace::Scope scope(context.workspace);
  amx::add_exponentials(tiled_logits(context, logits), sums, target_logits, kept);
}

// ---------------------------------------------------------------------------------- gradients

bool is_tiled(const Context& context) {
  return engine_for(context, context.gradient_dtype) == Engine::kAmx;
}

TiledGradients::TiledGradients(Context& context, int64_t T, int64_t N, int64_t lead, int64_t rows)
    : T_(T), N_(N), lead_(lead), ldg_(amx::padded(lead + N)) {
  BITLAW_CHECK(is_tiled(context));
  g_ = words(context.workspace.take(DType::kBF16, {amx::padded_rows(rows), ldg_}));
  h_ = words(context.workspace.take(DType::kBF16, {amx::tiled_elements(N, T)}));
  for (int64_t t = 0; t < (lead == 0 ? 0 : rows); ++t)
    std::fill_n(g_ + t * ldg_, lead, uint16_t{0});
}

void TiledGradients::round(const float* dy, int64_t ld, int64_t t, int64_t n, int64_t rows,
                           int64_t columns, const float* row_scales,
                           const float* column_scales) const {
  const int64_t h_panel = amx::steps(T_) * amx::kTile;
  amx::gradient_operands(dy, ld, rows, columns, row_scales, column_scales,
                         {.g = g_ + t * ldg_ + lead_ + n,
                          .ldg = ldg_,
                          .g_columns = ldg_ - lead_ - n,
                          .h = h_ + n / amx::kRows * h_panel + t / amx::kStep * amx::kTile,
                          .h_panel = h_panel});
}

void TiledGradients::round(Context& context, const LogitColumns& logits, const float* factor,
                           float scale) const {
  Workspace::Scope scope(context.workspace);
  amx::loss_gradients(
      tiled_logits(context, logits), factor, scale,
      {.g = g_, .ldg = ldg_, .g_columns = ldg_, .h = h_, .h_panel = amx::steps(T_) * amx::kTile});
}

void TiledGradients::round(const amx::KeptRows& kept, int64_t t, int64_t n, const float* factor,
                           float scale) const {
  const int64_t h_panel = amx::steps(T_) * amx::kTile;
  const bool last = n + kept.N == N_;
  amx::loss_gradients(kept, factor, scale,
                      {.g = g_ + lead_ + n,
                       .ldg = ldg_,
                       .g_columns = last ? ldg_ - lead_ - n : kept.N,
                       .h = h_ + n / amx::kRows * h_panel + t / amx::kStep * amx::kTile,
                       .h_panel = h_panel});
}

Left TiledGradients::for_input() const {
  Left left(Source{DType::kBF16, g_, ldg_});
  left.tiled = {amx::kRows * ldg_, amx::kStep, ldg_};
  return left;
}

Left TiledGradients::for_weight() const {
  Left left(Source{DType::kBF16, h_, amx::kStep});
  left.tiled = {amx::steps(T_) * amx::kTile, amx::kTile, amx::kStep};
  return left;
}

void gradient_operands(Context& context, int64_t T, int64_t N, const float* dy, int64_t ld,
                       const float* row_scales, const float* column_scales, Left* for_input,
                       Left* for_weight) {
  const DType dtype = context.gradient_dtype;
  if (engine_for(context, dtype) == Engine::kAmx) {
    amx::GradientTargets to{};
    if (for_input != nullptr) {
      const int64_t ldg = amx::padded(N);
      to.g = words(context.workspace.take(DType::kBF16, {amx::padded_rows(T), ldg}));
      to.ldg = to.g_columns = ldg;
      for_input->source = {DType::kBF16, to.g, ldg};
      for_input->tiled = {amx::kRows * ldg, amx::kStep, ldg};
    }
    if (for_weight != nullptr) {
      to.h = words(context.workspace.take(DType::kBF16, {amx::tiled_elements(N, T)}));
      to.h_panel = amx::steps(T) * amx::kTile;
      for_weight->source = {DType::kBF16, to.h, amx::kStep};
      for_weight->tiled = {to.h_panel, amx::kTile, amx::kStep};
    }
    return amx::gradient_operands(dy, ld, T, N, row_scales, column_scales, to);
  }
  const auto folded = [&](const float* rows, const float* columns) {
    const Tensor out = context.workspace.take(dtype, {T, N});
    const bool bf16 = dtype == DType::kBF16;
    const RowTarget target{bf16 ? words(out) : nullptr, bf16 ? nullptr : out.f32(), N, false};
    kernels(context).scale_rows(dy, ld, T, N, rows, columns, target);
    return out;
  };
  Tensor shared;
  if (row_scales == nullptr && column_scales == nullptr) shared = folded(nullptr, nullptr);
  if (for_input != nullptr)
    *for_input = source(shared.defined() ? shared : folded(nullptr, column_scales));
  if (for_weight != nullptr)
    *for_weight = source(shared.defined() ? shared : folded(row_scales, nullptr), true);
}

}  // namespace bitlaw::cpu
