#include "laws/bind.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <deque>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "formats/precision.h"
#include "laws/formula_law.h"

namespace bitlaw {
namespace {

std::string number(double bits) {
  // Most are whole, and there is one for every part of every row.
  if (bits == std::floor(bits) && bits >= 0 && bits < 1000)
    return std::to_string(static_cast<int>(bits));
  std::string text = std::to_string(bits);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// A law with everything that it refers to.
struct Owned {
  Law law;
  std::deque<std::string> names;  // of parameters and classes; their places in memory stay
  std::vector<Parameter> parameters;
  std::vector<BoundClass> classes;
  std::deque<std::vector<double>> values;
  std::vector<ConstantSet> constants;
  std::shared_ptr<const FormulaLaw> own;  // what the law refers to, if it is made from a formula
};

double published(const ConstantSet& set, const ClassParameter& parameter, const std::string& name) {
  for (const ClassValue& known : set.classes) {
    if (known.name == name && std::string_view(known.parameter) == parameter.parameter.name) {
      return known.value;
    }
  }
  const Parameter& p = parameter.parameter;
  return p.scale == Scale::kLog ? std::sqrt(p.start_low * p.start_high)
                                : 0.5 * (p.start_low + p.start_high);
}

}  // namespace

std::string precision_class(const Observation& run) {
  if (!run.precision.empty()) return is_unquantized(run.precision) ? "" : run.precision;
  const double w = run.bits_weights, a = run.bits_activations, kv = run.bits_kv;
  const double embedding = run.bits_embedding, head = run.bits_head;  // NaN = 16
  if (!(w < kUnquantizedBits || a < kUnquantizedBits || kv < kUnquantizedBits ||
        embedding < kUnquantizedBits || head < kUnquantizedBits))
    return "";
  const auto shown = [](double bits) {
    return bits < kUnquantizedBits ? number(bits) : std::string("16");
  };
  if (run.exponent_bits > 0 && w == a) return "FP" + shown(w);
  return "W" + shown(w) + "A" + shown(a) + (kv < kUnquantizedBits ? "KV" + shown(kv) : "") +
         (embedding < kUnquantizedBits ? "E" + shown(embedding) : "") +
         (head < kUnquantizedBits ? "H" + shown(head) : "");
}

std::string backward_class(const Observation& run) {
  if (run.backward.empty()) return "";
  return is_unquantized(run.backward) ? "" : run.backward;
}

std::string optimizer_class(std::string_view text) {
  std::string name = trim(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  // adamw_torch, adamw_torch_fused and so on are one rule.
  return name == "adamw" || name.starts_with("adamw_torch") ? "" : name;
}

namespace {

std::string class_name(const Law& law, int k, const Observation& run) {
  switch (law.class_parameters[static_cast<size_t>(k)].axis) {
    case ClassAxis::kForward:
      return precision_class(run);
    case ClassAxis::kBackward:
      return backward_class(run);
    case ClassAxis::kOptimizer:
      return run.optimizer;
    case ClassAxis::kForwardOfOptimizer: {
      const std::string precision = precision_class(run);
      return precision.empty() || run.optimizer.empty() ? precision
                                                        : precision + "@" + run.optimizer;
    }
  }
  return "";
}

}  // namespace

int class_position(const Law& law, int k, const Observation& run) {
  const std::string name = class_name(law, k, run);
  if (name.empty()) return Rows::kReference;
  for (const BoundClass& bound : law.classes) {
    if (bound.parameter == k && bound.name == name) return bound.position;
  }
  return Rows::kUnknownClass;
}

std::vector<std::vector<int>> class_positions(const Law& law, std::span<const Observation> runs) {
  std::vector<std::vector<int>> out(law.class_parameters.size());
  for (size_t k = 0; k < out.size(); ++k) {
    std::unordered_map<std::string_view, int> known{{"", Rows::kReference}};
    for (const BoundClass& bound : law.classes) {
      if (bound.parameter == static_cast<int>(k)) known.emplace(bound.name, bound.position);
    }
    out[k].reserve(runs.size());
    for (const Observation& run : runs) {
      const auto found = known.find(class_name(law, static_cast<int>(k), run));
      out[k].push_back(found == known.end() ? Rows::kUnknownClass : found->second);
    }
  }
  return out;
}

BoundLaw bind_law(const Law& law, const std::vector<std::pair<int, std::string>>& classes) {
  const auto owned = std::make_shared<Owned>();
  owned->law = law;
  if (law.own) owned->own = law.own->shared_from_this();
  if (!law.class_parameters.empty()) {
    owned->parameters.assign(law.parameters.begin(), law.parameters.end());
    const auto at = [&](auto& list) {
      return list.begin() + static_cast<long>(law.training_parameters);
    };
    std::vector<Parameter> added;
    for (const auto& [k, name] : classes) {
      const Parameter& each = law.class_parameters[static_cast<size_t>(k)].parameter;
      const std::string& class_name = owned->names.emplace_back(name);
      const int position = static_cast<int>(law.training_parameters + added.size());
      owned->classes.push_back({k, class_name, position});
      added.push_back(each);
      added.back().name =
          owned->names.emplace_back(std::string(each.name) + "[" + name + "]").c_str();
    }
    owned->parameters.insert(at(owned->parameters), added.begin(), added.end());
    for (const ConstantSet& set : law.constants) {
      std::vector<double> values(set.values.begin(), set.values.end());
      std::vector<double> more;
      for (const auto& [k, name] : classes) {
        more.push_back(published(set, law.class_parameters[static_cast<size_t>(k)], name));
      }
      values.insert(at(values), more.begin(), more.end());
      owned->constants.push_back(set);
      owned->constants.back().values = owned->values.emplace_back(std::move(values));
    }
    owned->law.parameters = owned->parameters;
    owned->law.training_parameters += added.size();
    owned->law.constants = owned->constants;
    owned->law.classes = owned->classes;
  }
  BoundLaw out;
  out.law_ = std::shared_ptr<const Law>(owned, &owned->law);
  return out;
}

BoundLaw bind_law(const Law& law, std::span<const Observation> runs) {
  std::vector<std::pair<int, std::string>> classes;
  for (size_t k = 0; k < law.class_parameters.size(); ++k) {
    std::set<std::string> names;
    for (const Observation& run : runs) {
      std::string name = class_name(law, static_cast<int>(k), run);
      if (!name.empty()) names.insert(std::move(name));
    }
    for (const std::string& name : names) classes.emplace_back(static_cast<int>(k), name);
  }
  return bind_law(law, classes);
}

BoundLaw with_ranges(const BoundLaw& bound, const std::vector<std::pair<int, Range>>& ranges) {
  struct Limited {
    std::shared_ptr<const Law> of;  // owns what the copy refers to
    Law law;
    std::vector<Parameter> parameters;
  };
  const auto limited = std::make_shared<Limited>();
  limited->of = bound.law_;
  limited->law = bound.law();
  limited->parameters.assign(bound.law().parameters.begin(), bound.law().parameters.end());
  for (const auto& [at, range] : ranges) {
    Parameter& parameter = limited->parameters[static_cast<size_t>(at)];
    parameter.low = range.low, parameter.high = range.high;
    // Where the usual starts lie outside, the whole range has them.
    const double low = std::max(parameter.start_low, range.low);
    const double high = std::min(parameter.start_high, range.high);
    parameter.start_low = low < high ? low : range.low;
    parameter.start_high = low < high ? high : range.high;
  }
  limited->law.parameters = limited->parameters;
  BoundLaw out;
  out.law_ = std::shared_ptr<const Law>(limited, &limited->law);
  return out;
}

BoundLaw bind_names(const Law& law, const std::vector<std::string>& constants) {
  std::vector<std::pair<int, std::string>> classes;
  for (const std::string& constant : constants) {
    for (size_t k = 0; k < law.class_parameters.size(); ++k) {
      const std::string head = std::string(law.class_parameters[k].parameter.name) + "[";
      if (constant.starts_with(head) && constant.ends_with("]")) {
        classes.emplace_back(static_cast<int>(k),
                             constant.substr(head.size(), constant.size() - head.size() - 1));
      }
    }
  }
  std::stable_sort(classes.begin(), classes.end());
  return bind_law(law, classes);
}

}  // namespace bitlaw
