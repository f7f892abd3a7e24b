// The body of kernels.h, over the sixteen lanes of the simd_*.h that is included before it. It uses
// no standard templates: an inline function compiled for one instruction set must not be shared.
#include "ops/cpu/kernels.h"
#include "ops/cpu/simd_math.h"

namespace bitlaw::cpu {
namespace {

// Rows are walked in full vectors and one partial vector; f(offset, Full) or f(offset, Part).
struct Full {};
struct Part {
  int64_t n;
};
inline V load(const float* p, Full) {
  return load(p);
}
inline V load(const float* p, Part part) {
  return load(p, part.n);
}
inline void store(float* p, V x, Full) {
  store(p, x);
}
inline void store(float* p, V x, Part part) {
  store(p, x, part.n);
}
inline V fill_after(V x, Full, float) {
  return x;
}
inline V fill_after(V x, Part part, float other) {
  return fill_after(x, part.n, other);
}
inline V load_bf16(const uint16_t* p, Full) {
  return load_bf16(p);
}
inline V load_bf16(const uint16_t* p, Part part) {
  return load_bf16(p, part.n);
}
inline void store_bf16(uint16_t* p, V x, Full) {
  store_bf16(p, x);
}
inline void store_bf16(uint16_t* p, V x, Part part) {
  store_bf16(p, x, part.n);
}
inline void store_gradient(uint16_t* p, V x, Full) {
  store_gradient(p, x);
}
inline void store_gradient(uint16_t* p, V x, Part part) {
  store_gradient(p, x, part.n);
}
inline void store_upper(uint16_t* p, V x, Full) {
  store_upper(p, x);
}
inline void store_upper(uint16_t* p, V x, Part part) {
  store_upper(p, x, part.n);
}

template <class F>
inline __attribute__((always_inline)) void sweep(int64_t n, F f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, Full{});
  if (i < n) f(i, Part{n - i});
}

// Four accumulators hide the latency of an addition; they are folded in a fixed order.
struct Accumulators {
  V a, b, c, d;
};
inline Accumulators accumulators(float start) {
  return {splat(start), splat(start), splat(start), splat(start)};
}
inline float sum(const Accumulators& s) {
  return sum((s.a + s.b) + (s.c + s.d));
}
inline float largest(const Accumulators& s) {
  return largest(max(max(s.a, s.b), max(s.c, s.d)));
}

// f(accumulator, offset, Full or Part) returns the new accumulator.
template <class F>
inline __attribute__((always_inline)) Accumulators reduce(int64_t n, float start, F f) {
  Accumulators s = accumulators(start);
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s.a = f(s.a, i, Full{});
    s.b = f(s.b, i + kLanes, Full{});
    s.c = f(s.c, i + 2 * kLanes, Full{});
    s.d = f(s.d, i + 3 * kLanes, Full{});
  }
  for (; i + kLanes <= n; i += kLanes) s.a = f(s.a, i, Full{});
  if (i < n) s.b = f(s.b, i, Part{n - i});
  return s;
}

template <class P>
inline __attribute__((always_inline)) void put(const RowTarget& target, int64_t row, int64_t column,
                                               V x, P part) {
  const int64_t at = row * target.ld + column;
  if (target.bf16 != nullptr) {
    store_gradient(target.bf16 + at, x, part);
  } else {
    store(target.f32 + at, target.rounded ? round_bf16(x) : x, part);
  }
}

// ---------------------------------------------------------------------------------- rounding

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

// The sweeps of formats/rotation.h over entries less than sixteen apart.
inline __attribute__((always_inline)) V rotate_within(V x, int64_t width) {
  if (width > 1) x = butterfly<1>(x);
  if (width > 2) x = butterfly<2>(x);
  if (width > 4) x = butterfly<4>(x);
  if (width > 8) x = butterfly<8>(x);
  return x;
}

