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
    if (law.class_parameters[static_cast<size_t>(each.parameter)].axis != axis) continue;
    if (std::find(out.begin(), out.end(), each.name) == out.end()) out.emplace_back(each.name);
  }
  return out;
}

std::vector<NamedPrecision> formats_of(const Law& law) {
  std::vector<NamedPrecision> out;
  const std::vector<std::string> backward = classes_of(law, ClassAxis::kBackward);
  for (const std::string& forward : classes_of(law, ClassAxis::kForward)) {
    for (const std::string& gradients : backward) {
      NamedPrecision format, of_gradients;
      read_format(forward, format);  // a name that says no bits costs as much as 16
      read_format(gradients, of_gradients);
      if (forward.find("KV") == std::string::npos) {  // FP4, too: of weights and activations
        format.bits.kv = kUnquantizedBits, format.counts_kv = false;
      }
      format.forward = forward, format.backward = gradients;
      format.name = forward.empty() ? "BF16" : forward;
      if (backward.size() > 1) {
        format.own_gradients = true, format.gradient_bits = of_gradients.bits;
        format.name += ", gradients " + (gradients.empty() ? std::string("BF16") : gradients);
      }
      out.push_back(std::move(format));
    }
  }
  return out;
}

std::string names_of(const std::vector<NamedPrecision>& formats) {
  std::vector<std::string> names;
  for (const NamedPrecision& format : formats) names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, "; "));
}

// Whether a class of a law is what was asked for: by name, or by bits of weights and activations.
bool same_class(const NamedPrecision& known, const NamedPrecision& asked) {
  if (!asked.name.empty() && (known.name == asked.name || known.forward == asked.name)) return true;
  const bool bits_only = asked.forward.empty() && std::isnan(asked.exponent_bits);
  return bits_only && known.bits.weights == asked.bits.weights &&
         known.bits.activations == asked.bits.activations &&
         (known.bits.kv == asked.bits.kv || known.bits.kv == kUnquantizedBits);
}

}  // namespace

std::string read_classes(const PlanRequest& request, const Law& law, PlanProblem& out) {
  std::vector<NamedPrecision> known = formats_of(law);
  const auto find = [&](const NamedPrecision& asked) -> const NamedPrecision* {
    for (const NamedPrecision& format : known) {
      if (same_class(format, asked)) return &format;
    }
    return nullptr;
  };
  if (!out.bits_are_free()) {
    NamedPrecision asked = out.fixed;
    if (request.precision.empty()) asked.bits = out.precision.bits;
    const NamedPrecision* format = find(asked);
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
    std::vector<NamedPrecision> chosen;
    for (const std::string& name : request.formats) {
      NamedPrecision asked;
      const NamedPrecision* format = read_format(name, asked) ? find(asked) : nullptr;
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
    std::erase_if(known, [&](const NamedPrecision& f) {
      return f.bits.weights < kUnquantizedBits && missing(f.bits.weights);
    });
  }
  out.formats = std::move(known);
  return "";
}

}  // namespace bitlaw
