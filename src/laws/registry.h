// The table of laws. A law is a struct in a header of its own (names, parameters, constants, and
// the formula as a template over the scalar type); here it becomes a line of one table, and with
// that takes part in fits, comparisons and plans, which know laws only through this table.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "laws/observation.h"
#include "laws/parameter.h"

namespace bitlaw {

// Evaluates a formula on `count` rows. p: the law's values in the order of its parameters. values:
// count results, in nats. jacobian: null, or count x width derivatives by row, d values[i] / d
// p[j].
using Evaluate = void (*)(const double* p, const Observation* runs, size_t count, double* values,
                          double* jacobian);

struct Law {
  const char* name;                        // "kumar"
  const char* title;                       // a few words
  const char* source;                      // citation and equation
  const char* formula;                     // one line
  bool uses_bits;                          // false: the law ignores every precision
  std::span<const Parameter> parameters;   // those of training first
  size_t training_parameters;              // how many of them the loss depends on
  std::span<const ConstantSet> constants;  // the first is the default
  Evaluate loss;                           // of training; its Jacobian is training_parameters wide
  Evaluate delta;  // of quantization after training, null where the law has none; as wide as
                   // parameters
};

std::span<const Law> laws();

// Null where there is no such law.
const Law* find_law(std::string_view name);
std::vector<std::string> law_names();

// Position of a parameter by its name, or -1.
int parameter_index(const Law& law, std::string_view name);

// Null where the law has no such set; "" is the first.
const ConstantSet* find_constants(const Law& law, std::string_view name);

// One prediction, in nats: the loss of training plus, where the row is quantized after training and
// the law has a term for that, its loss difference.
double predict(const Law& law, const double* p, const Observation& run);
double predict_delta(const Law& law, const double* p, const Observation& run);  // 0 where none

}  // namespace bitlaw
