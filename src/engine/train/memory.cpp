#include "train/memory.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "model/model.h"
#include "train/batch.h"
#include "train/repetition.h"

namespace bitlaw {
namespace {

// What no probe sees: start-up code, heap, stacks. Measured as 3 to 5 MB, with products of our own
// and with oneDNN's, on one thread and on two.
constexpr double kProcessBytes = 4.2e6;

// What of the program and its libraries the probes have brought into this process's memory.
double program_bytes() {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  std::ifstream maps("/proc/self/smaps");
  double sum = 0;
  bool counts = false;
  for (std::string line; std::getline(maps, line);) {
    long long kibibytes = 0;
    unsigned long begin = 0, end = 0;
    int path_at = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %*s %*s %*s %n", &begin, &end, &path_at) == 2) {
      const std::string path = path_at > 0 ? line.substr(static_cast<size_t>(path_at)) : "";
      counts = path == program || path.find(".so") != std::string::npos;
    } else if (counts && std::sscanf(line.c_str(), "Rss: %lld kB", &kibibytes) == 1) {
      sum += static_cast<double>(kibibytes) * 1024;
    }
  }
  return sum;
}

double as_bytes(int64_t elements, size_t element) {
  return static_cast<double>(elements) * static_cast<double>(element);
}

size_t heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Inside ops a backend lays out weights and takes scratch as it likes, so this is measured and not
// computed: on models of the same shape with one layer and with two, and one sequence through them.
struct Probe {
  double weights;    // bytes of prepared weights
  double workspace;  // bytes that the ops of one sequence took
};

Probe probe(ModelConfig config, const ResolvedConfig& resolved, int64_t layers) {
  config.layers = layers;
  Model model(config, resolved.recipe);
  Parameters parameters = model.make_parameters();
  Context context;
  context.gradient_dtype = gradient_dtype(resolved);
  Model(config, resolved.recipe)
      .prepare(context, parameters, true, nullptr, nullptr);  // a backend's first call
  const size_t before = heap_bytes() - context.workspace.bytes();
  model.prepare(context, parameters, true, nullptr, nullptr);
  const size_t after = heap_bytes() - context.workspace.bytes();

  Parameters gradients = model.make_parameters();
  const ActivationsPtr activations = make_activations(model, true, context.gradient_dtype);
  Tensor losses = Tensor::empty(DType::kF32, {config.sequence});
  const std::vector<Token> tokens(static_cast<size_t>(config.sequence));
  model.forward_backward(context, parameters, tokens, tokens, 1, *activations, losses, gradients);
  return {static_cast<double>(after - before), static_cast<double>(context.workspace.bytes())};
}

MemoryPlan measure(const ResolvedConfig& resolved, const DatasetInfo& data, int threads) {
  const ModelConfig& config = resolved.config.model;
  const Model model(config, resolved.recipe);
  const int64_t total = config.parameters_with_embeddings();
  const int64_t T = config.sequence;
  MemoryPlan plan;
  plan.parameters =
      static_cast<double>(allocated_bytes(static_cast<size_t>(total) * sizeof(float)));
  plan.moments = 2 * plan.parameters;
  plan.gradients = static_cast<double>(resolved.config.train.lanes) * plan.parameters;
  // With scales per batch, all sequences of a step are in memory at once.
  const int64_t at_once = resolved.recipe.has_batch_scales() ? resolved.batch_sequences : threads;
  plan.activations = static_cast<double>(at_once) *
                     static_cast<double>(
                         allocated_bytes(activations_bytes(model, true, gradient_dtype(resolved))));
  const size_t heap_before = heap_bytes();
  const Probe one = probe(config, resolved, 1);
  const Probe two = config.layers > 1 ? probe(config, resolved, 2) : one;
  plan.weights = one.weights + static_cast<double>(config.layers - 1) * (two.weights - one.weights);
  plan.workspace = threads * two.workspace;
  // What the backend has kept from the probes, it keeps in every thread.
  const auto kept = static_cast<double>(heap_bytes() - std::min(heap_before, heap_bytes()));
  plan.runtime = program_bytes() + kProcessBytes + threads * kept;
  const int64_t windows = resolved.config.train.validation_tokens / T;
  plan.data = as_bytes(data.train.tokens + data.validation.tokens, sizeof(Token)) +
              as_bytes(windows * (T + 1), sizeof(Token)) +
              as_bytes(windows * T, sizeof(int64_t) + sizeof(float)) +
              as_bytes(windows, sizeof(std::span<const Token>));
  return plan;
}

double parameter_bytes(const ModelConfig& model) {
  return static_cast<double>(model.parameters_with_embeddings()) * sizeof(float);
}

[[noreturn]] void refuse_model(const ResolvedConfig& resolved, double available_bytes) {
  const ModelConfig& model = resolved.config.model;
  const auto copies = static_cast<double>(3 + resolved.config.train.lanes);
  throw Error(fmt::format(
      "model.width = {}, model.layers = {}, model.hidden = {}: {} parameters with their moments "
      "and gradients (train.lanes = {}) take {}, and this machine has {}; use a smaller model",
      model.width, model.layers, model.hidden,
      format_count(static_cast<double>(model.parameters_with_embeddings())),
      resolved.config.train.lanes, format_bytes(copies * parameter_bytes(model)),
      format_bytes(available_bytes)));
}

// Models of one and two layers, with their gradients.
void require_probes_fit(const ResolvedConfig& resolved, double available_bytes) {
  ModelConfig probed = resolved.config.model;
  probed.layers = std::min<int64_t>(2, probed.layers);
  if (2 * parameter_bytes(probed) > available_bytes) refuse_model(resolved, available_bytes);
}

}  // namespace

