// Numbers that follow from the constants of a law, by name:
//
//   alpha, gamma_w, ...   a constant
//   P*                    the best precision of all parts with N and D free; P*_w, P*_a, P*_kv: of one
//                         part, the others unquantized
//   N_eff:4               parameters at 4 bits in all parts are worth this share of as many
//                         unquantized ones; N_eff_w:4, N_eff_a:4, N_eff_kv:4: in one part
//   D_crit:4              tokens after which more of them make the model worse once its weights are
//                         quantized to 4 bits, for the largest size; D_crit:4@N=1e9 says for which
//   loss@N=1e9,D=2e10,P_w=4   loss of a run, with P_w P_a P_kv P or P_post
//
// laws/effective.h defines those that are not constants, for any law, and says for which N, D and
// budget they hold where a law makes them depend on that.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"

namespace bitlaw {

struct LawQuantity {
  std::string name;          // as asked for
  std::string unit;          // "bits", "tokens", "nats", ""
  bool logarithmic = false;  // its error is relative
  // What it can be.
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  // Of the law's constants; NaN where it has no such value.
  std::function<double(const double* p)> of;
};

// rows: the table that a quantity is for. An Error says what is wrong with `text`. The law must
// outlive the quantity.
LawQuantity parse_quantity(const std::string& text, const Law& law,
                           const std::vector<Observation>& rows);

}  // namespace bitlaw
