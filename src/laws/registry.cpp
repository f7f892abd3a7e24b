#include "laws/registry.h"

#include <array>

#include "laws/chinchilla.h"
#include "laws/dual.h"
#include "laws/kumar.h"
#include "laws/kumar_no_offsets.h"

namespace bitlaw {
namespace {

// Runs `formula` on every row, with plain numbers where no derivatives are wanted and with dual
// numbers where they are.
template <int kWidth, class Formula>
void evaluate(const Formula& formula, const double* p, const Observation* runs, size_t count,
              double* values, double* jacobian) {
  if (!jacobian) {
    for (size_t i = 0; i < count; ++i) values[i] = formula(p, runs[i]);
    return;
  }
  std::array<Dual<kWidth>, kWidth> variables;
  for (int j = 0; j < kWidth; ++j) variables[j] = Dual<kWidth>::variable(p[j], j);
  for (size_t i = 0; i < count; ++i) {
    const Dual<kWidth> result = formula(variables.data(), runs[i]);
    values[i] = result.value;
    for (int j = 0; j < kWidth; ++j) jacobian[i * kWidth + j] = result.d[j];
  }
}

template <class L>
void evaluate_loss(const double* p, const Observation* runs, size_t count, double* values,
                   double* jacobian) {
  evaluate<L::kTrainingParameters>(
      [](const auto* q, const Observation& run) { return L::loss(q, run); }, p, runs, count, values,
      jacobian);
}

template <class L>
void evaluate_delta(const double* p, const Observation* runs, size_t count, double* values,
                    double* jacobian) {
  evaluate<static_cast<int>(L::kParameters.size())>(
      [](const auto* q, const Observation& run) { return L::delta(q, run); }, p, runs, count,
      values, jacobian);
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
constexpr Law entry() {
  static_assert(complete<L>());
  Evaluate delta = nullptr;
  if constexpr (requires(const double* p, const Observation& run) { L::delta(p, run); }) {
    delta = evaluate_delta<L>;
  }
  return {.name = L::kName,
          .title = L::kTitle,
          .source = L::kSource,
          .formula = L::kFormula,
          .uses_bits = L::kUsesBits,
          .parameters = L::kParameters,
          .training_parameters = L::kTrainingParameters,
          .constants = L::kConstants,
          .loss = evaluate_loss<L>,
          .delta = delta};
}

// A new law is one header and one line here.
constexpr std::array kLaws{
    entry<Chinchilla>(),
    entry<Kumar>(),
    entry<KumarNoOffsets>(),
};

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

double predict_delta(const Law& law, const double* p, const Observation& run) {
  double delta = 0;
  if (law.delta && run.is_post_training()) law.delta(p, &run, 1, &delta, nullptr);
  return delta;
}

double predict(const Law& law, const double* p, const Observation& run) {
  double loss = 0;
  law.loss(p, &run, 1, &loss, nullptr);
  return loss + predict_delta(law, p, run);
}

}  // namespace bitlaw
