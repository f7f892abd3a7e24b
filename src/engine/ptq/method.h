// The ways to round a weight matrix after training.
#pragma once

namespace bitlaw {

enum class PtqMethod { kNone, kRtn, kGptq, kAwq };  // kNone: weights as they are

const char* name_of(PtqMethod method);  // "none", "rtn", "gptq", "awq"

}  // namespace bitlaw
