#include "train/memory.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "base/file.h"
#include "data/loader.h"
#include "model/model.h"

namespace bitlaw {
namespace {

double as_bytes(int64_t elements, size_t element) { return static_cast<double>(elements) * static_cast<double>(element); }

}  // namespace

MemoryPlan plan_memory(const ResolvedConfig& resolved, const DatasetInfo& data, int threads) {
  const ModelConfig& config = resolved.config.model;
  const Model model(config, resolved.recipe);
  const int64_t total = config.parameters_with_embeddings();
  const int64_t T = config.sequence;
  MemoryPlan plan;
  plan.parameters = as_bytes(total, sizeof(float));
  plan.moments = 2 * plan.parameters;
  plan.gradients = static_cast<double>(resolved.config.train.lanes) * plan.parameters;
  plan.activations = static_cast<double>(threads) * static_cast<double>(activations_bytes(model, true));
  const int64_t windows = resolved.config.train.validation_tokens / T;
  plan.data = as_bytes(data.train.tokens + data.validation.tokens, sizeof(Token)) +
              as_bytes(windows * (T + 1), sizeof(Token)) +
              as_bytes(windows * T, sizeof(int64_t) + sizeof(float)) +
              as_bytes(windows, sizeof(std::span<const Token>));
  return plan;
}

RunPlan plan_run(const ResolvedConfig& resolved, const DatasetInfo& data, int threads,
                 double flops_per_second) {
  const ModelConfig& config = resolved.config.model;
  RunPlan plan{.name = resolved.name(),
               .steps = resolved.steps,
               .tokens = resolved.config.train.tokens,
               .parameters = config.parameters(),
               .parameters_with_embeddings = config.parameters_with_embeddings(),
               .peak_learning_rate = resolved.peak_rate};
  const int64_t windows = window_count(data.train.tokens, static_cast<int>(config.sequence));
  if (windows > 0) {
    plan.epochs = static_cast<double>(resolved.steps * resolved.batch_sequences) / static_cast<double>(windows);
  }
  plan.flops_per_token = config.training_flops_per_token();
  plan.flops = plan.flops_per_token * static_cast<double>(plan.tokens);
  plan.seconds = flops_per_second > 0 ? plan.flops / flops_per_second : 0;
  plan.memory = plan_memory(resolved, data, threads);
  return plan;
}

Json to_json(const RunPlan& plan) {
  const MemoryPlan& memory = plan.memory;
  Json document{{"name", plan.name},
                {"steps", plan.steps},
                {"tokens", plan.tokens},
                {"epochs", plan.epochs},
                {"parameters", plan.parameters},
                {"parameters_with_embeddings", plan.parameters_with_embeddings},
                {"peak_learning_rate", plan.peak_learning_rate},
                {"flops_per_token", plan.flops_per_token},
                {"flops", plan.flops},
                {"seconds", nullptr},
                {"predicted_memory_bytes", memory.total_bytes()},
                {"memory_bytes",
                 {{"parameters", memory.parameters},
                  {"moments", memory.moments},
                  {"gradients", memory.gradients},
                  {"weights", memory.weights},
                  {"activations", memory.activations},
                  {"workspace", memory.workspace},
                  {"data", memory.data},
                  {"runtime", memory.runtime}}}};
  if (plan.seconds > 0) document["seconds"] = plan.seconds;
  return document;
}

int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    long long kibibytes = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %lld kB", &kibibytes) == 1) return kibibytes * 1024;
  }
  throw Error("/proc/self/status: has no VmHWM; bitlaw measures its memory on Linux only");
}

void reset_peak_memory() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5";  // proc(5): resets the peak resident set size
}

}  // namespace bitlaw