void rotate_blocks(const float* x, int64_t n, int64_t width, float factor, float* y) {
  const V scale = splat(factor);
  if (width <= kLanes) {
    sweep(n, [&](int64_t i, auto part) {
      store(y + i, rotate_within(load(x + i, part), width) * scale, part);
    });
    return;
  }
  for (int64_t begin = 0; begin < n; begin += width) {
    for (int64_t half = kLanes; half < width; half *= 2) {
      const V after = splat(2 * half == width ? factor : 1.0f);
      for (int64_t first = begin; first < begin + width; first += 2 * half) {
        for (int64_t i = first; i < first + half; i += kLanes) {
          V a, b;
          if (half == kLanes) {
            a = rotate_within(load(x + i), width), b = rotate_within(load(x + i + half), width);
          } else {
            a = load(y + i), b = load(y + i + half);
          }
          store(y + i, (a + b) * after);
          store(y + i + half, (a - b) * after);
        }
      }
    }
  }
}

void multiply(const uint16_t* factors, int64_t n, float* x) {
  sweep(n, [&](int64_t i, auto part) {
    store(x + i, load(x + i, part) * load_bf16(factors + i, part), part);
  });
}

void scale_rows(const float* x, int64_t ld, int64_t rows, int64_t columns, const float* row_scales,
                const float* column_scales, RowTarget target) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * ld;
    if (column_scales != nullptr) {
      sweep(columns, [&](int64_t c, auto part) {
        put(target, r, c, load(from + c, part) * load(column_scales + c, part), part);
      });
    } else if (row_scales != nullptr) {
      const V scale = splat(row_scales[r]);
      sweep(columns,
            [&](int64_t c, auto part) { put(target, r, c, load(from + c, part) * scale, part); });
    } else {
      sweep(columns, [&](int64_t c, auto part) { put(target, r, c, load(from + c, part), part); });
    }
  }
}

void widen(const uint16_t* x, int64_t ld, int64_t rows, int64_t columns, const float* row_scales,
           float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const V scale = splat(row_scales == nullptr ? 1.0f : row_scales[r]);
    sweep(columns, [&](int64_t c, auto part) {
      store(y + r * ldy + c, load_bf16(x + r * ld + c, part) * scale, part);
    });
  }
}

void scale_product(const float* x, int64_t ldx, int64_t rows, int64_t columns,
                   const float* row_scales, const float* column_scales, bool accumulate, float* y,
                   int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const V row_scale = splat(row_scales == nullptr ? 1.0f : row_scales[r]);
    const float* from = x + r * ldx;
    float* to = y + r * ldy;
    sweep(columns, [&](int64_t c, auto part) {
      const V scale =
          column_scales == nullptr ? row_scale : row_scale * load(column_scales + c, part);
      const V product = load(from + c, part) * scale;
      store(to + c, accumulate ? load(to + c, part) + product : product, part);
    });
  }
}

// ------------------------------------------------------------ norm, gated activation, heads

void rms_norm(const float* x, const float* weight, float epsilon, int64_t rows, int64_t columns,
              float* y, float* rstd) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * columns;
    float* to = y + r * columns;
    const float squares = sum(reduce(columns, 0.0f, [&](V s, int64_t c, auto part) {
      const V v = load(from + c, part);
      return fma(v, v, s);
    }));
    rstd[r] = 1.0f / __builtin_sqrtf(squares / static_cast<float>(columns) + epsilon);
    const V scale = splat(rstd[r]);
    sweep(columns, [&](int64_t c, auto part) {
      store(to + c, load(from + c, part) * scale * load(weight + c, part), part);
    });
  }
}

