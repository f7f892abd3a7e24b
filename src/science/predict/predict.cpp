#include "predict/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/json_fields.h"
#include "base/statistics.h"
#include "laws/bind.h"
#include "laws/class_spelling.h"
#include "laws/part_bits.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

constexpr size_t kMostDraws = 400;   // of which an interval is made
constexpr size_t kFewestDraws = 20;  // without which there is none
constexpr size_t kPoints = 41;       // of a distribution

// The shares at which a draw takes the points of a distribution: evenly apart, and for every draw at
// other places, so that all draws together know it finely.
double share_of(size_t draw, size_t point) {
  constexpr double kGolden = 0.6180339887498949;
  const double place = static_cast<double>(draw + 1) * kGolden;
  return (static_cast<double>(point) + place - std::floor(place)) / static_cast<double>(kPoints);
}

// Quantiles of a unit normal distribution, from a table.
double normal_quantile(double share) {
  constexpr size_t kSteps = 1000;
  static const Scatter normal = [] {
    Scatter out;
    for (size_t i = 0; i < kSteps; ++i) {
      out.quantiles.push_back(t_quantile((static_cast<double>(i) + 0.5) / kSteps,
                                         std::numeric_limits<double>::infinity()));
    }
    return out;
  }();
  return normal.quantile(share);
}

// What is added to a draw, as a function of the share: the law's own error, normal; or the scatter of
// runs, whose shape stays while its size grows with the distance.
using Spread = std::function<double(double share)>;
Spread law_error(double added) {
  if (added == 0) return [](double) { return 0.0; };
  return [added](double share) { return added * normal_quantile(share); };
}
Spread run_error(const Scatter& scatter, double added) {
  const double growth = scatter.deviation > 0 ? std::hypot(1, added / scatter.deviation) : 1;
  return [&scatter, growth](double share) { return growth * scatter.quantile(share); };
}

// Interval of value(draw, point) over all pairs.
template <class Value>
std::optional<PredictedInterval> interval_over(size_t draws, double level, const Value& value) {
  std::vector<double> all;
  all.reserve(draws * kPoints);
  for (size_t draw = 0; draw < draws; ++draw) {
    for (size_t point = 0; point < kPoints; ++point) {
      const double each = value(draw, point);
      if (std::isfinite(each)) all.push_back(each);
    }
  }
  if (all.size() < kFewestDraws * kPoints) return std::nullopt;
  return PredictedInterval{percentile_of(all, (1 - level) / 2),
                           percentile_of(all, (1 + level) / 2)};
}

// Losses and deltas of the draws.
struct Drawn {
  std::vector<double> losses, deltas;
};
Drawn draw_all(const Constants& constants, const Observation& trained, const Observation& run) {
  Drawn out;
  const size_t count = std::min(constants.draws.size(), kMostDraws);
  for (size_t i = 0; i < count; ++i) {
    const double* values = constants.draws[i].data();
    const double loss = predict(*constants.law, values, trained);
    if (!(loss > 0) || !std::isfinite(loss)) continue;
    const double delta = run.is_post_training() ? predict_delta(*constants.law, values, run) : 0;
    if (!std::isfinite(delta)) continue;
    out.losses.push_back(loss), out.deltas.push_back(delta);
  }
  return out;
}

// Draws spread too little with few clusters, runs do not: the draws alone are moved away from their
// medians, to the level that has the coverage.
void widen(const Constants& constants, double level, Drawn& drawn) {
  const auto reach = [](double of) {
    return t_quantile(0.5 + 0.5 * of, std::numeric_limits<double>::infinity());
  };
  const double by = reach(drawn_level(constants, level)) / reach(level);
  const double loss = median(drawn.losses), delta = median(drawn.deltas);
  for (double& each : drawn.losses) each = loss * std::pow(each / loss, by);
  for (double& each : drawn.deltas) each = delta + by * (each - delta);
}

// The error assumed for a delta of this size.
double error_of(const Scatter& scatter, double delta) {
  return std::max(scatter.usual_error, scatter.floor * std::fabs(delta));
}

// Points of two distributions in pairs that have nothing to do with each other.
size_t other_point(size_t point) {
  return (17 * point + 8) % kPoints;
}

