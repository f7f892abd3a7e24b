#include "optim/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/names.h"

namespace bitlaw {
namespace {

void check_share(const char* key, double value, bool one_allowed) {
  if (value >= 0 && (value < 1 || (one_allowed && value == 1))) return;
  throw Error(fmt::format("schedule.{} = {}: expected a share, 0 <= {} {} 1", key, value, key,
                          one_allowed ? "<=" : "<"));
}

}  // namespace

ScheduleConfig ScheduleConfig::resolved() const {
  ScheduleConfig out = *this;
  if (kind != "cosine" && kind != "wsd" && kind != "linear") {
    throw Error(fmt::format("schedule.kind: {}",
                            unknown_name("schedule", kind, {"cosine", "wsd", "linear"})));
  }
  check_share("warmup", warmup, false);
  check_share("final", final, true);
  if (kind == "wsd") {
    check_share("decay", decay, true);
    if (warmup + decay > 1) {
      throw Error(
          fmt::format("schedule.warmup + schedule.decay = {}: expected at most 1", warmup + decay));
    }
  } else {
    out.decay = 0;
  }
  return out;
}

int64_t warmup_steps(const ScheduleConfig& config, int64_t steps) {
  return std::llround(config.warmup * static_cast<double>(steps));
}

double schedule_share(const ScheduleConfig& config, int64_t step, int64_t steps) {
  BITLAW_CHECK(0 <= step && step < steps);
  const int64_t warmup = warmup_steps(config, steps);
  const double f = config.final;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (config.kind == "wsd") {
    const int64_t decay = std::min(std::llround(config.decay * static_cast<double>(steps)),
                                   static_cast<long long>(steps - warmup));
    const int64_t into = step - (steps - decay);
    return into < 0 ? 1 : 1 - (1 - f) * static_cast<double>(into) / static_cast<double>(decay);
  }
  const double p = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
  if (config.kind == "linear") return 1 - (1 - f) * p;
  return f + (1 - f) * (1 + std::cos(std::numbers::pi * p)) / 2;
}

}  // namespace bitlaw
