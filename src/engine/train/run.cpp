#include "train/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "base/file.h"
#include "base/progress.h"
#include "base/range.h"
#include "base/say.h"
#include "base/time.h"
#include "base/version.h"
#include "data/loader.h"
#include "model/checkpoint.h"
#include "record/kept_model.h"
#include "train/batch.h"
#include "train/divergence.h"
#include "train/engines.h"
#include "train/interrupt.h"
#include "train/kept_checkpoints.h"
#include "train/memory.h"
#include "train/repetition.h"
#include "train/run_directory.h"
#include "train/state.h"
#include "train/trainer.h"
#include "train/trunk.h"
#include "train/validation.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int thread_count(int64_t wish) {
  return wish > 0 ? static_cast<int>(wish) : hardware_threads();
}

// Sums that a resumed run must continue exactly, to the last bit.
struct Sums {
  double interval_loss = 0;  // since the last record
  int64_t interval_steps = 0;
  double tail_loss = 0;  // over tail_steps()
  int64_t tail_steps = 0;
  double seconds = 0;  // inside steps
};

Json to_json(const Sums& sums) {
  return {{"interval_loss", sums.interval_loss},
          {"interval_steps", sums.interval_steps},
          {"tail_loss", sums.tail_loss},
          {"tail_steps", sums.tail_steps},
          {"seconds", sums.seconds}};
}

Sums read_sums(const Json& document) {
  return {document.at("interval_loss"), document.at("interval_steps"), document.at("tail_loss"),
          document.at("tail_steps"), document.at("seconds")};
}

TrainerOptions trainer_options(const ResolvedConfig& resolved, int threads) {
  const TrainConfig& config = resolved.config;
  return {.model = config.model,
          .recipe = resolved.recipe,
          .optimizer = config.optimizer,
          .batch_sequences = resolved.batch_sequences,
          .lanes = config.train.lanes,
          .gradient_dtype = bitlaw::gradient_dtype(resolved),
          .seed = static_cast<uint64_t>(config.train.seed),
          .threads = threads};
}

// One process's work on one run.
class Session {
 public:
  Session(const ResolvedConfig& resolved, const RunOptions& options, const Dataset& dataset,
          RunDirectory& directory, const std::vector<int64_t>& kept_steps, MetricsSink* sink)
      : resolved_(resolved),
        options_(options),
        dataset_(dataset),
        directory_(directory),
        sink_(sink),
        kept_steps_(kept_steps),
        predicted_memory_bytes_(
            plan_memory(resolved, dataset.info(), thread_count(options.threads)).total_bytes()),
        loader_(dataset.train(), static_cast<int>(resolved.config.model.sequence),
                static_cast<int>(resolved.batch_sequences),
                static_cast<uint64_t>(resolved.config.train.seed)),
        validation_(make_validation_set(dataset, resolved.config.model.sequence,
                                        resolved.config.train.validation_tokens)),
        trainer_(trainer_options(resolved, thread_count(options.threads))),
        divergence_(resolved.config.model.vocabulary,
                    warmup_steps(resolved.config.schedule, resolved.steps),
                    resolved.config.train.batch_tokens),
        trunk_(options.share ? trunk_name(resolved) : "") {}

  RunOutcome run() {
    resume();
    Progress progress("train " + directory_.name(), static_cast<double>(resolved_.steps),
                      options_.quiet);
    progress.update(static_cast<double>(trainer_.steps_done()), "", [&] { return values(); });
    last_save_ = Clock::now();
    ResultRecord result;
    try {
      train_to_the_end(progress);
      result = finish();
    } catch (const Stopped&) {  // the weights are those after the last whole step
      save();
      return outcome(RunStatus::kInterrupted);
    }
    progress.finish(diverged_at_ > 0 ? fmt::format("diverged at step {}", diverged_at_)
                                     : fmt::format("validation loss {:.4f}", validated_.loss_nats),
                    [&] { return values(); });
    RunOutcome out = outcome(diverged_at_ > 0 ? RunStatus::kDiverged : RunStatus::kFinished);
    out.result = result;
    return out;
  }

