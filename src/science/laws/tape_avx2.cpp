namespace bitlaw {
constexpr int kTapeIsa = 1;
}

#include "laws/tape_body.h"

namespace bitlaw {

extern const EvaluateTape kEvaluateTapeAvx2;
const EvaluateTape kEvaluateTapeAvx2 = evaluate_tape;

}  // namespace bitlaw
