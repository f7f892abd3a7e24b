// The device whose memory holds a tensor. Code outside backends reads and writes only CPU memory.
#pragma once

#include <cstdint>

namespace bitlaw {

enum class Device : uint8_t { kCpu, kCuda };

const char* name_of(Device device);  // "CPU", "CUDA"

}  // namespace bitlaw
