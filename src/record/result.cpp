#include "record/result.h"

#include "base/error.h"
#include "base/file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

ResultRecord result_from_json(const JsonFields& fields) {
  ResultRecord result;
  const std::string& status = fields.text("status");
  if (status == name_of(RunStatus::kDiverged)) {
    result.status = RunStatus::kDiverged;
  } else if (status != name_of(RunStatus::kFinished)) {
    fields.refuse("status", "finished or diverged");
  }
  json_struct::read(fields, "validation", result.validation);
  if (result.status == RunStatus::kFinished) fields.at("validation");
  if (fields.has("schema")) result.training = struct_from_json<TrainingResult>(fields);
  return result;
}

}  // namespace

const char* name_of(RunStatus status) {
  switch (status) {
    case RunStatus::kStarted:
      return "started";
    case RunStatus::kFinished:
      return "finished";
    case RunStatus::kDiverged:
      return "diverged";
    case RunStatus::kInterrupted:
      return "interrupted";
  }
  return "?";
}

Json result_to_json(const ResultRecord& result) {
  Json document = result.training ? struct_to_json(*result.training) : Json::object();
  document["status"] = name_of(result.status);
  document["validation"] = json_struct::value_of(result.validation);
  return document;
}

fs::path result_file(const fs::path& run) {
  return run / "result.json";
}

std::optional<ResultRecord> read_result(const fs::path& run) {
  const fs::path file = result_file(run);
  std::error_code none;
  if (!fs::exists(file, none)) return std::nullopt;
  return parse_result(read_file(file), file.string());
}

ResultRecord parse_result(const std::string& text, const std::string& where) {
  try {
    const Json document = parse_json(text, where);
    return result_from_json(JsonFields(document, where));
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; remove it and repeat the run");
  }
}

void write_result(const fs::path& run, const ResultRecord& result) {
  const fs::path file = result_file(run);
  const std::string text = dump_json(result_to_json(result), 1) + "\n";
  std::error_code none;
  if (fs::exists(file, none) && read_file(file) == text) return;
  write_file_atomically(file, text);
}

RunStatus run_status(const fs::path& run) {
  const std::optional<ResultRecord> result = read_result(run);
  return result ? result->status : RunStatus::kStarted;
}

}  // namespace bitlaw
