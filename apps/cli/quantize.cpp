// bitlaw quantize: post-training quantization of finished runs, each cell compared with its run
// token by token.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "cli/cells.h"
#include "cli/quantized_rows.h"
#include "cli/verb.h"
#include "hf/config.h"
#include "hf/forward.h"
#include "hf/weights.h"
#include "quantize/checkpoint_record.h"
#include "quantize/quantize_checkpoint.h"
#include "quantize/quantize_run.h"
#include "quantize/write_checkpoint.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

// Of checkpoints that are not runs of ours.
struct CheckpointFlags {
  std::vector<std::string> text;  // files and folders
  std::string records = "runs";
  double trained_tokens = 0;
  int64_t sequence = 0;
  double memory_gigabytes = 4;
  std::string write, write_type = "F32";  // a directory for the rounded checkpoint
};

// Tokens of a window where none is asked for: what the checkpoint was made for, but at most this.
constexpr int64_t kUsualSequence = 1024;
constexpr double kMostTrainedTokens = 1e18, kMostGigabytes = 1e9;

struct Options {
  std::vector<std::string> runs, methods;
  PtqConfig config;
  CheckpointFlags checkpoint;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false, quiet = false;
};

// A directory in Hugging Face's layout that no training of ours has left; otherwise a run. Error
// where it can be neither.
bool is_checkpoint(const fs::path& directory) {
  std::error_code none;
  const std::string name = directory.empty() ? "''" : directory.string();
  if (!fs::exists(directory, none)) {
    throw Error(
        fmt::format("{}: does not exist; give the directory of a run or of a checkpoint", name));
  }
  if (!fs::is_directory(directory, none)) {
    throw Error(fmt::format("{}: is not a directory; give that of a run or of a checkpoint", name));
  }
  if (fs::exists(directory / "run.json", none)) return false;
  if (fs::exists(directory / "config.json", none)) return true;
  throw Error(
      fmt::format("{}: is neither a run (there is no run.json) nor a checkpoint (there is no "
                  "config.json); give the directory that holds one of them",
                  name));
}

struct OpenedCheckpoint {
  CheckpointText text;
  CheckpointRecord record;
};

OpenedCheckpoint open_checkpoint(const Options& options, const fs::path& directory,
                                 ThreadPool& pool) {
  const CheckpointFlags& flags = options.checkpoint;
  if (flags.text.empty()) {
    throw Error(fmt::format(
        "{}: is a checkpoint of another program; name files or folders of text with --text to "
        "calibrate and evaluate it on",
        directory.string()));
  }
  const hf::Architecture architecture = hf::read_architecture(directory);
  const hf::Weights weights(directory, architecture);  // refuses files that do not belong together
  const int64_t sequence =
      flags.sequence > 0 ? flags.sequence : std::min(architecture.context, kUsualSequence);
  const std::unique_ptr<TextTokenizer> tokenizer = load_text_tokenizer(directory);
  try {
    hf::require_sequence(architecture, sequence);
    require_vocabulary(*tokenizer, architecture.vocabulary);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", directory.string(), error.what()));
  }
  OpenedCheckpoint out{
      read_checkpoint_text({.roots = flags.text,
                            .sequence = sequence,
                            .evaluation_tokens = options.config.evaluation_tokens,
                            .calibration_tokens = options.config.calibration_tokens},
                           *tokenizer),
      {}};
  out.record = make_checkpoint_record(directory, flags.records, out.text.evaluation,
                                      static_cast<int64_t>(flags.trained_tokens), pool);
  return out;
}

// What --write asks for: the last cell of the first seed, where the request comes to one but for the
// round to nearest beside it and further seeds.
PtqCell one_cell_to_write(const Options& options) {
  const PtqConfig& config = options.config;
  const bool one = config.methods.size() == 1 && config.groups.size() == 1 &&
                   config.bits.size() + config.formats.size() == 1;
  PtqCell cell = ptq_cells(config).back();
  if (!one || options.runs.size() != 1 || cell.activations || cell.kv || !cell.rounds_weights()) {
    throw Error(
        "--write: takes one checkpoint and one way to round its weights; give one method, one "
        "group, and one of --bits and --formats (with --bits '' for a format)");
  }
  if (fs::exists(options.checkpoint.write)) {
    throw Error(fmt::format("--write {}: is there already; name a directory that is not",
                            options.checkpoint.write));
  }
  if (cell.calibrated()) cell.calibration_seed = config.calibration_seeds.front();
  return cell;
}

Json checkpoint_rows(const Options& options, const fs::path& directory, ThreadPool& pool,
                     const PtqProgress& progress) {
  ptq_cells(options.config);  // says what is wrong with the request before anything is read
  const OpenedCheckpoint opened = open_checkpoint(options, directory, pool);
  const double gigabytes = std::min(options.checkpoint.memory_gigabytes, kMostGigabytes);
  std::vector<fs::path> made;
  CheckpointStudy study{.checkpoint = directory,
                        .record = opened.record.directory,
                        .name = opened.record.name,
                        .weights_hash = opened.record.run.checkpoint->weights_hash,
                        .memory_budget = static_cast<int64_t>(gigabytes * 1e9),
                        .before_computing = [&] { made = begin_checkpoint_record(opened.record); }};
  std::optional<CellWriter> writer;
  if (!options.checkpoint.write.empty()) {
    writer.emplace(directory, options.checkpoint.write, options.checkpoint.write_type);
    study.solve = one_cell_to_write(options);
    study.solved = [&](const hf::Layer& rounded) { writer->add(rounded); };
  }
  try {
    const Json rows = quantize_checkpoint(study, opened.text, options.config, pool, progress);
    finish_checkpoint_record(opened.record, rows);
    if (writer) writer->commit();
    return rows;
  } catch (...) {
    take_back_record(opened.record, made);
    throw;
  }
}

