// Proposes the next runs of a study.
//
//   design_runs(rows, options)    Design: the runs within a budget that shrink the interval of a
//                                 chosen quantity most, and the interval after them
#pragma once

#include "bitlaw/fit.h"
#include "design/design.h"
