// Where and how ops run. Ops are single-threaded. Threads are above them (one sequence per core,
// from embedding to gradients), so that nothing waits inside a step. Each worker owns one Context.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/isa.h"
#include "tensor/profile.h"
#include "tensor/tensor.h"

namespace bitlaw {

// A table of functions, one per op (backend.h).
struct Backend;
extern const Backend kReferenceBackend;  // ops/ref: the definition, plain loops in double
extern const Backend kCpuBackend;        // ops/cpu: fast

// Scratch memory of one worker: taken in stack order inside an op and kept for the next call, so
// that a step allocates nothing after the first.
class Workspace {
 public:
  Tensor take(DType dtype, Shape shape);  // 64-byte aligned, not initialised; valid until released

  class Scope {  // releases everything taken during its life
   public:
    explicit Scope(Workspace& workspace);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Workspace& workspace_;
    size_t block_, offset_;
  };

  size_t bytes() const;  // currently held

 private:
  struct Block {
    std::shared_ptr<void> memory;
    size_t bytes;
  };
  std::vector<Block> blocks_;
  size_t block_ = 0, offset_ = 0;
};

struct Context {
  const Backend* backend = &kCpuBackend;
  Isa isa = best_isa();
  // Type that gradient operands of products are rounded to: kBF16, or kF32 for no rounding. It is
  // the same for every forward precision; otherwise backward precision would be confounded with P.
  DType gradient_dtype = DType::kBF16;
  Workspace workspace;
  Profile* profile = nullptr;  // records where this worker's time goes, unless null
};

// Around the ops of a pass through a model, on the thread that calls them: the backend may keep its
// units set up from one op to the next.
class OpSequence {
 public:
  explicit OpSequence(const Context& context);
  ~OpSequence();
  OpSequence(const OpSequence&) = delete;
  OpSequence& operator=(const OpSequence&) = delete;

 private:
  const Backend& backend_;
};

}  // namespace bitlaw
