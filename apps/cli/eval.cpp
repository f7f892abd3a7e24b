// bitlaw eval: the validation loss of a finished run.

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "base/range.h"
#include "base/say.h"
#include "cli/verb.h"
#include "train/run.h"

namespace bitlaw::cli {
namespace {

struct EvalConfig {
  std::string data;    // empty: the run's
  int64_t tokens = 0;  // 0: all

  template <class V>
  void visit(V& v) {
    v("data", data, "another data set with the same tokenizer; empty = the run's");
    v("tokens", tokens, "largest number of validation tokens, a sample of all; 0 = all");
  }
};

struct EvalFlags {
  std::string run;
  EvalConfig config;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false, worse_than_chance = false;
};

// A loss above that of a uniform guess says that text and model do not belong together, most often
// because the data set has another tokenizer with as many tokens.
void judge(const EvalFlags& options, const Validation& validation, int64_t vocabulary) {
  const double chance = std::log(static_cast<double>(vocabulary));
  if (!(validation.loss_nats > chance)) return;
  const bool accepted = options.worse_than_chance || options.config.data.empty();
  say("{}{}: its loss is {:.2f} nats per token, and a uniform guess among {} tokens has {:.2f}{}",
      accepted ? "note: " : "bitlaw: ", options.run, validation.loss_nats, vocabulary, chance,
      accepted ? "" : ": was the data set made with the tokenizer of the run?");
  if (!accepted) exit_status = 1;
}

void run_eval(EvalFlags& options) {
  options.flags.fill_into(options.config);
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.config)));
    return;
  }
  require_range("--tokens", options.config.tokens, 0, kMostTokens);  // 0: all
  const TrainedRun trained = read_run(options.run);
  const std::string path =
      options.config.data.empty() ? trained.config.data.path : options.config.data;
  const Dataset dataset = Dataset::open(path, static_cast<int>(trained.config.model.vocabulary));
  const std::string trained_on = trained.record.data.hash;
  if (options.config.data.empty() && !trained_on.empty() && dataset.hash() != trained_on) {
    throw Error(fmt::format(
        "{0}: is not the data set that {1} was trained on (its hash is {2}, the run's {3}), but "
        "made "
        "again from other text or with another tokenizer; --data {0} evaluates on it all the same",
        path, trained.record.name, dataset.hash(), trained_on));
  }
  const Json data{{"path", path}, {"hash", dataset.hash()}};
  if (options.dry_run) {
    const int64_t available = dataset.info().validation.tokens;
    if (options.json)
      print_json(
          Json{{"run", trained.record.name}, {"data", data}, {"validation_tokens", available}});
    else
      fmt::print("{}: {} validation tokens in {}\n", trained.record.name, available, path);
    return;
  }
  const Validation validation =
      evaluate_run(trained, dataset, options.config.tokens, options.threads);
  judge(options, validation, trained.config.model.vocabulary);
  if (options.json) {
    Json document = struct_to_json(validation);
    document["run"] = trained.record.name;
    document["data"] = data;
    print_json(document);
    return;
  }
  fmt::print("{}: {:.5f}{} nats per token on {} tokens", trained.record.name, validation.loss_nats,
             validation.clusters > 1 ? fmt::format(" +- {:.5f}", validation.standard_error) : "",
             validation.tokens);
  if (validation.sampling_error > 0)
    fmt::print(" (a sample; all of the text +- {:.5f})", validation.sampling_error);
  if (validation.bits_per_byte > 0) fmt::print(", {:.4f} bits per byte", validation.bits_per_byte);
  fmt::print("\n");
}

}  // namespace

void add_eval(App& app) {
  auto options = std::make_shared<EvalFlags>();
  App* verb = add_verb(app, "eval", "Validation loss of a finished run, with its standard error",
                       "bitlaw eval runs/0123456789abcdef --tokens 1e6");
  verb->add_option("run", options->run, "directory of the run")->required();
  options->flags.add(verb, options->config);
  verb->add_option("--threads", options->threads, "threads")->whole(1, kMostThreads);
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--dry-run", options->dry_run, "print what would be evaluated, and stop");
  verb->add_flag("--worse-than-chance", options->worse_than_chance,
                 "with --data: accept a loss above that of a uniform guess");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_eval(*options); });
}

}  // namespace bitlaw::cli
