// The definition of a run (TrainConfig), and how it is carried out (RunOptions).
//
// Everything that can change a single bit of the result is in TrainConfig. Its hash, once resolved
// and written as canonical JSON, names the run. Threads, directories and how often something is
// saved or printed are in RunOptions: two runs that differ only in those are the same run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "data/dataset.h"
#include "formats/recipe.h"
#include "model/config.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tensor/dtype.h"

namespace bitlaw {

struct DataConfig {
  std::string path;  // a directory for Dataset::open; the run's name uses its content hash instead

  template <class V>
  void visit(V& v) {
    v("path", path, "directory of the prepared data set");
  }
};

struct TrainingConfig {
  int64_t tokens = 8'000'000;  // D: rounded to whole steps when resolved
  int64_t batch_tokens = 0;    // of one step; a multiple of the sequence; 0: by D (train/batch.h)
  double lr = 1e-2;            // base rate (optim/optimizer.h)
  int64_t seed = 1;            // of the initial weights and of the order of the data
  int64_t lanes = 4;           // partial sums of the gradient, each by one thread at a time
  std::string backward = "bf16";          // type of gradient operands: bf16 or fp32
  int64_t validation_tokens = 1'000'000;  // at most; 0: all of the validation set

  template <class V>
  void visit(V& v) {
    v("tokens", tokens, "training tokens, D; rounded to whole steps");
    v("batch_tokens", batch_tokens,
      "tokens per step, a multiple of model.sequence; 0: about 8 (D / 2 M)^0.6 sequences");
    v("lr", lr, "base learning rate: the peak at width 64, 2 layers and the default batch");
    v("seed", seed, "seed of the initial weights and of the order of the data");
    v("lanes", lanes, "partial sums of the gradient; at most this many threads share a step");
    v("backward", backward, "precision of gradient operands in products: bf16 or fp32");
    v("validation_tokens", validation_tokens,
      "largest number of validation tokens, a sample of all; 0: all");
  }
};

struct TrainConfig {
  ModelConfig model;
  RecipeConfig recipe;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  DataConfig data;
  TrainingConfig train;

  template <class V>
  void visit(V& v) {
    v("model", model, "shape of the model");
    v("recipe", recipe, "precision of each part of the model");
    v("optimizer", optimizer, "AdamW and clipping");
    v("schedule", schedule, "learning rate over the run");
    v("data", data, "training data");
    v("train", train, "length, batch size and learning rate");
  }
};

struct RunOptions {
  std::string directory = "runs";           // holds a directory per run
  int64_t threads = 0;                      // 0: all that the machine has
  double checkpoint_seconds = 60;           // between two saved states; 0: only by steps
  int64_t checkpoint_steps = 0;             // steps between two saved states; 0: only by time
  int64_t checkpoints = 0;                  // models kept along the run, at D/2, D/4, ...
  std::vector<double> checkpoint_tokens{};  // and at these numbers of tokens
  bool share = false;                       // begin as a run of another length did (train/trunk.h)
  std::vector<int64_t> share_steps{};       // and leave a state for others after these steps
  bool other_engine = false;                // resume on another engine than the run began on
  int64_t log_steps = 10;                   // steps per line of metrics.jsonl
  int64_t validation_steps = 0;             // steps between validations; 0: only at the end
  bool tensorboard = false;                 // also write an event file of TensorBoard
  bool quiet = false;                       // no progress on standard error

  template <class V>
  void visit(V& v) {
    v("directory", directory, "directory that holds the runs");
    v("threads", threads, "threads; 0 for all");
    v("checkpoint_seconds", checkpoint_seconds,
      "seconds between two saved states; 0: only by steps");
    v("checkpoint_steps", checkpoint_steps, "steps between two saved states; 0: only by time");
    v("checkpoints", checkpoints, "models kept along the run, at D/2, D/4, ...");
    v("checkpoint_tokens", checkpoint_tokens, "numbers of tokens after which a model is kept");
    v("share", share, "begin where a run of another length and the same beginning was (wsd only)");
    v("share_steps", share_steps, "steps after which a state is left for runs of other lengths");
    v("other_engine", other_engine,
      "resume a run that another engine began, whose bits differ; the result records both");
    v("log_steps", log_steps, "steps per line of metrics.jsonl");
    v("validation_steps", validation_steps, "steps between validations; 0: only at the end");
    v("tensorboard", tensorboard,
      "also write the metrics as an event file, for `tensorboard --logdir`");
    v("quiet", quiet, "show no progress on standard error");
  }

  void check() const;  // Error, naming the key, if a value is out of range
};

// The content of a configuration file for `bitlaw train`: the sections of TrainConfig, and [run].
struct TrainRequest {
  TrainConfig config;
  RunOptions run;

  template <class V>
  void visit(V& v) {
    config.visit(v);
    v("run", run, "options that do not change the result");
  }
};

// A TrainConfig with every default replaced by its value and every name in canonical spelling ("4"
// becomes "int4"), and what follows from it.
struct ResolvedConfig {
  TrainConfig config;
  Recipe recipe;
  std::string data_hash;
  int64_t steps;                    // train.tokens / train.batch_tokens
  int64_t batch_sequences;          // train.batch_tokens / model.sequence
  double peak_rate;                 // learning rate at the peak, for this shape and batch
  bool samples_validation = false;  // less than all of the held-out text

  // The canonical document that is hashed and stored in run.json; data.path is replaced by
  // data.hash.
  Json document() const;
  // Of the run (record/run.h).
  std::string name() const;
};

DType gradient_dtype(const ResolvedConfig& resolved);  // train.backward

// The last of a run's steps: their mean loss is its training loss.
int64_t tail_steps(int64_t steps);

// Checks everything that can be checked without opening the data. Error, naming the key.
ResolvedConfig resolve(const TrainConfig& config, const DatasetInfo& data);

}  // namespace bitlaw
