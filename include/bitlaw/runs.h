// Reads directories of runs.
//
//   RunIndex(directory).select({"P_w=4"})     TidyRow of each run and cell that meets the conditions
//   read_run_record(run), read_result(run)    what a run is, and how it ended
//   cell_files(run), read_cell(file)          its cells of quantization after training
#pragma once

#include "base/error.h"
#include "record/cell.h"
#include "record/result.h"
#include "record/run.h"
#include "runs/index.h"
#include "runs/tidy_rows.h"
