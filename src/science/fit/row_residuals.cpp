#include "fit/row_residuals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "fit/residuals.h"
#include "fit/setup.h"
#include "fit/stage.h"
#include "fit/threshold.h"

namespace bitlaw {
namespace {

constexpr double kDeviationsOfThreshold = 1.345;

// The fit's constants in the order of the law that is bound to the rows.
std::vector<double> values_for(const Law& law, const Fit& fit) {
  std::vector<double> out;
  for (const Parameter& parameter : law.parameters) {
    const auto found =
        std::find_if(fit.parameters.begin(), fit.parameters.end(),
                     [&](const FittedParameter& each) { return each.name == parameter.name; });
    if (found == fit.parameters.end())
      throw Error(
          fmt::format("residuals: the fit has no {}, so these are not its rows; `bitlaw "
                      "predict` takes others",
                      parameter.name));
    out.push_back(found->value);
  }
  return out;
}

void must_be_its_rows(const StageFit& stage, const char* kind, const Law& law, Stage which,
                      const std::vector<double>& values, const std::vector<Observation>& rows) {
  if (stage.points == 0) return;
  double sse = 0;
  for (const double residual : log_residuals(law, which, values, rows)) {
    if (!std::isnan(residual)) sse += residual * residual;
  }
  const bool same = stage.points == static_cast<int>(rows.size()) &&
                    (!std::isfinite(stage.sse) ||
                     std::fabs(sse - stage.sse) <= 1e-6 * std::max(stage.sse, 1e-12));
  if (same) return;
  throw Error(fmt::format(
      "residuals: these are not the rows of the fit, which has {} {} with squared log residuals of "
      "{:.6g}, and these are {} with {:.6g}; give the table and the options of the fit, or predict "
      "other rows",
      stage.points, kind, stage.sse, rows.size(), sse));
}

// What a loaded fit minimised is in words; its options are not.
void must_be_its_objective(const Fit& fit, FitOptions options, const StageSetup& training) {
  if (fit.training.points == 0) return;
  options.huber_delta = 1;  // wherever the threshold is from
  const std::string name = objective_name(options, training);
  const std::string rest =
      fit.objective_name.starts_with(name) ? fit.objective_name.substr(name.size()) : "?";
  if (rest.empty() || rest.starts_with(", the threshold") || rest.starts_with(", as the rows"))
    return;
  throw Error(
      fmt::format("residuals: the fit minimised {}, and these options {}; give those of the fit",
                  fit.objective_name, name));
}

// has_threshold: least absolute deviations are Huber's with one that means nothing.
void add_stage(const StageSetup& setup, const std::vector<Observation>& rows,
               const std::vector<size_t>& at, bool has_threshold, std::vector<RowResidual>& out) {
  if (rows.empty()) return;
  const Law& law = *setup.law;
  const bool post = setup.settings.stage == Stage::kPost;
  const bool differences = is_of_differences(law, setup.settings.stage);
  const std::vector<double> residuals = stage_residuals(setup, rows, setup.base);
  const Vector weights = StageResiduals(law, rows, setup.settings).weights(rows, setup.settings);
  std::vector<double> weighted;
  for (size_t i = 0; i < residuals.size(); ++i)
    weighted.push_back(std::sqrt(weights[static_cast<long>(i)]) * residuals[i]);
  const double deviation =
      differences ? 1 : huber_threshold(weighted, setup.free.size()) / kDeviationsOfThreshold;
  for (size_t i = 0; i < residuals.size(); ++i) {
    RowResidual row{.row = at[i], .run = rows[i]};
    row.unit = differences ? "standard errors" : setup.settings.linear ? "loss" : "log loss";
    row.of_delta = differences;
    row.measured = post ? rows[i].delta_nats : measured(law, rows[i]);
    row.predicted = post ? predict_delta(law, setup.base.data(), rows[i])
                         : predict(law, setup.base.data(), rows[i]);
    row.residual = residuals[i];
    row.weight = weights[static_cast<long>(i)];
    if (deviation > 0) row.standardised = weighted[i] / deviation;
    row.outlier = has_threshold && std::fabs(residuals[i]) > setup.settings.huber;
    out.push_back(std::move(row));
  }
}

}  // namespace

std::vector<RowResidual> row_residuals(const Law& unbound, const std::vector<Observation>& rows,
                                       const FitOptions& options, const Fit& fit) {
  const Prepared ready = prepare(unbound, rows, options);
  const Law& law = ready.law();
  const std::vector<double> values = values_for(law, fit);
  must_be_its_rows(fit.training, "runs", law, Stage::kTraining, values, ready.rows.training);
  must_be_its_rows(fit.post, "deltas", law, Stage::kPost, values, ready.rows.post);
  StageSetup training = setup_of(law, Stage::kTraining, ready.choice, values, options);
  if (!is_of_differences(law, Stage::kTraining) && options.objective == "huber")
    training.settings.huber = fit.threshold;
  must_be_its_objective(fit, options, training);
  const StageSetup post = setup_of(law, Stage::kPost, ready.choice, values, options);
  std::vector<RowResidual> out;
  add_stage(training, ready.rows.training, ready.rows.training_at, options.objective == "huber",
            out);
  if (fit.post.points > 0) add_stage(post, ready.rows.post, ready.rows.post_at, true, out);
  const auto add_left_out = [&](size_t row, std::string why) {
    out.push_back({.row = row, .left_out = std::move(why), .run = rows[row]});
  };
  for (const auto& [row, why] : ready.rows.left_out) add_left_out(row, why);
  if (fit.post.points == 0) {
    for (const size_t row : ready.rows.post_at)
      add_left_out(row, "too few deltas to fit: they keep published constants");
  }
  std::sort(out.begin(), out.end(),
            [](const RowResidual& a, const RowResidual& b) { return a.row < b.row; });
  return out;
}

}  // namespace bitlaw
