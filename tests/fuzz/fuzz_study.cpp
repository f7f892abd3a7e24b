// Study files, TOML or JSON: any bytes give a plan whose cells can all be run, or an Error. Files
// that ask for more than a few cells are refused here, as those with too many are everywhere.
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "small_study.h"
#include "sweep/budget.h"
#include "sweep/plan.h"
#include "sweep/study.h"

namespace {

using namespace bitlaw;

constexpr size_t kMostCells = 50;

void read_study(const SmallStudy& small, const std::string& text) {
  const std::string name = text.starts_with('{') ? "study.json" : "study.toml";
  const std::string file = (small.folder() / name).string();
  small.folder().write(name, small.with_path(text));
  expand_study(read_toml(file), file, to_json(TrainConfig{}), kMostCells);
  SweepPlan plan = plan_sweep({file}, "runs");
  BITLAW_CHECK(!plan.runs.empty() && plan.runs.size() <= kMostCells);
  for (const PlannedRun& run : plan.runs) {
    BITLAW_CHECK(!run.name.empty() && run.flops > 0);
    BITLAW_CHECK(run.resolved.steps > 0);
  }
  const std::vector<Job> jobs = make_jobs(plan);
  for (size_t i = 0; i < jobs.size(); ++i)
    BITLAW_CHECK(jobs[i].after < static_cast<int>(i) && jobs[i].cost >= 0);
  if (plan.study.budget.empty()) return;
  const Budget budget = parse_budget(plan.study.budget, "budget");
  if (!budget.needs_speeds()) apply_budget(plan, budget, {}, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const SmallStudy small;
  try {
    read_study(small, std::string(reinterpret_cast<const char*>(data), size));
  } catch (const Error&) {
  }
  return 0;
}
