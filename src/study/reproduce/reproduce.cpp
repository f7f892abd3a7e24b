#include "reproduce/reproduce.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/version.h"
#include "data/dataset.h"
#include "reproduce/subject.h"
#include "train/engines.h"
#include "train/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Five times the root mean square by which the losses of 63 runs differed between two engines
// (docs/numerics.md), and a bound for recipes without codes, where chance is below .001.
constexpr double kBoundNats = 0.08, kBoundNatsFrom16Bits = 0.01;

double bound_of(const RunRecord& record, double within) {
  if (within > 0) return within;
  const Recipe recipe = record.trained_recipe();
  bool codes = false;
  for (const Quantizer* role :
       {&recipe.weights, &recipe.activations, &recipe.keys, &recipe.values, &recipe.queries})
    codes = codes || role->format.bits < 16;
  return codes ? kBoundNats : kBoundNatsFrom16Bits;
}

std::vector<std::string> engines_of(const TrainedRun& run) {
  if (run.result->training && !run.result->training->engines.empty())
    return run.result->training->engines;
  const RunBuild build = run.record.build.value_or(RunBuild{});
  if (!build.engine.empty()) return {build.engine};
  return {};
}

// Why bits need not agree; "" if they must.
std::string why_not_exact(const TrainedRun& run, const std::vector<std::string>& engines) {
  const Engine here = engine_here();
  const RunBuild build = run.record.build.value_or(RunBuild{});
  if (engines.empty()) return "the record does not say which engine computed the run";
  if (engines.size() > 1)
    return fmt::format("several engines computed the run: {}", fmt::join(engines, ", "));
  if (engines[0] != here.name)
    return fmt::format("the engine {} computed the run, and this is {}", engines[0], here.name);
  if (!build.library.empty() && build.library != here.library)
    return fmt::format("the run was made with {}, and this is {}", build.library, here.library);
  if (build.version != kVersion)
    return fmt::format("bitlaw {} made the run, and this is {}", build.version, kVersion);
  return "";
}

struct Task {
  Subject subject;
  TrainConfig config;
  Reproduction out;
};

Task plan_task(const ReproduceOptions& options) {
  if (!(options.within >= 0))
    throw Error(fmt::format("within {}: expected a bound in nats, or 0", options.within));
  Task task{find_subject(options.what, options.runs), {}, {}};
  const TrainedRun& run = task.subject.run;
  task.config = run.config;
  if (!options.data.empty()) task.config.data.path = options.data;
  const Dataset data =
      Dataset::open(task.config.data.path, static_cast<int>(task.config.model.vocabulary));
  if (data.hash() != run.record.data.hash) {
    throw Error(fmt::format(
        "{}: is not the data set of {} (its hash is {}, the run's {}); give that with --data",
        task.config.data.path, run.record.name, data.hash(), run.record.data.hash));
  }
  const std::string name = resolve(task.config, data.info()).name();
  if (name != run.record.name) {
    throw Error(fmt::format(
        "{}: this version of bitlaw would train another run ({}) from its configuration; reproduce "
        "it with bitlaw {}",
        run.directory.string(), name, run.record.build.value_or(RunBuild{}).version));
  }
  Reproduction& out = task.out;
  out.run = run.record.name;
  out.engines = engines_of(run);
  out.engine = engine_here().name;
  out.why_not = why_not_exact(run, out.engines);
  out.exact = out.why_not.empty();
  out.bound_nats = out.exact ? 0 : bound_of(run.record, options.within);
  out.flops = run.record.model.flops_per_token *
              static_cast<double>(run.record.settings().train.tokens.value_or(0));
  return task;
}

// A place for the new run; removed with it unless it was asked for.
class Place {
 public:
  explicit Place(const std::string& wanted) : kept_(!wanted.empty()) {
    path_ = kept_ ? fs::path(wanted)
                  : fs::temp_directory_path() / fmt::format("bitlaw-reproduce-{}", ::getpid());
  }
  ~Place() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  const fs::path& path() const { return path_; }

 private:
  bool kept_;
  fs::path path_;
};

// Both, and a difference unless they agree as they must.
void compare(Reproduction& out, const std::string& name, double recorded, double again,
             bool bounded) {
  out.numbers.push_back({name, recorded, again});
  if (recorded == again || (std::isnan(recorded) && std::isnan(again))) return;
  const double difference = std::abs(again - recorded);
  if (!out.exact && (!bounded || difference <= out.bound_nats)) return;
  out.differences.push_back(
      out.exact
          ? fmt::format("{}: {:.17g} in the record, {:.17g} now", name, recorded, again)
          : fmt::format("{}: {:.6g} in the record, {:.6g} now, which differ by more than {:g}",
                        name, recorded, again, out.bound_nats));
}

void compare_text(Reproduction& out, const std::string& name, const std::string& recorded,
                  const std::string& again) {
  if (recorded.empty() || again.empty() || recorded == again) return;
  out.differences.push_back(fmt::format("{}: {} in the record, {} now", name, recorded, again));
}

void compare_results(Reproduction& out, const Subject& subject, const TrainedRun& again) {
  const ResultRecord &before = *subject.run.result, &now = *again.result;
  compare_text(out, "status", name_of(before.status), name_of(now.status));
  compare_text(out, "order of the data", subject.run.record.data.order_hash,
               again.record.data.order_hash);
  const Validation validation_before = before.validation.value_or(Validation{}),
                   validation_now = now.validation.value_or(Validation{});
  compare(out, "validation loss", validation_before.loss_nats, validation_now.loss_nats, true);
  if (subject.loss_in_table)
    compare(out, "loss in the table", *subject.loss_in_table, validation_now.loss_nats, true);
  if (!before.training || !now.training) return;
  compare(out, "training loss", before.training->train_loss_nats, now.training->train_loss_nats,
          true);
  compare(out, "steps", static_cast<double>(before.training->steps),
          static_cast<double>(now.training->steps), false);
  out.weights_hash = before.training->weights_hash;
  out.weights_hash_again = now.training->weights_hash;
  if (out.exact) compare_text(out, "weights", out.weights_hash, out.weights_hash_again);
  out.seconds = now.training->seconds;
}

}  // namespace

Reproduction plan_reproduction(const ReproduceOptions& options) {
  return plan_task(options).out;
}

Reproduction reproduce(const ReproduceOptions& options) {
  Task task = plan_task(options);
  const TrainedRun& run = task.subject.run;
  const Place place(options.directory);
  std::error_code none;
  if (fs::equivalent(place.path() / run.record.name, run.directory, none)) {
    throw Error(fmt::format("--directory {}: the run itself is there; give another directory",
                            options.directory));
  }
  // Training would find it finished, and do nothing.
  if (is_run(place.path() / run.record.name) && read_result(place.path() / run.record.name)) {
    throw Error(
        fmt::format("--directory {}: this run has already ended there, so nothing would be "
                    "made again; give another directory",
                    options.directory));
  }
  const RunOptions how{
      .directory = place.path().string(), .threads = options.threads, .quiet = options.quiet};
  const RunOutcome outcome = train(task.config, how);
  Reproduction& out = task.out;
  if (outcome.status == RunStatus::kInterrupted) {
    out.interrupted = true;
    return out;
  }
  compare_results(out, task.subject, read_run(outcome.directory));
  out.reproduced = out.differences.empty();
  return out;
}

}  // namespace bitlaw
