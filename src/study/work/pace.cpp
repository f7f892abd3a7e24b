#include "work/pace.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// The last bytes of a file, which may begin within a line.
std::string tail_of(const fs::path& file) {
  constexpr std::streamoff kBytes = 2048;
  std::ifstream in(file, std::ios::binary);
  if (!in) return "";
  in.seekg(0, std::ios::end);
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kBytes));
  std::string text(static_cast<size_t>(std::min(size, kBytes)), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

}  // namespace

std::optional<Pace> pace_of(const Job& job, const fs::path& runs) {
  if (job.kind != JobKind::kTrain) return std::nullopt;
  std::vector<Json> steps;  // the last lines that are steps
  for (const std::string& line : split(tail_of(runs / job.run / "metrics.jsonl"), '\n')) {
    const std::optional<Json> document = try_parse_json(line);
    if (document && document->is_object() && document->contains("loss_nats") &&
        document->contains("tokens") && document->contains("seconds"))
      steps.push_back(*document);
  }
  if (steps.empty()) return std::nullopt;
  const auto number = [](const Json& step, const char* key) {
    return step.at(key).is_number() ? step.at(key).get<double>() : 0;
  };
  const double tokens = number(steps.back(), "tokens");
  Pace pace{.share = std::clamp((tokens - static_cast<double>(job.trunk_tokens)) /
                                    static_cast<double>(job.tokens - job.trunk_tokens),
                                0.0, 1.0),
            .loss_nats = number(steps.back(), "loss_nats")};
  const double seconds = number(steps.back(), "seconds") - number(steps.front(), "seconds");
  if (seconds > 0) pace.tokens_per_second = (tokens - number(steps.front(), "tokens")) / seconds;
  return pace;
}

}  // namespace bitlaw
