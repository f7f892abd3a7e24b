// The order in which jobs start when a few processes share them, as soon as what they wait for is
// done.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "work/job.h"

namespace bitlaw {

enum class JobOrder {
  kLongest,   // what costs most comes first: the least time in all
  kCheapest,  // what costs least comes first: many results early
  kTrunks,    // what others branch off, then the longest
  kStudy,     // as the file has them
  // What tells most about the law, as an advisor says (work/advisor.h); the cheapest until it does.
  kInformative,
};

const char* name_of(JobOrder order);
// Error with the nearest name.
JobOrder order_named(const std::string& name);
std::string order_help();  // of --order

// Indices of jobs; equal ones stay in their order.
std::vector<size_t> order_of(const std::vector<Job>& jobs, JobOrder order);

// `order` with these jobs first, each behind what it waits for.
std::vector<size_t> with_first(const std::vector<Job>& jobs, const std::vector<size_t>& first,
                               const std::vector<size_t>& order);

// How long `parallel` processes take if every job takes its cost and none is done yet, in the unit of
// the costs.
double planned_duration(const std::vector<Job>& jobs, int parallel);

}  // namespace bitlaw
