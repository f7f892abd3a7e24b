// bitlaw train: one run from its configuration to its result.

#include <fmt/format.h>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/home.h"
#include "base/parallel.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/verb.h"
#include "formats/named_recipe.h"
#include "train/interrupt.h"
#include "train/kept_checkpoints.h"
#include "train/memory.h"
#include "train/run.h"
#include "train/speed.h"

namespace bitlaw::cli {
namespace {

struct TrainFlags {
  std::vector<std::string> configuration;
  TrainRequest request;
  StructFlags flags;  // of request.run
  double measure = 0;
  bool json = false, print_config = false, dry_run = false;
};

int threads_of(const RunOptions& options) {
  return options.threads > 0 ? static_cast<int>(options.threads) : hardware_threads();
}

// With what a named recipe gives.
TrainRequest spelled_out(TrainRequest request) {
  RecipeConfig& recipe = request.config.recipe;
  const std::string named = recipe.named;
  recipe = bitlaw::spelled_out(recipe);
  recipe.named = named;
  return request;
}

void print_plan(const RunPlan& plan) {
  const MemoryPlan& memory = plan.memory;
  fmt::print("run {}\n", plan.name);
  fmt::print("  recipe           {}\n", plan.recipe);
  fmt::print("  parameters       {} (with embeddings {})\n",
             format_count(static_cast<double>(plan.parameters)),
             format_count(static_cast<double>(plan.parameters_with_embeddings)));
  fmt::print("  training         {} tokens in {} steps, {:.2f} epochs, peak learning rate {:.4g}\n",
             format_count(static_cast<double>(plan.tokens)), plan.steps, plan.epochs,
             plan.peak_learning_rate);
  fmt::print("  arithmetic       {:.3g} FLOP, {:.3g} per token\n", plan.flops,
             plan.flops_per_token);
  if (plan.seconds > 0) fmt::print("  time             {}\n", format_duration(plan.seconds));
  fmt::print(
      "  peak memory      {}: parameters {}, moments {}, gradients {}, weights {}, activations {}, "
      "workspace {}, data {}, runtime {}\n",
      format_bytes(memory.total_bytes()), format_bytes(memory.parameters),
      format_bytes(memory.moments), format_bytes(memory.gradients), format_bytes(memory.weights),
      format_bytes(memory.activations), format_bytes(memory.workspace), format_bytes(memory.data),
      format_bytes(memory.runtime));
  for (const std::string& note : plan.notes) fmt::print("  note: {}\n", note);
}

void print_outcome(const RunOutcome& outcome) {
  fmt::print("{}\n", describe(outcome));
  if (outcome.was_there || !outcome.result || !outcome.result->training) return;
  const TrainingResult& training = *outcome.result->training;
  fmt::print("  {} tokens/s, {:.3g} FLOP/s, peak memory {} (predicted {})\n",
             format_count(training.tokens_per_second), training.flops_per_second,
             format_bytes(static_cast<double>(training.peak_memory_bytes)),
             format_bytes(training.predicted_memory_bytes));
}

// Errors name the flags that were given.
template <class Task>
auto as_typed(const TrainFlags& options, const Task& task) {
  try {
    return task();
  } catch (const Busy&) {
    throw;
  } catch (const Error& error) {
    throw Error(options.flags.as_typed("run", error.what()));
  }
}

// The plan, with what will not be kept along the run. Error if the options are refused by a run.
RunPlan planned(const ResolvedConfig& resolved, const DatasetInfo& data, const RunOptions& run,
                double flops_per_second) {
  run.check();
  kept_steps(run, resolved.steps, resolved.config.train.batch_tokens);
  RunPlan plan = plan_run(resolved, data, threads_of(run), flops_per_second);
  std::string few = few_checkpoints_note(run, resolved.steps);
  if (!few.empty()) plan.notes.push_back(std::move(few));
  return plan;
}

void run_train(TrainFlags& options) {
  fill_from(options.request, options.configuration);
  options.flags.fill_into(options.request.run);
  options.request.config.data.path = expand_home(options.request.config.data.path);
  options.request.run.directory = expand_home(options.request.run.directory);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(spelled_out(options.request))));
    return;
  }
  const TrainConfig& config = options.request.config;
  if (!options.request.run.quiet) {
    for (const std::string& note : notes_on_old_names(config.recipe)) say("note: {}", note);
  }
  if (config.data.path.empty())
    throw Error("data.path is not set; give data.path=DIRECTORY of `bitlaw data prepare`");
  if (options.measure > 0 || options.dry_run) {
    const DatasetInfo data = Dataset::open(config.data.path).info();
    const ResolvedConfig resolved = resolve(config, data);
    const RunOptions& run = options.request.run;
    const int threads = threads_of(run);
    const double rate = options.measure > 0 ? measure_speed(resolved, threads, options.measure) : 0;
    const RunPlan plan = as_typed(options, [&] {
      return planned(resolved, data, run, rate * resolved.config.model.training_flops_per_token());
    });
    if (options.json) {
      Json document = to_json(plan);
      if (rate > 0) {
        document["tokens_per_second"] = rate;
        document["flops_per_second"] = rate * plan.flops_per_token;
      }
      print_json(document);
      return;
    }
    print_plan(plan);
    if (rate > 0)
      fmt::print("  measured         {} tokens/s, {:.3g} FLOP/s on {} threads\n",
                 format_count(rate), rate * plan.flops_per_token, threads);
    return;
  }
  install_stop_handlers();
  const RunOutcome outcome =
      as_typed(options, [&] { return train(options.request.config, options.request.run); });
  if (options.json) {
    Json document = outcome.result ? result_to_json(*outcome.result) : Json::object();
    document["run"] = outcome.name;
    document["directory"] = outcome.directory.string();
    document["status"] = name_of(outcome.status);
    document["was_there"] = outcome.was_there;
    print_json(document);
  } else {
    print_outcome(outcome);
  }
  if (outcome.status == RunStatus::kInterrupted) exit_status = kInterruptedExitCode;
}

}  // namespace

