#include "quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/error.h"
#include "base/range.h"
#include "base/say.h"
#include "hf/config.h"
#include "hf/forward.h"
#include "hf/weights.h"
#include "quantize/chance.h"
#include "quantize/checkpoint_record.h"
#include "quantize/planned_cells.h"
#include "quantize/quantize_checkpoint.h"
#include "quantize/quantize_run.h"
#include "quantize/write_checkpoint.h"
#include "record/result.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Tokens of a window if not given: the checkpoint's context, but at most this.
constexpr int64_t kUsualSequence = 1024;
constexpr double kMostTrainedTokens = 1e18, kMostGigabytes = 1e9;

struct OpenedCheckpoint {
  CheckpointText text;
  CheckpointRecord record;
  int64_t vocabulary;
};

// Refuses a checkpoint that knows nothing of the text. What an earlier call has measured counts; or
// else a glance at the text must do before the grid is computed.
void require_better_than_chance(const QuantizeOptions& options, const fs::path& directory,
                                const hf::Architecture& architecture, const hf::Weights& weights,
                                const OpenedCheckpoint& opened, ThreadPool& pool) {
  if (options.checkpoint.worse_than_chance) return;
  std::optional<ResultRecord> before;
  if (is_run(opened.record.directory)) before = read_result(opened.record.directory);
  const double loss = before && before->validation
                          ? before->validation->loss_nats
                          : loss_at_a_glance(architecture, weights, opened.text.evaluation, pool);
  const std::string sentence = worse_than_chance(directory.string(), loss, architecture.vocabulary);
  if (!sentence.empty()) throw Error(sentence);
}

OpenedCheckpoint open_checkpoint(const QuantizeOptions& options, const fs::path& directory,
                                 ThreadPool& pool) {
  const CheckpointOptions& of = options.checkpoint;
  if (of.text.empty()) {
    throw Error(fmt::format(
        "{}: is a third-party checkpoint; give text for calibration and evaluation with --text",
        directory.string()));
  }
  const hf::Architecture architecture = hf::read_architecture(directory);
  const hf::Weights weights(directory, architecture);  // refuses files that do not belong together
  const int64_t sequence =
      of.sequence > 0 ? of.sequence : std::min(architecture.context, kUsualSequence);
  const std::unique_ptr<TextTokenizer> tokenizer = load_text_tokenizer(directory);
  try {
    hf::require_sequence(architecture, sequence);
    require_vocabulary(*tokenizer, architecture.vocabulary);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", directory.string(), error.what()));
  }
  OpenedCheckpoint out{read_checkpoint_text({.roots = of.text,
                                             .sequence = sequence,
                                             .evaluation_tokens = options.grid.evaluation_tokens,
                                             .calibration_tokens = options.grid.calibration_tokens,
                                             .key = of.text_key},
                                            *tokenizer),
                       {},
                       architecture.vocabulary};
  for (const std::string& note : out.text.notes) say("note: {}", note);
  out.record = make_checkpoint_record(directory, of.records, out.text.evaluation,
                                      static_cast<int64_t>(of.trained_tokens), pool);
  require_better_than_chance(options, directory, architecture, weights, out, pool);
  return out;
}

// The cell that `write` requests: the only one of the first seed, apart from round-to-nearest.
// Error if the request has more.
PtqCell cell_to_write(const QuantizeOptions& options) {
  const PtqConfig& grid = options.grid;
  const bool one = grid.methods.size() == 1 && grid.groups.size() == 1 &&
                   grid.bits.size() + grid.formats.size() == 1;
  PtqCell cell = ptq_cells(grid).back();
  if (!one || options.runs.size() != 1 || cell.activations || cell.kv || !cell.rounds_weights()) {
    throw Error(
        "--write needs one checkpoint and one way to round its weights; give one method, one "
        "group, and one of --bits and --formats (with --bits '' for a format)");
  }
  if (fs::exists(options.checkpoint.write)) {
    throw Error(fmt::format("--write {}: exists already; choose a new directory",
                            options.checkpoint.write));
  }
  if (cell.calibrated()) cell.calibration_seed = grid.calibration_seeds.front();
  return cell;
}

// The grid, with one calibration if all of them would take the same text: all of it.
PtqConfig with_distinct_calibrations(const PtqConfig& grid, const CheckpointText& text) {
  constexpr double kMuch = 0.5;
  PtqConfig out = grid;
  const std::vector<PtqCell> cells = ptq_cells(grid);
  const bool any = std::any_of(cells.begin(), cells.end(),
                               [](const PtqCell& cell) { return cell.calibrated(); });
  if (!any || grid.calibration_seeds.size() < 2) return out;
  const double share = text.calibration_share(grid.calibration_tokens);
  if (share >= 1) {
    say("note: every calibration takes all of the {} tokens of calibration text, so there is one, "
        "and no spread; give more text or fewer --calibration-tokens",
        text.calibration.targets());
    out.calibration_seeds = {grid.calibration_seeds.front()};
  } else if (share > kMuch) {
    say("note: calibrations share {:.0f} % of their text, so their spread is too small; give more "
        "text or fewer --calibration-tokens",
        100 * share);
  }
  return out;
}

