// When models are kept along a run (record/kept_model.h). They are for learning curves and for
// quantizing along training. Keeping them changes no bit of the run, and any of them may be
// removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/config.h"

namespace bitlaw {

// Steps after which a model is kept, ascending, all before the last: at D/2, D/4, ... for
// run.checkpoints, and at the tokens of run.checkpoint_tokens, each rounded to a whole step. Error
// if that is not before the last.
std::vector<int64_t> kept_steps(const RunOptions& options, int64_t steps, int64_t batch_tokens);

// Says that run.checkpoints are more models than so many steps have halves; "" if they are not.
std::string few_checkpoints_note(const RunOptions& options, int64_t steps);

// How many of the models after these steps are not there.
size_t missing_checkpoints(const std::filesystem::path& run, const std::vector<int64_t>& steps,
                           int64_t batch_tokens);

}  // namespace bitlaw
