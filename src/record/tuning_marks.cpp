#include "record/tuning_marks.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

void add_names_in(const fs::path& file, std::set<std::string>& names) {
  try {
    names.merge(parse_json(read_file(file), file.string()).at("runs").get<std::set<std::string>>());
  } catch (const Json::exception&) {
    throw Error(file.string() + ": is damaged; `bitlaw tune` writes it again once it is removed");
  }
}

}  // namespace

std::set<std::string> tuning_runs(const fs::path& runs) {
  std::set<std::string> names;
  std::error_code none;
  if (fs::exists(runs / kTuningFile, none)) add_names_in(runs / kTuningFile, names);
  for (const fs::directory_entry& entry : fs::directory_iterator(runs / kTuningFolder, none)) {
    // Half-written files have other names.
    if (entry.path().extension() == ".json") add_names_in(entry.path(), names);
  }
  return names;
}

void mark_as_tuning(const fs::path& runs, const std::vector<std::string>& names) {
  const std::set<std::string> known = tuning_runs(runs);
  std::set<std::string> added(names.begin(), names.end());
  std::erase_if(added, [&](const std::string& name) { return known.contains(name); });
  if (added.empty()) return;
  const std::string text = dump_json(Json{{"runs", added}}, 1) + "\n";
  fs::create_directories(runs / kTuningFolder);
  write_file_atomically(runs / kTuningFolder / (hash_hex(text) + ".json"), text);
}

}  // namespace bitlaw
