// Factors whose effect a table cannot tell from that of the precision, or of which it does not tell
// enough. Nothing is refused, because a rule of N and D would look the same, but a note says so.
#pragma once

#include <string>
#include <vector>

#include "table/factors.h"

namespace bitlaw {

// A note for the factors that have one value at each precision, at several sizes, and not the same at
// all, where no N and D has two of the values; and one for those that are known at some precisions
// only. Not for what may vary freely or by precision, nor for what is refused, pooled or modelled.
void note_doubtful_factors(const std::vector<FactorRow>& rows, const MayDiffer& may,
                           std::vector<std::string>& notes);
// The same for rows whose numbers are merged (merge_numbers).
void note_doubtful_among(const std::vector<FactorRow>& merged, const MayDiffer& may,
                         std::vector<std::string>& notes);

}  // namespace bitlaw
