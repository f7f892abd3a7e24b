#include "record/result.h"

#include <fmt/format.h>

#include "base/checksum.h"
#include "base/error.h"
#include "base/file.h"
#include "record/run.h"
#include "record/schema.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Of what is not known, nothing is required.
void require_possible(const Validation& validation, const JsonFields& fields) {
  if (validation.loss_nats < 0) fields.refuse("loss_nats", "a loss");
  if (validation.standard_error < 0) fields.refuse("standard_error", "a standard error");
  if (validation.bits_per_byte < 0) fields.refuse("bits_per_byte", "a number of bits");
  if (validation.tokens < 0) fields.refuse("tokens", "a number of tokens");
  if (validation.clusters < 0 || validation.clusters > validation.tokens)
    fields.refuse("clusters", "at most one for each token");
}

void require_possible(const TrainingResult& training, const JsonFields& fields) {
  if (training.train_loss_nats < 0) fields.refuse("train_loss_nats", "a loss");
  if (training.tokens < 0) fields.refuse("tokens", "a number of tokens");
  if (training.steps < 0 || (training.steps > 0 && training.tokens % training.steps != 0))
    fields.refuse("steps", "a number of steps with equal shares of the tokens");
  if (!(training.seconds >= 0)) fields.refuse("seconds", "a time");
  if (training.diverged_at_step && *training.diverged_at_step != training.steps)
    fields.refuse("diverged_at_step", "the last step");
}

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
  if (result.validation) require_possible(*result.validation, fields.object("validation"));
  if (result.training) require_possible(*result.training, fields);
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
    require_known_schema(document, where);
    require_checksum(document, where);
    return result_from_json(JsonFields(document, where));
  } catch (const LaterVersion&) {
    throw;
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; remove it and repeat the run");
  }
}

void require_result_of(const RunRecord& record, const ResultRecord& result, const fs::path& run) {
  const std::optional<int64_t> tokens = record.settings().train.tokens;
  if (result.status != RunStatus::kFinished || !result.training || !tokens) return;
  if (result.training->tokens == *tokens) return;
  throw Error(
      fmt::format("{}: finished after {} tokens, but the run has {}; remove it and repeat the run",
                  result_file(run).string(), result.training->tokens, *tokens));
}

void write_result(const fs::path& run, const ResultRecord& result) {
  const fs::path file = result_file(run);
  const std::string text = dump_json(with_checksum(result_to_json(result)), 1) + "\n";
  std::error_code none;
  if (fs::exists(file, none) && read_file(file) == text) return;
  write_file_atomically(file, text);
}

RunStatus run_status(const fs::path& run) {
  const std::optional<ResultRecord> result = read_result(run);
  return result ? result->status : RunStatus::kStarted;
}

}  // namespace bitlaw
