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
constexpr const char* kMetricsName = "metrics.jsonl";

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
  std::vector<std::string> damaged;                   // numbers of lines, from 1
};

std::optional<Validation> validation_in(const Json& line) {
  try {
    return struct_from_json<Validation>(JsonFields(line.at("validation"), "metrics.jsonl"));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// `gap`: a line since the last loss is damaged. Records of the loss are at equal distances.
LossLine loss_line(const Json& line, const LossLine& last, bool gap) {
  LossLine out{line["step"].get<int64_t>(), line["tokens"].get<int64_t>(), 0,
               line["loss_nats"].get<double>()};
  out.steps = out.step - last.step;
  if (gap && last.steps > 0) out.steps = std::min(out.steps, last.steps);
  return out;
}

// A number of steps or tokens; empty if the value is none.
std::optional<int64_t> count_in(const Json& line, const char* key) {
  constexpr int64_t kMost = int64_t{1} << 53;
  if (!line.contains(key) || !line[key].is_number_integer()) return std::nullopt;
  const auto count = line[key].get<int64_t>();
  return count >= 0 && count <= kMost ? std::optional(count) : std::nullopt;
}

// False if the line is damaged.
bool read_line(const std::string& text, bool& gap, Metrics& out) {
  const Json line = try_parse_json(text).value_or(Json());
  const auto step = count_in(line, "step"), seen = count_in(line, "tokens");
  if (!step || !seen) return false;
  const int64_t tokens = *seen;
  const bool kept = line.contains("checkpoint");
  if (kept) out.kept[tokens] = validation_in(line);
  if (line.contains("loss_nats") && line["loss_nats"].is_number()) {
    out.losses.push_back(loss_line(line, out.losses.empty() ? LossLine{} : out.losses.back(), gap));
    gap = false;
  }
  return !kept || out.kept[tokens].has_value();
}

// The last line has no end if the run was killed while it wrote, or writes it now.
Metrics read_metrics(const std::string& lines, bool has_ended) {
  Metrics out;
  const std::vector<std::string> all = split(lines, '\n');
  bool gap = false;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool torn = i + 1 == all.size() && !lines.ends_with('\n') && !has_ended;
    if (all[i].empty() || read_line(all[i], gap, out) || torn) continue;
    out.damaged.push_back(fmt::format("{}", i + 1));
    gap = true;
  }
  return out;
}

// "7", "7 and 9", "7, 9, 11 and 4 more".
std::string listed(std::vector<std::string> items) {
  constexpr size_t kShown = 3;
  if (items.size() > kShown + 1) {
    const size_t more = items.size() - kShown;
    items.resize(kShown);
    items.push_back(fmt::format("{} more", more));
  }
  const std::string last = items.back();
  items.pop_back();
  return items.empty() ? last : fmt::format("{} and {}", fmt::join(items, ", "), last);
}

// What of the file cannot be read, and what is not known for that; "" if nothing is.
std::string problem_of(const fs::path& file, const Metrics& metrics,
                       const std::vector<KeptModel>& models, bool has_ended) {
  std::vector<std::string> unknown;
  for (const KeptModel& model : models) {
    if (!model.validation) unknown.push_back(fmt::format("{}", model.tokens));
  }
  const bool several = unknown.size() > 1;
  const std::string of_models = unknown.empty() ? ""
                                                : fmt::format("the model{} kept at {} tokens",
                                                              several ? "s" : "", listed(unknown));
  constexpr const char* kAdvice =
      "restore the file from a copy, or train the run again in another --directory, which gives "
      "the same numbers";
  if (!metrics.damaged.empty()) {
    const bool lines = metrics.damaged.size() > 1;
    return fmt::format("{}: line{} {} {} damaged{}; {}", file.string(), lines ? "s" : "",
                       listed(metrics.damaged), lines ? "are" : "is",
                       unknown.empty()
                           ? ""
                           : fmt::format(", and the loss{} of {} {} not known", several ? "es" : "",
                                         of_models, several ? "are" : "is"),
                       kAdvice);
  }
  if (unknown.empty() || !has_ended) return "";
  return fmt::format("{}: has no validation of {}, so {} not known; {}", file.string(), of_models,
                     several ? "their losses are" : "its loss is", kAdvice);
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

std::vector<KeptModel> kept_models(const fs::path& run, std::vector<std::string>* problems) {
  std::map<int64_t, KeptModel> models;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "checkpoints", none)) {
    if (const auto tokens = tokens_of(entry.path().filename().string()))
      models[*tokens] = {.tokens = *tokens, .validation = {}, .is_there = true};
  }
  const fs::path file = run / kMetricsName;
  const std::string lines = fs::exists(file, none) ? read_file(file) : "";
  if (models.empty() && lines.find("\"checkpoint\"") == std::string::npos) return {};
  const bool has_ended = fs::exists(result_file(run), none);
  const Metrics metrics = read_metrics(lines, has_ended);
  for (const auto& [tokens, validation] : metrics.kept) {
    models[tokens].tokens = tokens;
    models[tokens].validation = validation;
  }
  std::vector<KeptModel> out;
  for (auto& [tokens, model] : models) {
    model.train_loss_nats = train_loss_at(metrics.losses, tokens);
    out.push_back(model);
  }
  const std::string problem = problem_of(file, metrics, out, has_ended);
  if (problems != nullptr && !problem.empty()) problems->push_back(problem);
  return out;
}

std::vector<LossAt> training_losses(const fs::path& run) {
  std::vector<LossAt> out;
  const fs::path file = run / kMetricsName;
  std::error_code none;
  if (!fs::exists(file, none)) return out;
  double before = 0;
  for (const LossLine& line : read_metrics(read_file(file), false).losses) {
    const auto tokens = static_cast<double>(line.tokens);
    if (tokens > before && line.loss_nats > 0)
      out.push_back({0.5 * (before + tokens), line.loss_nats});
    before = tokens;
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
