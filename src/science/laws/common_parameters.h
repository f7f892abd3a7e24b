// Building blocks of laws: factories for the kinds of constants that many laws share, so that a law
// states only symbol and meaning; and sets of values, each beside its symbol.
#pragma once

#include <array>
#include <cstddef>

#include "laws/parameter.h"

namespace bitlaw {

// A constant above zero, fitted as a logarithm; and one of either sign.
constexpr Parameter positive(const char* name, const char* meaning, Range range, Range starts) {
  return {.name = name,
          .meaning = meaning,
          .scale = Scale::kLog,
          .low = range.low,
          .high = range.high,
          .start_low = starts.low,
          .start_high = starts.high};
}
constexpr Parameter of_either_sign(const char* name, const char* meaning, Range range,
                                   Range starts) {
  Parameter out = positive(name, meaning, range, starts);
  out.scale = Scale::kLinear;
  return out;
}

// E of E + A / N^alpha + B / D^beta, and so on.
constexpr Parameter irreducible_loss(
    const char* name, const char* meaning = "loss of an infinite model on infinite data, nats") {
  return positive(name, meaning, {1e-9, 20}, {0.5, 4}).solved_for();
}
constexpr Parameter size_term(const char* name, const char* meaning) {
  return positive(name, meaning, {1e-9, 1e15}, {1, 1e5}).solved_for();
}
constexpr Parameter data_term(const char* name, const char* meaning) {
  return positive(name, meaning, {1e-9, 1e15}, {1, 1e6}).solved_for();
}
constexpr Parameter exponent_of_size(const char* name) {
  return positive(name, "exponent of size", {1e-3, 4}, {0.05, 1})
      .identified_by(Quantity::kSizes, 2);
}
constexpr Parameter exponent_of_data(const char* name) {
  return positive(name, "exponent of data", {1e-3, 4}, {0.05, 1})
      .identified_by(Quantity::kTokens, 2);
}

// gamma and n of exp(-P / gamma + n); n is fitted as gamma n, in bits.
constexpr Parameter bits_per_factor_e(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {0.05, 50}, {0.5, 4}).identified_by(of, 1);
}
constexpr Parameter bits_offset(const char* name, const char* meaning, Quantity of) {
  Parameter out = positive(name, meaning, {-30, 12}, {-1, 2.8}).identified_by(of, 2);
  out.scale = Scale::kTimesLast;
  return out;
}

// Of a loss difference from post-training quantization, proportional to C_T D^gamma_D / N^gamma_N.
constexpr Parameter size_of_delta(const char* name, const char* meaning) {
  return positive(name, meaning, {1e-15, 1e15}, {1e-4, 10}).solved_for().after_training();
}
constexpr Parameter slope_of_delta(const char* name, const char* meaning, Quantity of) {
  return of_either_sign(name, meaning, {-3, 4}, {0, 1}).identified_by(of, 2).after_training();
}

// Of a quantization error in training, proportional to k D^gamma_D / N^gamma_N.
constexpr Parameter slope_of_error(const char* name, const char* meaning, Quantity of) {
  return of_either_sign(name, meaning, {-3, 4}, {0, 0.6}).identified_by(of, 2).among_quantized();
}

// The effective share of parameters or data in a precision class; 1 if nothing is quantized.
constexpr ClassParameter share_of_class(const char* name, const char* meaning, ClassAxis axis) {
  return {
      .parameter = positive(name, meaning, {1e-5, 100}, {0.05, 1.2}), .axis = axis, .reference = 1};
}

// The first or the last of a list, and two lists one after the other.
template <size_t kCount, class T, size_t N>
constexpr std::array<T, kCount> first(const std::array<T, N>& list) {
  static_assert(kCount <= N);
  std::array<T, kCount> out{};
  for (size_t i = 0; i < kCount; ++i) out[i] = list[i];
  return out;
}
template <size_t kCount, class T, size_t N>
constexpr std::array<T, kCount> last(const std::array<T, N>& list) {
  static_assert(kCount <= N);
  std::array<T, kCount> out{};
  for (size_t i = 0; i < kCount; ++i) out[i] = list[N - kCount + i];
  return out;
}
template <class T, size_t A, size_t B>
constexpr std::array<T, A + B> joined(const std::array<T, A>& head, const std::array<T, B>& tail) {
  std::array<T, A + B> out{};
  for (size_t i = 0; i < A; ++i) out[i] = head[i];
  for (size_t i = 0; i < B; ++i) out[A + i] = tail[i];
  return out;
}

// The value of the parameter at a position.
struct Value {
  int at;
  double value;
};
constexpr Value is(int at, double value) {
  return {at, value};
}

// A value for every parameter: the first ones from `head`, each of the others given once. Anything
// else does not compile.
template <size_t N, size_t H, class... Values>
consteval std::array<double, N> values_of(const std::array<Parameter, N>&,
                                          const std::array<double, H>& head, Values... others) {
  std::array<double, N> out{};
  std::array<bool, N> known{};
  for (size_t i = 0; i < H; ++i) out[i] = head[i], known[i] = true;
  for (const Value& each : {others...}) {
    const size_t at = static_cast<size_t>(each.at);
    if (known[at]) throw "a constant has two values";
    out[at] = each.value, known[at] = true;
  }
  for (const bool is_known : known) {
    if (!is_known) throw "a constant has no value";
  }
  return out;
}
template <size_t N, class... Values>
consteval std::array<double, N> values_of(const std::array<Parameter, N>& parameters, Value value,
                                          Values... values) {
  return values_of(parameters, std::array<double, 0>{}, value, values...);
}

// The same values, with a few replaced.
template <size_t N, class... Values>
consteval std::array<double, N> with(std::array<double, N> values, Values... changed) {
  for (const Value& each : {changed...}) values[static_cast<size_t>(each.at)] = each.value;
  return values;
}

}  // namespace bitlaw
