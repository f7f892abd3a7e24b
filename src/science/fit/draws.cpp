#include "fit/draws.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/statistics.h"
#include "fit/bootstrap.h"
#include "fit/refits.h"
#include "fit/sandwich.h"

namespace bitlaw {
namespace {

// Streams of random numbers beside those of draw_clusters.
constexpr uint64_t kStarts = 1ULL << 62;

// One stage's refits.
class StageDraws {
 public:
  StageDraws(const DrawnStage& stage, Stage which, const std::vector<Observation>& rows,
             const std::vector<double>& best, bool joint)
      : setup_(*stage.setup),
        allowed_(*stage.allowed),
        which_(which),
        rows_(rows),
        // A joint fit moves the constants of both stages, and open directions need refits from
        // elsewhere.
        refits_(setup_, joint || allowed_.explored ? kNone : rows_, best) {}

  // Constants of this stage that draw number `draw` starts from; the others stay.
  void move_start(uint64_t seed, int64_t draw, std::vector<double>& values) const {
    if (!allowed_.explored) return;
    const size_t count = allowed_.points.size();
    const uint64_t which = which_ == Stage::kTraining ? 0 : 1;
    const std::vector<double>& point =
        allowed_.points[random_below(seed, kStarts + which, static_cast<uint64_t>(draw), count)];
    const Law& law = *setup_.law;
    for (size_t i = 0; i < law.parameters.size(); ++i) {
      if (law.parameters[i].stage == which_) values[i] = point[i];
    }
  }

  // Moves `values`; false if there is no minimum.
  bool refit(std::vector<double>& values, const std::vector<double>& weights) const {
    if (setup_.free.empty()) return true;
    StageMinimum found;
    if (allowed_.explored) {
      StageSetup setup = allowed_.setup;
      setup.base = values;
      found = refit_stage(setup, rows_, values, weights);
    } else {
      found = refits_.refit(which_ == Stage::kTraining ? setup_.base : values, weights);
    }
    if (!std::isfinite(found.objective)) return false;
    // The other stage's constants stay.
    const Law& law = *setup_.law;
    for (size_t i = 0; i < law.parameters.size(); ++i) {
      if (law.parameters[i].stage == which_) values[i] = found.values[i];
    }
    return true;
  }

 private:
  static const std::vector<Observation> kNone;

