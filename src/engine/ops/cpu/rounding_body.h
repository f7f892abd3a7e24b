// Part of kernels_body.h: rounding to codes, and what is trusted of it.
#pragma once

#include "ops/cpu/rows_body.h"

namespace bitlaw::cpu {
namespace {

float absmax(const float* x, int64_t n) {
  return largest(
      reduce(n, 0.0f, [&](V s, int64_t i, auto part) { return max(abs(load(x + i, part)), s); }));
}

void absmax_columns(const float* x, int64_t rows, int64_t columns, float* absmax) {
  int64_t begin = 0;
  for (; begin + 4 * kLanes <= columns; begin += 4 * kLanes) {  // whole cache lines, four a row
    Accumulators s = accumulators(0.0f);
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = x + r * columns + begin;
      s.a = max(abs(load(from)), s.a);
      s.b = max(abs(load(from + kLanes)), s.b);
      s.c = max(abs(load(from + 2 * kLanes)), s.c);
      s.d = max(abs(load(from + 3 * kLanes)), s.d);
    }
    store(absmax + begin, s.a);
    store(absmax + begin + kLanes, s.b);
    store(absmax + begin + 2 * kLanes, s.c);
    store(absmax + begin + 3 * kLanes, s.d);
  }
  sweep(columns - begin, [&](int64_t c, auto part) {
    V largest = splat(0.0f);
    for (int64_t r = 0; r < rows; ++r)
      largest = max(abs(load(x + r * columns + begin + c, part)), largest);
    store(absmax + begin + c, largest, part);
  });
}

inline V integer_code(const CodeRule& rule, V y) {
  return round_even(max(splat(rule.min_code), min(splat(rule.max_code), y)));
}

inline V float_code(const CodeRule& rule, V y) {
  const V magnitude =
      min(splat(rule.max_code), abs(y));  // max_code is a code: it may saturate first
  const V small = round_even(magnitude * splat(rule.steps)) * splat(rule.unit);
  const V normal = drop_mantissa(magnitude, rule.dropped);
  const V code = select_less(magnitude, splat(rule.smallest_normal), small, normal);
  return copysign(code + (magnitude - magnitude), y);  // the difference is zero or NaN
}

// f(code of x * inverse) over n entries, the kind of format decided once.
template <class F>
inline __attribute__((always_inline)) void encode_each(const CodeRule& rule, const float* x,
                                                       int64_t n, F f) {
  if (rule.is_integer) {
    sweep(n, [&](int64_t i, auto part) {
      f(
          i, part, [&](V y) { return integer_code(rule, y); }, load(x + i, part));
    });
  } else {
    sweep(n, [&](int64_t i, auto part) {
      f(
          i, part, [&](V y) { return float_code(rule, y); }, load(x + i, part));
    });
  }
}

// Two vectors at a time: their upper halves are one store.
template <class Code>
inline __attribute__((always_inline)) void encode_with(const float* x, int64_t n, float inverse,
                                                       uint16_t* codes, Code code) {
  const V by = splat(inverse);
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes)
    store_upper(codes + i, code(load(x + i) * by), code(load(x + i + kLanes) * by));
  sweep(n - i, [&](int64_t j, auto part) {
    store_upper(codes + i + j, code(load(x + i + j, part) * by), part);
  });
}

void encode(const CodeRule& rule, const float* x, int64_t n, float inverse, uint16_t* codes) {
  const CodeRule own = rule;  // which stores leave alone
  if (own.is_integer) {
    encode_with(x, n, inverse, codes, [&](V y) { return integer_code(own, y); });
  } else {
    encode_with(x, n, inverse, codes, [&](V y) { return float_code(own, y); });
  }
}

void encode_numbers(const CodeRule& rule, const float* x, int64_t n, float inverse, float factor,
                    uint16_t* numbers) {
  const V smallest = splat(0x1p-126f), zero = splat(0.0f);
  encode_each(rule, x, n, [&](int64_t i, auto part, auto code, V v) {
    const V number = code(v * splat(inverse)) * splat(factor);
    const V size = abs(number);
    store_upper(numbers + i, copysign(select_less(size, smallest, zero, size), number), part);
  });
}

void encode_values(const CodeRule& rule, const float* x, int64_t n, float inverse, float scale,
                   float* values) {
  encode_each(rule, x, n, [&](int64_t i, auto part, auto code, V v) {
    store(values + i, code(v * splat(inverse)) * splat(scale), part);
  });
}

void encode_columns(const CodeRule& rule, const float* x, int64_t rows, int64_t columns,
                    const float* inverse, const float* scale, float* values) {
  for (int64_t r = 0; r < rows; ++r) {
    encode_each(rule, x + r * columns, columns, [&](int64_t c, auto part, auto code, V v) {
      store(values + r * columns + c, code(v * load(inverse + c, part)) * load(scale + c, part),
            part);
    });
  }
}

// block_scale() for up to 64 groups at once: sixteen divisions cost as much as one.
constexpr int64_t kGroupsAtOnce = 64;
struct ScalesOfGroups {
  float scale[kGroupsAtOnce];  // at first the largest magnitude
  float inverse[kGroupsAtOnce];
  float block[kGroupsAtOnce];
};

