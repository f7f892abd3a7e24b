// The version of bitlaw, from CMakeLists.txt.
#pragma once

namespace bitlaw {

extern const char* const kVersion;

}  // namespace bitlaw
