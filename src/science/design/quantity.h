// Quantities derived from the constants of a law, by name:
//
//   alpha, gamma_w, ...   a constant
//   P*                    the best precision of all parts with N and D free; P*_w, P*_a, P*_kv: of
//                         one part, the others unquantized
//   N_eff:4               effective share of the parameters at 4 bits in all parts; N_eff_w:4,
//                         N_eff_a:4, N_eff_kv:4: in one part
//   D_crit:4              tokens beyond which more training makes the model worse after
//                         quantization of its weights to 4 bits, for the largest size;
//                         D_crit:4@N=1e9 for another
//   loss@N=1e9,D=2e10,P_w=4   loss of a run, with P_w P_a P_kv P or P_post
//
// laws/effective.h defines those that are not constants, for any law, and at which N, D and budget
// they are evaluated if they depend on these.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"

namespace bitlaw {

struct LawQuantity {
  std::string name;          // as requested
  std::string unit;          // "bits", "tokens", "nats", ""
  bool logarithmic = false;  // its error is relative
  // Its possible range.
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  // As a function of the law's constants; NaN if it has no value.
  std::function<double(const double* p)> of;
};

// rows: the table that a quantity is for. Error if `text` is invalid. The law must outlive the
// quantity.
LawQuantity parse_quantity(const std::string& text, const Law& law,
                           const std::vector<Observation>& rows);

}  // namespace bitlaw
