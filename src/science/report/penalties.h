// What fewer bits in training cost, measured: the loss of the runs of one setting minus that of
// their reference (report/references.h), held against the deviation between replicates. The same
// seed gives the same first weights and the same order of samples at every precision, so seeds that
// both have are compared one by one (paired), and the others are not used. Without such seeds,
// means are compared.
#pragma once

#include <string>

#include "base/json.h"
#include "report/references.h"
#include "table/pure_error.h"

namespace bitlaw {

// One object per setting, by N, D and precision:
//   .N .D .precision  "A5", or "A5 token" if settings differ in more than their bits
//   .runs .references  how many runs are in each mean; of pairs, how many seeds
//   .paired     the seeds that both have are compared
//   .loss .reference .difference  nats per token
//   .deviation  of the difference: of pairs, from the spread of paired differences in all settings,
//               if that has four degrees of freedom; else from replicates; null without them
//   .noise      the difference is below two deviations; null with fewer than four degrees of freedom
//   .unstable   too few bits to train with; fits leave such runs out
Json penalties(const std::vector<TidyRow>& rows, const References& references,
               const PureError& noise);

// How many differences are noise, and how it was measured; "" without differences.
std::string noise_sentence(const Json& penalties, const PureError& noise, int unmatched);

}  // namespace bitlaw
