// The version of bitlaw, as CMakeLists.txt has it.
#pragma once

namespace bitlaw {

extern const char* const kVersion;

}  // namespace bitlaw
