#include "ptq/method.h"

#include <algorithm>

#include "base/error.h"
#include "ptq/awq.h"
#include "ptq/gptq.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

constexpr PtqMethod kMethods[] = {
    {.name = "none", .help = "weights as they are", .round = nullptr},
    {.name = "rtn", .help = "round-to-nearest", .round = round_by_rtn},
    {.name = "gptq",
     .help = "",
     .round = round_by_gptq,
     .calibrated = true,
     .orders_columns = true,
     .damps_hessian = true},
    {.name = "awq", .help = "", .round = round_by_awq, .calibrated = true},
};

}  // namespace

std::span<const PtqMethod> ptq_methods() {
  return kMethods;
}

const PtqMethod* find_ptq_method(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kMethods), std::end(kMethods),
                   [&](const PtqMethod& method) { return name == method.name; });
  return found == std::end(kMethods) ? nullptr : found;
}

const PtqMethod& ptq_method(std::string_view name) {
  const PtqMethod* const found = find_ptq_method(name);
  BITLAW_CHECK(found != nullptr);
  return *found;
}

}  // namespace bitlaw
