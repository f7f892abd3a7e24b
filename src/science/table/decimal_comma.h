// Numbers as half the world writes them: 5,3369 and 2,00E+08, in tables whose separator is not the
// comma.
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

// Writes 5,3369 as 5.3369 and 10.000.000,5 as 10000000.5, in the columns that hold only numbers (and
// words for what is missing), with a note. A table is taken to have decimal commas if
//
//   - it is separated by semicolons, as such countries' spreadsheets do, or some number cannot have
//     its comma between thousands (5,3369), and
//   - no number has a comma before a point (1,234.5).
//
// Error if a number of such a column could mean two things: 12.345 beside 5,3369.
void read_decimal_commas(RawTable& table, bool by_semicolons, const std::string& where);

}  // namespace bitlaw
