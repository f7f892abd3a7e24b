// Conditions (base/condition.h) on the cells of a study: --only, `require` and `where` of [ptq]. A
// name in them is
//
//   a column of the table of runs    N<2e6, D/N>=20, P_w=3,4, seed=1: as the cell's row will have it
//   a list of variants               size=small
//   a key of the configuration       train.lr<0.01: as the cell gives it, or else as it is resolved
#pragma once

#include <string>
#include <vector>

#include "base/condition.h"
#include "record/run.h"
#include "record/tidy_row.h"
#include "sweep/plan.h"

namespace bitlaw {

// The record that the run will have, without what only its data set can say if that is not there.
RunRecord planned_record(const PlannedRun& run, const DatasetInfo& data);
// The row that the run will have, without what only its result can say.
TidyRow planned_row(const PlannedRun& run, const DatasetInfo& data);

class CellConditions {
 public:
  // `option` is where they were given, for messages. Error for one that does not parse, or for an
  // unknown name with the nearest. `notes` gets what they say in old names.
  CellConditions(const std::string& option, const std::vector<std::string>& conditions,
                 const Study& study, std::vector<std::string>& notes);

  bool empty() const { return conditions_.empty(); }
  const std::vector<std::string>& texts() const { return texts_; }
  bool all_hold(const PlannedRun& run, const DatasetInfo& data) const;
  // For each condition.
  std::vector<bool> hold(const PlannedRun& run, const DatasetInfo& data) const;

 private:
  std::vector<Condition> conditions_;
  std::vector<std::string> texts_;
  std::vector<std::string> names_;  // of columns, of variants, of keys
  size_t keys_begin_ = 0;           // in names_
};

// Leaves out the cells that do not fulfil all conditions of --only. Error if none does.
void keep_only(SweepPlan& plan, const std::vector<std::string>& conditions);

// "P_w=3,4,N<1e6" are two conditions: what follows a comma belongs to the one before, unless it has a
// sign.
std::vector<std::string> split_conditions(const std::vector<std::string>& texts);

}  // namespace bitlaw
