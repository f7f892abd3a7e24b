namespace bitlaw {
constexpr int kTapeIsa = 2;
}

#include "laws/tape_body.h"

namespace bitlaw {

extern const EvaluateTape kEvaluateTapeAvx512;
const EvaluateTape kEvaluateTapeAvx512 = evaluate_tape;

}  // namespace bitlaw
