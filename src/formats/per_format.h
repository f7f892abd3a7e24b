// One value per scaled format, computed when it is first asked for, by whoever asks.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include "formats/format.h"

namespace bitlaw {

template <class Value>
class PerFormat {
 public:
  template <class Compute>
  const Value& get(const Format& format, Compute compute) {
    Slot& slot = slots_.at(place_of(format));
    std::call_once(slot.once, [&] { slot.value = compute(format); });
    return slot.value;
  }

 private:
  struct Slot {
    std::once_flag once;
    Value value{};
  };

  // intB, B <= 16, then eXmY, X <= 7 and Y <= 10.
  static constexpr size_t kIntegers = 17, kExponents = 8, kMantissas = 11;
  static size_t place_of(const Format& format) {
    if (format.kind == FormatKind::kInteger) return static_cast<size_t>(format.bits);
    return kIntegers + static_cast<size_t>(format.exponent_bits) * kMantissas +
           static_cast<size_t>(format.mantissa_bits);
  }

  std::array<Slot, kIntegers + kExponents * kMantissas> slots_;
};

}  // namespace bitlaw
