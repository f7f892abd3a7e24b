// Included by one file per instruction set, which defines kIsa before.
#include <cstddef>
#include <cstring>
#include <limits>

#include "laws/all_laws.h"
#include "laws/batch.h"
#include "laws/dual.h"
#include "laws/formulas.h"
#include "laws/inputs.h"

namespace bitlaw {
namespace {

using Batch = BatchOf<kIsa>;
constexpr int kLanes = Batch::kLanes;

template <class L>
constexpr int class_count() {
  if constexpr (requires { L::kClassParameters; })
    return static_cast<int>(L::kClassParameters.size());
  return 0;
}

template <class L>
BITLAW_INLINE double class_reference(int k) {
  if constexpr (class_count<L>() > 0) return L::kClassParameters[static_cast<size_t>(k)].reference;
  return 1;
}

template <class L>
constexpr bool has_delta() {
  return requires(const double* p, const Inputs<double>& run) {
    L::delta(p, run);
  };
}

template <class L, bool kDelta, class Real>
BITLAW_INLINE Real formula(const Real* p, const Real* of_class, const Inputs<Batch>& run) {
  if constexpr (kDelta) {
    return L::delta(p, run);
  } else if constexpr (class_count<L>() > 0) {
    return L::loss(p, of_class, run);
  } else {
    return L::loss(p, run);
  }
}

template <class L, bool kDelta>
void evaluate(const double* p, const RowsView& rows, double* values, double* jacobian) {
  static_assert(!(has_delta<L>() && class_count<L>() > 0));
  constexpr int kBase =
      kDelta ? static_cast<int>(L::kParameters.size()) : static_cast<int>(L::kTrainingParameters);
  constexpr int kClasses = kDelta ? 0 : class_count<L>();
  constexpr int kWidth = kBase + kClasses;
  const size_t stride = rows.stride;
  if (jacobian && kClasses > 0) {
    std::memset(jacobian + static_cast<size_t>(rows.first_of_class) * stride, 0,
                static_cast<size_t>(rows.class_count) * stride * sizeof(double));
  }
  // What is the same for all rows is computed before the loop: the compiler must see that nothing
  // stored there is one of these.
  Batch constants[kBase];
  for (int j = 0; j < kBase; ++j) constants[j] = Batch(p[j]);
  for (size_t i = 0; i < stride; i += kLanes) {
    const double* at = rows.columns + i;
    Inputs<Batch> run;
    Batch* const fields[] = {&run.log_params,
                             &run.log_tokens,
                             &run.log_unique_tokens,
                             &run.bits_weights,
                             &run.bits_activations,
                             &run.bits_kv,
                             &run.bits_post,
                             &run.log_group,
                             &run.exponent_bits,
                             &run.mantissa_bits,
                             &run.log_gaussian_error_weights,
                             &run.log_gaussian_error_activations,
                             &run.log_gaussian_error_kv,
                             &run.fixed_share,
                             &run.bits_keys,
                             &run.bits_values,
                             &run.bits_embedding,
                             &run.bits_head};
    run.has_fixed = rows.has_fixed;
    for (int f = 0; f < kInputs; ++f)
      *fields[f] = Batch::load(at + static_cast<size_t>(f) * stride);

    Batch of_class[kClasses + 1]{}, is_free[kClasses + 1]{};
    for (int k = 0; k < kClasses; ++k) {
      const int* position = rows.positions + static_cast<size_t>(k) * stride + i;
      for (int lane = 0; lane < kLanes; ++lane) {
        const int j = position[lane];
        of_class[k].v[lane] = j >= 0    ? p[j]
                              : j == -1 ? class_reference<L>(k)
                                        : std::numeric_limits<double>::quiet_NaN();
        is_free[k].v[lane] = j >= 0 ? 1.0 : 0.0;
      }
    }
    if (!jacobian) {
      formula<L, kDelta>(constants, of_class, run).store(values + i);
      continue;
    }
    using Real = Dual<kWidth, Batch>;
    Real variables[kBase], classes[kClasses + 1];
    for (int j = 0; j < kBase; ++j) variables[j] = Real::variable(constants[j], j);
    for (int k = 0; k < kClasses; ++k) {
      classes[k] = Real(of_class[k]);
      classes[k].d[kBase + k] = is_free[k];
    }
    const Real result = formula<L, kDelta>(variables, classes, run);
    result.value.store(values + i);
    for (int j = 0; j < kBase; ++j) {
      result.d[j].store(jacobian + static_cast<size_t>(j) * stride + i);
    }
    for (int k = 0; k < kClasses; ++k) {
      const int* position = rows.positions + static_cast<size_t>(k) * stride + i;
      for (int lane = 0; lane < kLanes; ++lane) {
        if (position[lane] >= 0) {
          jacobian[static_cast<size_t>(position[lane]) * stride + i + static_cast<size_t>(lane)] =
              result.d[kBase + k].v[lane];
        }
      }
    }
  }
}

template <class L>
constexpr Formulas formulas_of() {
  if constexpr (has_delta<L>()) {
    return {evaluate<L, false>, evaluate<L, true>};
  } else {
    return {evaluate<L, false>, nullptr};
  }
}

template <class... L>
const Formulas* table(LawList<L...>) {
  static constexpr Formulas formulas[] = {formulas_of<L>()...};
  return formulas;
}

}  // namespace
}  // namespace bitlaw
