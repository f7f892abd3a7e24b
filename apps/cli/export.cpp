// bitlaw export: a finished run for llama.cpp (GGUF) and for transformers (a directory).

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/verb.h"
#include "formats/recipe.h"
#include "hf/gguf_llama.h"
#include "hf/hf_directory.h"
#include "tokenizer/tokenizer.h"
#include "train/run.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

struct ExportFlags {
  std::string run, gguf, hf, type = "f32";
  bool json = false;
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
std::string note_on(const RecipeConfig& config) {
  const Recipe recipe = make_recipe(config);
  if (recipe == Recipe{}) return "";
  return fmt::format(
      "trained as {}: the export contains the unrounded weights, and other programs run them "
      "without that rounding",
      recipe.name());
}

void run_export(const ExportFlags& options) {
  if (options.gguf.empty() && options.hf.empty())
    throw Error("nothing to export to; give --gguf FILE, --hf DIRECTORY, or both");
  const TrainedRun trained = read_run(options.run);
  const fs::path checkpoint = trained.checkpoint();
  const auto tokenizer = tokenizer_of(checkpoint);
  Json document{{"run", trained.record.name}, {"note", note_on(trained.config.recipe)}};
  // The directory first: it refuses what is there, and a file of GGUF should not stand beside that.
  if (!options.hf.empty()) {
    hf::export_hf(checkpoint, *tokenizer, options.hf);
    document["hf"] = {{"directory", options.hf}};
  }
  if (!options.gguf.empty()) {
    const size_t bytes = hf::export_gguf(checkpoint, *tokenizer, trained.record.name,
                                         kTypes.at(options.type), options.gguf);
    document["gguf"] = {{"file", options.gguf}, {"type", options.type}, {"bytes", bytes}};
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
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_export(*options); });
}

}  // namespace bitlaw::cli