void add_train(App& app) {
  auto options = std::make_shared<TrainFlags>();
  App* verb =
      add_verb(app, "train", "Train a model, or resume an interrupted run",
               "bitlaw train data.path=data model.width=64 recipe.weights=4 train.tokens=4e6\n"
               "  bitlaw train run.toml train.lr=1e-3 --dry-run");
  verb->add_option("configuration", options->configuration,
                   "TOML files and KEY=VALUE overrides, in order");
  options->flags.add(verb, options->request.run);
  verb->add_flag("--print-config", options->print_config,
                 "print the configuration as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run,
                 "print the model, its cost and its memory, and stop");
  verb->add_option("--measure", options->measure,
                   "train on random tokens for this many seconds, print the speed, write nothing")
      ->positive();
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_train(*options); });
  // Every key with its default, from the structs themselves.
  std::string keys = "\nKeys:\n";
  for (const ConfigKey& key : config_keys(spelled_out(TrainRequest{}).config)) {
    keys += fmt::format("  {:<32} {} [{}]\n", key.name, key.help, dump_json(key.value));
  }
  keys +=
      "\nOptions of recipe.weights, .activations, .kv and .queries, as in "
      "int4+gauss+hadamard+trust:\n"
      "  +clip      the range of a block is searched for the least squared error\n"
      "  +gauss     the range of least squared error for normal numbers of the block's size\n"
      "  +hadamard  both operands of a product are rotated before they are rounded, in blocks as\n"
      "             wide as rows allow; +hadamard32: at most 32 entries\n"
      "  +trust     no gradient for weights and activations that the range cuts off\n"
      "\nRecipes known from papers (recipe.named):\n" +
      named_recipes_help();
  verb->footer(verb->get_footer() + "\n" + keys);
}

}  // namespace bitlaw::cli
