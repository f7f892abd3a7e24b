// Quantizes trained models and third-party checkpoints, and measures the loss that it costs.
//
//   ThreadPool pool(hardware_threads());
//   quantize({.runs = {directory}}, pool)    a CellRow per method, format and group
#pragma once

#include "base/error.h"
#include "base/parallel.h"
#include "quantize/quantize.h"
