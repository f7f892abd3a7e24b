#include "record/tuning_marks.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace bitlaw {

std::set<std::string> tuning_runs(const std::filesystem::path& runs) {
  const std::filesystem::path file = runs / kTuningFile;
  std::error_code none;
  if (!std::filesystem::exists(file, none)) return {};
  try {
    return parse_json(read_file(file), file.string()).at("runs").get<std::set<std::string>>();
  } catch (const Json::exception&) {
    throw Error(file.string() + ": is damaged; `bitlaw tune` writes it again once it is removed");
  }
}

void mark_as_tuning(const std::filesystem::path& runs, const std::vector<std::string>& names) {
  std::set<std::string> all = tuning_runs(runs);
  const size_t before = all.size();
  all.insert(names.begin(), names.end());
  if (all.size() == before) return;
  write_file_atomically(runs / kTuningFile, dump_json(Json{{"runs", all}}, 1) + "\n");
}

}  // namespace bitlaw
