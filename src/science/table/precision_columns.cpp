#include "table/precision_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "formats/block_noise.h"
#include "formats/precision.h"
#include "formats/role_options.h"
#include "laws/bind.h"
#include "laws/class_spelling.h"
#include "record/factor_names.h"
#include "table/observation_columns.h"

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

PartPrecision read_format(const RowReader& row, const char* column) {
  if (is_unquantized(row.text(column))) return {};
  try {
    return part_precision(without_options(row.text(column)));
  } catch (const Error& error) {
    row.fail(column, row.text(column),
             fmt::format("is not a number format ({}); --columns {}=- leaves the column out",
                         error.what(), column));
  }
}

bool is_float(const PartPrecision& part) {
  return part.format && part.format->kind == FormatKind::kFloat;
}

// Of a part in this format, by the source that was asked for. NaN = as for bits without a format.
double error_of(PartPrecision part, const Observation& run, PrecisionSources& sources) {
  if (sources.error_source != GaussianErrorSource::kLeast) {
    if (part.group == 0 && run.group >= 1) part.group = static_cast<int>(run.group);
    const double error = gaussian_error_of(part, sources.error_source);
    if (!std::isnan(error)) return error;
    ++sources.without_group;
  }
  return is_float(part) ? gaussian_error_of(part, GaussianErrorSource::kLeast) : kUnknown;
}

// An integer with an FP32 scale.
PartPrecision integer_part(double bits) {
  const int whole = static_cast<int>(bits);
  PartPrecision out{.bits = bits, .storage_bits = bits};
  out.format = whole == bits && whole >= 2 ? std::optional(integer_format(whole)) : std::nullopt;
  return out;
}

void take_float_format(Observation& run, const Format& format) {
  if (!std::isnan(run.exponent_bits)) return;
  run.exponent_bits = format.exponent_bits;
  run.mantissa_bits = format.mantissa_bits;
}

// `rated`: whether a format has rated the part.
void read_part(const RowReader& row, const Part& part, Observation& run, PrecisionSources& sources,
               bool& rated) {
  double& bits = run.*part.its_bits;
  double& gaussian_error = run.*part.its_gaussian_error;
  bits = row.bits(part.bits, row.bits("P", kUnknown));
  gaussian_error = row.positive_or_unknown(part.gaussian_error);
  const char* column = row.has(part.format) ? part.format : row.has("format") ? "format" : nullptr;
  if (column == nullptr) {
    if (std::isnan(bits)) bits = kUnquantizedBits;
    return;
  }
  const PartPrecision named = read_format(row, column);
  const double bits_of_format = named.law_bits();
  if (std::isnan(bits)) bits = bits_of_format;
  // A format of every part says nothing against a part that is not quantized.
  const bool agree = bits == bits_of_format;
  sources.disagreeing += !agree && (column == part.format || bits != kUnquantizedBits);
  if (bits == kUnquantizedBits) return;
  if (agree && std::isnan(gaussian_error)) {
    rated = true;
    // A range that is searched or fitted is not that of a block's largest entry.
    const std::string& text = row.text(column);
    const bool fitted =
        text.find("+clip") != std::string::npos || text.find("+gauss") != std::string::npos;
    if (!fitted)
      gaussian_error = error_of(named, run, sources);
    else if (is_float(named))
      gaussian_error = gaussian_error_of(named, GaussianErrorSource::kLeast);
  }
  if (is_float(named)) take_float_format(run, *named.format);
}

bool no_part_quantized(const Observation& run) {
  return std::all_of(std::begin(kParts), std::end(kParts),
                     [&](const Part& part) { return run.*part.its_bits == kUnquantizedBits; });
}

using Rated = std::array<bool, std::size(kParts)>;

void read_class(const RowReader& row, Observation& run, PrecisionSources& sources, Rated& rated) {
  const std::string& text = row.text("precision");
  if (text.empty()) return;
  const auto named = named_precision(text);
  if (!named && parse_number(text) && sources.numbers++ == 0) sources.number = text;
  run.precision = first_spelling(!named               ? text
                                 : named->quantized() ? named->name
                                                      : "BF16",
                                 sources.forward);
  if (named && !named->quantized() && !no_part_quantized(run)) {
    run.precision.clear();
    ++sources.arithmetic;
  }
  if (!named || !named->quantized()) return;
  const PartPrecision* const parts[] = {&named->weights, &named->activations, &named->kv};
  if (no_part_quantized(run)) {
    for (size_t i = 0; i < std::size(kParts); ++i) run.*kParts[i].its_bits = parts[i]->law_bits();
    sources.classes += !no_part_quantized(run);
  }
  if (is_float(named->weights)) take_float_format(run, *named->weights.format);
  for (size_t i = 0; i < std::size(kParts); ++i) {
    double& error = run.*kParts[i].its_gaussian_error;
    // A floating-point format is that of every part with its bits.
    const PartPrecision& part = is_float(named->weights) ? named->weights : *parts[i];
    if (!part.format || !part.quantized() || rated[i] || !std::isnan(error)) continue;
    if (run.*kParts[i].its_bits != part.format->bits) continue;
    error = error_of(part, run, sources);
    rated[i] = true;
  }
}

