#include "record/kept_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "record/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "tokens-";

std::optional<int64_t> tokens_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string digits = name.substr(std::string(kPrefix).size());
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const auto tokens = parse_number(digits);
  return tokens && *tokens < 1e18 ? std::optional(static_cast<int64_t>(*tokens)) : std::nullopt;
}

// A record of the training loss: the mean over the steps since the one before.
struct LossLine {
  int64_t step = 0, tokens = 0, steps = 0;
  double loss_nats = kNoNumber;
};

// What metrics.jsonl says.
struct Metrics {
  std::vector<LossLine> losses;
  std::map<int64_t, std::optional<Validation>> kept;  // by tokens
};

std::optional<Validation> validation_in(const Json& line) {
  try {
    return struct_from_json<Validation>(JsonFields(line.at("validation"), "metrics.jsonl"));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// Lines that are torn, or of something else, are passed over.
Metrics read_metrics(const std::string& lines) {
  Metrics out;
  int64_t last_step = 0;
  for (const std::string& text : split(lines, '\n')) {
    const Json line = try_parse_json(text).value_or(Json());
    if (!line.is_object() || !line.contains("step") || !line.contains("tokens") ||
        !line["step"].is_number_integer() || !line["tokens"].is_number_integer())
      continue;
    const auto step = line["step"].get<int64_t>(), tokens = line["tokens"].get<int64_t>();
    if (line.contains("checkpoint")) out.kept[tokens] = validation_in(line);
    if (!line.contains("loss_nats") || !line["loss_nats"].is_number()) continue;
    out.losses.push_back({step, tokens, step - last_step, line["loss_nats"].get<double>()});
    last_step = step;
  }
  return out;
}

// The mean over the last kTailShare of the steps before `tokens`, or over the last line if it
// covers more.
double train_loss_at(const std::vector<LossLine>& lines, int64_t tokens) {
  double sum = 0;
  int64_t steps = 0, wanted = 1;
  for (auto line = lines.rbegin(); line != lines.rend() && steps < wanted; ++line) {
    if (line->tokens > tokens || line->steps < 1) continue;
    if (steps == 0) wanted = std::llround(kTailShare * static_cast<double>(line->step));
    sum += line->loss_nats * static_cast<double>(line->steps);
    steps += line->steps;
  }
  return steps == 0 ? kNoNumber : sum / static_cast<double>(steps);
}

}  // namespace

fs::path kept_checkpoint(const fs::path& run, int64_t tokens) {
  return run / "checkpoints" / fmt::format("{}{}", kPrefix, tokens);
}

std::vector<KeptModel> kept_models(const fs::path& run) {
  std::map<int64_t, KeptModel> models;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "checkpoints", none)) {
    if (const auto tokens = tokens_of(entry.path().filename().string()))
      models[*tokens] = {.tokens = *tokens, .validation = {}, .is_there = true};
  }
  const fs::path file = run / "metrics.jsonl";
  const std::string lines = fs::exists(file, none) ? read_file(file) : "";
  if (models.empty() && lines.find("\"checkpoint\"") == std::string::npos) return {};
  const Metrics metrics = read_metrics(lines);
  for (const auto& [tokens, validation] : metrics.kept) {
    models[tokens].tokens = tokens;
    models[tokens].validation = validation;
  }
  std::vector<KeptModel> out;
  for (auto& [tokens, model] : models) {
    model.train_loss_nats = train_loss_at(metrics.losses, tokens);
    out.push_back(model);
  }
  return out;
}

int64_t remove_kept_model(const fs::path& run, int64_t tokens) {
  const fs::path place = kept_checkpoint(run, tokens);
  std::error_code error;
  int64_t bytes = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(place, error))
    bytes += static_cast<int64_t>(file.file_size(error));
  error.clear();
  fs::remove_all(place, error);
  if (error) throw Error(fmt::format("{}: cannot be removed: {}", place.string(), error.message()));
  return bytes;
}

std::optional<KeptPlace> kept_place(const fs::path& directory) {
  const fs::path model = fs::weakly_canonical(directory);
  const auto tokens = tokens_of(model.filename().string());
  const fs::path run = model.parent_path().parent_path();
  if (!tokens || model.parent_path().filename() != "checkpoints" || !is_run(run))
    return std::nullopt;
  return KeptPlace{run, *tokens};
}

}  // namespace bitlaw
