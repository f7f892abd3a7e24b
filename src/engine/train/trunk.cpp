#include "train/trunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "record/beside_runs.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStep = "step-";

// Where a run writes what it leaves, until that is whole.
fs::path half_left(const fs::path& trunk, const std::string& run) {
  return trunk / (".tmp-" + run);
}

}  // namespace

std::string trunk_name(const ResolvedConfig& resolved) {
  const ScheduleConfig& schedule = resolved.config.schedule;
  // A warm-up in shares of the run is another one for every length.
  if (schedule.kind != "wsd" || (schedule.warmup_steps == 0 && schedule.warmup > 0)) return "";
  Json document = resolved.document();
  for (const char* key : {"tokens", "validation_tokens"}) document["train"].erase(key);
  document.erase("version");  // says what is validated
  for (const char* key : {"decay", "decay_shape", "final"}) document["schedule"].erase(key);
  // What the rate came to: it may depend on the tokens.
  document["peak_rate"] = resolved.peak_rate;
  return hash_hex(dump_json(document)).substr(0, 16);
}

int64_t trunk_steps(const ResolvedConfig& resolved) {
  const int64_t at_end =
      std::max(decay_steps(resolved.config.schedule, resolved.steps), tail_steps(resolved.steps));
  return std::max<int64_t>(0, resolved.steps - at_end);
}

fs::path trunk_place(const fs::path& runs, const std::string& trunk, int64_t step) {
  return runs / kTrunksFolder / trunk / fmt::format("{}{}", kStep, step);
}

std::optional<int64_t> furthest_trunk_step(const fs::path& runs, const std::string& trunk,
                                           int64_t last) {
  std::optional<int64_t> furthest;
  std::error_code none;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(runs / kTrunksFolder / trunk, none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kStep)) continue;
    const auto step = parse_whole(name.substr(std::string(kStep).size()));
    if (step && *step <= last && (!furthest || *step > *furthest)) furthest = *step;
  }
  return furthest;
}

void remove_half_left(const fs::path& runs, const std::string& trunk, const std::string& run) {
  std::error_code none;
  fs::remove_all(half_left(runs / kTrunksFolder / trunk, run), none);
}

void leave_in_trunk(const fs::path& place, const std::string& run,
                    const std::function<void(const fs::path&)>& write) {
  std::error_code error;
  if (fs::exists(place, error)) return;
  const fs::path temporary = half_left(place.parent_path(), run);
  fs::remove_all(temporary, error);
  make_directories(temporary);
  try {
    write(temporary);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  fs::rename(temporary, place, error);
  if (!error) return;
  std::error_code none;
  fs::remove_all(temporary, none);
  if (fs::exists(place, none)) return;
  throw Error(fmt::format("{}: cannot be renamed into place: {}", place.string(), error.message()));
}

}  // namespace bitlaw