// Bits without a format are integers.
void rate_bits(Observation& run, PrecisionSources& sources, const Rated& rated) {
  if (sources.error_source == GaussianErrorSource::kLeast) return;
  for (size_t i = 0; i < rated.size(); ++i) {
    double& error = run.*kParts[i].its_gaussian_error;
    const double bits = run.*kParts[i].its_bits;
    if (!rated[i] && std::isnan(error) && bits < kUnquantizedBits)
      error = error_of(integer_part(bits), run, sources);
  }
}

}  // namespace

std::string first_spelling(const std::string& name, std::vector<std::string>& known) {
  auto place = std::find(known.begin(), known.end(), name);
  if (place == known.end()) {
    place = std::find_if(known.begin(), known.end(),
                         [&](const std::string& each) { return is_same_precision(each, name); });
  }
  if (place != known.end()) return *place;
  return known.emplace_back(name);
}

namespace {

// Laws take a class that is called BF16 as unquantized.
void take_reference(Observation& run, PrecisionSources& sources) {
  if (sources.reference.empty()) return;
  const std::string forward = precision_class(run);
  const auto is_it = [&](const std::string& name) {
    return is_one_class(name.empty() ? "BF16" : name, sources.reference);
  };
  if (is_it(forward)) {
    run.precision = "BF16";
    ++sources.referred;
  } else {
    sources.unquantized += forward.empty();
  }
  if (is_it(run.backward)) run.backward.clear();
}

}  // namespace

void check_reference(const PrecisionSources& sources, const std::vector<Observation>& runs,
                     const std::string& where) {
  if (sources.reference.empty()) return;
  std::set<std::string> classes;
  for (const Observation& run : runs) classes.insert(class_of(run));
  if (sources.referred == 0) {
    throw Error(fmt::format("{}: {} {}: no row is of this class; the table has {}", where,
                            sources.reference_option, printable(sources.reference),
                            printable(std::vector(classes.begin(), classes.end()))));
  }
  if (sources.unquantized > 0) {
    throw Error(fmt::format(
        "{}: {} {}: {} other row{} not quantized, either; a law has one such class: use "
        "--where to leave one of them out",
        where, sources.reference_option, printable(sources.reference), sources.unquantized,
        sources.unquantized == 1 ? " is" : "s are"));
  }
}

namespace {

// Keys and values apart, embeddings and head. Where keys and values have the bits that P_kv says, they
// are one part, as in tables without P_k and P_v.
void read_own_parts(const RowReader& row, Observation& run, PrecisionSources& sources) {
  run.bits_embedding = row.bits("P_emb", kUnknown), run.bits_head = row.bits("P_head", kUnknown);
  const bool says_kv = row.has("P_kv") || row.has("P");
  const double rest = says_kv ? run.bits_kv : kUnquantizedBits;
  double keys = row.bits("P_k", kUnknown), values = row.bits("P_v", kUnknown);
  if (std::isnan(keys) && std::isnan(values)) return;
  if (std::isnan(keys)) keys = rest;
  if (std::isnan(values)) values = rest;
  if (keys == values) {
    sources.disagreeing += row.has("P_kv") && keys != run.bits_kv;
    run.bits_kv = keys;
    return;
  }
  run.bits_keys = keys, run.bits_values = values;
  run.bits_kv = std::min(keys, values);
  ++sources.apart;
}

}  // namespace

void read_precision(const RowReader& row, Observation& run, PrecisionSources& sources) {
  Rated rated{};
  for (size_t i = 0; i < rated.size(); ++i) read_part(row, kParts[i], run, sources, rated[i]);
  read_own_parts(row, run, sources);
  read_class(row, run, sources, rated);
  rate_bits(run, sources, rated);
  const std::string backward = row.text("backward");
  if (!is_unquantized(backward)) run.backward = first_spelling(backward, sources.backward);
  take_reference(run, sources);
}

}  // namespace bitlaw