void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* rstd,
                       int64_t rows, int64_t columns, bool accumulate, float* dx, float* dweight) {
  for (int64_t r = 0; r < rows; ++r) {
    const float *g = dy + r * columns, *from = x + r * columns;
    float* to = dx + r * columns;
    const V scale = splat(rstd[r]);
    const float dot = sum(reduce(columns, 0.0f, [&](V s, int64_t c, auto part) {
      const V product = load(g + c, part) * load(from + c, part);
      store(dweight + c, fma(product, scale, load(dweight + c, part)), part);
      return fma(product, load(weight + c, part), s);
    }));
    const V pull = splat(rstd[r] * rstd[r] * (dot / static_cast<float>(columns)));
    sweep(columns, [&](int64_t c, auto part) {
      const V inner =
          minus_fma(load(from + c, part), pull, load(weight + c, part) * load(g + c, part));
      store(to + c, accumulate ? fma(inner, scale, load(to + c, part)) : inner * scale, part);
    });
  }
}

inline float scale_at(const float* scales, int64_t row) {
  return scales == nullptr ? 1.0f : scales[row];
}
template <class Part>
inline V optional_scales(const float* scales, int64_t c, Part part) {
  return scales == nullptr ? splat(1.0f) : load(scales + c, part);
}

template <class Part>
inline void keep(const KeptGate& kept, int64_t at, V x, Part part) {
  if (kept.bf16 != nullptr) store_gradient(kept.bf16 + at, x, part);
  if (kept.f32 != nullptr) store(kept.f32 + at, x, part);
}
void swiglu(const float* gate, const float* up, int64_t ld, int64_t rows, int64_t columns,
            const GateScales& scales, const KeptGate& kept, float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const V row_scale = splat(scale_at(scales.rows, r));
    sweep(columns, [&](int64_t c, auto part) {
      const V z =
          load(gate + r * ld + c, part) * (row_scale * optional_scales(scales.gate, c, part));
      const V u = load(up + r * ld + c, part) * (row_scale * optional_scales(scales.up, c, part));
      keep(kept, r * kept.ld + c, z, part);
      keep(kept, r * kept.ld + kept.up + c, u, part);
      store(y + r * ldy + c, z * sigmoid(z) * u, part);
    });
  }
}

// load_z and load_u(row, column, Full or Part): gate and up as kept.
template <class LoadZ, class LoadU>
inline __attribute__((always_inline)) void swiglu_backward_of(const float* dy, int64_t ldy,
                                                              int64_t rows, int64_t columns,
                                                              float* dgate, float* dup, int64_t ld,
                                                              LoadZ load_z, LoadU load_u) {
  for (int64_t r = 0; r < rows; ++r) {
    sweep(
        columns, [&](int64_t c, auto part) __attribute__((always_inline)) {
          const V z = load_z(r, c, part), u = load_u(r, c, part), g = load(dy + r * ldy + c, part);
          const V s = sigmoid(z);
          const V slope = s * fma(z, splat(1.0f) - s, splat(1.0f));  // of silu
          store(dup + r * ld + c, g * (z * s), part);
          store(dgate + r * ld + c, g * u * slope, part);
        });
  }
}

void swiglu_backward(const float* dy, int64_t ldy, const KeptGate& kept, int64_t rows,
                     int64_t columns, float* dgate, float* dup, int64_t ld) {
  const int64_t ldk = kept.ld;
  if (kept.bf16 != nullptr) {
    const uint16_t *const z = kept.bf16, *const u = kept.bf16 + kept.up;
    swiglu_backward_of(
        dy, ldy, rows, columns, dgate, dup, ld,
        [&](int64_t r, int64_t c, auto part) { return load_bf16(z + r * ldk + c, part); },
        [&](int64_t r, int64_t c, auto part) { return load_bf16(u + r * ldk + c, part); });
  } else {
    const float *const z = kept.f32, *const u = kept.f32 + kept.up;
    swiglu_backward_of(
        dy, ldy, rows, columns, dgate, dup, ld,
        [&](int64_t r, int64_t c, auto part) { return load(z + r * ldk + c, part); },
        [&](int64_t r, int64_t c, auto part) { return load(u + r * ldk + c, part); });
  }
}

