#include "laws/registry.h"

#include <array>
#include <limits>

#include "base/isa.h"
#include "laws/all_laws.h"
#include "laws/bind.h"
#include "laws/formulas.h"

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

// Every published set has a value for every parameter.
template <class L>
constexpr bool complete() {
  for (const ConstantSet& set : L::kConstants) {
    if (set.values.size() != L::kParameters.size()) return false;
  }
  return true;
}

template <class L>
constexpr Law entry(size_t index) {
  static_assert(complete<L>());
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
          .index = index};
  if constexpr (requires { L::kNotes; }) law.notes = L::kNotes;
  if constexpr (kHasClasses<L>) law.class_parameters = L::kClassParameters;
  if constexpr (requires { L::kPredicts; }) law.predicts = L::kPredicts;
  return law;
}

struct One {
  EvaluateOne loss, delta;
};

template <class... L>
constexpr std::array<Law, sizeof...(L)> entries(LawList<L...>) {
  size_t index = 0;
  return {entry<L>(index++)...};
}
template <class... L>
constexpr std::array<One, sizeof...(L)> ones(LawList<L...>) {
  return {One{loss_of_one<L>, delta_of_one<L>}...};
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
          .first_of_class = law.classes.empty() ? 0 : law.classes[0].position};
}

}  // namespace

std::span<const Law> laws() {
  return kLaws;
}

const Law* find_law(std::string_view name) {
  for (const Law& law : kLaws) {
    if (name == law.name) return &law;
  }
  return nullptr;
}

std::vector<std::string> law_names() {
  std::vector<std::string> names;
  for (const Law& law : kLaws) names.emplace_back(law.name);
  return names;
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

double measured(const Law& law, const Observation& run) {
  return law.predicts == Predicts::kQatShare ? run.qat_share : run.loss_nats;
}

void evaluate_loss(const Law& law, const double* p, const Rows& rows, double* values,
                   double* jacobian) {
  formulas()[law.index].loss(p, view(law, rows), values, jacobian);
}

void evaluate_delta(const Law& law, const double* p, const Rows& rows, double* values,
                    double* jacobian) {
  formulas()[law.index].delta(p, view(law, rows), values, jacobian);
}

double predict_delta(const Law& law, const double* p, const Observation& run) {
  if (!law.has_delta || !run.is_post_training()) return 0;
  return kOnes[law.index].delta(p, nullptr, inputs_of(run));
}

double predict(const Law& law, const double* p, const Observation& run) {
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
