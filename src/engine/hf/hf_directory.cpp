#include "hf/hf_directory.h"

#include <fmt/format.h>

#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/output_file.h"
#include "base/temporary.h"
#include "hf/exportable.h"
#include "tokenizer/hf_export.h"

namespace bitlaw::hf {

namespace fs = std::filesystem;

void export_hf(const fs::path& checkpoint, const Tokenizer& tokenizer, const fs::path& directory) {
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
    for (const char* name : {"model.safetensors", "config.json"})
      write_file_atomically(temporary / name, MappedFile(checkpoint / name).bytes());
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
