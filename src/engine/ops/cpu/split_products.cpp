#include "ops/cpu/split_products.h"

#include <algorithm>
#include <numeric>

#include "ops/cpu/amx/split_products_amx.h"
#include "ops/cpu/words.h"

namespace bitlaw::cpu {
namespace {

// Shorter blocks of k would leave most of a tile empty.
constexpr int64_t kShortestBlock = 16;

// As in products.cpp: rows of A that stay in L1, and a B that stays in L2; in elements.
constexpr int64_t kResidentA = 12 * 1024, kResidentB = 512 * 1024;

bool is_bf16(const Operand& x) {
  return x.codes.dtype() == DType::kBF16;
}
bool has_codes(const Operand& x) {
  return is_bf16(x) || x.scales.defined();
}

// Eight bits a term: codes have at most 16, values 24.
int terms_of(const Operand& x) {
  return is_bf16(x) ? 1 : has_codes(x) ? 2 : 3;
}

amx::Numbers numbers(const Tensor& x) {
  const bool bf16 = x.dtype() == DType::kBF16;
  return {bf16 ? words(x) : nullptr, bf16 ? nullptr : x.f32(), x.extent(1)};
}

// The longest blocks of k in which both sides have one scale.
int64_t common_block(const Operand& x, const Operand& w) {
  const int64_t K = x.codes.extent(1);
  const int64_t block = std::gcd(x.group, w.group);  // gcd(0, g) = g
  return block == 0 ? K : std::min(block, K);
}

// Blocks that a group of x covers.
int64_t blocks_of(const Operand& x, int64_t block) {
  return (std::min<int64_t>(x.group, x.codes.extent(1)) + block - 1) / block;
}

// scales [R, groups] as [groups, ld]
void transpose_scales(const Operand& x, int64_t ld, float* out) {
  const int64_t R = x.scales.extent(0), groups = x.scales.extent(1);
  const float* const from = x.scales.f32();
  for (int64_t g = 0; g < groups; ++g) {
    float* const to = out + g * ld;
    for (int64_t r = 0; r < R; ++r) to[r] = from[r * groups + g];
    std::fill(to + R, to + ld, 0.0f);
  }
}

int64_t padded(int64_t N) {
  return amx::panels(N) * amx::kRows;
}

const float* row_scales(const Operand& x) {
  return x.scales.defined() && x.group == 0 ? x.scales.f32() : nullptr;
}

}  // namespace

bool is_packed_split(const Context& context, const Operand& w) {
  return engine_for(context, DType::kBF16) == Engine::kAmx && w.scales.defined() &&
         (!is_bf16(w) || w.group != 0) &&
         common_block(w, w) >= std::min(kShortestBlock, w.codes.extent(1));
}

void pack_split(const Operand& w, SplitWeight& out) {
  const int64_t N = w.codes.extent(0), K = w.codes.extent(1);
  out.block = common_block(w, w);
  out.terms = terms_of(w);
  const amx::Split split{K, out.block, out.terms};
  const auto hold = [](Tensor& tensor, DType dtype, Shape shape) {
    if (!tensor.defined() || tensor.shape() != shape) tensor = Tensor::empty(dtype, shape);
  };
  hold(out.memory, DType::kBF16, {split.elements(N)});
  amx::split_right(numbers(w.codes), N, split, words(out.memory));
  if (w.group == 0) {
    out.scales = {};
    return;
  }
  hold(out.scales, DType::kF32, {w.scales.extent(1), padded(N)});
  transpose_scales(w, padded(N), out.scales.f32());
}

bool is_split_product(const Context& context, const Operand& x, const Operand& w) {
  if (engine_for(context, DType::kBF16) != Engine::kAmx || !has_codes(w)) return false;
  return common_block(x, w) >= std::min(kShortestBlock, x.codes.extent(1));
}

void multiply_split(Context& context, const Operand& x, const Operand& w, const SplitWeight* packed,
                    const Right* plain, const float* addend, float* y) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = x.codes.extent(0), N = w.codes.extent(0), K = x.codes.extent(1);
  const int64_t block = common_block(x, w);
  const bool whole_steps = block == K || block % amx::kStep == 0;
  const amx::Split a{K, block, terms_of(x)}, b{K, block, terms_of(w)};
  const int64_t size = std::max(N * b.terms, int64_t{1}) * K;
  amx::SplitProduct product{
      .M = T,
      .N = N,
      .K = K,
      .block = block,
      .a_terms = a.terms,
      .b_terms = b.terms,
      .a_panel = a.panel(),
      .a_step = a.terms * amx::kTile,
      .a_row = amx::kStep,
      .row_scales = row_scales(x),
      .column_scales = row_scales(w),
      .addend = addend,
      .c = y,
      .ldc = N,
      .rows_at_once = size > kResidentB
                          ? (T + 31) / 32 * 32
                          : std::max<int64_t>(32, kResidentA / (K * a.terms) / 32 * 32)};

  if (a.terms == 1 && whole_steps && K % amx::kStep == 0 && T % amx::kRows == 0) {
    product.a = words(x.codes);
    product.a_panel = amx::kRows * K, product.a_step = amx::kStep, product.a_row = K;
  } else {
    const Tensor left = context.workspace.take(DType::kBF16, {a.elements(T)});
    amx::split_left(numbers(x.codes), T, a, words(left));
    product.a = words(left);
  }
  if (x.group != 0) {
    const Tensor scales = context.workspace.take(DType::kF32, {x.scales.extent(1), T});
    transpose_scales(x, T, scales.f32());
    product.a_scales = scales.f32(), product.a_blocks = blocks_of(x, block);
  }

  const auto has_steps = [&](int64_t packed_block) {
    return packed_block == block ||
           (whole_steps && (packed_block == K || packed_block % amx::kStep == 0));
  };
  if (packed != nullptr && packed->terms == b.terms && has_steps(packed->block)) {
    product.b = words(packed->memory);
  } else if (plain != nullptr && plain->packed && plain->engine == Engine::kAmx && has_steps(K)) {
    product.b = words(plain->memory);
  } else {
    const Tensor right = context.workspace.take(DType::kBF16, {b.elements(N)});
    amx::split_right(numbers(w.codes), N, b, words(right));
    product.b = words(right);
  }
  if (w.group != 0) {
    product.b_blocks = blocks_of(w, block);
    if (packed != nullptr && packed->scales.defined()) {
      product.b_scales = packed->scales.f32();
    } else {
      const Tensor scales = context.workspace.take(DType::kF32, {w.scales.extent(1), padded(N)});
      transpose_scales(w, padded(N), scales.f32());
      product.b_scales = scales.f32();
    }
  }
  amx::multiply_split(product);
}

}  // namespace bitlaw::cpu
