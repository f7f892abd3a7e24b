#include "laws/registry.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"
#include "base/isa.h"
#include "base/names.h"
#include "laws/all_laws.h"
#include "laws/bind.h"
#include "laws/formula_law.h"
#include "laws/formulas.h"
#include "laws/terms.h"

namespace bitlaw {
namespace {

// One row, in double.
using EvaluateOne = double (*)(const double* p, const double* of_class, const Inputs<double>& run);

template <class L>
constexpr bool kHasClasses = requires {
  L::kClassParameters;
};
template <class L>
constexpr bool kHasDelta = requires(const double* p, const Inputs<double>& run) {
  L::delta(p, run);
};

template <class L>
constexpr bool kHasShare = requires(const double* p, const Inputs<double>& run) {
  L::log_share(p, run);
};

template <class L>
double loss_of_one(const double* p, const double* of_class, const Inputs<double>& run) {
  if constexpr (kHasClasses<L>) {
    return L::loss(p, of_class, run);
  } else {
    static_cast<void>(of_class);
    return L::loss(p, run);
  }
}

template <class L>
double delta_of_one(const double* p, const double*, const Inputs<double>& run) {
  if constexpr (kHasDelta<L>) return L::delta(p, run);
  static_cast<void>(p), static_cast<void>(run);
  return 0;
}

template <class L>
double log_share_of_one(const double* p, const double*, const Inputs<double>& run) {
  if constexpr (kHasShare<L>) return with_fixed(L::log_share(p, run), run);
  static_cast<void>(p), static_cast<void>(run);
  return kUnknown;
}

// Every published set has a value for every parameter.
template <class L>
constexpr bool complete() {
  for (const ConstantSet& set : L::kConstants) {
    if (set.values.size() != L::kParameters.size()) return false;
  }
  return true;
}

// A share in closed form belongs to E + A / (N share)^alpha + B / D^beta.
template <class L>
constexpr bool has_parameter(std::string_view name) {
  for (const Parameter& parameter : L::kParameters) {
    if (parameter.name == name) return true;
  }
  return false;
}

template <class L>
constexpr Law entry(size_t index) {
  static_assert(complete<L>());
  static_assert(!kHasShare<L> ||
                (has_parameter<L>("E") && has_parameter<L>("A") && has_parameter<L>("B") &&
                 has_parameter<L>("alpha") && has_parameter<L>("beta")));
  Law law{.name = L::kName,
          .title = L::kTitle,
          .source = L::kSource,
          .formula = L::kFormula,
          .notes = "",
          .uses_bits = L::kUsesBits,
          .predicts = Predicts::kLoss,
          .parameters = L::kParameters,
          .training_parameters = L::kTrainingParameters,
          .constants = L::kConstants,
          .class_parameters = {},
          .classes = {},
          .has_delta = kHasDelta<L>,
          .has_share = kHasShare<L>,
          .index = index};
  if constexpr (requires { L::kNotes; }) law.notes = L::kNotes;
  if constexpr (kHasClasses<L>) law.class_parameters = L::kClassParameters;
  if constexpr (requires { L::kPredicts; }) law.predicts = L::kPredicts;
  if constexpr (requires { L::kAdditiveRival; }) law.is_additive_rival = true;
  return law;
}

struct One {
  EvaluateOne loss, delta, log_share;
};

template <class... L>
constexpr std::array<Law, sizeof...(L)> entries(LawList<L...>) {
  size_t index = 0;
  return {entry<L>(index++)...};
}
template <class... L>
constexpr std::array<One, sizeof...(L)> ones(LawList<L...>) {
  return {One{loss_of_one<L>, delta_of_one<L>, log_share_of_one<L>}...};
}

constexpr std::array kLaws = entries(AllLaws{});
constexpr std::array kOnes = ones(AllLaws{});

const Formulas* formulas() {
  static const Formulas* const chosen = [] {
    switch (best_isa()) {
      case Isa::kAvx512:
        return formulas_avx512();
      case Isa::kAvx2:
        return formulas_avx2();
      case Isa::kPlain:
        break;
    }
    return formulas_plain();
  }();
  return chosen;
}

RowsView view(const Law& law, const Rows& rows) {
  return {.columns = rows.column(0),
          .positions = rows.positions(0),
          .size = rows.size(),
          .stride = rows.stride(),
          .class_count = static_cast<int>(law.classes.size()),
          .first_of_class = law.classes.empty() ? 0 : law.classes[0].position,
          .has_fixed = rows.has_fixed()};
}

}  // namespace

std::span<const Law> laws() {
  return kLaws;
}

const Law& default_law() {
  for (const Law& law : kLaws) {
    if (law.uses_bits && law.has_delta && law.constants[0].is_published()) return law;
  }
  return kLaws[0];
}

const Law& additive_rival() {
  static_assert(std::count_if(kLaws.begin(), kLaws.end(),
                              [](const Law& law) { return law.is_additive_rival; }) == 1);
  return *std::find_if(kLaws.begin(), kLaws.end(),
                       [](const Law& law) { return law.is_additive_rival; });
}

const Law* find_law(std::string_view name) {
  for (const Law& law : kLaws) {
    if (name == law.name) return &law;
  }
  for (const Law* law : registered_laws()) {
    if (name == law->name) return law;
  }
  return nullptr;
}

const Law& law_named(std::string_view name) {
  if (const Law* law = find_law(name)) return *law;
  throw Error(unknown_name("law", name, law_names(), "`bitlaw laws` lists them"));
}

std::vector<std::string> law_names() {
  std::vector<std::string> names;
  for (const Law& law : kLaws) names.emplace_back(law.name);
  for (const Law* law : registered_laws()) names.emplace_back(law->name);
  return names;
}

namespace {

// "kumar, kumar-no-offsets or ouyang-qid"
template <class Wanted>
std::string names_of(const Wanted& wanted) {
  std::vector<std::string> names;
  for (const Law& law : kLaws) {
    if (wanted(law)) names.emplace_back(law.name);
  }
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + names[i];
  }
  return out;
}

}  // namespace