std::optional<PredictedInterval> with(std::optional<PredictedInterval> run,
                                      const std::optional<PredictedInterval>& mean) {
  if (run && mean) run = {std::min(run->low, mean->low), std::max(run->high, mean->high)};
  return run;
}

void add_intervals(const Constants& constants, const Observation& trained, const Observation& run,
                   double level, Prediction& out) {
  Drawn drawn = draw_all(constants, trained, run);
  const size_t draws = drawn.losses.size();
  if (draws < kFewestDraws) {
    out.problem = "the fit has too few bootstrap draws for intervals; fit with more --draws";
    return;
  }
  widen(constants, level, drawn);
  Distance away = distance(constants.reach, run);
  if (!constants.knows_bits) away.bits = 0;
  const Scatter &scatter = constants.scatter, &of_delta = constants.post_scatter;
  const bool post = run.is_post_training();
  const double added = scatter.is_known() ? scatter.added(away) : 0;
  const double added_delta = post && of_delta.is_known() ? of_delta.added(away) : 0;
  const bool known = std::isfinite(added) && std::isfinite(added_delta);
  const auto delta_of = [&](size_t draw, const Spread& spread, size_t point) {
    const double delta = drawn.deltas[draw];
    return post ? delta + error_of(of_delta, delta) * spread(share_of(draw, point)) : 0;
  };
  const auto total = [&](const Spread& of_loss, const Spread& of_deltas) {
    return interval_over(draws, level, [&](size_t draw, size_t point) {
      return drawn.losses[draw] * std::exp(of_loss(share_of(draw, point))) +
             delta_of(draw, of_deltas, other_point(point));
    });
  };
  const auto difference = [&](const Spread& spread) {
    return interval_over(draws, level,
                         [&](size_t draw, size_t point) { return delta_of(draw, spread, point); });
  };
  if (constants.law->predicts == Predicts::kGap) {
    // A gap is a difference, whatever its sign.
    const auto gap = [&](const Spread& spread) {
      return interval_over(draws, level, [&](size_t draw, size_t point) {
        const double mean = drawn.losses[draw];
        return mean + error_of(scatter, mean) * spread(share_of(draw, point));
      });
    };
    out.mean = gap(law_error(added));
    if (scatter.is_known() && known) out.run = with(gap(run_error(scatter, added)), out.mean);
    return;
  }
  const Spread mean_error = law_error(added);
  const Spread mean_delta_error = law_error(added_delta);
  out.mean = total(mean_error, mean_delta_error);
  if (post) out.mean_delta = difference(mean_delta_error);
  if (!known) {
    out.problem =
        "the fitted rows cannot tell how the law errs beyond them, so there is no interval of a "
        "run";
    return;
  }
  if (!scatter.is_known() || (post && !of_delta.is_known())) {
    out.problem = "the fit has no scatter of runs, so there is no interval of a run; fit again";
    return;
  }
  const Spread of_runs = run_error(scatter, added);
  const Spread of_cells = post ? run_error(of_delta, added_delta) : law_error(0);
  // One run is not surer than the mean, whatever the shape of the scatter.
  out.run = with(total(of_runs, of_cells), out.mean);
  if (post) out.run_delta = with(difference(of_cells), out.mean_delta);
}

// The constant of the run's optimizer that the law lacks, in a sentence; "" if it lacks none.
std::string missing_optimizer(const Law& law, const Observation& run) {
  for (size_t k = 0; k < law.class_parameters.size(); ++k) {
    const ClassParameter& each = law.class_parameters[k];
    const bool of_optimizer =
        each.axis == ClassAxis::kOptimizer || each.axis == ClassAxis::kForwardOfOptimizer;
    if (!of_optimizer || class_position(law, static_cast<int>(k), run) != Rows::kUnknownClass)
      continue;
    const std::string with = run.optimizer.empty() ? "" : " with the optimizer " + run.optimizer;
    return fmt::format("the fit has no {} for {}{}", each.parameter.name,
                       each.axis == ClassAxis::kOptimizer ? "runs" : precision_class(run), with);
  }
  return "";
}

Json interval_json(const std::optional<PredictedInterval>& interval) {
  if (!interval) return nullptr;
  return {json_number(interval->low), json_number(interval->high)};
}

}  // namespace

