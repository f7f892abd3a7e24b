// The scaling laws, their published constants, and what they predict.
//
//   laws(), find_law("kumar")            all of them; one, or null
//   predict(law, constants, run)         the loss of a run
//   predict_delta(law, constants, run)   what quantization after training adds
//   formula_law({.formula = "E + A/N^alpha"})   one of your own; its law() is a Law
//   best_bits, effective_share, critical_tokens   P*, N_eff / N and D_crit
#pragma once

#include "laws/bind.h"
#include "laws/effective.h"
#include "laws/formula_law.h"
#include "laws/observation.h"
#include "laws/registry.h"
