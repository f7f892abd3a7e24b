// One-dimensional searches: a scan or a walk that brackets, then Brent's method, golden sections,
// regula falsi or bisection. They need no derivatives and cannot fail.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace bitlaw {

struct Found {
  double x, value;
};

// Brent's method on [a, b] from x in between with f(x) = value, the least known: a parabola through
// the last three points, or a golden section if that does not help. Stops when x is known to
// `tolerance`; a value's rounding limits that to about 1e-8 of the scale on which f changes.
template <class F>
Found minimise_between(const F& f, double a, double x, double value, double b, double tolerance) {
  constexpr double kGolden = 0.3819660112501051;
  double second = x, third = x, f_second = value, f_third = value;
  double step = 0, before = 0;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (a + b), least = tolerance + 1e-15 * std::fabs(x);
    if (std::fabs(x - middle) <= 2 * least - 0.5 * (b - a)) break;
    bool parabola = false;
    if (std::fabs(before) > least) {
      const double r = (x - second) * (value - f_third), q = (x - third) * (value - f_second);
      double numerator = (x - third) * q - (x - second) * r, denominator = 2 * (q - r);
      if (denominator > 0) numerator = -numerator;
      denominator = std::fabs(denominator);
      if (std::fabs(numerator) < std::fabs(0.5 * denominator * before) &&
          numerator > denominator * (a - x) && numerator < denominator * (b - x)) {
        parabola = true;  // false for infinite or undefined values
        before = step;
        step = numerator / denominator;
        const double next = x + step;
        if (next - a < 2 * least || b - next < 2 * least) step = x < middle ? least : -least;
      }
    }
    if (!parabola) {
      before = x >= middle ? a - x : b - x;
      step = kGolden * before;
    }
    const double next = x + (std::fabs(step) >= least ? step : std::copysign(least, step));
    const double at_next = f(next);
    if (at_next <= value) {
      (next >= x ? a : b) = x;
      third = second, f_third = f_second;
      second = x, f_second = value;
      x = next, value = at_next;
    } else {
      (next < x ? a : b) = next;
      if (at_next <= f_second || second == x) {
        third = second, f_third = f_second;
        second = next, f_second = at_next;
      } else if (at_next <= f_third || third == x || third == second) {
        third = next, f_third = at_next;
      }
    }
  }
  return {x, value};
}

// The least f on [low, high]: the best of `grid` + 1 even points, refined between its neighbours.
// An f that is +inf in places is fine.
template <class F>
Found minimise(const F& f, double low, double high, int grid = 64) {
  const double step = (high - low) / grid;
  Found best{low, f(low)};
  for (int i = 1; i <= grid; ++i) {
    const double x = i == grid ? high : low + i * step, value = f(x);
    if (value < best.value) best = {x, value};
  }
  return minimise_between(f, std::fmax(low, best.x - step), best.x, best.value,
                          std::fmin(high, best.x + step), 1e-9 * (high - low));
}

// The least f on [low, high] for an f with one valley: walks downhill from `start` with growing
// steps, then closes in. If f falls towards an end of the interval, that end is returned exactly.
template <class F>
Found minimise_near(const F& f, double start, double step, double low, double high,
                    double tolerance) {
  const auto inside = [&](double x) { return std::clamp(x, low, high); };
  double x = inside(start), value = f(x);
  double behind = inside(x - step), f_behind = f(behind);
  double ahead = inside(x + step), f_ahead = f(ahead);
  if (f_behind < f_ahead && f_behind < value) {  // walk left: mirror the names
    std::swap(behind, ahead), std::swap(f_behind, f_ahead);
    step = -step;
  }
  while (f_ahead < value && ahead != low && ahead != high) {
    step *= 2;
    behind = x, x = ahead, value = f_ahead;
    ahead = inside(x + step), f_ahead = f(ahead);
  }
  if (f_ahead < value) {  // an end of the interval, still falling
    const double wide = std::fabs(ahead - x);
    const double nearer = ahead + (ahead == low ? 1 : -1) * 1e-4 * wide;
    if (!(f(nearer) < f_ahead)) return {ahead, f_ahead};
    x = nearer, value = f(nearer);
  }
  Found found =
      minimise_between(f, std::fmin(behind, ahead), x, value, std::fmax(behind, ahead), tolerance);
  for (const Found& end : {Found{behind, f_behind}, Found{ahead, f_ahead}}) {
    if ((end.x == low || end.x == high) && end.value < found.value) found = end;
  }
  return found;
}

