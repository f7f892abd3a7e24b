// The factors of a study: whatever may change the loss of a run besides N, D, the precision and the
// seed. Most are columns of the tidy table (record/tidy_row.h), which has their types and meanings;
// some occur in tables from elsewhere only. This is the only list of factors, and of how each may
// vary between rows that are used together (docs/decisions/0014-factors.md).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

enum class Varies {
  // One value in a table. With several, losses cannot be compared, or the difference is taken for
  // an effect of N, D or the precision.
  kNever,
  // By a rule of N and D, as the learning rate and the depth do: one value at the same N and D,
  // whatever the precision.
  kBySize,
  // Part of the precision that laws do not see: one value at the same N, D and bits.
  kByPrecision,
  // It moves a loss no more than another seed does.
  kFreely,
};

// What the values of a factor are.
enum class Values {
  // As in the tidy table's column of this name.
  kOfColumn,
  // Of tables from elsewhere: the tidy table has no such column.
  kTexts,
  kNumbers,
};

struct Factor {
  // Of the column, here and in tables from elsewhere.
  const char* name;
  Varies varies;
  // The factors that decide it at a given N and D: it counts only if they are the same. "": none.
  // calibration_seed, which is no factor, may be one of them.
  const char* follows = "";
  // Column of the bits below 16 with which it counts: a scale of what is not quantized is nothing.
  // "P": the lowest in training.
  const char* bits = "";
  Values values = Values::kOfColumn;

  bool is_text() const;
  // Place in factors().
  size_t index() const;
};

// The seed that picks the calibration text of a cell of quantization after training: cells that
// differ in nothing else are replicates, and it decides calibration_hash.
inline constexpr const char* kCalibrationSeed = "calibration_seed";

// What decides others comes before them.
std::span<const Factor> factors();

// Null if there is no such factor.
const Factor* find_factor(std::string_view name);

// The factors that `names` mean: by name or usual name (factor_names.h), by the first words of a
// name (format is format_w, too), or all of them. Error with the nearest name if there is none.
std::vector<std::string> factors_named(const std::vector<std::string>& names);

}  // namespace bitlaw
