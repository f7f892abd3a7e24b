#include "tensor/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string_view>

namespace bitlaw {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSmallestBlock = size_t{1} << 20;

Isa machine_isa() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::kAvx2;
  return Isa::kPlain;
}

Isa chosen_isa() {
  const Isa machine = machine_isa();
  const char* wish = std::getenv("BITLAW_ISA");
  if (wish == nullptr || *wish == '\0') return machine;
  for (Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
    if (std::string_view(wish) != name_of(isa)) continue;
    if (isa > machine) {
      throw Error(
          fmt::format("BITLAW_ISA={}: this machine has {} at most", wish, name_of(machine)));
    }
    return isa;
  }
  throw Error(fmt::format("BITLAW_ISA={}: expected plain, avx2 or avx512", wish));
}

}  // namespace

Isa best_isa() {
  static const Isa isa = chosen_isa();
  return isa;
}

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::kPlain:
      return "plain";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "?";
}

Tensor Workspace::take(DType dtype, Shape shape) {
  const size_t bytes = (static_cast<size_t>(shape.elements()) * size_of(dtype) + kAlignment - 1) /
                       kAlignment * kAlignment;
  while (block_ < blocks_.size() && offset_ + bytes > blocks_[block_].bytes) {
    ++block_;
    offset_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t size = std::max(bytes, kSmallestBlock);
    void* memory = std::aligned_alloc(kAlignment, size);
    if (memory == nullptr) throw std::bad_alloc();
    blocks_.push_back({std::shared_ptr<void>(memory, std::free), size});
    offset_ = 0;
  }
  void* place = static_cast<char*>(blocks_[block_].memory.get()) + offset_;
  offset_ += bytes;
  return Tensor::borrow(dtype, shape, place);
}

size_t Workspace::bytes() const {
  size_t sum = 0;
  for (const Block& block : blocks_) sum += block.bytes;
  return sum;
}

Workspace::Scope::Scope(Workspace& workspace)
    : workspace_(workspace), block_(workspace.block_), offset_(workspace.offset_) {}

Workspace::Scope::~Scope() {
  workspace_.block_ = block_;
  workspace_.offset_ = offset_;
}

}  // namespace bitlaw