void rotate(const float* x, int64_t ldx, const float* rope, int64_t rows, int64_t dim, bool inverse,
            float* y, int64_t ldy) {
  const int64_t half = dim / 2;
  const V sign = splat(inverse ? -1.0f : 1.0f);
  for (int64_t r = 0; r < rows; ++r) {
    const float *from = x + r * ldx, *table = rope + r * dim;
    float* to = y + r * ldy;
    sweep(half, [&](int64_t c, auto part) {
      const V a = load(from + c, part), b = load(from + half + c, part);
      const V cosine = load(table + c, part), sine = load(table + half + c, part) * sign;
      store(to + c, minus_fma(b, sine, a * cosine), part);
      store(to + half + c, fma(a, sine, b * cosine), part);
    });
  }
}

// --------------------------------------------------------------------------------- attention

void zero_row(const RowTarget& target, int64_t row, int64_t begin, int64_t end) {
  if (target.bf16 == nullptr && target.f32 == nullptr) return;
  sweep(end - begin, [&](int64_t c, auto part) { put(target, row, begin + c, splat(0.0f), part); });
}

constexpr float kMinusInfinity = -__builtin_inff();

void probabilities(const AttentionRows& block, float* products, int64_t ld, RowTarget p,
                   float* lse) {
  for (int64_t r = 0; r < block.rows; ++r) {
    const int64_t seen = block.i0 + r + 1;
    float* s = products + r * ld;
    const V factor = splat(block.factor * scale_at(block.score_query_scales, r));
    const float top = largest(reduce(seen, kMinusInfinity, [&](V most, int64_t c, auto part) {
      const V score =
          load(s + c, part) * (factor * optional_scales(block.score_key_scales, c, part));
      store(s + c, score, part);
      return max(fill_after(score, part, kMinusInfinity), most);
    }));
    const V shift = splat(top);
    const float total = sum(reduce(seen, 0.0f, [&](V total, int64_t c, auto part) {
      const V e = exponential(load(s + c, part) - shift);
      store(s + c, e, part);
      return total + fill_after(e, part, 0.0f);
    }));
    lse[r] = top + __builtin_logf(total);
    const V inverse = splat(1.0f / total);
    sweep(seen, [&](int64_t c, auto part) {
      put(p, r, c, load(s + c, part) * inverse * optional_scales(block.value_scales, c, part),
          part);
    });
    zero_row(p, r, seen, block.columns);
  }
}

void attention_gradients(const AttentionRows& block, const float* products, const float* gradients,
                         int64_t ld, const float* lse, const float* delta, RowTarget p,
                         RowTarget for_q, RowTarget for_k) {
  const bool both = for_k.bf16 != nullptr || for_k.f32 != nullptr;
  for (int64_t r = 0; r < block.rows; ++r) {
    const int64_t seen = block.i0 + r + 1;
    const float *s = products + r * ld, *g = gradients + r * ld;
    const V factor = splat(block.factor * scale_at(block.score_query_scales, r)),
            shift = splat(lse[r]), pull = splat(delta[r]);
    const V outer = splat(block.factor), row_scale = splat(scale_at(block.query_scales, r));
    sweep(seen, [&](int64_t c, auto part) {
      const V key_scale = optional_scales(block.key_scales, c, part);
      const V score =
          load(s + c, part) * (factor * optional_scales(block.score_key_scales, c, part));
      const V e = exponential(score - shift);
      const V dp = load(g + c, part) * optional_scales(block.value_scales, c, part);
      const V ds = e * (dp - pull) * outer;
      put(p, r, c, e, part);
      put(for_q, r, c, ds * key_scale, part);
      if (both) put(for_k, r, c, ds * row_scale, part);
    });
    zero_row(p, r, seen, block.columns);
    zero_row(for_q, r, seen, block.columns);
    zero_row(for_k, r, seen, block.columns);
  }
}

float dot(const float* x, const float* y, int64_t n) {
  return sum(reduce(n, 0.0f, [&](V s, int64_t i, auto part) {
    return fma(load(x + i, part), load(y + i, part), s);
  }));
}

// -------------------------------------------------------------------------------------- loss

