#include "compare/rival.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compare/compare_statistics.h"
#include "fit/bootstrap.h"
#include "fit/setup.h"
#include "fit/shared_share.h"
#include "fit/sketch.h"
#include "fit/stage.h"
#include "laws/effective.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

constexpr size_t kMostRows = 4096;

// A law fitted to the runs, without intervals. Ties and the like are those of the law that was asked for.
struct Fitted {
  Prepared ready;
  Fit fit;
  std::vector<double> residuals;
};

Fitted fitted(const Law& law, const std::vector<Observation>& runs, FitOptions options,
              const ParallelFor& parallel_for) {
  if (options.law != law.name) options.tie.clear(), options.freeze.clear(), options.range.clear();
  constexpr int64_t kStarts = 32;
  options.law = law.name;
  options.profile.clear();
  options.draws = 0, options.hold_out = false, options.joint = false;
  options.starts = std::min(options.starts, kStarts);
  Fitted out{prepare(law, runs, options), fit_law(law, runs, options, parallel_for), {}};
  StageSetup setup =
      setup_of(out.ready.law(), Stage::kTraining, out.ready.choice, out.ready.choice.base, options);
  setup.settings.huber = out.fit.threshold;
  out.residuals = stage_residuals(setup, out.ready.rows.training, out.fit.values());
  return out;
}

// "alpha .26 instead of .079", of the constants that both have.
std::string differences(const Fitted& ours, const Fitted& theirs) {
  std::vector<std::string> words;
  const Middle middle = middle_of(ours.ready.rows.training);
  for (const char* name : {"alpha", "beta"}) {
    const int here = parameter_index(ours.ready.law(), name);
    const int there = parameter_index(theirs.ready.law(), name);
    if (here < 0 || there < 0) continue;
    words.push_back(fmt::format("{} {:.3g} instead of {:.3g}", name,
                                theirs.fit.values()[static_cast<size_t>(there)],
                                ours.fit.values()[static_cast<size_t>(here)]));
  }
  Parts lowered{};
  for (const Observation& row : ours.ready.rows.training) {
    lowered[0] |= row.bits_weights < kUnquantizedBits;
    lowered[1] |= row.bits_activations < kUnquantizedBits;
    lowered[2] |= row.bits_kv < kUnquantizedBits;
  }
  const auto best = [&](const Fitted& each) {
    return best_bits(each.ready.law(), each.fit.values().data(), middle.next_compute, lowered,
                     middle.run);
  };
  for (const Fitted* each : {&ours, &theirs}) {
    if (!has_parts(each->ready.law(), each->fit.values().data(), lowered)) lowered = {};
  }
  const double here = best(ours), there = best(theirs);
  if (std::isfinite(here) && std::isfinite(there) && !is_end_of_bits(here) &&
      !is_end_of_bits(there))
    words.push_back(fmt::format("best precision {:.1f} instead of {:.1f} bits", there, here));
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::optional<Rival> better_form(const Fit& fit, const std::vector<Observation>& runs,
                                 const FitOptions& options, const ParallelFor& parallel_for) {
  const Law* law = find_law(fit.law);
  const bool has_bits = std::any_of(runs.begin(), runs.end(), [](const Observation& run) {
    return !run.is_post_training() && least_part_bits(run) < kUnquantizedBits;
  });
  if (!law || !law->has_share || !law->uses_bits || !has_bits || fit.training.points == 0)
    return std::nullopt;
  std::vector<Observation> rows;
  for (const Observation& run : runs) {
    if (!run.is_post_training()) rows.push_back(run);
  }
  rows = sketch_of(rows, kMostRows, options.seed);
  try {
    const Fitted ours = fitted(*law, rows, options, parallel_for);
    const Fitted theirs = fitted(additive_rival(), rows, options, parallel_for);
    if (ours.residuals.empty() || ours.residuals.size() != theirs.residuals.size())
      return std::nullopt;
    const std::vector<int> cluster = number_clusters(theirs.ready.rows.training);
    const Vector of_rows = Eigen::Map<const Vector>(theirs.residuals.data(),
                                                    static_cast<long>(theirs.residuals.size()));
    const double independent = independent_rows(cluster, shared_share(of_rows, cluster));
    const auto aicc = [&](const Fitted& each) {
      return corrected_information(misfit(each.residuals, each.fit.threshold), independent,
                                   each.fit.training.free);
    };
    Rival out{.law = theirs.fit.law,
              .aicc_lower = aicc(ours) - aicc(theirs),
              .values = theirs.fit.values(),
              .sentence = ""};
    if (!(out.aicc_lower > Rival::kClear)) return std::nullopt;
    out.sentence = fmt::format(
        "{} describes these rows better than {} does (AICc lower by {:.0f}), and has {}. The "
        "constants above are those of {}'s form; `bitlaw compare` judges more laws.",
        out.law, fit.law, out.aicc_lower, differences(ours, theirs), fit.law);
    return out;
  } catch (const Error&) {  // too few rows for one of them
    return std::nullopt;
  }
}

}  // namespace bitlaw