// Options that ask for something where nothing would be done, and numbers that are none of tokens.
void check_flags(const Options& options) {
  const CheckpointFlags& flags = options.checkpoint;
  const double trained = flags.trained_tokens;
  if (trained != 0 && (trained < 1 || trained > kMostTrainedTokens)) {
    throw Error(
        fmt::format("--trained-tokens: expected a number of tokens, 1 to 1e18, not {}", trained));
  }
  if (flags.records.empty()) throw Error("--records: is empty; name a directory, such as runs");
  const auto checkpoints = std::count_if(options.runs.begin(), options.runs.end(), is_checkpoint);
  if (checkpoints == 0 && !flags.text.empty()) {
    throw Error(
        "--text: is for checkpoints of others, and there is none; runs are calibrated and "
        "evaluated on the data set that they were trained on");
  }
  if (checkpoints == 0 && !flags.write.empty()) {
    throw Error(
        "--write: is for checkpoints of others, and there is none; a run's own checkpoint is one "
        "by itself, RUN/checkpoints/final");
  }
  if (flags.write.empty() && flags.write_type != CheckpointFlags().write_type)
    throw Error("--write-type: says how --write stores weights; name a directory with --write");
  if (!flags.write.empty()) one_cell_to_write(options);
  if (checkpoints == std::ssize(options.runs) && !options.config.data.empty()) {
    throw Error(
        "--data: is for runs of `bitlaw train`, and there is none; give checkpoints of others "
        "--text");
  }
}

void show_dry_run(const Options& options) {
  Json rows = Json::array();
  for (const std::string& run : options.runs) {
    const Json cells = is_checkpoint(run) ? checkpoint_cells(run, options.config)
                                          : planned_cells(run, options.config);
    for (const Json& cell : cells) rows.push_back(cell);
  }
  if (options.json) {
    print_json(Json{{"rows", rows}});
    return;
  }
  for (const Json& row : rows) {
    fmt::print("{:<16} {:<40} {}\n", row["run"].get<std::string>(), row["cell"].get<std::string>(),
               row["there"] == true ? "is there" : "to compute");
  }
}

void run(Options& options) {
  options.flags.fill_into(options.config);
  if (!options.methods.empty()) options.config.methods = options.methods;
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.config)));
    return;
  }
  check_flags(options);
  if (options.dry_run) {
    show_dry_run(options);
    return;
  }
  ThreadPool pool(options.threads);
  Json rows = Json::array();
  for (const std::string& run : options.runs) {
    Progress progress(options.runs.size() > 1 ? "quantize " + run : "quantize", 1.0, options.quiet);
    const PtqProgress report = [&](double done, double total, const std::string& note) {
      progress.update(done / total, note);
    };
    const Json cells = is_checkpoint(run) ? checkpoint_rows(options, run, pool, report)
                                          : quantize_run(run, options.config, pool, report);
    progress.finish();
    for (const Json& row : cells) rows.push_back(row);
  }
  if (options.json) {
    print_json(Json{{"rows", rows}});
    return;
  }
  print_rows(rows);
  print_remarks(rows);
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(
      app, "quantize",
      "Quantize the weights of finished runs, or of checkpoints of others, and measure what it "
      "costs",
      "bitlaw quantize runs/demo/* --methods rtn,gptq,awq --bits 2..8 --groups 0,128 --json\n"
      "  bitlaw quantize pythia-160m/ --text texts/ --bits 3,4,6 --trained-tokens 300e9");
  verb->add_option("runs", options->runs,
                   "directories of runs, or of checkpoints with a config.json")
      ->required();
  verb->add_option(
          "--method,--methods", options->methods,
          "rtn (round to nearest), gptq, awq, none, with options: gptq+act-order, rtn+asymmetric, "
          "awq+clip, gptq+hadamard")
      ->delimiter(',')
      ->default_str("rtn,gptq");
  options->flags.add(verb, options->config, {"methods"});
  CheckpointFlags& checkpoint = options->checkpoint;
  verb->add_option("--text", checkpoint.text,
                   "checkpoints of others: files and folders of text to calibrate and evaluate on")
      ->delimiter(',');
  verb->add_option("--sequence", checkpoint.sequence,
                   "checkpoints of others: tokens of a window (default: their context, at most "
                   "1024)")
      ->check(kPositive);
  verb->add_option("--trained-tokens", checkpoint.trained_tokens,
                   "checkpoints of others: tokens they were trained on, D in the table")
      ->check(kPositive);
  verb->add_option("--records", checkpoint.records,
                   "checkpoints of others: directory of runs that gets their cells")
      ->default_str("runs");
  verb->add_option(
      "--write", checkpoint.write,
      "checkpoints of others: directory that gets the checkpoint with rounded weights, "
      "of a single cell (its first calibration seed)");
  verb->add_option("--write-type", checkpoint.write_type, "type of the rounded weights there")
      ->check(CLI::IsMember({"F32", "BF16"}))
      ->default_str("F32");
  verb->add_option("--memory", checkpoint.memory_gigabytes,
                   "checkpoints of others: gigabytes for hidden states; layers come one at a time")
      ->check(kPositive)
      ->default_str("4");
  verb->add_option("--threads", options->threads, "threads")->check(kPositive);
  verb->add_flag("--quiet", options->quiet, "no progress");
  verb->add_flag("--dry-run", options->dry_run, "list the cells and which are there, and stop");
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--json", options->json, "print one JSON document: .rows[], a row per cell");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