 private:
  void train_to_the_end(Progress& progress) {
    if (after_step_is_due_) after_step();
    while (trainer_.steps_done() < resolved_.steps) {
      end_if_stop_requested();
      const double loss_nats = step();
      if (diverged_at_ > 0) break;
      progress.update(
          static_cast<double>(trainer_.steps_done()),
          fmt::format("loss {:.3f}  {}tokens/s", loss_nats, format_count(tokens_per_second())),
          [&] { return values(loss_nats); });
      after_step_is_due_ = true;
      after_step();
      save_now_and_then();
    }
    if (diverged_at_ == 0 && divergence_.diverged_at_end()) diverged_at_ = resolved_.steps;
  }

  // What progress says to other programs.
  Json values(double loss_nats = kNoNumber) const {
    Json out{{"run", directory_.name()},
             {"directory", directory_.path().string()},
             {"step", trainer_.steps_done()},
             {"steps", resolved_.steps},
             {"tokens", tokens_done()}};
    if (!std::isnan(loss_nats)) {
      out["loss_nats"] = loss_nats;
      out["tokens_per_second"] = tokens_per_second();
    }
    return out;
  }

  // What belongs to a step besides its update. If it is stopped in the middle, the state says that
  // it is due, and the process that resumes does it again.
  void after_step() {
    validate_now_and_then();
    if (std::binary_search(kept_steps_.begin(), kept_steps_.end(), trainer_.steps_done())) keep();
    leave_for_others();
    after_step_is_due_ = false;
  }

  void resume() {
    if (!trunk_.empty()) remove_half_left(options_.directory, trunk_, directory_.name());
    if (!restore(directory_.state_file(), directory_.name())) begin_from_trunk();
    directory_.truncate_metrics(trainer_.steps_done(), after_step_is_due_);
    if (options_.tensorboard) directory_.begin_events();
    first_step_ = trainer_.steps_done();
    const std::vector<int64_t> past(kept_steps_.begin(),
                                    std::upper_bound(kept_steps_.begin(), kept_steps_.end(),
                                                     first_step_ - (after_step_is_due_ ? 1 : 0)));
    const size_t missing =
        missing_checkpoints(directory_.path(), past, resolved_.config.train.batch_tokens);
    if (missing > 0) {
      say("note: {}: resumes after step {}, so {} of the {} models asked for along the run "
          "cannot be kept",
          directory_.path().string(), first_step_, missing, kept_steps_.size());
    }
  }

  // False if there is no such file.
  bool restore(const fs::path& file, const std::string& name) {
    const auto state = load_state(file, name, trainer_.parameters().flat, trainer_.first_moment(),
                                  trainer_.second_moment());
    if (!state) return false;
    bool consistent = state->steps <= resolved_.steps;
    try {
      const Json& divergence = state->progress.at("divergence");
      consistent = consistent && divergence.at("steps") == state->steps;  // it has seen every step
      divergence_.restore(divergence);
      sums_ = read_sums(state->progress.at("sums"));
      shared_steps_ = state->progress.value("shared_steps", int64_t{0});
      after_step_is_due_ = state->progress.value("after_step_is_due", false);
      saved_by_ = state->progress.value("saved_by", "");
    } catch (const Json::exception&) {
      consistent = false;
    }
    if (!consistent) {
      throw Error(
          fmt::format("{}: a saved training state with a damaged header; remove the file to train "
                      "this run from its beginning",
                      file.string()));
    }
    engines_.resume(file, engines_of_state(*state, directory_.path()), options_.other_engine);
    trainer_.restore(state->steps);
    return true;
  }

  // From the furthest state that another run has left, but not past a model to be kept.
  void begin_from_trunk() {
    if (trunk_.empty()) return;
    int64_t last = trunk_steps(resolved_);
    if (!kept_steps_.empty()) last = std::min(last, kept_steps_.front() - 1);
    const auto furthest = furthest_usable_step(last);
    if (!furthest) return;
    const fs::path place = trunk_place(options_.directory, trunk_, *furthest);
    if (!restore(place / kStateFile, trunk_)) return;
    if (trainer_.steps_done() != *furthest) {
      throw Error(
          fmt::format("{}: holds the state after {} steps; remove the directory to train "
                      "this run from its beginning",
                      place.string(), trainer_.steps_done()));
    }
    write_file_atomically(directory_.metrics_file(), read_file(place / kMetricsFile));
    // A run that lost its own state, and finds what it has left, made these steps itself.
    if (saved_by_ != directory_.name()) shared_steps_ = *furthest;
  }

