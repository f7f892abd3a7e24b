// How fast a job goes, from the log of its run.
#pragma once

#include <filesystem>
#include <optional>

#include "work/job.h"

namespace bitlaw {

struct Pace {
  double share = 0;              // done, 0 to 1
  double loss_nats = 0;          // of training, in the last steps
  double tokens_per_second = 0;  // in the last steps; 0: not known yet
};

// Of a job that trains; empty until its log has a line.
std::optional<Pace> pace_of(const Job& job, const std::filesystem::path& runs);

}  // namespace bitlaw
