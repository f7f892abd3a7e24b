#include "fit/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "laws/bind.h"

namespace bitlaw {

std::string missing_reference(const Law& law, const std::vector<Observation>& rows) {
  if (rows.empty() || law.predicts == Predicts::kGap) return "";  // gaps are to the reference
  const std::vector<std::vector<int>> positions = class_positions(law, rows);
  for (size_t k = 0; k < positions.size(); ++k) {
    const std::vector<int>& of_rows = positions[k];
    if (std::find(of_rows.begin(), of_rows.end(), Rows::kReference) != of_rows.end()) continue;
    std::vector<std::string> classes;
    for (const BoundClass& each : law.classes) {
      if (each.parameter == static_cast<int>(k)) classes.emplace_back(each.name);
    }
    if (classes.empty()) continue;
    const ClassParameter& parameter = law.class_parameters[k];
    if (parameter.axis == ClassAxis::kOptimizer) {
      return fmt::format(
          "{}: {} of an optimizer is relative to AdamW, and no row has it: the optimizers are {}; "
          "freeze the one that the others are held against, as in --freeze '{}[{}]=1'",
          law.name, parameter.parameter.name, printable(classes), parameter.parameter.name,
          classes[0]);
    }
    const bool of_forward = parameter.axis != ClassAxis::kBackward;
    return fmt::format(
        "{}: {} of a class is relative to {}, and no row has {}: the classes are {}; name the one "
        "that is not quantized with --reference, or freeze a constant of a class",
        law.name, parameter.parameter.name,
        of_forward ? "runs that are not quantized (bf16, fp16, 32-true)"
                   : "runs whose gradients are not quantized",
        of_forward ? "such a precision" : "such a backward pass", printable(classes));
  }
  return "";
}

}  // namespace bitlaw
