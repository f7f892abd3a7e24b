// bitlaw fit --approach: the compute-optimal N and D by isoFLOP parabolas, envelope or law.
#pragma once

#include <string>

#include "approach/approach.h"
#include "cli/table_flags.h"
#include "fit/fit.h"

namespace bitlaw::cli {

struct ApproachRun {
  std::string approach, out;
  int threads;
  bool dry_run, json;
};

void run_approach(const ApproachRun& run, ApproachOptions options, TableFlags& table,
                  FitOptions fit);

}  // namespace bitlaw::cli
