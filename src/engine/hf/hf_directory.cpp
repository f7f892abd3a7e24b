#include "hf/hf_directory.h"

#include <fmt/format.h>

#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/output_file.h"
#include "base/temporary.h"
#include "hf/exportable.h"
#include "tokenizer/hf_export.h"

namespace bitlaw::hf {

namespace fs = std::filesystem;

namespace {

constexpr const char* kTokenKeys[] = {"bos_token_id", "eos_token_id", "pad_token_id"};

// That of the checkpoint, with the token that ends a document in all its uses, as the tokenizer's
// files name it.
std::string config_json(const fs::path& checkpoint, int end) {
  const fs::path file = checkpoint / "config.json";
  Json config = parse_json(read_file(file), file.string());
  for (const char* key : kTokenKeys) config[key] = end;
  return dump_json(config, 1) + "\n";
}

std::string generation_config_json(int end) {
  Json config = Json::object();
  for (const char* key : kTokenKeys) config[key] = end;
  return dump_json(config, 2) + "\n";
}

}  // namespace

void export_hf(const fs::path& checkpoint, const Tokenizer& tokenizer, const fs::path& directory,
               const std::string& card) {
  const ModelConfig config = load_exportable(checkpoint, tokenizer).config;
  const std::string tokenizer_json = hf_tokenizer_json(tokenizer);
  const std::string tokenizer_config = hf_tokenizer_config(tokenizer, config.sequence);
  std::error_code error;
  if (fs::exists(directory, error) && !fs::is_empty(directory, error)) {
    throw Error(
        fmt::format("{}: exists and is not empty; choose a new directory", directory.string()));
  }
  // Written to a temporary directory and renamed into place.
  const fs::path whole =
      follow_links(directory.has_filename() ? directory : directory.parent_path());
  const fs::path temporary = temporary_beside(whole);
  try {
    const int end = tokenizer.end_of_document();
    write_file_atomically(temporary / "model.safetensors",
                          MappedFile(checkpoint / "model.safetensors").bytes());
    write_file_atomically(temporary / "config.json", config_json(checkpoint, end));
    write_file_atomically(temporary / "generation_config.json", generation_config_json(end));
    if (!card.empty()) write_file_atomically(temporary / "README.md", card);
    write_file_atomically(temporary / "tokenizer.json", tokenizer_json);
    write_file_atomically(temporary / "tokenizer_config.json", tokenizer_config);
    if (tokenizer.kind() == "bpe") tokenizer.save(temporary / "tokenizer.model");
    fs::rename(temporary, whole);
  } catch (const fs::filesystem_error& failure) {
    fs::remove_all(temporary, error);
    throw Error(fmt::format("{}: cannot be renamed into place: {}", directory.string(),
                            failure.code().message()));
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
}

}  // namespace bitlaw::hf
