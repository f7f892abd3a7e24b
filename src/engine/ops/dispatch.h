// The only place that calls a backend. Internal to ops.
#pragma once

#include <type_traits>
#include <utility>

#include "ops/backend.h"

namespace bitlaw {

// Each throws an Error of one sentence.
[[noreturn]] void refuse_op(const Backend& backend, const char* name);
[[noreturn]] void refuse_device(const Backend& backend, const char* op, Device device);
[[noreturn]] void refuse_weight(const Backend& backend, const char* op, const Backend& owner);

inline void require_device(const Backend& backend, const char* op, const Tensor& x) {
  if (x.device() != backend.device && x.defined()) refuse_device(backend, op, x.device());
}

// Refuses an argument that the backend cannot read: a tensor of another device, or a weight packed
// by another backend. Arguments of other types always pass.
template <class T>
void require_own(const Backend& backend, const char* op, const T& x) {
  if constexpr (std::is_same_v<T, Tensor>) {
    require_device(backend, op, x);
  } else if constexpr (std::is_same_v<T, Tensor*>) {
    if (x != nullptr) require_device(backend, op, *x);
  } else if constexpr (std::is_same_v<T, WeightGradient>) {
    require_own(backend, op, x.dw);
  } else if constexpr (std::is_same_v<T, Operand>) {
    require_device(backend, op, x.codes);
    require_device(backend, op, x.scales);
  } else if constexpr (std::is_same_v<T, Weight>) {
    require_own(backend, op, x.operand);
    if (x.packed != nullptr && &x.packed->owner() != &backend)
      refuse_weight(backend, op, x.packed->owner());
  }
}

// Calls an op of the context's backend, whose arguments have been checked.
template <class Result, class... Parameters, class... Arguments>
Result dispatch(Context& context, const Op<Result (*)(Context&, Parameters...)>& op,
                Arguments&&... arguments) {
  const Backend& backend = *context.backend;
  const auto function = backend.*op.function;
  if (function == nullptr) refuse_op(backend, op.name);
  (require_own(backend, op.name, arguments), ...);
  return function(context, std::forward<Arguments>(arguments)...);
}

}  // namespace bitlaw
