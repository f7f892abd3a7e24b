// Fits a law to a table of runs.
//
//   read_table(text, name)       CSV or JSON to rows
//   fit_law(rows, options)       Fit: constants with intervals, held-out errors, notes
//   fit_to_json, fit_from_json   the same as a document, which `bitlaw plan` reads
//   fit_text(fit)                a table for a terminal
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "fit/fit.h"
#include "table/table.h"