inline float largest_of(const float* x, int64_t n) {
  return largest(reduce(n, kMinusInfinity, [&](V most, int64_t i, auto part) {
    return max(fill_after(load(x + i, part), part, kMinusInfinity), most);
  }));
}

void cross_entropy(const float* logits, int64_t rows, int64_t columns, const uint16_t* targets,
                   float* losses) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = logits + r * columns;
    const float top = largest_of(row, columns);
    const V shift = splat(top);
    const float total = sum(reduce(columns, 0.0f, [&](V total, int64_t c, auto part) {
      return total + fill_after(exponential(load(row + c, part) - shift), part, 0.0f);
    }));
    losses[r] = __builtin_logf(total) - (row[targets[r]] - top);
  }
}

void cross_entropy_gradient(float* logits, int64_t rows, int64_t columns, const uint16_t* targets,
                            float gradient_scale, float* losses, RowTarget gradient) {
  for (int64_t r = 0; r < rows; ++r) {
    float* row = logits + r * columns;
    const float top = largest_of(row, columns);
    const float target = row[targets[r]] - top;
    const V shift = splat(top);
    const float total = sum(reduce(columns, 0.0f, [&](V total, int64_t c, auto part) {
      const V e = exponential(load(row + c, part) - shift);
      store(row + c, e, part);
      return total + fill_after(e, part, 0.0f);
    }));
    losses[r] = __builtin_logf(total) - target;
    row[targets[r]] -= total;  // (p - 1) total
    const V scale = splat(gradient_scale / total);
    sweep(columns,
          [&](int64_t c, auto part) { put(gradient, r, c, load(row + c, part) * scale, part); });
  }
}

void exponentials_of_block(const float* logits, int64_t rows, int64_t columns, float* top,
                           float* total) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = logits + r * columns;
    const float block_top = largest_of(row, columns);
    const float new_top = block_top > top[r] ? block_top : top[r];
    const V shift = splat(new_top);
    const float block_total = sum(reduce(columns, 0.0f, [&](V total, int64_t c, auto part) {
      return total + fill_after(exponential(load(row + c, part) - shift), part, 0.0f);
    }));
    float shrink[kLanes];
    store(shrink, exponential(splat(top[r]) - shift));
    total[r] = total[r] * shrink[0] + block_total;
    top[r] = new_top;
  }
}

// Two rows of logits at some tokens, x and y less their largest: e^x, e^y and e^x (x - y).
struct ComparedLogits {
  V p, q, weighted;
};
inline ComparedLogits operator+(ComparedLogits a, ComparedLogits b) {
  return {a.p + b.p, a.q + b.q, a.weighted + b.weighted};
}

// KL = sum e^x (x - y) / sum e^x + log sum e^y - log sum e^x. Four vectors are added before they
// are widened to double. Equal rows give exactly 0.
void compare_rows(const float* baseline, const float* logits, int64_t rows, int64_t columns,
                  RowComparison* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const float *p = baseline + r * columns, *q = logits + r * columns;
    const float p_top = largest_of(p, columns), q_top = largest_of(q, columns);
    const V p_shift = splat(p_top), q_shift = splat(q_top), least = splat(kMinusInfinity);
    D p_sum = zero_doubles(), q_sum = zero_doubles(), weighted = zero_doubles();
    V q_at_p_top = least;  // the largest q where p is the largest
    const auto compared = [&](int64_t c, auto part) -> ComparedLogits {
      const V p_logit = load(p + c, part), q_logit = load(q + c, part);
      const V there = select_less(p_logit, p_shift, least, q_logit);
      q_at_p_top = max(fill_after(there, part, kMinusInfinity), q_at_p_top);
      const V x = p_logit - p_shift, y = q_logit - q_shift;
      const V e = fill_after(exponential(x), part, 0.0f);
      return {e, fill_after(exponential(y), part, 0.0f), e * (x - y)};
    };
    const auto add_all = [&](ComparedLogits sum) {
      p_sum = add(p_sum, sum.p);
      q_sum = add(q_sum, sum.q);
      weighted = add(weighted, sum.weighted);
    };
    int64_t c = 0;
    for (; c + 4 * kLanes <= columns; c += 4 * kLanes) {
      add_all((compared(c, Full{}) + compared(c + kLanes, Full{})) +
              (compared(c + 2 * kLanes, Full{}) + compared(c + 3 * kLanes, Full{})));
    }
    for (; c + kLanes <= columns; c += kLanes) add_all(compared(c, Full{}));
    if (c < columns) add_all(compared(c, Part{columns - c}));
    const double p_total = sum(p_sum), q_total = sum(q_sum);
    const double p_log = __builtin_log(p_total), q_log = __builtin_log(q_total);
    out[r].baseline_log_sum = p_top + p_log;
    out[r].log_sum = q_top + q_log;
    out[r].kl = sum(weighted) / p_total + (q_log - p_log);
    out[r].same_top = largest(q_at_p_top) == q_top;
  }
}

