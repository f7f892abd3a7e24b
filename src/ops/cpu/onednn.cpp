#include "ops/cpu/onednn.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <dnnl.hpp>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "tensor/context.h"

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

memory::desc packed_desc(DType dtype, int64_t K, int64_t N) {
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

// What one thread keeps. OpenMP is asked for one thread through whichever runtime oneDNN brought
// along.
struct Worker {
  dnnl::stream stream{engine()};
  std::unordered_map<Problem, Prepared, Hash> prepared;
  std::unique_ptr<void, decltype(&std::free)> scratch{nullptr, std::free};
  size_t scratch_bytes = 0;

  Worker() {
    using SetThreads = void (*)(int);
    if (auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(1);
  }

  void reserve(size_t bytes) {
    if (bytes <= scratch_bytes) return;
    constexpr size_t kAlignment = 4096;
    const size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    scratch.reset(std::aligned_alloc(kAlignment, size));
    if (scratch == nullptr) throw std::bad_alloc();
    scratch_bytes = size;
  }
};

Worker& worker() {
  static thread_local Worker worker;
  return worker;
}

Prepared prepare(const Problem& p) {
  const memory::desc b = p.b_packed ? packed_desc(p.dtype, p.K, p.N)
                                    : strided(p.dtype, p.K, p.N, p.ldb, p.b_transposed);
  const auto pd = describe(strided(p.dtype, p.M, p.K, p.lda, p.a_transposed), b,
                           strided(DType::kF32, p.M, p.N, p.ldc, false), p.accumulate);
  const auto unbound = [](const memory::desc& desc) {
    return memory(desc, engine(), DNNL_MEMORY_NONE);
  };
  return {dnnl::matmul(pd),       unbound(pd.src_desc()),        unbound(pd.weights_desc()),
          unbound(pd.dst_desc()), unbound(pd.scratchpad_desc()), pd.scratchpad_desc().get_size()};
}

void bind(const memory& to, const void* data) {
  BITLAW_CHECK(dnnl_memory_set_data_handle(to.get(), const_cast<void*>(data)) == dnnl_success);
}

}  // namespace

void multiply(const Problem& problem, const void* a, const void* b, float* c) {
  Worker& w = worker();
  auto found = w.prepared.find(problem);
  if (found == w.prepared.end()) found = w.prepared.emplace(problem, prepare(problem)).first;
  const Prepared& p = found->second;
  w.reserve(p.scratch_bytes);
  bind(p.a, a);
  bind(p.b, b);
  bind(p.c, c);
  bind(p.scratch, w.scratch.get());
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, p.a.get()},
                                       {DNNL_ARG_WEIGHTS, p.b.get()},
                                       {DNNL_ARG_DST, p.c.get()},
                                       {DNNL_ARG_SCRATCHPAD, p.scratch.get()}};
  BITLAW_CHECK(dnnl_primitive_execute(p.primitive.get(), w.stream.get(), 4, arguments) ==
               dnnl_success);
}

size_t packed_bytes(DType dtype, int64_t K, int64_t N) {
  return packed_desc(dtype, K, N).get_size();
}

void pack(DType dtype, int64_t K, int64_t N, const void* b, int64_t ldb, bool b_transposed,
          void* packed) {
  Worker& w = worker();
  memory from(strided(dtype, K, N, ldb, b_transposed), engine(), const_cast<void*>(b));
  memory to(packed_desc(dtype, K, N), engine(), packed);
  dnnl::reorder(from, to).execute(w.stream, from, to);
}

bool prefers_bf16() {
  static const bool prefers = [] {
    engine();  // after BITLAW_ISA has been passed on
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto has = [&](dnnl::cpu_isa wanted) {
      return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
    };
    return has(dnnl::cpu_isa::avx512_core_amx) ||
           (has(dnnl::cpu_isa::avx512_core_bf16) && __builtin_cpu_is("amd"));
  }();
  return prefers;
}

}  // namespace bitlaw::cpu::onednn
