// Predicts the loss of a run.
//
//   read_constants(law, set, fit, constants)   published constants, or those of a fit's document
//   predict_run(constants, run)                its loss, with an interval of the mean and of a run
#pragma once

#include "base/error.h"
#include "predict/predict.h"
