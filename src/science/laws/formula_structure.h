// What the structure of a formula says of its constants, from the steps of its tape: which of them are
// linear, and which quantities of a run they meet, so that rows which differ in these tell them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "laws/parameter.h"
#include "laws/tape.h"

namespace bitlaw {

// 0: the formula does not depend on these constants, 1: it is linear in them, 2: anything else.
int degree(std::span<const TapeStep> steps, const std::vector<bool>& of);

// Whether the result is this constant times something that does not depend on it.
bool is_proportional(std::span<const TapeStep> steps, int constant);

// The columns that a constant meets first, as a set of bits: of N in alpha log N.
uint64_t meets(std::span<const TapeStep> steps, int constant);

Quantity quantity_met(uint64_t columns);

// Whether rows that differ in this quantity alone identify what meets these columns: alpha of
// (N f(P_w))^alpha meets N and P_w, and needs sizes.
bool tells(uint64_t met, Quantity of);

uint64_t columns_in(const Tape& tape);

}  // namespace bitlaw
