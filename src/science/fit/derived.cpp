#include "fit/derived.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "fit/bootstrap.h"
#include "fit/intervals.h"
#include "laws/bind.h"
#include "laws/effective.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

constexpr size_t kMostPrecisions = 32, kMostSizes = 4;

// At most `most` of them, evenly, the ends included.
std::vector<double> some_of(const std::set<double>& values, size_t most) {
  const std::vector<double> all(values.begin(), values.end());
  if (all.size() <= most) return all;
  std::vector<double> out;
  for (size_t i = 0; i < most; ++i) out.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return out;
}

std::string words(const Observation& run) {
  if (!run.precision.empty()) return run.precision;
  return bits_in_words(run);
}

// The run as the law sees it: without parts that it lacks, keys and values as one part where theirs by
// themselves do not change its loss; no optimizer, unless the law has constants for it.
Observation seen_by(const Law& law, const double* values, const Observation& run) {
  Observation out = run;
  if (std::none_of(law.class_parameters.begin(), law.class_parameters.end(),
                   [](const ClassParameter& each) { return each.axis == ClassAxis::kOptimizer; }))
    out.optimizer.clear();
  for (const auto& own : {std::pair{&Observation::bits_keys, &Observation::bits_values},
                          {&Observation::bits_embedding, &Observation::bits_head}}) {
    Observation without = out;
    without.*own.first = without.*own.second = kUnknown;
    if (predict(law, values, without) == predict(law, values, out)) out = without;
  }
  double Observation::*const kBits[] = {&Observation::bits_weights, &Observation::bits_activations,
                                        &Observation::bits_kv};
  const Parts parts = parts_of(law, values);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i]) out.*kBits[i] = kUnquantizedBits;
  }
  return out;
}

// One of the rows for every precision below 16 that the law tells from others.
std::vector<Observation> precisions_of(const std::vector<Observation>& rows, const Law& law,
                                       const std::vector<double>& values) {
  std::vector<Observation> out;
  std::set<std::string> seen;
  for (const Observation& each : rows) {
    const Observation row = seen_by(law, values.data(), each);
    const bool lowered = !precision_class(row).empty() || !backward_class(row).empty();
    const std::string name = words(row) + "/" + row.backward + "/" + row.optimizer;
    if (lowered && seen.insert(name).second && out.size() < kMostPrecisions) out.push_back(row);
  }
  return out;
}

class Collector {
 public:
  Collector(const Law& law, const std::vector<double>& values) : law_(law), values_(values) {}

  // What has no value at the fitted constants is left out.
  void add(std::string name, std::string unit, bool of_training,
           std::function<double(const double*)> of) {
    DerivedQuantity quantity{{std::move(name), std::move(unit)}, of_training, std::move(of)};
    quantity.about.value = quantity.of(values_.data());
    if (std::isfinite(quantity.about.value)) found_.push_back(std::move(quantity));
  }
  const Law& law() const { return law_; }
  std::vector<DerivedQuantity> found() { return std::move(found_); }

 private:
  const Law& law_;
  const std::vector<double>& values_;
  std::vector<DerivedQuantity> found_;
};

void add_exponents(Collector& out) {
  const Law& law = out.law();
  if (law.own) return;  // in a formula of one's own these names may mean anything
  if (parameter_index(law, "A") < 0 || parameter_index(law, "B") < 0) return;
  const int alpha = parameter_index(law, "alpha"), beta = parameter_index(law, "beta");
  if (alpha < 0 || beta < 0) return;
  out.add("a of N* ~ C^a", "", true,
          [=](const double* p) { return p[beta] / (p[alpha] + p[beta]); });
  out.add("b of D* ~ C^b", "", true,
          [=](const double* p) { return p[alpha] / (p[alpha] + p[beta]); });
}

// Whether a number that holds at two places is one number.
bool agree(double here, double there) {
  return std::fabs(there / here - 1) < 1e-6;
}

void add_shares(const std::vector<Observation>& precisions, const Middle& middle,
                const std::vector<double>& values, Collector& out) {
  for (Observation run : precisions) {
    run.params = middle.run.params, run.tokens = middle.run.tokens;
    const std::string label = words(run) + (run.optimizer.empty() ? "" : ", " + run.optimizer);
    for (double* bits : {&run.bits_weights, &run.bits_activations, &run.bits_kv, &run.bits_keys,
                         &run.bits_values}) {
      if (*bits >= kUnquantizedBits) *bits = kUnlimitedBits;  // f(16) is the other parts' matter
    }
    Observation elsewhere = run;
    elsewhere.params *= 2, elsewhere.tokens *= 4;
    const Law& law = out.law();
    std::string name = "N_eff/N at " + label;
    if (!agree(effective_share(law, values.data(), run),
               effective_share(law, values.data(), elsewhere))) {
      name += fmt::format(", N = {:.3g}, D = {:.3g}", run.params, run.tokens);
    }
    out.add(name, "", true, [&law, run](const double* p) { return effective_share(law, p, run); });
  }
}

void add_best_bits(const std::vector<Observation>& rows, const Middle& middle,
                   const std::vector<double>& values, Collector& out) {
  const char* const kNames[] = {"weights", "activations", "KV"};
  Parts lowered{};
  std::vector<std::string> names;
  const Law& law = out.law();
  const auto add = [&](const std::string& parts_name, const Parts& parts) {
    const auto best = [&law, parts, run = middle.run](const double* p, double compute) {
      return best_bits(law, p, compute, parts, run);
    };
    const double compute = middle.next_compute;
    std::string name = "P* (" + parts_name + ")";
    if (!agree(best(values.data(), compute), best(values.data(), 8 * compute))) {
      name += fmt::format(", C = {:.3g} FLOP", compute);
    }
    out.add(name, "bits", true, [best, compute](const double* p) { return best(p, compute); });
  };
  for (size_t part = 0; part < 3; ++part) {
    lowered[part] = std::any_of(rows.begin(), rows.end(), [&](const Observation& row) {
      const double bits[] = {row.bits_weights, row.bits_activations, row.bits_kv};
      return bits[part] < kUnquantizedBits;
    });
    lowered[part] = lowered[part] && parts_of(law, values.data())[part];
    if (!lowered[part]) continue;
    Parts alone{};
    alone[part] = true;
    names.emplace_back(kNames[part]);
    add(names.back(), alone);
  }
  if (names.size() > 1) add(fmt::format("{}", fmt::join(names, ", ")), lowered);
}

