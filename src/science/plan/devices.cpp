#include "plan/devices.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "base/names.h"

namespace bitlaw {
namespace {

// "RTX 4090" and "rtx-4090" are the same.
std::string plain(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

std::string read_own(const std::string& name, const Json& entry, Device& out) {
  if (!entry.is_object()) return fmt::format("devices: {} is not a table of rates", name);
  out = {};
  out.name = name, out.source = "own table";
  for (const auto& [key, value] : entry.items()) {
    double* field = key == "16"             ? &out.flops_16
                    : key == "8"            ? &out.flops_8
                    : key == "4"            ? &out.flops_4
                    : key == "memory_bytes" ? &out.memory_bytes
                                            : nullptr;
    if (field == nullptr) {
      return fmt::format(
          "devices: {}.{} is unknown; a device has 16, 8, 4 (FLOP/s) and memory_bytes", name, key);
    }
    if (!value.is_number() || !(value.get<double>() > 0) || std::isinf(value.get<double>())) {
      return fmt::format("devices: {}.{} is not a positive number", name, key);
    }
    *field = value.get<double>();
  }
  if (!(out.flops_16 > 0)) return fmt::format("devices: {} has no rate at 16 bits", name);
  return "";
}

}  // namespace

const std::vector<Device>& known_devices() {
  // Dense rates in FLOP/s (halves of the printed numbers if those are with sparsity), the faster
  // of integer and floating-point formats of the width, sums in 32 bits.
  static const std::vector<Device> table{
      {"A100", 312e12, 624e12, 1248e12, 80e9, "NVIDIA A100 datasheet: BF16, INT8, INT4"},
      {"H100", 989.4e12, 1978.9e12, 0, 80e9, "NVIDIA H100 datasheet, SXM: BF16, FP8; no 4 bits"},
      {"H100-PCIe", 756e12, 1513e12, 0, 80e9, "NVIDIA H100 datasheet, PCIe: BF16, FP8; no 4 bits"},
      {"H200", 989.4e12, 1978.9e12, 0, 141e9, "NVIDIA H200 datasheet, SXM: BF16, FP8; no 4 bits"},
      {"B200", 2250e12, 4500e12, 9000e12, 180e9, "NVIDIA HGX B200 datasheet: BF16, FP8, FP4"},
      {"MI300X", 1307.4e12, 2614.9e12, 0, 192e9, "AMD MI300X datasheet: BF16, FP8; no 4 bits"},
      {"MI355X", 2516.6e12, 5033.2e12, 10066.3e12, 288e9, "AMD MI355X datasheet: BF16, FP8, MXFP4"},
      {"L40S", 362.05e12, 733e12, 733e12, 48e9, "NVIDIA L40S datasheet: BF16, FP8, INT4"},
      {"L4", 121e12, 242.5e12, 0, 24e9, "NVIDIA L4 datasheet: BF16, FP8; no 4 bits"},
      {"A10", 125e12, 250e12, 500e12, 24e9, "NVIDIA A10 datasheet: BF16, INT8, INT4"},
      {"RTX-4090", 165.2e12, 660.6e12, 1321.2e12, 24e9,
       "NVIDIA Ada architecture whitepaper: BF16, INT8, INT4"},
      {"RTX-3090", 71e12, 284e12, 568e12, 24e9, "NVIDIA Ampere GA102 whitepaper: BF16, INT8, INT4"},
      {"TPU-v5e", 197e12, 394e12, 0, 16e9, "Google Cloud TPU v5e documentation: BF16, INT8"},
      {"TPU-v5p", 459e12, 918e12, 0, 95e9, "Google Cloud TPU v5p documentation: BF16, INT8"},
  };
  return table;
}

CostModel Device::cost() const {
  CostModel model;
  model.wider_operand = true;
  for (const auto& [bits, rate] :
       {std::pair{4.0, flops_4}, {8.0, flops_8}, {kUnquantizedBits, flops_16}}) {
    if (rate > 0) model.steps.push_back({bits, rate / flops_16});
  }
  return model;
}

std::string find_device(const std::string& name, const Json& own, Device& out) {
  std::vector<std::string> names;
  if (own.is_object()) {
    for (const auto& [key, entry] : own.items()) {
      if (plain(key) == plain(name)) return read_own(key, entry, out);
      names.push_back(key);
    }
  } else if (!own.is_null()) {
    return "devices: not a table of devices, each with its rates at 16, 8 and 4 bits";
  }
  for (const Device& device : known_devices()) {
    if (plain(device.name) == plain(name)) {
      out = device;
      return "";
    }
    names.push_back(device.name);
  }
  const std::string others =
      fmt::format("known: {}; give others with --devices", fmt::join(names, ", "));
  return unknown_name("device", name, names, others);
}

}  // namespace bitlaw
