#include "data/place.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw {

namespace fs = std::filesystem;

fs::path dataset_place(const std::string& to) {
  return fs::path(to).has_filename() ? fs::path(to) : fs::path(to).parent_path();
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
  if (overwrite) return {};
  throw Error(fmt::format(
      "{}: the data set there {}; choose another directory, or give --overwrite to replace it",
      place.string(), different));
}

}  // namespace bitlaw
