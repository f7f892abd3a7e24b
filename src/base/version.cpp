#include "base/version.h"

namespace bitlaw {

const char* const kVersion = BITLAW_VERSION;

}  // namespace bitlaw
