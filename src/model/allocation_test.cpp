// A sequence forward and backward allocates nothing once one has run. Every allocation of this
// program is counted, except those of oneDNN itself, which makes small handles when it executes.
#include <gtest/gtest.h>

#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
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
std::atomic<int64_t> allocations{0};

[[maybe_unused]] void count(void* caller) {
  Dl_info info;
  const bool in_onednn =
      dladdr(caller, &info) != 0 && std::strstr(info.dli_fname, "libdnnl") != nullptr;
  if (!in_onednn) ++allocations;
}
}  // namespace

#if BITLAW_COUNTS_ALLOCATIONS
void* operator new(size_t bytes) {
  count(__builtin_return_address(0));
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
  count(__builtin_return_address(0));
  return memalign(alignment, bytes);
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
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .queries = "4",
       .weights_granularity = "group8",
       .activations_granularity = "channel",
       .kv_granularity = "channel"},
  };
  for (const RecipeConfig& recipe : recipes) {
    for (bool extra_norm : {false, true}) {
      ModelConfig config = {
          .width = 32, .layers = 2, .heads = 2, .hidden = 48, .vocabulary = 60, .sequence = 16};
      config.extra_norm = extra_norm;
      Model model(config.resolved(), make_recipe(recipe));
      Context context;
      Parameters parameters = model.make_parameters(), gradients = model.make_parameters();
      model.initialize(parameters, 1);
      const ActivationsPtr activations = make_activations(model, true);
      Tensor losses = Tensor::zeros(DType::kF32, {16});
      std::vector<uint16_t> tokens(17, 5);
      const std::span<const uint16_t> all(tokens);
      model.prepare(context, parameters, true);
      auto allocations_of_a_pass = [&] {
        const int64_t before = allocations;
        model.forward_backward(context, parameters, all.first(16), all.subspan(1), 1, *activations,
                               losses, gradients);
        return allocations - before;
      };
      allocations_of_a_pass();  // the workspace grows
      EXPECT_EQ(allocations_of_a_pass(), 0) << model.recipe().name();
      model.prepare(context, parameters, true);  // into the memory it has
      EXPECT_EQ(allocations_of_a_pass(), 0) << model.recipe().name();
    }
  }
}

}  // namespace
}  // namespace bitlaw