// ------------------------------------------------------------------------------- flat ranges

void add(const float* x, int64_t n, float* y) {
  sweep(n,
        [&](int64_t i, auto part) { store(y + i, load(y + i, part) + load(x + i, part), part); });
}

double sum_of_squares(const float* x, int64_t n) {
  D a = zero_doubles(), b = zero_doubles();
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a = add_squares(a, load(x + i));
    b = add_squares(b, load(x + i + kLanes));
  }
  sweep(n - i, [&](int64_t j, auto part) { a = add_squares(a, load(x + i + j, part)); });
  return sum(a) + sum(b);
}

void adamw(const AdamWFactors& f, const float* g, int64_t n, float* w, float* m, float* v) {
  const V beta1 = splat(f.beta1), beta2 = splat(f.beta2), rest1 = splat(f.one_minus_beta1),
          rest2 = splat(f.one_minus_beta2);
  sweep(n, [&](int64_t i, auto part) {
    const V gradient = load(g + i, part) * splat(f.gradient_scale);
    const V mean = fma(beta1, load(m + i, part), rest1 * gradient);
    const V square = fma(beta2, load(v + i, part), rest2 * (gradient * gradient));
    store(m + i, mean, part);
    store(v + i, square, part);
    const V root = sqrt(square * splat(f.inverse_v)) + splat(f.epsilon);
    const V weight = load(w + i, part);
    const V step = fma(splat(f.weight_decay), weight, mean * splat(f.inverse_m) / root);
    store(w + i, minus_fma(splat(f.learning_rate), step, weight), part);
  });
}

void all_exponentials(const float* x, int64_t n, float* y) {
  sweep(n, [&](int64_t i, auto part) { store(y + i, exponential(load(x + i, part)), part); });
}

void all_reciprocals(const float* x, int64_t n, float* y) {
  sweep(n, [&](int64_t i, auto part) { store(y + i, reciprocal(load(x + i, part)), part); });
}

constexpr Kernels kKernels{
    .absmax = absmax,
    .absmax_columns = absmax_columns,
    .encode = encode,
    .encode_numbers = encode_numbers,
    .encode_values = encode_values,
    .encode_columns = encode_columns,
    .encode_groups = encode_groups,
    .group_values = group_values,
    .mark_trusted = mark_trusted,
    .round_bf16 = round_to_bf16,
    .rotate_blocks = rotate_blocks,
    .multiply = multiply,
    .scale_rows = scale_rows,
    .widen = widen,
    .scale_product = scale_product,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .rotate = rotate,
    .probabilities = probabilities,
    .attention_gradients = attention_gradients,
    .dot = dot,
    .cross_entropy = cross_entropy,
    .cross_entropy_gradient = cross_entropy_gradient,
    .exponentials_of_block = exponentials_of_block,
    .compare_rows = compare_rows,
    .add = add,
    .sum_of_squares = sum_of_squares,
    .adamw = adamw,
    .exponential = all_exponentials,
    .reciprocal = all_reciprocals,
};

}  // namespace
}  // namespace bitlaw::cpu
