// Paired gaps: the loss of a run minus that of the reference run of the same N, D and seed. What the two
// have in common, the law of their losses and the noise of their data, cancels, which is how training
// recipes are compared.
#pragma once

#include <string>

#include "table/table.h"

namespace bitlaw {

// Keeps the quantized runs, with delta_nats = loss - loss of the reference, and its error. References
// are the runs that are not quantized, and of the same N and D (within 1 %) and of every factor that
// never varies; of the same seed if there is one, else their mean. A note counts the runs, and those
// that are left out because they have no reference. Runs that share a reference share a cluster.
//
// The error is that between gaps which differ in nothing but the seed; if there are too few of these,
// sqrt 2 times that of losses between seeds; else the standard errors of the two losses, as if they were
// independent; else unknown.
//
// `name`: of the reference class, for messages. Error if no run can be paired.
void take_gaps(Table& table, const std::string& name, const std::string& where);

}  // namespace bitlaw
