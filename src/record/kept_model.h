// Models kept along a run: RUN/checkpoints/tokens-N is the model as it was after N tokens. A line
// of metrics.jsonl has its validation, which stays when the model is removed; the cells of its
// quantization are files of the run (record/cell.h) and stay, too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "record/result.h"

namespace bitlaw {

struct KeptModel {
  // Tokens that it had seen.
  int64_t tokens = 0;
  // Mean over the last kTailShare of the steps before it; NaN: not known.
  double train_loss_nats = kNoNumber;
  // Empty: not known.
  std::optional<Validation> validation;
  // Whether the model itself is still there.
  bool is_there = false;
};

// The last steps of training, as a share of all: their mean loss is the training loss.
inline constexpr double kTailShare = 0.05;

// RUN/checkpoints/tokens-N.
std::filesystem::path kept_checkpoint(const std::filesystem::path& run, int64_t tokens);

// Models kept along the run, by their tokens, also those that were removed. Empty if there are
// none. `problems` (may be null) gets a sentence if lines of metrics.jsonl are damaged, or if the
// run has ended and the loss of such a model is not there.
std::vector<KeptModel> kept_models(const std::filesystem::path& run,
                                   std::vector<std::string>* problems = nullptr);

// The training loss along the run, as metrics.jsonl has it: each is a mean over the steps since the one
// before, at the middle of these. Lines that are damaged are left out; empty if there is no such file.
struct LossAt {
  double tokens = 0, loss_nats = kNoNumber;
};
std::vector<LossAt> training_losses(const std::filesystem::path& run);

// Removes the model, and gives its bytes; 0 if it was not there. What was measured of it stays.
int64_t remove_kept_model(const std::filesystem::path& run, int64_t tokens);

// The run and the tokens of a directory RUN/checkpoints/tokens-N; empty if it is none.
struct KeptPlace {
  std::filesystem::path run;
  int64_t tokens = 0;
};
std::optional<KeptPlace> kept_place(const std::filesystem::path& directory);

}  // namespace bitlaw
