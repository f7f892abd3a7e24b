// Candidates for the next runs: sizes, tokens and precisions in a box around those of a table.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"
#include "table/table.h"

namespace bitlaw {

// text: "grid", or a custom grid: "N=1e8,2e8;D=1e9,1e10;bits=3,4,16" (anything it leaves out is as
// in "grid"). "grid" takes seven sizes from the least of the table to four times the largest, nine
// token counts to ten times the most, and every precision of the table; for laws that are a formula
// in bits also whole bits between, in the same parts. A candidate has no loss.
std::vector<Observation> candidate_grid(const Law& law, const std::vector<Observation>& rows,
                                        const std::string& text);

// Whether there is such a grid: a formula's input that takes more values than kMostCombinations has none.
bool has_candidate_grid(const Law& law, const std::vector<Observation>& rows);
inline constexpr size_t kMostCombinations = 64;

// Spells the precisions of the candidates as the rows do: MXFP4 if the rows say so and a candidate
// says mxfp4. Laws with a constant per class know the spelling of the table that they were fitted to.
void spell_as(const std::vector<Observation>& rows, std::vector<Observation>& candidates);

// A custom list: a table as read_table() reads it, without a loss.
std::vector<Observation> read_candidates(const std::string& text, const std::string& where,
                                         const TableOptions& options = {});

}  // namespace bitlaw
