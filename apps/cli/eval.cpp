// bitlaw eval: the validation loss of a finished run.

#include <fmt/format.h>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/verb.h"
#include "train/run.h"

namespace bitlaw::cli {
namespace {

struct Options {
  std::string run, data;
  double tokens = 0;
  int threads = hardware_threads();
  bool json = false;
};

void run(const Options& options) {
  const RunRecord record = read_run(options.run);
  const std::string path = options.data.empty() ? record.config.data.path : options.data;
  const Dataset dataset = Dataset::open(path, static_cast<int>(record.config.model.vocabulary));
  const Validation validation =
      evaluate_run(record, dataset, static_cast<int64_t>(options.tokens), options.threads);
  if (options.json) {
    Json document = to_json(validation);
    document["run"] = record.name;
    document["data"] = {{"path", path}, {"hash", dataset.hash()}};
    print_json(document);
    return;
  }
  fmt::print("{}: {:.5f} +- {:.5f} nats per token on {} tokens", record.name, validation.loss_nats,
             validation.standard_error, validation.tokens);
  if (validation.bits_per_byte > 0) fmt::print(", {:.4f} bits per byte", validation.bits_per_byte);
  fmt::print("\n");
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      add_verb(app, "eval", "Validation loss of a finished run, with its standard error",
               "bitlaw eval runs/0123456789abcdef --tokens 1e6");
  verb->add_option("run", options->run, "directory of the run")->required();
  verb->add_option("--data", options->data,
                   "another data set of the same tokenizer (default: the run's)");
  verb->add_option("--tokens", options->tokens, "validation tokens, at most; 0: all")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--threads", options->threads, "threads")->check(CLI::PositiveNumber);
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
