// bitlaw export: a finished run for llama.cpp (GGUF) and for transformers (a directory).

#include <fmt/format.h>

#include "base/error.h"
#include "base/say.h"
#include "base/temporary.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/verb.h"
#include "formats/recipe.h"
#include "hf/gguf_llama.h"
#include "hf/hf_directory.h"
#include "hf/rounded.h"
#include "model/checkpoint.h"
#include "tokenizer/tokenizer.h"
#include "train/run.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

struct ExportFlags {
  std::string run, gguf, hf, type = "f32";
  bool json = false, rounded = false;
};

const std::map<std::string, hf::GgufType> kTypes{
    {"f32", hf::GgufType::kF32}, {"f16", hf::GgufType::kF16}, {"bf16", hf::GgufType::kBF16}};

std::unique_ptr<Tokenizer> tokenizer_of(const fs::path& checkpoint) {
  const fs::path file = checkpoint / "tokenizer.model";
  if (!fs::exists(file)) {
    throw Error(fmt::format(
        "{}: no tokenizer; the run was trained on shards without one and cannot be exported",
        file.string()));
  }
  return load_tokenizer(file);
}

// What the exported weights are not, where training rounded them; "" otherwise.
std::string note_on(const RecipeConfig& config, bool rounded) {
  const Recipe recipe = make_recipe(config);
  if (recipe == Recipe{}) return "";
  if (rounded) {
    return fmt::format(
        "trained as {}: the export contains the weights as they were rounded; other programs do "
        "not round activations, keys and values",
        recipe.name());
  }
  return fmt::format(
      "trained as {}: the export contains the unrounded weights, and other programs run them "
      "without that rounding; --rounded exports them as they were rounded",
      recipe.name());
}

// The checkpoint of a run, or a copy of it with rounded weights that goes with this object.
class Source {
 public:
  Source(const TrainedRun& run, const Tokenizer& tokenizer, bool rounded)
      : place_(run.checkpoint()), temporary_(rounded) {
    if (!rounded) return;
    const fs::path from = place_;
    place_ = temporary_beside(fs::temp_directory_path() / ("bitlaw-export-" + run.record.name));
    const LoadedModel loaded = load_model(from);
    const Recipe recipe = make_recipe(run.config.recipe);
    save_model(place_, Model(loaded.config, Recipe{}),
               hf::rounded_parameters(loaded.config, recipe, loaded.parameters),
               {.end = tokenizer.end_of_document()});
  }
  ~Source() {
    std::error_code ignored;
    if (temporary_) fs::remove_all(place_, ignored);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  const fs::path& place() const { return place_; }

 private:
  fs::path place_;
  bool temporary_;
};

// A model card for a hub: what the model is, and what it was measured to be.
std::string model_card(const TrainedRun& run, bool rounded) {
  const ModelConfig& model = run.config.model;
  std::string text = fmt::format(
      "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags: [bitlaw, llama, "
      "scaling-laws]\n---\n\n# {}\n\nA decoder of Llama's architecture, trained with bitlaw {} "
      "to measure scaling laws. It completes text like that of its data set, and is not meant for "
      "other uses.\n\n| | |\n|---|---|\n",
      run.record.name, kVersion);
  const auto row = [&](const char* name, const std::string& value) {
    text += fmt::format("| {} | {} |\n", name, value);
  };
  row("parameters", fmt::format("{} without embeddings, {} in all", run.record.model.parameters,
                                run.record.model.parameters_with_embeddings));
  row("shape", fmt::format("width {}, {} layers, {} heads, hidden layer {}, context {}",
                           model.width, model.layers, model.heads, model.hidden, model.sequence));
  if (run.result && run.result->training)
    row("training tokens", std::to_string(run.result->training->tokens));
  row("precision in training", make_recipe(run.config.recipe).name());
  row("weights here", rounded ? "rounded as in training" : "FP32, before rounding");
  row("data", fmt::format("`{}` (hash of its tokens)", run.record.data.hash));
  if (run.result && run.result->validation) {
    row("validation loss",
        fmt::format("{:.5f} nats per token on {} tokens", run.result->validation->loss_nats,
                    run.result->validation->tokens));
  }
  return text;
}

// What llama.cpp cannot do with the shape; "" otherwise. Its quantizers cut rows into blocks.
std::string note_on_shape(const ModelConfig& model) {
  constexpr int64_t kBlock = 32, kLargeBlock = 256;
  if (model.hidden % kBlock != 0 || model.width % kBlock != 0) {
    return fmt::format(
        "llama.cpp quantizes rows in blocks of {}, which do not divide the width {} or the hidden "
        "layer {}: it will leave such matrices at F16; train with model.width and model.hidden in "
        "multiples of {}",
        kBlock, model.width, model.hidden, kLargeBlock);
  }
  return "";
}

void run_export(const ExportFlags& options) {
  if (options.gguf.empty() && options.hf.empty())
    throw Error("nothing to export to; give --gguf FILE, --hf DIRECTORY, or both");
  const TrainedRun trained = read_run(options.run);
  const auto tokenizer = tokenizer_of(trained.checkpoint());
  const Source source(trained, *tokenizer, options.rounded);
  const fs::path& checkpoint = source.place();
  Json document{{"run", trained.record.name},
                {"note", note_on(trained.config.recipe, options.rounded)},
                {"rounded", options.rounded}};
  // The directory first: it refuses what is there, and a file of GGUF should not stand beside that.
  if (!options.hf.empty()) {
    hf::export_hf(checkpoint, *tokenizer, options.hf, model_card(trained, options.rounded));
    document["hf"] = {{"directory", options.hf}};
  }
  if (!options.gguf.empty()) {
    const size_t bytes = hf::export_gguf(checkpoint, *tokenizer, trained.record.name,
                                         kTypes.at(options.type), options.gguf);
    document["gguf"] = {{"file", options.gguf}, {"type", options.type}, {"bytes", bytes}};
    const std::string shape = note_on_shape(trained.config.model);
    if (!shape.empty()) say("note: {}", shape);
  }
  if (options.json) return print_json(document);
  if (!options.gguf.empty()) {
    fmt::print("{}: {} as {}\n", options.gguf,
               format_bytes(document["gguf"]["bytes"].get<double>()), options.type);
  }
  if (!options.hf.empty()) fmt::print("{}: model and tokenizer for transformers\n", options.hf);
  if (!document["note"].get<std::string>().empty())
    fmt::print("{}\n", document["note"].get<std::string>());
}

}  // namespace

void add_export(App& app) {
  auto options = std::make_shared<ExportFlags>();
  App* verb = add_verb(app, "export", "Export a finished run for llama.cpp or transformers",
                       "bitlaw export runs/0123456789abcdef --gguf model.gguf --type bf16");
  verb->add_option("run", options->run, "directory of the run")->required();
  verb->add_option("--gguf", options->gguf, "file to write, for llama.cpp");
  verb->add_option("--type", options->type, "type of the matrices in that file: f32, f16, bf16")
      ->one_of({"f32", "f16", "bf16"})
      ->default_str(options->type);
  verb->add_option("--hf", options->hf,
                   "new directory to write model and tokenizer to, for transformers");
  verb->add_flag("--rounded", options->rounded,
                 "weights as training rounded them, for programs that do not round");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_export(*options); });
}

}  // namespace bitlaw::cli
