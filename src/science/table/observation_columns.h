// What a condition (base/condition.h) may ask of an observation. --hold-out has no other columns;
// --where has these if the file has no column of that name.
//
//   N, N_total, D, P_w, P_a, P_kv   as in the table
//   P_post                          16 if nothing is quantized after training
//   bits                            the lowest of a row
//   class, precision                of the forward pass: any name of the same precision counts, and
//                                   BF16 is what is not quantized
//   backward, method, run           as in the table
#pragma once

#include <string>

#include "base/condition.h"
#include "laws/observation.h"

namespace bitlaw {

bool is_observation_column(const std::string& name);

// A condition on these columns. Error if `text` is none; `option` is what gave it, for messages.
Condition observation_condition(const std::string& option, const std::string& text);

double least_bits(const Observation& row);
std::string class_of(const Observation& row);  // "BF16" if it is not quantized

// The fields of one row, by the places that the condition has. Texts live as long as this does.
class ObservationFields {
 public:
  explicit ObservationFields(const Observation& row);
  Field of(const Condition& condition) const;
  bool meet(const Condition& condition) const { return condition.holds(of(condition)); }

 private:
  Field at(size_t column) const;

  Observation row_;
  std::string class_;
};

}  // namespace bitlaw
