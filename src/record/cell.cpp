#include "record/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checksum.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/temporary.h"
#include "formats/recipe.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNext = "; remove it to compute this cell again";

// Only the request.
CellKey request_of(CellKey key) {
  if (key.calibration) key.calibration->hash.clear();
  key.evaluation.hash.clear();
  key.checkpoint.clear();
  key.architecture.clear();
  key.recipe.clear();
  return key;
}

// What shares a scale, in every name of the key.
void rename_scales(CellKey& key, std::string (*renamed)(const std::string&)) {
  if (key.activations) key.activations = renamed(*key.activations);
  if (key.kv) key.kv = renamed(*key.kv);
  key.recipe = renamed(key.recipe);
}

}  // namespace

// Spelled as up to version 0.2 (formats/recipe.h), so that a cell keeps its file.
std::string CellKey::file_name() const {
  CellKey hashed = *this;
  rename_scales(hashed, with_old_names);
  return hash_hex(dump_json(struct_to_json(hashed))).substr(0, 16) + ".json";
}

bool CellKey::asks_as(const CellKey& other) const {
  return struct_to_json(request_of(*this)) == struct_to_json(request_of(other));
}

fs::path cell_directory(const fs::path& run) {
  return run / "ptq";
}

fs::path cell_file(const fs::path& run, const CellKey& key) {
  return cell_directory(run) / key.file_name();
}

fs::path cells_lock(const fs::path& run) {
  return run / "ptq.lock";
}

std::vector<fs::path> cell_files(const fs::path& run) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(cell_directory(run), none)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

CellRecord read_cell(const fs::path& file) {
  const CellRecord cell = parse_cell(read_file(file), file.string());
  if (file.filename() == cell.key.file_name()) return cell;
  throw Error(fmt::format("{}: is the cell {}, by what it was asked for{}", file.string(),
                          cell.key.file_name(), kNext));
}

CellRecord parse_cell(const std::string& text, const std::string& where) {
  int64_t version = 0;
  try {
    const Json document = parse_json(text, where);
    const JsonFields fields(document, where);
    version = fields.whole("version");
    if (version == kCellVersion) {
      require_checksum(document, where);
      auto cell = struct_from_json<CellRecord>(fields);
      rename_scales(cell.key, without_old_names);
      return cell;
    }
  } catch (const Error& error) {
    throw Error(error.what() + std::string(kNext));
  }
  throw CellOfAnotherVersion(fmt::format("{}: measured by {} version of bitlaw{}", where,
                                         version < kCellVersion ? "an older" : "a newer", kNext));
}

void write_cell(const fs::path& file, const CellRecord& cell) {
  remove_old_temporaries(file.parent_path(), Owner::kBitlaw);
  write_file_atomically(file, dump_json(with_checksum(struct_to_json(cell)), 1) + "\n");
}

}  // namespace bitlaw
