// run.json: what a run is. It is written before the first step, or before the first cell of a
// third-party checkpoint, and never changes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "formats/recipe.h"

namespace bitlaw {

inline constexpr int kRunSchema = 1;  // of run.json and result.json

// A third-party checkpoint, which this program did not train.
struct CheckpointSource {
  std::string path, family;
  std::string weights_hash;

  template <class V>
  void visit(V& v) {
    v("path", path);
    v("family", family);
    v("weights_hash", weights_hash);
  }
};

struct ModelSize {
  int64_t parameters = 0;  // without embeddings and output head
  int64_t parameters_with_embeddings = 0;
  double flops_per_token = kNoNumber;  // of training

  template <class V>
  void visit(V& v) {
    v("parameters", parameters);
    v("parameters_with_embeddings", parameters_with_embeddings);
    v.known("flops_per_token", flops_per_token);
  }
};

// The training data; for a third-party checkpoint, the hash of its evaluation text.
struct RunData {
  std::string path;
  std::string hash;
  std::string tokenizer;
  std::optional<int64_t> vocabulary, train_tokens, validation_tokens;
  // Of the validation tokens alone; empty in records of earlier versions.
  std::string validation_hash;
  // Of the order in which windows are trained on (data/loader.h); empty in records of earlier
  // versions.
  std::string order_hash;

  template <class V>
  void visit(V& v) {
    v.known("path", path);
    v("hash", hash);
    v.known("tokenizer", tokenizer);
    v.known("vocabulary", vocabulary);
    v.known("train_tokens", train_tokens);
    v.known("validation_tokens", validation_tokens);
    v.known("validation_hash", validation_hash);
    v.known("order_hash", order_hash);
  }
};

struct RunBuild {
  std::string version, compiler, isa;
  // Of matrix products where the run began (ops/engine.h), and the library behind it; empty in
  // records of earlier versions.
  std::string engine, library;

  template <class V>
  void visit(V& v) {
    v("version", version);
    v("compiler", compiler);
    v("isa", isa);
    v.known("engine", engine);
    v.known("library", library);
  }
};

// As in optim/optimizer.h. Not inside RunSettings: clang refuses an optional of a nested struct with
// initial values.
struct OptimizerSettings {
  double beta1 = kNoNumber, beta2 = kNoNumber, epsilon = kNoNumber;
  double weight_decay = kNoNumber, clip = kNoNumber;

  template <class V>
  void visit(V& v) {
    v.known("beta1", beta1);
    v.known("beta2", beta2);
    v.known("epsilon", epsilon);
    v.known("weight_decay", weight_decay);
    v.known("clip", clip);
  }
};

// As in optim/schedule.h.
struct ScheduleSettings {
  std::string kind;
  double warmup = kNoNumber, decay = kNoNumber, final = kNoNumber;
  std::optional<int64_t> warmup_steps;
  std::string decay_shape;

  template <class V>
  void visit(V& v) {
    v("kind", kind);
    v.known("warmup", warmup);
    v.known("decay", decay);
    v.known("final", final);
    v.known("warmup_steps", warmup_steps);
    v.known("decay_shape", decay_shape);
  }
};

// The part of a configuration that tables show. A third-party checkpoint has only some of it, and
// records of earlier versions may lack some, too.
struct RunSettings {
  struct Model {
    int64_t width = 0, layers = 0, heads = 0, sequence = 0, vocabulary = 0;
    std::optional<int64_t> kv_heads, hidden;
    std::optional<bool> tied_head, extra_norm;
    double rope_theta = kNoNumber, norm_epsilon = kNoNumber;

    template <class V>
    void visit(V& v) {
      v("width", width);
      v("layers", layers);
      v("heads", heads);
      v("sequence", sequence);
      v("vocabulary", vocabulary);
      v.known("kv_heads", kv_heads);
      v.known("hidden", hidden);
      v.known("tied_head", tied_head);
      v.known("extra_norm", extra_norm);
      v.known("rope_theta", rope_theta);
      v.known("norm_epsilon", norm_epsilon);
    }
  };
  // As in formats/recipe.h.
  struct Recipe {
    std::string weights = "16", activations = "16", kv = "16", queries = "16";
    std::optional<std::string> weights_granularity, activations_granularity, kv_granularity;

