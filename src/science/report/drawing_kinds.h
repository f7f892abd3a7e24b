// The drawings of a report (report/drawing.h), by idea; those of bits in training are in
// report/drawing_runs.h. Each adds what the data support.
#pragma once

#include <vector>

#include "report/drawing.h"
#include "report/drawing_data.h"

namespace bitlaw {

// Loss after quantization and its difference, against D/N.
void add_ptq_drawings(const DrawingData& data, std::vector<Drawing>& out);
// That difference: predicted against measured, and over the bits in training and afterwards.
void add_delta_drawings(const DrawingData& data, std::vector<Drawing>& out);
// Predicted against measured, and residuals.
void add_error_drawings(const DrawingData& data, std::vector<Drawing>& out);
// What the fitted law advises: best bits, N and D.
void add_plan_drawings(const DrawingData& data, std::vector<Drawing>& out);
// Number formats and granularities beside each other.
void add_format_drawings(const DrawingData& data, std::vector<Drawing>& out);
// What the data identify: profiles, laws beside each other, isoFLOP curves, learning curves.
void add_fit_drawings(const DrawingData& data, std::vector<Drawing>& out);

// Held-out errors of laws, of comparison_table (report/report.h).
Drawing comparison_drawing(const Json& comparison);
// What each choice of bits loses against the best, of a frontier's .points.
std::vector<DrawnSeries> frontier_series(const Json& frontier);
// "4 bits over 5 bits from 132 M bytes on, ...", of its .changes; "" = there are none.
std::string frontier_changes(const Json& frontier);

}  // namespace bitlaw
