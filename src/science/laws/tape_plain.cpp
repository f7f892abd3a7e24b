namespace bitlaw {
constexpr int kTapeIsa = 0;
}

#include "laws/tape_body.h"

namespace bitlaw {

extern const EvaluateTape kEvaluateTapePlain;
const EvaluateTape kEvaluateTapePlain = evaluate_tape;

}  // namespace bitlaw
