// Constants of one fit, kept in another: what is known from a study of its own (a scaling law
// without bits) need not be fitted again on the next table.
#pragma once

#include <string>
#include <vector>

#include "fit/fit.h"

namespace bitlaw {

// Appends NAME=VALUE to `freeze` for every constant of `other` that `law` has for these rows, or for
// those of them that `wanted` names. What `freeze` already has stays as it is. `where` is what errors
// call the other fit. Error if it has no constant of a wanted name, or if nothing would be appended.
void freeze_from(const Fit& other, const std::string& where, std::vector<std::string> wanted,
                 const Law& law, const std::vector<Observation>& runs,
                 std::vector<std::string>& freeze);

}  // namespace bitlaw