  // The furthest step at which this engine has left a state of the trunk.
  std::optional<int64_t> furthest_usable_step(int64_t last) {
    std::string other;
    while (const auto step = furthest_trunk_step(options_.directory, trunk_, last)) {
      const auto state =
          read_state_header(trunk_place(options_.directory, trunk_, *step) / kStateFile);
      if (state && engines_.alone_computed(*state)) return step;
      if (other.empty() && state) {
        other = state->engines.empty() ? "an earlier version of bitlaw"
                                       : fmt::format("{}", fmt::join(state->engines, ", "));
      }
      last = *step - 1;
    }
    if (!other.empty() && !options_.quiet) {
      say("note: {}: the beginning that other runs share was computed by {}, and this is {}; the "
          "run trains its own",
          directory_.path().string(), other, engines_.here().name);
    }
    return std::nullopt;
  }

  // Where this run leaves its trunk, so that a longer one can go on, and where others do.
  void leave_for_others() {
    if (trunk_.empty() || engines_.all().size() > 1) return;
    const int64_t done = trainer_.steps_done();
    const bool asked = std::find(options_.share_steps.begin(), options_.share_steps.end(), done) !=
                       options_.share_steps.end();
    if (done > trunk_steps(resolved_) || (!asked && done != trunk_steps(resolved_))) return;
    const fs::path place = trunk_place(options_.directory, trunk_, done);
    leave_in_trunk(place, directory_.name(), [&](const fs::path& to) {
      save_state_in(to / kStateFile, trunk_);
      write_file_atomically(to / kMetricsFile, read_file(directory_.metrics_file()));
    });
  }

  double step() {
    const auto start = Clock::now();
    const int64_t index = trainer_.steps_done();
    const double rate =
        resolved_.peak_rate * schedule_share(resolved_.config.schedule, index, resolved_.steps);
    const StepResult result = trainer_.step(
        [&](int64_t number, int64_t i, std::span<uint16_t> tokens) {
          loader_.sequence(number, static_cast<int>(i), tokens);
        },
        rate);
    const double seconds = seconds_since(start);
    sums_.seconds += seconds;
    session_seconds_ += seconds;
    if (divergence_.diverged(result.loss_nats, result.gradient_norm)) diverged_at_ = index + 1;
    count(index, result, rate);
    return result.loss_nats;
  }

  void count(int64_t index, const StepResult& result, double rate) {
    sums_.interval_loss += result.loss_nats;
    ++sums_.interval_steps;
    if (index >= resolved_.steps - tail_steps(resolved_.steps)) {
      sums_.tail_loss += result.loss_nats;
      ++sums_.tail_steps;
    }
    const int64_t done = index + 1;
    if (done % options_.log_steps != 0 && done != resolved_.steps && diverged_at_ == 0) return;
    const StepMetrics metrics{
        .step = done,
        .tokens = done * resolved_.config.train.batch_tokens,
        .loss_nats = sums_.interval_loss / static_cast<double>(sums_.interval_steps),
        .learning_rate = rate,
        .gradient_norm = result.gradient_norm,
        .seconds = sums_.seconds};
    sums_.interval_loss = 0;
    sums_.interval_steps = 0;
    directory_.append_metrics(metrics);
    if (sink_ != nullptr) sink_->record(metrics);
  }

  Validation validate() {
    trainer_.prepare(false);
    return bitlaw::validate(trainer_.model(), trainer_.parameters(), validation_, trainer_.pool());
  }

  void validate_now_and_then() {
    const int64_t done = trainer_.steps_done();
    if (options_.validation_steps == 0 || done % options_.validation_steps != 0) return;
    directory_.append_metrics(Json{
        {"step", done}, {"tokens", tokens_done()}, {"validation", struct_to_json(validate())}});
  }

  // The model as it is now, with its validation. After a kill it is written again, with the same
  // bits, unless a state was saved since.
  void keep() {
    const fs::path place = kept_checkpoint(directory_.path(), tokens_done());
    directory_.save_checkpoint(place, [&](const fs::path& to) { save_model_in(to); });
    directory_.append_metrics(Json{{"step", trainer_.steps_done()},
                                   {"tokens", tokens_done()},
                                   {"validation", struct_to_json(validate())},
                                   {"checkpoint", place.filename().string()}});
  }

  int64_t tokens_done() const {
    return trainer_.steps_done() * resolved_.config.train.batch_tokens;
  }

