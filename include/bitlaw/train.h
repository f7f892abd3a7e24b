// Trains models.
//
//   prepare_dataset(config)    DatasetInfo: text to a data set
//   train(config, options)     RunOutcome: trains, or resumes an interrupted run
//   read_run(directory)        TrainedRun: a run that was trained before
#pragma once

#include "base/error.h"
#include "data/prepare.h"
#include "train/run.h"
