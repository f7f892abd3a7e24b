// Compares laws on one table of runs, by their errors on held-out rows.
//
//   compare_laws(rows, options)    every law with its errors; which is best, which are tied
#pragma once

#include "bitlaw/fit.h"
#include "compare/compare.h"
