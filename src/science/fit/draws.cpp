#include "fit/draws.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "fit/bootstrap.h"
#include "fit/refits.h"

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

std::vector<std::vector<double>> bootstrap_draws(
    const StageRows& rows, const DrawnStage& training, const DrawnStage& post,
    const std::optional<JointSetup>& joint, const std::vector<double>& best,
    const FitOptions& options, const ParallelFor& parallel_for, std::vector<std::string>& notes) {
  std::vector<Observation> all = rows.training;
  all.insert(all.end(), rows.post.begin(), rows.post.end());
  const std::vector<int> cluster = number_clusters(all);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  if (clusters < 2) {
    notes.emplace_back("All rows belong to one cluster, so intervals cannot be estimated.");
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
  std::vector<std::vector<double>> draws(static_cast<size_t>(options.draws));
  run_parallel(parallel_for, options.draws, [&](int64_t draw) {
    std::vector<double> weights(all.size());
    for (int attempt = 0; attempt < 20; ++attempt) {
      const std::vector<double> counts = draw_clusters(clusters, options.seed, draw, attempt);
      for (size_t i = 0; i < all.size(); ++i) weights[i] = counts[static_cast<size_t>(cluster[i])];
      if (enough(weights)) break;
    }
    if (!enough(weights)) return;
    std::vector<double> values = best;
    of_training.move_start(options.seed, draw, values);
    of_post.move_start(options.seed, draw, values);
    if (joint) {
      const StageMinimum refit = fit_joint(*joint, rows.training, rows.post, values, weights);
      if (std::isfinite(refit.objective)) draws[static_cast<size_t>(draw)] = refit.values;
      return;
    }
    if (!of_training.refit(values, {weights.begin(), weights.begin() + runs}) ||
        !of_post.refit(values, {weights.begin() + runs, weights.end()}))
      return;
    draws[static_cast<size_t>(draw)] = std::move(values);
  });

  std::erase_if(draws, [](const std::vector<double>& draw) { return draw.empty(); });
  if (static_cast<int64_t>(draws.size()) < options.draws) {
    notes.push_back(fmt::format("{} of {} bootstrap draws had too few rows and were left out.",
                                options.draws - static_cast<int64_t>(draws.size()), options.draws));
  }
  note_few(*training.setup, rows.training, "Training law", notes);
  note_few(*post.setup, rows.post, "Post-training term", notes);
  return draws;
}

}  // namespace bitlaw