  const StageSetup& setup_;
  const Allowed& allowed_;
  const Stage which_;
  const std::vector<Observation>& rows_;
  const Refits refits_;
};

const std::vector<Observation> StageDraws::kNone;

// Whether the draws' predictions for the rows themselves spread more than twice as far as the
// curvature of the objective and the noise have it.
bool run_away(const StageSetup& setup, const std::vector<Observation>& rows,
              const std::vector<double>& best, const std::vector<std::vector<double>>& draws) {
  constexpr size_t kLookedAt = 48, kFewestDraws = 20;
  constexpr double kTooFar = 2, kNinetyPercent = 2 * 1.6449;
  if (setup.free.empty() || draws.size() < kFewestDraws) return false;
  StageSetup in_logs = setup;
  in_logs.settings.linear = in_logs.settings.weighted = false;
  const Sandwich sandwich = sandwich_of(setup, rows, best);
  std::vector<Observation> some;
  for (size_t i = 0; i < std::min(rows.size(), kLookedAt); ++i)
    some.push_back(rows[i * rows.size() / std::min(rows.size(), kLookedAt)]);
  const Matrix slopes = stage_jacobian(in_logs, some, best);
  std::vector<double> ratios;
  for (size_t i = 0; i < some.size(); ++i) {
    const auto slope = slopes.row(static_cast<long>(i));
    const double error = std::sqrt((slope * sandwich.covariance * slope.transpose()).value());
    std::vector<double> drawn;
    for (const std::vector<double>& draw : draws)
      drawn.push_back(std::log(predict(*setup.law, draw.data(), some[i])));
    const Interval interval = percentile_interval(std::move(drawn), 0.9);
    const double ratio = (interval.high - interval.low) / (kNinetyPercent * error);
    if (std::isfinite(ratio)) ratios.push_back(ratio);
  }
  return !ratios.empty() && median(std::move(ratios)) > kTooFar;
}

void note_few(const StageSetup& setup, const std::vector<Observation>& rows, const char* part,
              std::vector<std::string>& notes) {
  if (setup.free.empty() || rows.empty()) return;
  const std::vector<int> cluster = number_clusters(rows);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  if (clusters >= 10) return;
  notes.push_back(
      fmt::format("{}: only {} clusters of rows, so its intervals are rough.", part, clusters));
}

}  // namespace

Draws bootstrap_draws(const StageRows& rows, const DrawnStage& training, const DrawnStage& post,
                      const std::optional<JointSetup>& joint, const std::vector<double>& best,
                      const FitOptions& options, const ParallelFor& parallel_for,
                      std::vector<std::string>& notes) {
  std::vector<Observation> all = rows.training;
  all.insert(all.end(), rows.post.begin(), rows.post.end());
  const std::vector<int> cluster = number_clusters(all);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  if (clusters < 3) {
    notes.emplace_back(clusters == 1
                           ? "All rows belong to one cluster, so intervals cannot be estimated."
                           : "The rows belong to two clusters, too few to estimate intervals.");
    return {};
  }

  const long runs = static_cast<long>(rows.training.size());
  const auto enough = [&](const std::vector<double>& weights) {
    const auto present = [](auto begin, auto end) {
      return static_cast<size_t>(std::count_if(begin, end, [](double w) { return w > 0; }));
    };
    const auto middle = weights.begin() + runs;
    return present(weights.begin(), middle) >= training.setup->free.size() &&
           present(middle, weights.end()) >= post.setup->free.size();
  };
  const StageDraws of_training(training, Stage::kTraining, rows.training, best, joint.has_value());
  const StageDraws of_post(post, Stage::kPost, rows.post, best, joint.has_value());
  // The constants of one draw; empty without a minimum.
  const auto refit = [&](int64_t draw, const std::vector<double>& of_clusters) {
    std::vector<double> weights(all.size()), values = best;
    for (size_t i = 0; i < all.size(); ++i)
      weights[i] = of_clusters[static_cast<size_t>(cluster[i])];
    if (!enough(weights)) return std::vector<double>();
    of_training.move_start(options.seed, draw, values);
    of_post.move_start(options.seed, draw, values);
    if (joint) {
      const StageMinimum found = fit_joint(*joint, rows.training, rows.post, values, weights);
      return std::isfinite(found.objective) ? found.values : std::vector<double>();
    }
    if (!of_training.refit(values, {weights.begin(), weights.begin() + runs}) ||
        !of_post.refit(values, {weights.begin() + runs, weights.end()}))
      return std::vector<double>();
    return values;
  };

  Draws out;
  out.values.resize(static_cast<size_t>(options.draws));
  run_parallel(parallel_for, options.draws, [&](int64_t draw) {
    std::vector<double>& values = out.values[static_cast<size_t>(draw)];
    for (int attempt = 0; attempt < 20 && values.empty(); ++attempt)
      values = refit(draw, draw_clusters(clusters, options.seed, draw, attempt));
  });
  std::erase_if(out.values, [](const std::vector<double>& draw) { return draw.empty(); });
  if (!joint && run_away(*training.setup, rows.training, best, out.values)) {
    out.fractional = true;
    out.values.assign(static_cast<size_t>(options.draws), {});
    run_parallel(parallel_for, options.draws, [&](int64_t draw) {
      out.values[static_cast<size_t>(draw)] =
          refit(draw, draw_fractions(clusters, options.seed, draw));
    });
    std::erase_if(out.values, [](const std::vector<double>& draw) { return draw.empty(); });
  }
  if (static_cast<int64_t>(out.values.size()) < options.draws) {
    notes.push_back(fmt::format("{} of {} bootstrap draws had too few rows and were left out.",
                                options.draws - static_cast<int64_t>(out.values.size()),
                                options.draws));
  }
  note_few(*training.setup, rows.training, "Training law", notes);
  note_few(*post.setup, rows.post, "Post-training term", notes);
  return out;
}

}  // namespace bitlaw
