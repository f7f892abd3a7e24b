// Runs that differ only in their length, with a warm-up/stable/decay schedule whose warm-up is a
// number of steps, are the same run until the shorter one begins to decay. So their beginning, the
// trunk, is trained once: whoever reaches a step at which another run of the trunk leaves it saves the
// training state there, and that run starts from it. Its bits are those it would have had alone: the
// state of another engine (train/engines.h), or of several, is not used.
//
//   RUNS/trunks/TRUNK/step-N/state.bin       as in train/state.h; its `run` is TRUNK
//   RUNS/trunks/TRUNK/step-N/metrics.jsonl   the log up to there
//
// Everything below RUNS/trunks may be removed: runs then train from their own beginning.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "train/config.h"

namespace bitlaw {

// The same for all runs that have a beginning in common; "" for a run that shares none.
std::string trunk_name(const ResolvedConfig& resolved);

// The last step after which the run is what a longer one of its trunk is, too.
int64_t trunk_steps(const ResolvedConfig& resolved);

// Where the state after `step` steps is, or would be.
std::filesystem::path trunk_place(const std::filesystem::path& runs, const std::string& trunk,
                                  int64_t step);

// The furthest saved step of a trunk, not after `last`; empty if there is none.
std::optional<int64_t> furthest_trunk_step(const std::filesystem::path& runs,
                                           const std::string& trunk, int64_t last);

// Lets `write` fill a directory and makes that `place`, unless another run has been there before:
// what both would leave has the same bits, on the same engine. `run` is the name of the one that writes.
void leave_in_trunk(const std::filesystem::path& place, const std::string& run,
                    const std::function<void(const std::filesystem::path&)>& write);

// Removes what `run` had half written there when it was killed.
void remove_half_left(const std::filesystem::path& runs, const std::string& trunk,
                      const std::string& run);

}  // namespace bitlaw
