#include "ops/cpu/onednn.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <dnnl.hpp>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "ops/context.h"
#include "ops/cpu/amx/products_amx.h"

namespace bitlaw::cpu::onednn {
namespace {

using dnnl::memory;

// BITLAW_ISA bounds oneDNN too; it must hear of that before anything else.
dnnl::engine make_engine() {
  if (const char* wish = std::getenv("BITLAW_ISA"); wish != nullptr) {
    if (std::string_view(wish) == "plain") dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
    if (std::string_view(wish) == "avx2") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  }
  return dnnl::engine(dnnl::engine::kind::cpu, 0);
}

const dnnl::engine& engine() {
  static const dnnl::engine engine = make_engine();
  return engine;
}

// Whether oneDNN may use these instructions here.
bool allows(dnnl::cpu_isa wanted) {
  engine();  // after BITLAW_ISA has been passed on
  static const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}

memory::data_type type_of(DType dtype) {
  return dtype == DType::kBF16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::desc strided(DType dtype, int64_t rows, int64_t columns, int64_t ld, bool transposed) {
  const memory::dims strides = transposed ? memory::dims{1, ld} : memory::dims{ld, 1};
  return memory::desc({rows, columns}, type_of(dtype), strides);
}

dnnl::matmul::primitive_desc describe(const memory::desc& a, const memory::desc& b,
                                      const memory::desc& c, bool accumulate) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(engine(), a, b, c, attributes);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, b, c), attributes, engine());
#endif
}

// The layout of packed B must not depend on M, which is not known when weights are packed: it is
// what oneDNN chooses for this many rows.
constexpr int64_t kTypicalRows = 256;

memory::desc describe_packed(DType dtype, int64_t K, int64_t N) {
  const memory::desc any({K, N}, type_of(dtype), memory::format_tag::any);
  return describe(strided(dtype, kTypicalRows, K, K, false), any,
                  strided(DType::kF32, kTypicalRows, N, N, false), false)
      .weights_desc();
}

