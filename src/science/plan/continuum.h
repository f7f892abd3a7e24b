// Plans with bits from a continuum: a coarse scan, then descent in all free coordinates at once:
// tied bits or one per free part, P_post, and log N if it has no closed form.
#pragma once

#include "plan/optimum.h"

namespace bitlaw {

Optimum best_of_continuum(const PlanTask& task);
PlanPoint best_of_continuum_near(const PlanTask& task, const Optimum& main);

// N and D given and no budget: the tied P at which, for a model of N, bits and
// tokens are worth the same at the margin (linear cost), d L / d log P = d L / d log D.
double balanced_bits(const PlanTask& task);

}  // namespace bitlaw
