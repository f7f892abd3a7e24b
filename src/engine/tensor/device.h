// Where the numbers of a tensor are. Code outside a backend reads and writes CPU memory alone.
#pragma once

#include <cstdint>

namespace bitlaw {

enum class Device : uint8_t { kCpu, kCuda };

const char* name_of(Device device);  // "CPU", "CUDA"

}  // namespace bitlaw