void require_model_fits(const ResolvedConfig& resolved, double available_bytes) {
  const auto copies = static_cast<double>(3 + resolved.config.train.lanes);
  const double bytes = copies * parameter_bytes(resolved.config.model);
  if (bytes > available_bytes) refuse_model(resolved, available_bytes);
}

MemoryPlan plan_memory(const ResolvedConfig& resolved, const DatasetInfo& data, int threads) {
  require_probes_fit(resolved, machine_memory_bytes());
  // In a separate process: what the probes leave in the heap would raise the peak that they
  // foretell.
  int ends[2];
  if (::pipe(ends) != 0) return measure(resolved, data, threads);
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      const MemoryPlan plan = measure(resolved, data, threads);
      if (::write(ends[1], &plan, sizeof plan) == sizeof plan) status = 0;
    } catch (...) {  // the parent tries again and says why
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  MemoryPlan plan;
  const bool whole = child > 0 && ::read(ends[0], &plan, sizeof plan) == sizeof plan;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return whole ? plan : measure(resolved, data, threads);
}

void require_batch_fits(const ResolvedConfig& resolved, const MemoryPlan& plan,
                        double available_bytes) {
  if (!resolved.recipe.has_batch_scales() || plan.total_bytes() <= available_bytes) return;
  throw Error(fmt::format(
      "recipe: a scale per batch keeps the activations of all {} sequences of a step in memory; "
      "the run needs {} and this machine has {}; use a smaller train.batch_tokens, or one scale "
      "per sequence",
      resolved.batch_sequences, format_bytes(plan.total_bytes()), format_bytes(available_bytes)));
}

double machine_memory_bytes() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGESIZE));
}

RunPlan plan_run(const ResolvedConfig& resolved, const DatasetInfo& data, int threads,
                 double flops_per_second) {
  const ModelConfig& config = resolved.config.model;
  RunPlan plan{.name = resolved.name(),
               .recipe = resolved.recipe.name(),
               .steps = resolved.steps,
               .tokens = resolved.config.train.tokens,
               .parameters = config.parameters(),
               .parameters_with_embeddings = config.parameters_with_embeddings(),
               .peak_learning_rate = resolved.peak_rate};
  plan.epochs = epochs(resolved, data);
  for (std::string note : {repetition_note(resolved, data), few_steps_note(resolved),
                           cut_documents_note(resolved, data)}) {
    if (!note.empty()) plan.notes.push_back(std::move(note));
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
                {"recipe", plan.recipe},
                {"steps", plan.steps},
                {"tokens", plan.tokens},
                {"epochs", plan.epochs},
                {"notes", plan.notes},
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