void add_critical(const std::vector<Observation>& rows, Collector& out) {
  std::set<double> sizes, bits;
  for (const Observation& row : rows) sizes.insert(row.params), bits.insert(row.bits_post);
  const Law& law = out.law();
  for (const double params : some_of(sizes, kMostSizes)) {
    for (const double post : bits) {
      out.add(
          fmt::format("D_crit at N = {:.4g}, P_post = {:g}", params, post), "tokens", false,
          [&law, params, post](const double* p) { return critical_tokens(law, p, params, post); });
    }
  }
}

// A best precision at an end of the search is none, and an interval to there has no end.
void leave_ends_open(Derived& derived) {
  if (is_end_of_bits(derived.low)) derived.low = kUnknown;
  if (is_end_of_bits(derived.high)) derived.high = kUnknown;
  if (!is_end_of_bits(derived.value)) return;
  derived.note = fmt::format("the cost falls to the end of the search, {:g} bit{}", derived.value,
                             derived.value == 1 ? "" : "s");
  derived.value = kUnknown;
}

// The constants that a quantity depends on although they were not fitted, in words.
std::string note_on(const FittedStages& stages, const DerivedQuantity& quantity,
                    const std::vector<double>& values) {
  const Law& law = *stages.training->law;
  std::vector<std::string> names;
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const int at = static_cast<int>(i);
    if (is_free(*stages.training, at) || is_free(*stages.post, at) ||
        stages.choice->tied_to[i] >= 0 || law.parameters[i].never) {
      continue;
    }
    std::vector<double> moved = values;
    moved[i] = moved[i] == 0 ? 0.01 : moved[i] * 1.01;
    const double there = quantity.of(moved.data());
    if (!(std::fabs(there / quantity.about.value - 1) < 1e-5)) {
      names.push_back(fmt::format("{} = {:.4g}", law.parameters[i].name, values[i]));
    }
  }
  return names.empty() ? "" : fmt::format("with {}, not fitted", fmt::join(names, ", "));
}

// The points that the rows of both stages allow, each with the fitted constants of the other stage.
std::vector<std::vector<double>> allowed_points(const FittedStages& stages,
                                                const std::vector<double>& values) {
  std::vector<std::vector<double>> out = stages.allowed->training.points;
  const Law& law = *stages.training->law;
  for (std::vector<double>& point : out) {
    for (size_t i = law.training_parameters; i < point.size(); ++i) point[i] = values[i];
  }
  const auto& of_post = stages.allowed->post.points;
  out.insert(out.end(), of_post.begin(), of_post.end());
  return out;
}

}  // namespace

std::vector<DerivedQuantity> derived_quantities(const Law& law, const StageRows& rows,
                                                const std::vector<double>& values) {
  Collector out(law, values);
  if (law.predicts != Predicts::kLoss) return {};
  if (!rows.training.empty()) {
    const Middle middle = middle_of(rows.training);
    add_exponents(out);
    add_shares(precisions_of(rows.training, law, values), middle, values, out);
    add_best_bits(rows.training, middle, values, out);
  }
  if (law.has_delta) add_critical(rows.post, out);
  return out.found();
}

void add_derived(const FittedStages& stages, const std::vector<double>& values,
                 const FitOptions& options, const ParallelFor& parallel_for, Fit& fit) {
  if (stages.training->free.empty()) return;
  StageRows rows = *stages.rows;
  if (stages.post->free.empty()) rows.post.clear();
  const std::vector<DerivedQuantity> quantities =
      derived_quantities(*stages.training->law, rows, values);
  std::vector<std::vector<double>> samples(fit.draws.size());
  run_parallel(parallel_for, static_cast<int64_t>(samples.size()), [&](int64_t draw) {
    const size_t i = static_cast<size_t>(draw);
    for (const DerivedQuantity& quantity : quantities) {
      samples[i].push_back(quantity.of(fit.draws[i].data()));
    }
  });
  const std::vector<std::vector<double>> points = allowed_points(stages, values);
  for (size_t q = 0; q < quantities.size(); ++q) {
    Derived derived = quantities[q].about;
    std::vector<double> sample;
    for (const std::vector<double>& each : samples) sample.push_back(each[q]);
    const bool few = !quantities[q].of_training && fit.post.clusters < fit.training.clusters;
    const StageFit& stage = few ? fit.post : fit.training;
    Interval interval = percentile_interval(std::move(sample), stage.drawn(options.level));
    if (!points.empty() && !fit.draws.empty()) {
      std::vector<double> allowed;
      for (const std::vector<double>& point : points)
        allowed.push_back(quantities[q].of(point.data()));
      // Exponents that add up to one have intervals that mirror each other: lengths as they are.
      interval = widened(interval, range_of_values(allowed), derived.unit == "tokens");
    }
    derived.low = interval.low, derived.high = interval.high;
    derived.note = note_on(stages, quantities[q], values);
    if (derived.unit == "bits") leave_ends_open(derived);
    fit.derived.push_back(std::move(derived));
  }
}

}  // namespace bitlaw