inline void round_scales(const CodeRule& rule, const GroupScales& how, int64_t count,
                         ScalesOfGroups& groups) {
  const V smallest = splat(0x1p-126f), zero = splat(0.0f);
  if (how.kind == GroupScales::kE8M0) {
    for (int64_t g = 0; g < count; ++g) {  // the power of two at or below
      const uint32_t bits = __builtin_bit_cast(uint32_t, groups.scale[g]) & 0x7f800000u;
      groups.scale[g] = __builtin_bit_cast(float, bits);
    }
  }
  sweep(count, [&](int64_t g, auto part) {
    const V most = load(groups.scale + g, part);
    V scale = how.kind == GroupScales::kE8M0 ? most * splat(how.unit) : most / splat(rule.max_code);
    V block = scale;
    if (how.kind == GroupScales::kE4M3) {
      block = float_code(how.e4m3, scale / splat(how.unit));
      scale = select_less(scale, smallest, zero, block * splat(how.unit));
    }
    store(groups.inverse + g, select_less(scale, smallest, zero, splat(1.0f) / scale), part);
    store(groups.block + g, select_less(scale, smallest, zero, block), part);
    store(groups.scale + g, select_less(scale, smallest, zero, scale), part);
  });
}

template <class Code>
inline __attribute__((always_inline)) void encode_group_row(const CodeRule& rule, const float* x,
                                                            int64_t columns, int64_t group,
                                                            const GroupScales& how, GroupTarget to,
                                                            Code code) {
  ScalesOfGroups scales;
  const int64_t groups = (columns + group - 1) / group;
  for (int64_t first = 0; first < groups; first += kGroupsAtOnce) {
    const int64_t count = groups - first < kGroupsAtOnce ? groups - first : kGroupsAtOnce;
    const auto length = [&](int64_t g) {
      return columns - (first + g) * group < group ? columns - (first + g) * group : group;
    };
    const float* const from = x + first * group;
    for (int64_t g = 0; g < count; ++g) {
      V most = splat(0.0f);
      sweep(length(g),
            [&](int64_t i, auto part) { most = max(abs(load(from + g * group + i, part)), most); });
      scales.scale[g] = largest(most);
    }
    round_scales(rule, how, count, scales);
    if (to.scales != nullptr) {
      sweep(count, [&](int64_t g, auto part) {
        store(to.scales + first + g, load(scales.scale + g, part), part);
      });
    }
    const float* const factors = to.entries == GroupTarget::kNumbers ? scales.block : scales.scale;
    for (int64_t g = 0; g < count; ++g) {
      const V up = splat(scales.inverse[g]);
      const V down = splat(to.entries == GroupTarget::kCodes ? 1.0f : factors[g]);
      const int64_t at = (first + g) * group;
      const V smallest = splat(0x1p-126f);
      const bool may_be_subnormal =
          to.entries == GroupTarget::kNumbers && factors[g] * rule.unit < 0x1p-126f;
      if (to.bf16 != nullptr && may_be_subnormal) {
        sweep(length(g), [&](int64_t i, auto part) {
          const V number = code(load(x + at + i, part) * up) * down;
          const V kept = select_less(abs(number), smallest, splat(0.0f), abs(number));
          store_upper(to.bf16 + at + i, copysign(kept, number), part);
        });
      } else if (to.bf16 != nullptr) {
        sweep(length(g), [&](int64_t i, auto part) {
          store_upper(to.bf16 + at + i, code(load(x + at + i, part) * up) * down, part);
        });
      } else {
        sweep(length(g), [&](int64_t i, auto part) {
          store(to.f32 + at + i, code(load(x + at + i, part) * up) * down, part);
        });
      }
    }
  }
}

void encode_groups(const CodeRule& rule, const float* x, int64_t rows, int64_t columns,
                   int64_t group, const GroupScales& scales, GroupTarget to) {
  if (columns % group == 0) {  // groups follow each other across rows
    columns *= rows;
    rows = 1;
  }
  const int64_t groups = (columns + group - 1) / group;
  for (int64_t r = 0; r < rows; ++r) {
    if (rule.is_integer) {
      encode_group_row(rule, x, columns, group, scales, to,
                       [&](V y) { return integer_code(rule, y); });
    } else {
      encode_group_row(rule, x, columns, group, scales, to,
                       [&](V y) { return float_code(rule, y); });
    }
    x += columns;
    if (to.bf16 != nullptr) to.bf16 += columns;
    if (to.f32 != nullptr) to.f32 += columns;
    if (to.scales != nullptr) to.scales += groups;
  }
}

void group_values(const uint16_t* codes_bf16, const float* codes_f32, const float* scales,
                  int64_t rows, int64_t columns, int64_t group, uint16_t* y_bf16, float* y_f32) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; c += group) {
      const V scale = splat(*scales++);
      const int64_t at = r * columns + c;
      sweep(columns - c < group ? columns - c : group, [&](int64_t i, auto part) {
        const V code = codes_bf16 != nullptr ? load_bf16(codes_bf16 + at + i, part)
                                             : load(codes_f32 + at + i, part);
        if (y_bf16 != nullptr) {
          store_bf16(y_bf16 + at + i, code * scale, part);
        } else {
          store(y_f32 + at + i, code * scale, part);
        }
      });
    }
  }
}

void mark_trusted(const float* x, int64_t n, float inverse, float low, float high,
                  uint16_t* trusted) {
  const V one = splat(1.0f), zero = splat(0.0f);
  sweep(n, [&](int64_t i, auto part) {
    const V y = load(x + i, part) * splat(inverse);
    const V kept = select_less(splat(high), y, zero, select_less(y, splat(low), zero, one));
    store_upper(trusted + i, kept, part);
  });
}

void round_to_bf16(const float* x, int64_t n, uint16_t* codes) {
  sweep(n, [&](int64_t i, auto part) { store_bf16(codes + i, load(x + i, part), part); });
}

}  // namespace
}  // namespace bitlaw::cpu
