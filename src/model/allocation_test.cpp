// A sequence forward and backward allocates nothing once one has run. Every allocation of this
// program is counted. oneDNN makes small handles at every product, which are not; but it must not
// take memory to multiply in, unless it has no AVX-512 (its routines for less do).
#include <gtest/gtest.h>

#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "formats/recipe.h"
#include "model/model.h"

// Sanitizers bring allocators of their own; the count is left to ordinary builds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BITLAW_COUNTS_ALLOCATIONS 0
#else
#define BITLAW_COUNTS_ALLOCATIONS 1
#endif

namespace {
constexpr size_t kHandleBytes = 256;  // the largest that oneDNN makes at a product has 104
std::atomic<int64_t> allocations{0};

[[maybe_unused]] void count(void* caller, size_t bytes) {
  Dl_info info;
  const bool in_onednn =
      dladdr(caller, &info) != 0 && std::strstr(info.dli_fname, "libdnnl") != nullptr;
  if (in_onednn && (bytes <= kHandleBytes || bitlaw::best_isa() != bitlaw::Isa::kAvx512)) return;
  ++allocations;
}
}  // namespace

#if BITLAW_COUNTS_ALLOCATIONS
void* operator new(size_t bytes) {
  count(__builtin_return_address(0), bytes);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
extern "C" void* aligned_alloc(size_t alignment, size_t bytes) {  // tensors and workspaces
  count(__builtin_return_address(0), bytes);
  return memalign(alignment, bytes);
}
extern "C" int posix_memalign(void** memory, size_t alignment, size_t bytes) {  // oneDNN's own
  count(__builtin_return_address(0), bytes);
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
#endif

namespace bitlaw {
namespace {

TEST(Allocations, AreCounted) {
  if (!BITLAW_COUNTS_ALLOCATIONS) GTEST_SKIP() << "sanitizers have their own allocator";
  const int64_t before = allocations;
  const Tensor tensor = Tensor::empty(DType::kF32, {3});
  EXPECT_GT(allocations, before);
}

TEST(Allocations, ThereAreNoneInASequenceAfterTheFirst) {
  if (!BITLAW_COUNTS_ALLOCATIONS) GTEST_SKIP() << "sanitizers have their own allocator";
  const RecipeConfig recipes[] = {
      {},
      {.weights = "32", .activations = "32", .kv = "32", .queries = "32"},
      {.weights = "4", .activations = "4", .kv = "4"},
      {.weights = "8", .activations = "8", .kv = "8", .queries = "8"},
      {.weights = "9", .activations = "12", .kv = "15", .queries = "10"},
      {.weights = "e2m1", .activations = "e4m3", .kv = "e3m2", .queries = "e5m2"},
      {.weights = "3",
       .activations = "6",
       .kv = "5",
       .queries = "7",
       .weights_granularity = "tensor",
       .activations_granularity = "token",
       .kv_granularity = "token"},
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .queries = "4",
       .weights_granularity = "group8",
       .activations_granularity = "channel",
       .kv_granularity = "channel"},
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .queries = "4",
       .weights_granularity = "group32",
       .activations_granularity = "group32",
       .kv_granularity = "group16"},
  };
  struct Shape {
    int64_t kv_heads;
    bool tied_head, extra_norm;
    int64_t sequence;  // 150: more than one block of queries, the last one a part
  };
  const Shape shapes[] = {{4, false, false, 16}, {2, false, true, 150}, {1, true, false, 150}};
  for (const RecipeConfig& recipe : recipes) {
    for (const Shape& shape : shapes) {
      const int64_t T = shape.sequence;
      ModelConfig config = {.width = 64,
                            .layers = 2,
                            .heads = 4,
                            .kv_heads = shape.kv_heads,
                            .hidden = 80,
                            .vocabulary = 300,
                            .sequence = T};
      config.tied_head = shape.tied_head;
      config.extra_norm = shape.extra_norm;
      Model model(config.resolved(), make_recipe(recipe));
      Context context;
      Parameters parameters = model.make_parameters(), gradients = model.make_parameters();
      model.initialize(parameters, 1);
      const ActivationsPtr activations = make_activations(model, true);
      Tensor losses = Tensor::zeros(DType::kF32, {T});
      std::vector<uint16_t> tokens(static_cast<size_t>(T) + 1, 5);
      const std::span<const uint16_t> all(tokens);
      const std::span<const uint16_t> inputs = all.first(static_cast<size_t>(T)),
                                      targets = all.subspan(1);
      model.prepare(context, parameters, true);
      auto allocations_of_a_pass = [&] {
        const int64_t before = allocations;
        model.forward_backward(context, parameters, inputs, targets, 1, *activations, losses,
                               gradients);
        return allocations - before;
      };
      allocations_of_a_pass();  // the workspace grows
      EXPECT_EQ(allocations_of_a_pass(), 0) << model.recipe().name() << ", T " << T;
      model.prepare(context, parameters, true);  // into the memory it has
      EXPECT_EQ(allocations_of_a_pass(), 0) << model.recipe().name() << ", T " << T;
    }
  }
}

}  // namespace
}  // namespace bitlaw