struct Hash {
  size_t operator()(const Problem& p) const {
    size_t hash = static_cast<size_t>(p.dtype);
    for (int64_t field : {p.M, p.N, p.K, p.lda, p.ldb, p.ldc, int64_t{p.a_transposed},
                          int64_t{p.b_transposed}, int64_t{p.b_packed}, int64_t{p.accumulate}}) {
      hash = (hash ^ static_cast<size_t>(field)) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

struct Prepared {
  dnnl::matmul primitive;
  memory a, b, c, scratch;
  size_t scratch_bytes;
};

struct Packing {
  dnnl::reorder primitive;
  memory from, to;
};

// Memory that grows.
struct Buffer {
  std::unique_ptr<void, decltype(&std::free)> memory{nullptr, std::free};
  size_t bytes = 0;

  void* at_least(size_t wanted) {
    if (wanted > bytes) {
      constexpr size_t kAlignment = 4096;
      const size_t size = (wanted + kAlignment - 1) / kAlignment * kAlignment;
      memory.reset(std::aligned_alloc(kAlignment, size));
      if (memory == nullptr) throw std::bad_alloc();
      bytes = size;
    }
    return memory.get();
  }
};

// What one thread keeps. OpenMP is asked for one thread through whichever runtime oneDNN brought
// along.
struct Worker {
  dnnl::stream stream{engine()};
  std::unordered_map<Problem, Prepared, Hash> prepared;
  std::unordered_map<Problem, memory::desc, Hash> layouts;  // of packed B, by dtype, K and N
  std::unordered_map<Problem, Packing, Hash> packings;      // by these, ldb and b_transposed
  Buffer scratch, product;

  Worker() {
    using SetThreads = void (*)(int);
    if (auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(1);
  }
};

Worker& worker() {
  static thread_local Worker worker;
  return worker;
}

// Two layouts and a reorder for every weight of every step: describing one takes as long as packing
// a small weight.
const memory::desc& packed_desc(DType dtype, int64_t K, int64_t N) {
  const Problem key{.dtype = dtype, .N = N, .K = K};
  auto& layouts = worker().layouts;
  auto found = layouts.find(key);
  if (found == layouts.end()) found = layouts.emplace(key, describe_packed(dtype, K, N)).first;
  return found->second;
}

memory unbound(const memory::desc& desc) {
  return memory(desc, engine(), DNNL_MEMORY_NONE);
}

Prepared prepare(const Problem& p) {
  const memory::desc b = p.b_packed ? packed_desc(p.dtype, p.K, p.N)
                                    : strided(p.dtype, p.K, p.N, p.ldb, p.b_transposed);
  const auto pd = describe(strided(p.dtype, p.M, p.K, p.lda, p.a_transposed), b,
                           strided(DType::kF32, p.M, p.N, p.ldc, false), p.accumulate);
  return {dnnl::matmul(pd),       unbound(pd.src_desc()),        unbound(pd.weights_desc()),
          unbound(pd.dst_desc()), unbound(pd.scratchpad_desc()), pd.scratchpad_desc().get_size()};
}

void point_at(const memory& to, const void* data) {
  BITLAW_CHECK(dnnl_memory_set_data_handle(to.get(), const_cast<void*>(data)) == dnnl_success);
}

// C with dense rows.
void multiply_dense(Worker& w, const Problem& problem, const void* a, const void* b, float* c) {
  auto found = w.prepared.find(problem);
  if (found == w.prepared.end()) found = w.prepared.emplace(problem, prepare(problem)).first;
  const Prepared& p = found->second;
  point_at(p.a, a);
  point_at(p.b, b);
  point_at(p.c, c);
  point_at(p.scratch, w.scratch.at_least(p.scratch_bytes));
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, p.a.get()},
                                       {DNNL_ARG_WEIGHTS, p.b.get()},
                                       {DNNL_ARG_DST, p.c.get()},
                                       {DNNL_ARG_SCRATCHPAD, p.scratch.get()}};
  BITLAW_CHECK(dnnl_primitive_execute(p.primitive.get(), w.stream.get(), 4, arguments) ==
               dnnl_success);
}

}  // namespace

void multiply(const Problem& problem, const void* a, const void* b, float* c) {
  if (problem.dtype == DType::kBF16) amx::interrupt();
  Worker& w = worker();
  if (problem.ldc == problem.N) return multiply_dense(w, problem, a, b, c);
  // Where rows of C are apart, oneDNN 2.6 takes another routine, which allocates at every call.
  const int64_t M = problem.M, N = problem.N;
  Problem dense = problem;
  dense.ldc = N;
  dense.accumulate = false;
  auto* const product =
      static_cast<float*>(w.product.at_least(static_cast<size_t>(M * N) * sizeof(float)));
  multiply_dense(w, dense, a, b, product);
  for (int64_t m = 0; m < M; ++m) {
    const float* const from = product + m * N;
    float* const to = c + m * problem.ldc;
    if (problem.accumulate) {
      for (int64_t n = 0; n < N; ++n) to[n] += from[n];
    } else {
      std::copy_n(from, N, to);
    }
  }
}

size_t packed_bytes(DType dtype, int64_t K, int64_t N) {
  return packed_desc(dtype, K, N).get_size();
}

void pack(DType dtype, int64_t K, int64_t N, const void* b, int64_t ldb, bool b_transposed,
          void* packed) {
  Worker& w = worker();
  const Problem key{
      .dtype = dtype, .N = N, .K = K, .ldb = ldb, .b_transposed = b_transposed, .b_packed = true};
  auto found = w.packings.find(key);
  if (found == w.packings.end()) {
    const memory from = unbound(strided(dtype, K, N, ldb, b_transposed)),
                 to = unbound(packed_desc(dtype, K, N));
    found = w.packings.emplace(key, Packing{dnnl::reorder(from, to), from, to}).first;
  }
  const Packing& packing = found->second;
  point_at(packing.from, b);
  point_at(packing.to, packed);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, packing.from.get()},
                                       {DNNL_ARG_TO, packing.to.get()}};
  BITLAW_CHECK(dnnl_primitive_execute(packing.primitive.get(), w.stream.get(), 2, arguments) ==
               dnnl_success);
}

bool prefers_bf16() {
  return uses_amx() || (allows(dnnl::cpu_isa::avx512_core_bf16) && __builtin_cpu_is("amd"));
}

std::string version() {
  const dnnl_version_t* found = dnnl_version();
  return fmt::format("{}.{}.{}", found->major, found->minor, found->patch);
}

bool uses_amx() {
  return allows(dnnl::cpu_isa::avx512_core_amx);
}

Isa isa() {
  if (allows(dnnl::cpu_isa::avx512_core)) return Isa::kAvx512;
  return allows(dnnl::cpu_isa::avx2) ? Isa::kAvx2 : Isa::kPlain;
}

}  // namespace bitlaw::cpu::onednn
