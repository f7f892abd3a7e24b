// The columns that laws made from formulas take beyond those of every law (laws/formula_law.h).
#pragma once

#include <string>
#include <vector>

#include "laws/formula_law.h"
#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

struct Table;

// Of these laws, each column once.
std::vector<LawInputName> inputs_of(const std::vector<const Law*>& laws);

class TableInputs {
 public:
  // Error with the nearest column if the table has neither the column of an input nor one that is called
  // as the input itself.
  TableInputs(const RawTable& raw, const Columns& columns, const std::vector<LawInputName>& inputs,
              const std::string& where);

  // Of one row, NaN where the field is empty or a word for a missing value. RowError if it is not a
  // number.
  std::vector<NamedInput> of(const RawRow& row) const;
  const std::vector<size_t>& columns() const { return places_; }

 private:
  const RawTable& raw_;
  std::string where_;
  std::vector<LawInputName> inputs_;
  std::vector<size_t> places_;
};

// The column of the first input without a value; "" if all have one.
std::string missing_input(const Observation& run);

}  // namespace bitlaw
