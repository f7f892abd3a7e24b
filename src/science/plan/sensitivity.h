// How an answer moves with each constant of its law: central differences of half a per cent to
// either side, the answer found anew each time, so that they say what "1 % more of alpha" does.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "plan/constants.h"

namespace bitlaw {

// `solve` gives the numbers of an answer by name. For every constant: .value .per_percent.NAME and,
// where the fit has draws, .standard_error .per_standard_error.NAME, with NAME of log_N, log_D, P_w,
// P_a, P_kv, P_post and loss; what does not move is left out.
Json sensitivity(
    const Constants& constants,
    const std::function<std::vector<std::pair<std::string, double>>(const std::vector<double>&)>&
        solve);

}  // namespace bitlaw
