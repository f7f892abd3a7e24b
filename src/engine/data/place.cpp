#include "data/place.h"

#include <fmt/format.h>

#include <string_view>

#include "base/error.h"
#include "base/home.h"

namespace bitlaw {

namespace fs = std::filesystem;

namespace {

bool is_of_a_dataset(std::string_view file) {
  const bool shard =
      file.ends_with(".bin") && (file.starts_with("train_") || file.starts_with("val_"));
  return shard || file == "dataset.json" || file == "tokenizer.model";
}

// A data set is replaced as a whole directory, so a file of another kind would go with it.
void require_nothing_else(const fs::path& place) {
  for (const auto& entry : fs::directory_iterator(place)) {
    const std::string name = entry.path().filename().string();
    if (is_of_a_dataset(name)) continue;
    throw Error(fmt::format(
        "{}: holds {} beside the data set, which --overwrite would remove; move that away, or "
        "choose another directory",
        place.string(), name));
  }
}

}  // namespace

fs::path dataset_place(const std::string& to) {
  const fs::path place = expand_home(to);
  return place.has_filename() ? place : place.parent_path();
}

std::optional<DatasetInfo> dataset_there(
    const fs::path& place, bool overwrite,
    const std::function<std::string(const DatasetInfo&)>& difference) {
  std::error_code error;
  if (!fs::exists(place, error) || (fs::is_directory(place, error) && fs::is_empty(place, error)))
    return {};
  if (!fs::exists(place / "dataset.json", error)) {
    throw Error(fmt::format(
        "{}: contains something other than a data set; choose another directory", place.string()));
  }
  std::string different;
  try {
    DatasetInfo info = Dataset::open(place).info();
    different = difference(info);
    if (different.empty()) return info;
  } catch (const Error& trouble) {
    different = fmt::format("is damaged ({})", trouble.what());
  }
  if (overwrite) {
    require_nothing_else(place);
    return {};
  }
  throw Error(fmt::format(
      "{}: the data set there {}; choose another directory, or give --overwrite to replace it",
      place.string(), different));
}

}  // namespace bitlaw
