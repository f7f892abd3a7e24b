#include "train/speed.h"

#include <chrono>
#include <cstdint>
#include <span>

#include "base/random.h"
#include "train/memory.h"
#include "train/trainer.h"

namespace bitlaw {
namespace {

SequenceSource random_text(uint64_t vocabulary) {
  return [=](int64_t step, int64_t index, std::span<uint16_t> tokens) {
    for (size_t t = 0; t < tokens.size(); ++t) {
      const uint64_t place =
          (static_cast<uint64_t>(step) << 20 | static_cast<uint64_t>(index)) * tokens.size() + t;
      tokens[t] = static_cast<uint16_t>(random_below(1, 0, place, vocabulary));
    }
  };
}

}  // namespace

double measure_speed(const ResolvedConfig& resolved, int threads, double seconds) {
  require_model_fits(resolved, machine_memory_bytes());
  const TrainConfig& config = resolved.config;
  Trainer trainer({.model = config.model,
                   .recipe = resolved.recipe,
                   .optimizer = config.optimizer,
                   .batch_sequences = resolved.batch_sequences,
                   .lanes = config.train.lanes,
                   .gradient_dtype = gradient_dtype(resolved),
                   .seed = static_cast<uint64_t>(config.train.seed),
                   .threads = threads});
  const SequenceSource source = random_text(static_cast<uint64_t>(config.model.vocabulary));
  using Clock = std::chrono::steady_clock;
  trainer.step(source, 1e-3);  // builds primitives and touches all memory
  const Clock::time_point start = Clock::now();
  int64_t steps = 0;
  double elapsed = 0;
  while (elapsed < seconds || steps < 2) {
    trainer.step(source, 1e-3);
    ++steps;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(steps * config.train.batch_tokens) / elapsed;
}

}  // namespace bitlaw
