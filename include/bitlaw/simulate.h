// Draws studies from a law with known constants, to check a fit or to size a study.
//
//   design_runs(law, options)         which runs the study has
//   truth_for(law, runs, set, ...)    the law with published or fitted constants
//   draw_study(truth, runs, options)  SimulatedStudy: the runs with noisy losses
//   table_to_csv(rows)                the table that `bitlaw fit` reads
#pragma once

#include "bitlaw/fit.h"
#include "simulate/simulate.h"
#include "table/write_table.h"