  void save_now_and_then() {
    const int64_t done = trainer_.steps_done();
    if (done == resolved_.steps) return;
    const bool by_steps = options_.checkpoint_steps > 0 && done % options_.checkpoint_steps == 0;
    const bool by_time =
        options_.checkpoint_seconds > 0 && seconds_since(last_save_) >= options_.checkpoint_seconds;
    if (by_steps || by_time) save();
  }

  void save() {
    save_state_in(directory_.state_file(), directory_.name());
    last_save_ = Clock::now();
  }

  void save_state_in(const fs::path& file, const std::string& name) {
    Json progress{{"divergence", divergence_.state()},
                  {"sums", to_json(sums_)},
                  {"shared_steps", shared_steps_},
                  {"saved_by", directory_.name()}};
    // Not in a state for other runs, which leave_for_others() saves.
    if (after_step_is_due_ && name == directory_.name()) progress["after_step_is_due"] = true;
    const auto saved = [&](const Tensor& moment) {
      // Released after the last step, which no step follows: nothing depends on them.
      return moment.defined() ? moment
                              : Tensor::zeros(DType::kF32, {trainer_.parameters().flat.elements()});
    };
    save_state(file,
               {.run = name,
                .engine = engines_.here().name,
                .library = engines_.here().library,
                .engines = engines_.all(),
                .steps = trainer_.steps_done(),
                .progress = progress},
               trainer_.parameters().flat, saved(trainer_.first_moment()),
               saved(trainer_.second_moment()));
  }

  // Validates and saves the model, unless it diverged, and writes result.json.
  ResultRecord finish() {
    const bool diverged_before_the_end =
        trainer_.steps_done() < resolved_.steps || diverged_at_ > 0;
    std::string weights;
    if (!diverged_before_the_end) {
      trainer_.release_training_memory();
      validated_ = validate();
      if (std::isfinite(validated_.loss_nats)) {
        directory_.save_checkpoint(directory_.final_checkpoint(),
                                   [&](const fs::path& place) { save_model_in(place); });
        weights = weights_hash(directory_.final_checkpoint());
      } else {
        diverged_at_ = resolved_.steps;
      }
    }
    ResultRecord result = result_record();
    result.training->weights_hash = weights;
    directory_.finish(result);
    return result;
  }

  void save_model_in(const fs::path& place) {
    const DatasetInfo& data = dataset_.info();
    save_model(place, trainer_.model(), trainer_.parameters(), {.end = data.end_of_document});
    if (data.tokenizer_kind != "unknown") dataset_.tokenizer()->save(place / "tokenizer.model");
  }

  ResultRecord result_record() const {
    const bool diverged = diverged_at_ > 0;
    const int64_t steps = diverged ? diverged_at_ : resolved_.steps;
    const int64_t tokens = steps * resolved_.config.train.batch_tokens;
    TrainingResult training;
    training.schema = kRunSchema;
    if (sums_.tail_steps > 0 && !diverged)
      training.train_loss_nats = sums_.tail_loss / static_cast<double>(sums_.tail_steps);
    training.tokens = tokens;
    training.steps = steps;
    training.epochs = loader_.epoch(steps);
    training.seconds = sums_.seconds;
    training.tokens_per_second = static_cast<double>(tokens) / sums_.seconds;
    training.flops =
        static_cast<double>(tokens) * resolved_.config.model.training_flops_per_token();
    training.flops_per_second = static_cast<double>(tokens) / sums_.seconds *
                                resolved_.config.model.training_flops_per_token();
    training.threads = trainer_.options().threads;
    training.peak_memory_bytes = peak_memory_bytes();
    training.predicted_memory_bytes = predicted_memory_bytes_;
    training.finished = now_iso();
    if (diverged) training.diverged_at_step = diverged_at_;
    if (shared_steps_ > 0) training.shared_steps = shared_steps_;
    training.engines = engines_.all();
    return {.status = diverged ? RunStatus::kDiverged : RunStatus::kFinished,
            .validation = diverged ? std::nullopt : std::optional(validated_),
            .training = training};
  }

  RunOutcome outcome(RunStatus status) const {
    return {.status = status,
            .name = directory_.name(),
            .directory = directory_.path(),
            .result = std::nullopt,
            .steps_done = trainer_.steps_done(),
            .steps = resolved_.steps};
  }

  double tokens_per_second() const {
    return static_cast<double>((trainer_.steps_done() - first_step_) *
                               resolved_.config.train.batch_tokens) /
           session_seconds_;
  }