// Newton's method on a minimum already known to about 1e-4, with derivatives from five points `h`
// apart. If f is smooth there, this finds x to about 1e-9, which values alone cannot; otherwise x
// is returned unchanged.
template <class F>
double polish(const F& f, double x, double h) {
  for (int i = 0; i < 2; ++i) {
    const double far_left = f(x - 2 * h), left = f(x - h), middle = f(x);
    const double right = f(x + h), far_right = f(x + 2 * h);
    const double slope = (8 * (right - left) - (far_right - far_left)) / (12 * h);
    const double curve =
        (16 * (right + left) - (far_right + far_left) - 30 * middle) / (12 * h * h);
    const double step = -slope / curve;
    if (!(curve > 0) || !(std::fabs(step) <= 2 * h)) return x;
    x += step;
    if (std::fabs(step) < 1e-3 * h) break;
  }
  return x;
}

// The least f on [low, high], for an f that falls and then rises, by golden sections until the
// interval is no wider than `width`. Only comparisons decide, so the result has the same bits
// anywhere.
template <class F>
Found golden_section(const F& f, double low, double high, double width) {
  constexpr double kGolden = 0.618033988749894848205;
  double x = high - kGolden * (high - low), y = low + kGolden * (high - low);
  double at_x = f(x), at_y = f(y);
  while (high - low > width) {
    if (at_x < at_y) {
      high = y, y = x, at_y = at_x, x = high - kGolden * (high - low), at_x = f(x);
    } else {
      low = x, x = y, at_x = at_y, y = low + kGolden * (high - low), at_y = f(y);
    }
  }
  return at_x < at_y ? Found{x, at_x} : Found{y, at_y};
}

// A root of f on [low, high] to the last bits, if f changes sign; else the end with the smaller
// |f|.
template <class F>
double find_root(const F& f, double low, double high) {
  double f_low = f(low);
  const double f_high = f(high);
  if ((f_low < 0) == (f_high < 0)) return std::fabs(f_low) < std::fabs(f_high) ? low : high;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high) break;
    const double value = f(middle);
    if ((value < 0) == (f_low < 0)) {
      low = middle, f_low = value;
    } else {
      high = middle;
    }
  }
  return 0.5 * (low + high);
}

// Bisects [low, high] for a condition that holds at `low` and not at `high`, `rounds` times or
// until it is no wider than `width` (relative to `low` if that is above 1).
struct Bracket {
  double low, high;
};
template <class Condition>
Bracket bisect(const Condition& holds, double low, double high, int rounds, double width = 0) {
  for (int i = 0; i < rounds && high - low > width * std::fmax(1, std::fabs(low)); ++i) {
    const double middle = 0.5 * (low + high);
    (holds(middle) ? low : high) = middle;
  }
  return {low, high};
}

// The root of a falling function in [low, high] by the Illinois variant of regula falsi, in one
// step if it is straight; NaN if there is none.
template <class F>
double root_of_falling(const F& function, double low, double high) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto f = [&](double x) {  // may be infinite
    return std::fmin(1e9, std::fmax(-1e9, function(x)));
  };
  double at_low = f(low), at_high = f(high);
  if (!(at_low >= 0 && at_high <= 0)) return kNone;
  double last = kNone;
  for (int i = 0; i < 100 && high - low > 1e-13 * std::fmax(1, std::fabs(high)); ++i) {
    const double x = low + (high - low) * at_low / (at_low - at_high);
    const double y = f(x);
    if (std::isnan(y)) return kNone;
    if (y == 0 || std::fabs(x - last) < 1e-12 * std::fmax(1, std::fabs(x))) return x;
    last = x;
    if (y > 0) {
      low = x, at_low = y, at_high /= 2;
    } else {
      high = x, at_high = y, at_low /= 2;
    }
  }
  return 0.5 * (low + high);
}

}  // namespace bitlaw
