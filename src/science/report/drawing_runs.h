// Runs by the parts that are quantized in training: what the drawings of precision begin with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report/drawing_data.h"

namespace bitlaw {

inline constexpr const char* kBitsGroup = "Fewer bits in training";
inline constexpr double kMostDrawnBits = 16;

using DrawnRows = std::vector<const DrawnRow*>;

// By the parts' name; "" = nothing is quantized. Runs whose parts differ in bits are in none.
using RunsByParts = std::map<std::string, DrawnRows>;
RunsByParts runs_by_parts(const DrawingData& data);

// Where curves over bits begin: at two bits, or the fewest of these rows.
double fewest_drawn_bits(const DrawnRows& rows);

std::vector<double> params_of_rows(const DrawnRows& rows);
std::vector<double> tokens_of_rows(const DrawnRows& rows);

// Loss against bits.
void add_bits_drawings(const DrawingData& data, const RunsByParts& by_parts,
                       std::vector<Drawing>& out);
// N_eff against bits.
void add_share_drawings(const DrawingData& data, const RunsByParts& by_parts,
                        std::vector<Drawing>& out);
// Contours of equal loss.
void add_contour_drawings(const DrawingData& data, const RunsByParts& by_parts,
                          std::vector<Drawing>& out);
// Loss at matched cost.
void add_cost_drawings(const DrawingData& data, const RunsByParts& by_parts,
                       std::vector<Drawing>& out);

}  // namespace bitlaw