  const ResolvedConfig& resolved_;
  const RunOptions& options_;
  const Dataset& dataset_;
  RunDirectory& directory_;
  MetricsSink* sink_;
  const std::vector<int64_t>& kept_steps_;
  double predicted_memory_bytes_;  // before anything is taken, as a dry run does
  Loader loader_;
  ValidationSet validation_;
  Trainer trainer_;
  DivergenceDetector divergence_;
  std::string trunk_;  // "" without one
  RunEngines engines_;
  int64_t shared_steps_ = 0;
  std::string saved_by_;  // the run whose state this one began with
  Sums sums_;
  Validation validated_;
  int64_t diverged_at_ = 0;  // step, from 1; 0: it has not
  int64_t first_step_ = 0;   // of this process
  bool after_step_is_due_ = false;
  double session_seconds_ = 0;
  Clock::time_point last_save_;
};

std::string order_of(const ResolvedConfig& resolved, const DatasetInfo& data) {
  const auto T = static_cast<int>(resolved.config.model.sequence);
  return order_hash(static_cast<uint64_t>(resolved.config.train.seed),
                    window_count(data.train.tokens, T), resolved.steps * resolved.batch_sequences);
}

RunOutcome outcome_of_ended(const RunDirectory& directory, const ResultRecord& result,
                            int64_t steps) {
  return {.status = result.status,
          .name = directory.name(),
          .directory = directory.path(),
          .result = result,
          .was_there = true,
          .steps_done = result.training ? result.training->steps : steps,
          .steps = steps};
}

// Also where progress is not shown: what was asked for is not done.
void note_missing_checkpoints(const fs::path& run, const std::vector<int64_t>& kept_steps,
                              int64_t batch_tokens) {
  const size_t missing = missing_checkpoints(run, kept_steps, batch_tokens);
  if (missing == 0) return;
  say("note: {}: the run has ended, and {} of the {} models asked for along it are not "
      "there; train it in another --directory to get them",
      run.string(), missing, kept_steps.size());
}

}  // namespace

RunRecord make_run_record(const ResolvedConfig& resolved, const DatasetInfo& data) {
  const ModelConfig& model = resolved.config.model;
  RunRecord record;
  record.config = resolved.document();
  record.model = {model.parameters(), model.parameters_with_embeddings(),
                  model.training_flops_per_token()};
  record.data = {.path = resolved.config.data.path,
                 .hash = data.hash,
                 .tokenizer = data.tokenizer_kind,
                 .vocabulary = data.vocabulary,
                 .train_tokens = data.train.tokens,
                 .validation_tokens = data.validation.tokens,
                 .validation_hash = data.validation.hash,
                 .order_hash = order_of(resolved, data)};
  record.schema = kRunSchema;
  record.name = resolved.name();
  record.recipe = resolved.recipe.name();
  record.peak_learning_rate = resolved.peak_rate;
  const Engine engine = engine_here();
  record.build = RunBuild{kVersion, __VERSION__, name_of(best_isa()), engine.name, engine.library};
  record.created = now_iso();
  return record;
}

RunOutcome train(const TrainConfig& config, const RunOptions& options, MetricsSink* sink) {
  options.check();
  require_range("model.vocabulary", config.model.vocabulary, 0, kLargestVocabulary);
  reset_peak_memory();
  const Dataset dataset =
      Dataset::open(config.data.path, static_cast<int>(config.model.vocabulary));
  const ResolvedConfig resolved = resolve(config, dataset.info());
  if (resolved.recipe.has_batch_scales()) {
    require_batch_fits(resolved,
                       plan_memory(resolved, dataset.info(), thread_count(options.threads)),
                       machine_memory_bytes());
  }
  const int64_t batch_tokens = resolved.config.train.batch_tokens;
  const std::vector<int64_t> kept = kept_steps(options, resolved.steps, batch_tokens);
  const auto ended = [&](RunDirectory& run, const ResultRecord& result) {
    run.remove_state();
    note_missing_checkpoints(run.path(), kept, batch_tokens);
    if (options.tensorboard) write_event_file(run.path(), run.path());
    return outcome_of_ended(run, result, resolved.steps);
  };
  RunDirectory directory(options.directory, resolved.name());
  if (const auto result = directory.result()) return ended(directory, *result);
  require_model_fits(resolved, machine_memory_bytes());
  directory.open(make_run_record(resolved, dataset.info()));
  // Another process may have ended it while this one waited to open it.
  if (const auto result = directory.result()) return ended(directory, *result);
  for (const std::string& note :
       {repetition_note(resolved, dataset.info()), few_steps_note(resolved),
        cut_documents_note(resolved, dataset.info())}) {
    if (!note.empty() && !options.quiet) say("note: {}", note);
  }
  const std::string few = few_checkpoints_note(options, resolved.steps);
  if (!few.empty()) say("note: {}", few);
  try {
    return Session(resolved, options, dataset, directory, kept, sink).run();
  } catch (const Stopped&) {  // while the memory that it needs was measured
    return {.status = RunStatus::kInterrupted,
            .name = directory.name(),
            .directory = directory.path(),
            .steps = resolved.steps};
  }
}

