// Rows that are used together though a factor (record/factor.h) differs between them: its effect
// would be taken for noise, or for an effect of N, D or the precision.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "laws/registry.h"
#include "record/factor.h"
#include "record/tidy_row.h"

namespace bitlaw {

// What is known of a row besides its results.
struct FactorRow {
  int place = 0;  // of the row in the table (RawRow::place); 0 = unknown
  double params = kUnknown, tokens = kUnknown;
  // What a law may see besides N and D, equal texts for equal settings.
  std::string precision;
  // The part of it that every law with bits sees: bits, method and group of quantization.
  std::string bits;
  // The same for people, of a run: "BF16", "W4", "W4A8".
  std::string label;
  // In the order of factors(); "": not known, or does not count in this row.
  std::vector<std::string> values;
  // Whether they count in this row: the format of what is not quantized does not.
  std::vector<bool> counts;
  // The same as the table spells them, also where they do not count.
  std::vector<std::string> fields;
  std::string seed;              // "": not known
  std::string calibration_seed;  // "": not known, or no calibration
  double loss =
      kUnknown;  // nats per token, of a run; NaN for a cell of quantization after training

  const std::string& value(const Factor& factor) const { return values[factor.index()]; }
  // `values` without those that may vary freely.
  std::vector<std::string> fixed_values() const;
};

FactorRow factor_row(const TidyRow& row);
// The fields of a row of a table from elsewhere; "" if there is none.
struct FactorTexts {
  std::vector<std::string> fields;  // in the order of factors()
  std::string seed, calibration_seed;
};
FactorRow factor_row(const Observation& run, FactorTexts texts);

// "W4A8", or "BF16" if nothing is below 16.
std::string label_of_bits(double weights, double activations, double kv);

// Which factors, in the order of factors(), have a value in some row: most tables tell few of them.
std::vector<bool> known_factors(const std::vector<FactorRow>& rows);

// The same rows with one number where numbers are within 1 % of each other: D is rounded to whole
// steps, and what follows from it, too; N may be counted with or without small parts.
std::vector<FactorRow> merge_numbers(std::vector<FactorRow> rows);

// A factor that varies where it should not.
struct PooledFactor {
  enum Where {
    kAnywhere,        // the rows differ in it
    kAtOneSize,       // rows of different precision differ in it at the same N and D
    kAtOnePrecision,  // rows differ in it at the same N, D and precision
  };
  const Factor* factor = nullptr;
  std::string name = {};  // for messages
  Where where = kAnywhere;
  // What the rows in question have, and how many of them.
  std::vector<std::pair<std::string, int>> values;
  // Rows of the table whose value is not known; 0 unless they differ anywhere.
  int unknown = 0;
};

// In the order of factors(). Unknown values say nothing; numbers are merged first.
std::vector<PooledFactor> pooled_factors(const std::vector<FactorRow>& rows);

// "lr (0.01: 3 rows, 0.02: 4 rows)"
std::string describe(const PooledFactor& pooled);

// The factors that a law has an input for: it may be fitted to rows that differ in them. A law with
// a constant for each class of precision has one for precision.
std::vector<std::string> modelled_factors(const Law& law);

// How the note on what is pooled begins.
inline constexpr const char* kPooledNote = "Pooled: ";

// The factors in which rows may differ.
struct MayDiffer {
  std::vector<std::string> pooled = {};           // because the user says so: a note names them
  std::vector<std::string> modelled = {};         // because the law has an input for them
  std::map<std::string, std::string> names = {};  // what messages call a factor, if not its name
};

// Error that names each other factor in which rows differ, its values, and what to do
// (pooling_advice.h). A note for what is pooled, or may vary freely, or is doubtful
// (doubtful_factors.h). `where` begins the sentence;
// `filter` comes before a condition in an advice ("--where ").
void must_not_pool(const std::vector<FactorRow>& rows, const MayDiffer& may,
                   const std::string& where, const std::string& filter,
                   std::vector<std::string>& notes);

}  // namespace bitlaw
