// Keys of a run's configuration that earlier versions did not have. A run made without such a key is
// the run that its neutral value makes today, so it keeps its name: the key is not hashed at that
// value, and is added where a record lacks it.
#pragma once

#include "base/json.h"

namespace bitlaw {

// Adds each missing key, with its neutral value, to the sections that `config` has.
void add_later_keys(Json& config);

// Removes each key that has its neutral value.
void remove_later_keys(Json& config);

}  // namespace bitlaw
