#include "report/post_bit.h"

#include <cmath>
#include <vector>

#include "plan/answer.h"
#include "predict/constants.h"

namespace bitlaw {
namespace {

double ratio(const Law& law, const std::vector<double>& constants, Observation run) {
  const auto delta = [&](double bits) {
    run.bits_post = bits;
    return predict_delta(law, constants.data(), run);
  };
  return delta(3) / delta(4);
}

}  // namespace

Json post_bit(const Json& fit, const Observation& run) {
  Constants constants;
  if (!fit.is_object() || !read_constants("", "", fit, constants).empty()) return nullptr;
  const Law& law = *constants.law;
  if (!law.has_delta) return nullptr;
  const auto of = [&](const std::vector<double>& values) { return ratio(law, values, run); };
  const double value = of(constants.values);
  if (!std::isfinite(value)) return nullptr;
  Json out{{"ratio", value}, {"depends_on", Json::array()}};

  std::vector<double> moved = constants.values, drawn;
  for (size_t i = 0; i < moved.size(); ++i) {
    moved[i] = constants.values[i] != 0 ? 1.005 * constants.values[i] : 0.005;
    if (std::fabs(of(moved) / value - 1) > 1e-9)
      out["depends_on"].push_back(law.parameters[i].name);
    moved[i] = constants.values[i];
  }
  for (const std::vector<double>& draw : constants.draws) drawn.push_back(of(draw));
  if (const auto range = interval(std::move(drawn), drawn_level(constants, 0.9))) {
    out["low"] = range->low;
    out["high"] = range->high;
  }
  return out;
}

}  // namespace bitlaw
