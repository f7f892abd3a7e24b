// Matrix-product rates of devices at 16, 8 and 4 bits, and the compute of an hour.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/cost.h"

namespace bitlaw {

// Dense peak rates as published by the makers: no sparsity, sums in 32 bits.
struct Device {
  std::string name;
  double flops_16 = 0, flops_8 = 0, flops_4 = 0;  // FLOP/s; 0 = none at that width
  double memory_bytes = 0;                        // 0 = unknown
  std::string source;

  CostModel cost() const;  // relative to 16 bits
};

// Finds `name` among the known devices and those of `own` (an object of objects, {"mine": {"16":
// 1e14, "8": 2e14, "4": 4e14, "memory_bytes": 8e10}}; null = none), which come first. Returns "" or
// the error. Names are compared without case, spaces and dashes.
std::string find_device(const std::string& name, const Json& own, Device& out);

// All built-in devices.
const std::vector<Device>& known_devices();

}  // namespace bitlaw