    template <class V>
    void visit(V& v) {
      v("weights", weights);
      v("activations", activations);
      v("kv", kv);
      v("queries", queries);
      v.known("weights_granularity", weights_granularity);
      v.known("activations_granularity", activations_granularity);
      v.known("kv_granularity", kv_granularity);
    }
  };
  using Optimizer = OptimizerSettings;
  using Schedule = ScheduleSettings;
  struct Train {
    std::optional<int64_t> tokens;  // D
    std::optional<int64_t> seed, batch_tokens;
    double lr = kNoNumber;
    std::string backward;
    std::optional<int64_t> validation_tokens;

    template <class V>
    void visit(V& v) {
      v("tokens", tokens);
      v.known("seed", seed);
      v.known("batch_tokens", batch_tokens);
      v.known("lr", lr);
      v.known("backward", backward);
      v.known("validation_tokens", validation_tokens);
    }
  };
  Model model;
  Recipe recipe;
  std::optional<Optimizer> optimizer;
  std::optional<Schedule> schedule;
  Train train;
  // Of the hashed configuration (train/config.h).
  std::optional<int64_t> version;

  template <class V>
  void visit(V& v) {
    v("model", model);
    v("recipe", recipe);
    v.known("optimizer", optimizer);
    v.known("schedule", schedule);
    v("train", train);
    v.known("version", version);
  }
};

struct RunRecord {
  // The canonical configuration that names the run (train/config.h), or the RunSettings of a
  // third-party checkpoint.
  Json config = Json::object();
  ModelSize model;
  RunData data;
  // A third-party checkpoint has this, and none of the fields below.
  std::optional<CheckpointSource> checkpoint;
  std::optional<int> schema;
  // Name of the directory: the hash of `config`.
  std::string name;
  std::string recipe;
  double peak_learning_rate = kNoNumber;
  std::optional<RunBuild> build;
  // Time, ISO 8601.
  std::string created;

  template <class V>
  void visit(V& v) {
    v("config", config);
    v("model", model);
    v("data", data);
    v.known("checkpoint", checkpoint);
    v.known("schema", schema);
    v.known("name", name);
    v.known("recipe", recipe);
    v.known("peak_learning_rate", peak_learning_rate);
    v.known("build", build);
    v.known("created", created);
  }

  // With the current names of what shares a scale (formats/recipe.h), and with what version 0.2 had
  // no key for.
  RunSettings settings() const;
  RecipeConfig recipe_config() const;
  Json current_config() const;
  // What the run was trained with.
  Recipe trained_recipe() const;
  int64_t batch_sequences() const;  // of a step; 0 if not known
};

// The name of the run of a canonical configuration: the first 16 hexadecimal digits of its hash, as
// version 0.2 would have written it if it could have made the same run, so that a run keeps its name.
std::string name_of_configuration(Json config);

// Paths of the files of a run, below its directory.
std::filesystem::path run_file(const std::filesystem::path& run);
std::filesystem::path final_checkpoint(const std::filesystem::path& run);

bool is_run(const std::filesystem::path& directory);

// All that may be a directory below `runs`, sorted by name, whether it is a run or not. Error if `runs`
// is not a directory.
std::vector<std::filesystem::path> find_directories(const std::filesystem::path& runs);

// Those that contain a run.json.
std::vector<std::filesystem::path> find_run_directories(const std::filesystem::path& runs);

// Error, naming the file and what to do, if there is no run.json or it is damaged: its name must be
// that of its configuration, and its checksum that of its content. The directory may have any name.
RunRecord read_run_record(const std::filesystem::path& run);
// The same for the bytes of a file; `where` is its name in errors.
RunRecord parse_run_record(const std::string& text, const std::string& where);

// Atomic; with a checksum.
void write_run_record(const std::filesystem::path& run, const RunRecord& record);

}  // namespace bitlaw