std::vector<CellRow> checkpoint_rows(const QuantizeOptions& options, const fs::path& directory,
                                     ThreadPool& pool, const PtqProgress& progress,
                                     std::vector<std::string>& problems) {
  ptq_cells(options.grid);  // says what is wrong with the request before anything is read
  const OpenedCheckpoint opened = open_checkpoint(options, directory, pool);
  const PtqConfig grid = with_distinct_calibrations(options.grid, opened.text);
  const double gigabytes = std::min(options.checkpoint.memory_gigabytes, kMostGigabytes);
  std::vector<fs::path> made;
  CheckpointStudy study{.checkpoint = directory,
                        .record = opened.record.directory,
                        .name = opened.record.name,
                        .weights_hash = opened.record.run.checkpoint->weights_hash,
                        .architecture_hash = opened.record.architecture_hash,
                        .memory_budget = static_cast<int64_t>(gigabytes * 1e9),
                        .before_computing = [&] { made = begin_checkpoint_record(opened.record); }};
  std::optional<CellWriter> writer;
  if (!options.checkpoint.write.empty()) {
    writer.emplace(directory, options.checkpoint.write, options.checkpoint.write_type);
    study.solve = cell_to_write(options);
    study.solved = [&](const hf::Layer& rounded) { writer->add(rounded); };
  }
  try {
    std::vector<CellRow> rows = quantize_checkpoint(study, opened.text, grid, pool, progress);
    finish_checkpoint_record(opened.record, rows[0].cell);
    std::string sentence =
        worse_than_chance(directory.string(), rows[0].cell.baseline_loss_nats, opened.vocabulary);
    if (!sentence.empty() && !options.checkpoint.worse_than_chance)
      problems.push_back(std::move(sentence));
    if (writer) writer->commit();
    return rows;
  } catch (...) {
    take_back_record(opened.record, made);
    throw;
  }
}

bool has_batch_scales(const PtqConfig& grid) {
  const auto per_batch = [](const std::optional<Quantizer>& in_use) {
    return in_use && in_use->granularity == Granularity::kBatch;
  };
  const std::vector<PtqCell> cells = ptq_cells(grid);
  return std::any_of(cells.begin(), cells.end(), [&](const PtqCell& cell) {
    return per_batch(cell.activations) || per_batch(cell.kv);
  });
}

}  // namespace

// Refuses options without an effect, and numbers of tokens that are out of range.
void check(const QuantizeOptions& options) {
  const CheckpointOptions& of = options.checkpoint;
  const double trained = of.trained_tokens;
  if (trained != 0 && !(trained >= 1 && trained <= kMostTrainedTokens)) {
    throw Error(
        fmt::format("--trained-tokens: expected a number of tokens, 1 to 1e18, not {}", trained));
  }
  if (!(of.memory_gigabytes > 0 && of.memory_gigabytes <= 1e9)) {
    throw Error(fmt::format("--memory: expected a number of gigabytes, up to 1e9, not {}",
                            of.memory_gigabytes));
  }
  require_range("--sequence", of.sequence, 0, 1 << 20);  // 0: of the checkpoint
  if (of.records.empty()) throw Error("--records is empty; give a directory, such as runs");
  const auto checkpoints = std::count_if(options.runs.begin(), options.runs.end(), is_checkpoint);
  if (checkpoints == 0 && !of.text.empty()) {
    throw Error(
        "--text applies to Hugging Face checkpoints only, and none was given; runs use their own "
        "data set");
  }
  if (checkpoints == 0 && !of.write.empty()) {
    throw Error(
        "--write applies to Hugging Face checkpoints only, and none was given; a run's own "
        "checkpoint is RUN/checkpoints/final");
  }
  if (of.write.empty() && of.write_type != CheckpointOptions().write_type)
    throw Error("--write-type sets the type of the weights that --write stores; add --write DIR");
  if (!of.write.empty()) cell_to_write(options);
  if (checkpoints > 0 && has_batch_scales(options.grid)) {
    throw Error(
        "activations_granularity, kv_granularity: batch is as many sequences as a step of training "
        "had, which is not known of a Hugging Face checkpoint; use sequence, token or a group");
  }
  if (checkpoints == std::ssize(options.runs) && !options.grid.data.empty()) {
    throw Error(
        "--data applies to runs of `bitlaw train` only, and none was given; use --text for Hugging "
        "Face checkpoints");
  }
}

std::vector<CellRow> quantize(const QuantizeOptions& options, ThreadPool& pool,
                              const QuantizeProgress& progress, std::vector<std::string>* damaged) {
  check(options);
  std::vector<CellRow> rows;
  std::vector<std::string> left_out;
  for (size_t i = 0; i < options.runs.size(); ++i) {
    const std::string& run = options.runs[i];
    const PtqProgress report = [&](double done, double total, const std::string& note) {
      if (progress) progress({i, done, total, note, false});
    };
    std::vector<CellRow> cells = is_checkpoint(run)
                                     ? checkpoint_rows(options, run, pool, report, left_out)
                                     : quantize_run(run, options.grid, pool, report, &left_out);
    if (progress) progress({i, 1, 1, "", true});
    std::move(cells.begin(), cells.end(), std::back_inserter(rows));
  }
  if (damaged == nullptr && !left_out.empty())
    throw Error(fmt::format("{}", fmt::join(left_out, "; ")));
  if (damaged != nullptr) *damaged = std::move(left_out);
  return rows;
}

}  // namespace bitlaw
