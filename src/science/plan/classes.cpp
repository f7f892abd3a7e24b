#include "plan/classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

// The forward or backward classes that a bound law has a value for, "" (not quantized) first.
std::vector<std::string> classes_of(const Law& law, ClassAxis axis) {
  std::vector<std::string> out{""};
  for (const BoundClass& each : law.classes) {
    // A plan is for AdamW, whose classes are those without an optimizer.
    ClassAxis its = law.class_parameters[static_cast<size_t>(each.parameter)].axis;
    const bool of_optimizer = its == ClassAxis::kForwardOfOptimizer;
    if (of_optimizer && each.name.find('@') == std::string_view::npos) its = ClassAxis::kForward;
    if (its != axis) continue;
    if (std::find(out.begin(), out.end(), each.name) == out.end()) out.emplace_back(each.name);
  }
  return out;
}

Bits bits_of(const ClassBits& known) {
  return {known.weights, known.activations, known.kv};
}

// What the table says of a class whose name says no bits, or of the one without quantization.
void take_bits(const FittedClasses& classes, bool named, PrecisionChoice& format) {
  const ClassBits* known = classes.find(format.forward);
  const bool is_reference = format.forward.empty();
  if (is_reference && !classes.reference.empty()) format.name = classes.reference;
  if (known == nullptr || (named && !is_reference)) return;
  format.bits = format.storage = bits_of(*known);
  // By its bits it would be another class.
  if (is_reference && format.bits != Bits{}) format.forward = "BF16";
}

std::vector<PrecisionChoice> formats_of(const Law& law, const FittedClasses& classes) {
  std::vector<PrecisionChoice> out;
  const std::vector<std::string> backward = classes_of(law, ClassAxis::kBackward);
  for (const std::string& forward : classes_of(law, ClassAxis::kForward)) {
    for (const std::string& gradients : backward) {
      // A name that says no bits costs as much as 16.
      const NamedPrecision named = named_precision(forward).value_or(NamedPrecision{});
      const NamedPrecision of_gradients = named_precision(gradients).value_or(NamedPrecision{});
      PrecisionChoice format = choice_of(named);
      format.forward = forward, format.backward = gradients;
      format.name = forward.empty() ? "BF16" : forward;
      take_bits(classes, named_precision(forward).has_value(), format);
      if (backward.size() > 1) {
        format.own_gradients = true, format.gradient_bits = choice_of(of_gradients).bits;
        format.name += ", gradients " + (gradients.empty() ? std::string("BF16") : gradients);
      }
      out.push_back(std::move(format));
    }
  }
  return out;
}

std::string names_of(const std::vector<PrecisionChoice>& formats) {
  std::vector<std::string> names;
  for (const PrecisionChoice& format : formats) names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, "; "));
}

using Choices = std::vector<PrecisionChoice>;

// The class of that name, else the first that says the same of every part: fp4 is e2m1.
const PrecisionChoice* find_class(const Choices& known, const std::string& name) {
  for (const PrecisionChoice& each : known) {
    if (each.name == name || each.forward == name) return &each;
  }
  const auto asked = named_precision(name);
  for (const PrecisionChoice& each : known) {
    const auto named = named_precision(each.forward);
    if (asked && named && named->has_parts_of(*asked)) return &each;
  }
  return nullptr;
}

// The class of these weights and activations, whose keys and values are these or not quantized.
const PrecisionChoice* find_class(const Choices& known, const Bits& bits) {
  for (const PrecisionChoice& each : known) {
    if (each.bits.weights == bits.weights && each.bits.activations == bits.activations &&
        (each.bits.kv == bits.kv || each.bits.kv == kUnquantizedBits))
      return &each;
  }
  return nullptr;
}

}  // namespace

std::string read_classes(const PlanRequest& request, const Law& law, PlanProblem& out) {
  Choices known = formats_of(law, out.classes);
  if (!out.bits_are_free()) {
    const PrecisionChoice* format = request.precision.empty()
                                        ? find_class(known, out.precision.bits)
                                        : find_class(known, request.precision);
    if (format == nullptr) {
      return fmt::format("{}: {} has no constant for this precision; it has {}",
                         request.precision.empty() ? "bits" : "precision", law.name,
                         names_of(known));
    }
    out.fixed = *format;
    out.precision = {out.fixed.bits, &out.fixed};
    return "";
  }
  if (!request.formats.empty()) {
    Choices chosen;
    for (const std::string& name : request.formats) {
      const PrecisionChoice* format = find_class(known, name);
      if (format == nullptr) {
        return fmt::format("formats: {} has no constant for {}; it has {}", law.name, name,
                           names_of(known));
      }
      chosen.push_back(*format);
    }
    known = std::move(chosen);
  } else if (!out.available.empty()) {
    const auto missing = [&](double bits) {
      return std::find(out.available.begin(), out.available.end(), bits) == out.available.end();
    };
    std::erase_if(known, [&](const PrecisionChoice& f) {
      return f.bits.weights < kUnquantizedBits && missing(f.bits.weights);
    });
  }
  out.formats = std::move(known);
  return "";
}

}  // namespace bitlaw
