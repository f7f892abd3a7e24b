#include "table/precision_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "base/error.h"
#include "formats/gaussian_error.h"
#include "table/precision_names.h"

namespace bitlaw {
namespace {

struct Part {
  const char *bits, *format, *gaussian_error;  // columns
  double Observation::*its_bits;
  double Observation::*its_gaussian_error;
};

constexpr Part kParts[] = {
    {"P_w", "format_w", "gaussian_error_w", &Observation::bits_weights,
     &Observation::gaussian_error_weights},
    {"P_a", "format_a", "gaussian_error_a", &Observation::bits_activations,
     &Observation::gaussian_error_activations},
    {"P_kv", "format_kv", "gaussian_error_kv", &Observation::bits_kv,
     &Observation::gaussian_error_kv},
};

Format read_format(const RowReader& row, const char* column) {
  try {
    return format_named(row.text(column));
  } catch (const Error& error) {
    row.fail(column, row.text(column),
             fmt::format("is no number format ({}); --columns {}=- leaves the column out",
                         error.what(), column));
  }
}

// Found once for each format: the search for the best scale takes a while.
double gaussian_error_of(const Format& format) {
  thread_local std::map<std::string, double> known;
  const auto [place, is_new] = known.emplace(format.name(), 0);
  if (is_new) place->second = least_gaussian_error(format).error;
  return place->second;
}

void take_float_format(Observation& run, int exponent_bits, int mantissa_bits) {
  if (!std::isnan(run.exponent_bits)) return;
  run.exponent_bits = exponent_bits;
  run.mantissa_bits = mantissa_bits;
}

void read_part(const RowReader& row, const Part& part, Observation& run,
               PrecisionSources& sources) {
  double& bits = run.*part.its_bits;
  double& gaussian_error = run.*part.its_gaussian_error;
  bits = row.bits(part.bits, row.bits("P", kUnknown));
  gaussian_error = row.positive_or_unknown(part.gaussian_error);
  const char* column = row.has(part.format) ? part.format : row.has("format") ? "format" : nullptr;
  if (column == nullptr) {
    if (std::isnan(bits)) bits = kUnquantizedBits;
    return;
  }
  const Format format = read_format(row, column);
  const double bits_of_format = std::min<double>(format.bits, kUnquantizedBits);
  if (std::isnan(bits)) bits = bits_of_format;
  // A format of every part says nothing against a part that is not quantized.
  const bool agree = bits == bits_of_format;
  sources.disagreeing += !agree && (column == part.format || bits != kUnquantizedBits);
  if (format.kind != FormatKind::kFloat || bits == kUnquantizedBits) return;
  take_float_format(run, format.exponent_bits, format.mantissa_bits);
  if (agree && std::isnan(gaussian_error)) gaussian_error = gaussian_error_of(format);
}

bool is_unquantized(const Observation& run) {
  return std::all_of(std::begin(kParts), std::end(kParts),
                     [&](const Part& part) { return run.*part.its_bits == kUnquantizedBits; });
}

void read_class(const RowReader& row, Observation& run, PrecisionSources& sources) {
  const std::string& text = row.text("precision");
  if (text.empty()) return;
  run.precision = is_reference_class(text) ? "BF16" : text;
  if (run.precision == "BF16") return;
  const auto named = named_precision(text);
  if (!named) return;
  run.precision = named->name;
  const double bits[] = {named->weights, named->activations, named->kv};
  if (is_unquantized(run)) {
    for (size_t i = 0; i < std::size(kParts); ++i) run.*kParts[i].its_bits = bits[i];
    sources.classes += !is_unquantized(run);
  }
  if (!named->format) return;
  take_float_format(run, named->format->exponent_bits, named->format->mantissa_bits);
  for (size_t i = 0; i < std::size(kParts); ++i) {
    double& error = run.*kParts[i].its_gaussian_error;
    if (std::isnan(error) && run.*kParts[i].its_bits == named->format->bits)
      error = gaussian_error_of(*named->format);
  }
}

}  // namespace

void read_precision(const RowReader& row, Observation& run, PrecisionSources& sources) {
  for (const Part& part : kParts) read_part(row, part, run, sources);
  read_class(row, run, sources);
  if (!is_reference_class(row.text("backward"))) run.backward = row.text("backward");
}

}  // namespace bitlaw
