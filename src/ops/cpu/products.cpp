#include "ops/cpu/products.h"

#include <cstring>

#include "ops/cpu/onednn.h"

namespace bitlaw::cpu {
namespace {

DType multiplied_type(Engine engine) {
  return engine == Engine::kOneDnnBf16 ? DType::kBF16 : DType::kF32;
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

}  // namespace

const Kernels& kernels(const Context& context) {
  switch (context.isa) {
    case Isa::kPlain:
      return kernels_plain();
    case Isa::kAvx2:
      return kernels_avx2();
    case Isa::kAvx512:
      return kernels_avx512();
  }
  return kernels_plain();
}

Engine engine_for(const Context& context, DType dtype) {
  const bool bf16 = dtype == DType::kBF16 && context.isa == Isa::kAvx512 && onednn::prefers_bf16();
  return bf16 ? Engine::kOneDnnBf16 : Engine::kOneDnnF32;
}

Right arrange(Context& context, int64_t K, int64_t N, const Source& source) {
  Right right{.engine = engine_for(context, source.dtype), .dtype = source.dtype, .K = K, .N = N};
  right.source = as_multiplied(context, right.engine, K, N, source);
  return right;
}

void pack(Context& context, int64_t K, int64_t N, const Source& source, Right& out) {
  Workspace::Scope scope(context.workspace);
  out.engine = engine_for(context, source.dtype);
  out.dtype = source.dtype;
  out.K = K, out.N = N, out.packed = true;
  const DType type = multiplied_type(out.engine);
  const Source from = as_multiplied(context, out.engine, K, N, source);
  const auto elements = static_cast<int64_t>(onednn::packed_bytes(type, K, N) / size_of(type));
  if (!out.memory.defined() || out.memory.dtype() != type || out.memory.elements() != elements) {
    out.memory = Tensor::empty(type, {elements});
  }
  onednn::pack(type, K, N, from.data, from.ld, from.transposed, out.memory.raw());
}

void multiply(Context& context, int64_t M, int64_t N, int64_t K, const Source& a, const Right& b,
              Scales scales, bool accumulate, float* c, int64_t ldc) {
  BITLAW_CHECK(a.dtype == b.dtype && K <= b.K && N <= b.N && (!b.packed || (K == b.K && N == b.N)));
  Workspace::Scope scope(context.workspace);
  const DType type = multiplied_type(b.engine);
  const Source left = as_multiplied(context, b.engine, M, K, a);
  const bool scaled = scales.rows != nullptr || scales.columns != nullptr;
  float* products = c;
  int64_t ld = ldc;
  if (scaled && accumulate) {
    products = context.workspace.take(DType::kF32, {M, N}).f32();
    ld = N;
  }
  const onednn::Problem problem{.dtype = type,
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

}  // namespace bitlaw::cpu
