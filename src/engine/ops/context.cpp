#include "ops/context.h"

#include <algorithm>

#include "ops/backend.h"

namespace bitlaw {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSmallestBlock = size_t{2} << 20;  // a huge page

}  // namespace

Tensor Workspace::take(DType dtype, Shape shape) {
  const size_t bytes = (static_cast<size_t>(shape.elements()) * size_of(dtype) + kAlignment - 1) /
                       kAlignment * kAlignment;
  while (block_ < blocks_.size() && offset_ + bytes > blocks_[block_].bytes) {
    ++block_;
    offset_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t size = std::max(bytes, kSmallestBlock);
    const auto elements = static_cast<int64_t>((size + 1) / size_of(DType::kBF16));
    const auto memory = std::make_shared<Tensor>(Tensor::empty(DType::kBF16, {elements}));
    blocks_.push_back({std::shared_ptr<void>(memory, memory->raw()), allocated_bytes(size)});
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

OpSequence::OpSequence(const Context& context) : backend_(*context.backend) {
  if (backend_.begin_sequence != nullptr) backend_.begin_sequence();
}

OpSequence::~OpSequence() {
  if (backend_.end_sequence != nullptr) backend_.end_sequence();
}

}  // namespace bitlaw
