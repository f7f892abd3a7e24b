// Reads directories of runs.
//
//   RunIndex(directory).select({"P_w=4"})     TidyRow of each run and cell that meets the conditions
//   RunIndex(directory, Along::kInclude)      the same with the models kept along the runs
//   kept_models(run)                          those models, and what is known of them
//   read_run_record(run), read_result(run)    what a run is, and how it ended
//   cell_files(run), read_cell(file)          its cells of quantization after training
#pragma once

#include "base/error.h"
#include "record/cell.h"
#include "record/kept_model.h"
#include "record/result.h"
#include "record/run.h"
#include "runs/index.h"
#include "runs/tidy_rows.h"
