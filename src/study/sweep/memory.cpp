#include "sweep/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config.h"
#include "train/memory.h"

namespace bitlaw {
namespace {

// Equal for runs that need as much: all that plan_memory() looks at.
std::string memory_key(const PlannedRun& run, const DatasetInfo& data) {
  const ResolvedConfig& resolved = run.resolved;
  const int64_t at_once = resolved.recipe.has_batch_scales() ? resolved.batch_sequences : 1;
  return fmt::format("{} {} {} {} {} {} {}", dump_json(to_json(resolved.config.model)),
                     resolved.recipe.name(), at_once, resolved.config.train.lanes,
                     resolved.config.train.backward, resolved.config.train.validation_tokens,
                     data.hash);
}

// Masters, moments and gradients exactly, what a layer keeps of a sequence about.
double rough_bytes(const ResolvedConfig& resolved) {
  const ModelConfig& model = resolved.config.model;
  const auto per_parameter = static_cast<double>(3 + resolved.config.train.lanes);
  const auto sequences =
      static_cast<double>(resolved.recipe.has_batch_scales() ? resolved.batch_sequences : 1);
  const double per_token =
      static_cast<double>(model.layers * (10 * model.width + 4 * model.hidden) + model.vocabulary);
  return sizeof(float) * (per_parameter * static_cast<double>(model.parameters_with_embeddings()) +
                          sequences * static_cast<double>(model.sequence) * per_token);
}

}  // namespace

double MemoryPredictions::bytes(const PlannedRun& run, const DatasetInfo& data) {
  const auto [place, is_new] = known_.try_emplace(memory_key(run, data), 0);
  if (is_new) place->second = plan_memory(run.resolved, data, 1).total_bytes();
  return place->second;
}

LargestRun largest_run(const SweepPlan& plan, const std::vector<const PlannedRun*>& runs) {
  constexpr double kNearlyAsMuch = 0.8;
  constexpr size_t kMostMeasured = 4;
  double most = 0;
  for (const PlannedRun* run : runs) most = std::max(most, rough_bytes(run->resolved));
  // The largest in the rough count of each recipe: what is rounded changes what is kept.
  std::map<std::string, const PlannedRun*> of_recipe;
  for (const PlannedRun* run : runs) {
    if (rough_bytes(run->resolved) < kNearlyAsMuch * most) continue;
    const PlannedRun*& best = of_recipe[run->resolved.recipe.name()];
    if (best == nullptr || rough_bytes(run->resolved) > rough_bytes(best->resolved)) best = run;
  }
  std::vector<const PlannedRun*> candidates;
  for (const auto& [recipe, run] : of_recipe) candidates.push_back(run);
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto* a, const auto* b) {
    return rough_bytes(a->resolved) > rough_bytes(b->resolved);
  });
  if (candidates.size() > kMostMeasured) candidates.resize(kMostMeasured);
  LargestRun largest;
  MemoryPredictions predictions;
  for (const PlannedRun* run : candidates) {
    const double bytes = predictions.bytes(*run, plan.data_of(*run));
    if (bytes > largest.bytes) largest = {run, bytes};
  }
  return largest;
}

}  // namespace bitlaw