std::string laws_with_delta() {
  return names_of([](const Law& law) { return law.has_delta; });
}

std::string laws_of_gaps() {
  return names_of([](const Law& law) { return law.predicts == Predicts::kGap; });
}

int parameter_index(const Law& law, std::string_view name) {
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    if (name == law.parameters[i].name) return static_cast<int>(i);
  }
  return -1;
}

const ConstantSet* find_constants(const Law& law, std::string_view name) {
  for (const ConstantSet& set : law.constants) {
    if (name.empty() || name == set.name) return &set;
  }
  return nullptr;
}

double published_value(const Law& law, std::string_view constant) {
  const ConstantSet& set = law.constants[0];
  if (!set.is_published()) return kUnknown;
  if (const int i = parameter_index(law, constant); i >= 0)
    return set.values[static_cast<size_t>(i)];
  for (const ClassValue& known : set.classes) {
    if (std::string(known.parameter) + "[" + known.name + "]" == constant) return known.value;
  }
  return kUnknown;
}

double measured(const Law& law, const Observation& run) {
  switch (law.predicts) {
    case Predicts::kQatShare:
      return run.qat_share;
    case Predicts::kGap:
      return run.delta_nats;
    case Predicts::kLoss:
      break;
  }
  return run.loss_nats;
}

const char* measured_name(const Law& law) {
  return law.predicts == Predicts::kQatShare ? "qat_share"
         : law.predicts == Predicts::kGap    ? "gap"
                                             : "loss";
}

void evaluate_loss(const Law& law, const double* p, const Rows& rows, double* values,
                   double* jacobian) {
  if (law.own) return law.own->loss().evaluate(p, rows.column(0), rows.stride(), values, jacobian);
  formulas()[law.index].loss(p, view(law, rows), values, jacobian);
}

void evaluate_delta(const Law& law, const double* p, const Rows& rows, double* values,
                    double* jacobian) {
  if (law.own) return law.own->delta().evaluate(p, rows.column(0), rows.stride(), values, jacobian);
  formulas()[law.index].delta(p, view(law, rows), values, jacobian);
}

double predict_delta(const Law& law, const double* p, const Observation& run) {
  if (!law.has_delta || !run.is_post_training()) return 0;
  if (law.own) return law.own->delta(p, run);
  return kOnes[law.index].delta(p, nullptr, inputs_of(run));
}

double log_share(const Law& law, const double* p, const Observation& run) {
  return kOnes[law.index].log_share(p, nullptr, inputs_of(run));
}

double predict(const Law& law, const double* p, const Observation& run) {
  if (law.own) return law.own->loss(p, run) + predict_delta(law, p, run);
  double of_class[kMostClassParameters] = {};
  for (size_t k = 0; k < law.class_parameters.size(); ++k) {
    const int position = class_position(law, static_cast<int>(k), run);
    of_class[k] = position >= 0                  ? p[position]
                  : position == Rows::kReference ? law.class_parameters[k].reference
                                                 : kUnknown;
  }
  return kOnes[law.index].loss(p, of_class, inputs_of(run)) + predict_delta(law, p, run);
}

}  // namespace bitlaw
