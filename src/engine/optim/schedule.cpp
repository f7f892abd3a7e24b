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
  if (warmup_steps < 0) {
    throw Error(
        fmt::format("schedule.warmup_steps = {}: expected a number of steps, or 0 for the "
                    "share schedule.warmup",
                    warmup_steps));
  }
  if (warmup_steps > 0) out.warmup = 0;
  if (decay_shape != "linear" && decay_shape != "1-sqrt") {
    throw Error(fmt::format("schedule.decay_shape: {}",
                            unknown_name("shape", decay_shape, {"linear", "1-sqrt"})));
  }
  if (kind == "wsd") {
    check_share("decay", decay, true);
    if (out.warmup + decay > 1) {
      throw Error(fmt::format("schedule.warmup + schedule.decay = {}: expected at most 1",
                              out.warmup + decay));
    }
  } else {
    out.decay = 0;
    out.decay_shape = "linear";
  }
  return out;
}

int64_t warmup_steps(const ScheduleConfig& config, int64_t steps) {
  if (config.warmup_steps > 0) return config.warmup_steps;
  return std::llround(config.warmup * static_cast<double>(steps));
}

int64_t decay_steps(const ScheduleConfig& config, int64_t steps) {
  if (config.kind != "wsd") return 0;
  const int64_t rounded = std::llround(config.decay * static_cast<double>(steps));
  return std::min(rounded, steps - std::min(steps, warmup_steps(config, steps)));
}

void check_length(const ScheduleConfig& config, int64_t steps) {
  const int64_t decay =
      config.kind == "wsd" ? std::llround(config.decay * static_cast<double>(steps)) : int64_t{1};
  if (config.warmup_steps == 0 || config.warmup_steps + decay <= steps) return;
  throw Error(fmt::format(
      "schedule.warmup_steps = {}: the run has only {} steps{}; shorten the warm-up or train "
      "longer",
      config.warmup_steps, steps,
      config.kind == "wsd" ? fmt::format(", and {} of them are its decay", decay) : ""));
}

double schedule_share(const ScheduleConfig& config, int64_t step, int64_t steps) {
  BITLAW_CHECK(0 <= step && step < steps);
  const int64_t warmup = warmup_steps(config, steps);
  const double f = config.final;
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (config.kind == "wsd") {
    const int64_t decay = decay_steps(config, steps);
    const int64_t into = step - (steps - decay);
    if (into < 0) return 1;
    if (config.decay_shape == "linear")
      return 1 - (1 - f) * static_cast<double>(into) / static_cast<double>(decay);
    return 1 - (1 - f) * std::sqrt(static_cast<double>(into) / static_cast<double>(decay));
  }
  const double p = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
  if (config.kind == "linear") return 1 - (1 - f) * p;
  return f + (1 - f) * (1 + std::cos(std::numbers::pi * p)) / 2;
}

}  // namespace bitlaw