std::string describe(const RunOutcome& outcome) {
  const std::string where = outcome.directory.string();
  if (outcome.status == RunStatus::kInterrupted && outcome.steps_done == 0)
    return fmt::format("{}: stopped before a step was done; the same command starts again", where);
  if (outcome.status == RunStatus::kInterrupted) {
    return fmt::format("{}: stopped after step {} of {}; the same command resumes from there",
                       where, outcome.steps_done, outcome.steps);
  }
  const TrainingResult training = outcome.result->training.value_or(TrainingResult{});
  if (outcome.status == RunStatus::kDiverged) {
    return fmt::format("{}: diverged at step {} of {}; recorded as a result", where,
                       training.diverged_at_step.value_or(outcome.steps_done), outcome.steps);
  }
  return fmt::format("{}: validation loss {:.4f} nats per token after {} tokens{}", where,
                     outcome.result->validation->loss_nats,
                     format_count(static_cast<double>(training.tokens)),
                     outcome.was_there ? " (already finished)" : "");
}

TrainedRun read_run(const std::filesystem::path& directory) {
  RunRecord record = read_run_record(directory);
  return trained_run(directory, std::move(record), read_result(directory));
}

TrainedRun trained_run(const std::filesystem::path& directory, RunRecord record,
                       std::optional<ResultRecord> result) {
  TrainedRun run{directory, std::move(record), {}, std::move(result)};
  if (run.record.checkpoint) {
    throw Error(
        fmt::format("{}: is the record of the third-party checkpoint {}, not a run that "
                    "was trained here",
                    directory.string(), run.record.checkpoint->path));
  }
  Json config = run.record.current_config();
  config["data"] = {{"path", run.record.data.path}};
  config.erase("version");
  fill(run.config, config, run_file(directory).string());
  return run;
}

std::filesystem::path TrainedRun::checkpoint() const {
  const std::filesystem::path place = final_checkpoint(directory);
  if (!std::filesystem::exists(place)) {
    throw Error(fmt::format("{}: has no final checkpoint; the run is not finished, or diverged",
                            directory.string()));
  }
  if (result && result->training) require_weights(place, result->training->weights_hash);
  return place;
}

Validation evaluate_run(const TrainedRun& run, const Dataset& dataset, int64_t tokens,
                        int threads) {
  const std::filesystem::path checkpoint = run.checkpoint();
  const LoadedModel loaded = load_model(checkpoint);
  if (loaded.config.vocabulary != dataset.vocabulary()) {
    throw Error(fmt::format(
        "{}: the model has a vocabulary of {}, but the data set one of {}; evaluate it on data "
        "prepared with its own tokenizer.model",
        checkpoint.string(), loaded.config.vocabulary, dataset.vocabulary()));
  }
  const FlushSubnormals flush;
  ThreadPool pool(threads);
  std::vector<Context> contexts(static_cast<size_t>(threads));
  Model model(loaded.config, run.record.trained_recipe());
  model.prepare(contexts[0], loaded.parameters, false, &pool, &contexts);
  const ValidationSet set = make_validation_set(dataset, loaded.config.sequence, tokens);
  const Validation validation = validate(model, loaded.parameters, set, pool);
  if (!std::isfinite(validation.loss_nats))
    throw Error(fmt::format(
        "{}: the loss is not finite, so the checkpoint is damaged; move this directory away and "
        "repeat the `bitlaw train` or `bitlaw sweep` that made it",
        run.directory.string()));
  return validation;
}

}  // namespace bitlaw