Prediction predict_run(const Constants& constants, const Observation& given, double level) {
  Prediction out;
  Observation run = spelled_as(constants.classes, given);
  const Law& law = *constants.law;
  const double* values = constants.values.data();
  if (constants.total) {
    const FixedParams& fixed = constants.fixed;  // not known of fits that shrank all parameters
    if (!(run.params_total > 0) && fixed.is_known()) {
      run.params_total = fixed.total(run.params);
      out.note = "N_total is that of a model of this N in the fit's table";
    }
    if (!(run.params_total > 0)) {
      out.problem = "the fit counts all parameters; give N_total";
      return out;
    }
    // A table that has N_total alone has it as N, too.
    if (fixed.is_known() && (!(run.params > 0) || run.params == run.params_total)) {
      run.params = fixed.matrices_of_total(run.params_total);
      out.note = "embeddings and head are as large as in the fit's table";
    }
    if (fixed.is_known()) {
      count_all_params(run);
    } else {
      run.params = run.params_total;
    }
  }
  if (constants.by_compute && !count_params_by_compute(run))
    out.note = "the fit counts N by FLOPs: N is read as C / (6 D)";
  if (run.is_post_training() && !run.method.empty() && !constants.method.empty() &&
      run.method != constants.method) {
    out.problem = fmt::format("the fit is of deltas of {}, and this one is of {}", constants.method,
                              run.method);
    return out;
  }
  Observation trained = run;
  trained.bits_post = 0;
  out.loss = predict(law, values, trained);
  if (run.is_post_training()) {
    if (!law.has_delta) {
      out.loss = kUnknown;
      out.problem = fmt::format("{} does not model quantization after training", law.name);
      return out;
    }
    out.delta = predict_delta(law, values, run);
    out.loss += out.delta;
  }
  out.beyond = words_beyond(constants.reach, run);
  if (!constants.knows_bits && least_part_bits(run) < kUnquantizedBits)
    out.note =
        fmt::format("{} does not model training precision: this is the loss at 16 bits", law.name);
  if (!std::isfinite(out.loss)) {
    const std::string name = precision_class(run);
    for (const LawInput& input : law.inputs) {
      if (std::isfinite(run.input(input.column))) continue;
      out.problem = std::string(law.name) + " needs a value of " + input.name;
      return out;
    }
    if (const std::string missing = missing_optimizer(law, run); !missing.empty()) {
      out.problem = missing;
      return out;
    }
    out.problem = law.classes.empty() || name.empty()
                      ? "the law gives no number for this run"
                      : fmt::format("the fit has no constant for the precision {}", name);
    return out;
  }
  if (law.predicts == Predicts::kGap && precision_class(run).empty()) {
    out.problem = "a run that is not quantized is its own reference, so there is no gap";
    return out;
  }
  if (constants.draws.empty()) {
    out.problem = constants.fitted ? "the fit has no bootstrap draws, so there are no intervals"
                  : constants.published ? "published constants have no intervals"
                                        : "these are starting values of a fit, without intervals";
    return out;
  }
  add_intervals(constants, trained, run, level, out);
  return out;
}

std::string prediction_text(const Prediction& prediction) {
  if (!std::isfinite(prediction.loss)) return "no number";
  std::string out = fmt::format("{:.4f}", prediction.loss);
  const auto interval = [](const PredictedInterval& each) {
    return fmt::format("[{:.4f}, {:.4f}]", each.low, each.high);
  };
  if (prediction.mean) out += " " + interval(*prediction.mean);
  if (prediction.run) out += ", a run " + interval(*prediction.run);
  return out;
}

Json prediction_json(const Prediction& prediction) {
  Json out{{"loss", json_number(prediction.loss)},
           {"mean", interval_json(prediction.mean)},
           {"run", interval_json(prediction.run)},
           {"beyond", prediction.beyond}};
  if (std::isfinite(prediction.delta)) {
    out["delta"] = prediction.delta;
    out["mean_delta"] = interval_json(prediction.mean_delta);
    out["run_delta"] = interval_json(prediction.run_delta);
  }
  if (!prediction.problem.empty()) out["problem"] = prediction.problem;
  if (!prediction.note.empty()) out["note"] = prediction.note;
  return out;
}

}  // namespace bitlaw
