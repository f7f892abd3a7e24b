#include "table/factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "laws/bind.h"
#include "record/factor_names.h"
#include "table/doubtful_factors.h"
#include "table/factor_value.h"
#include "table/pooling_advice.h"

namespace bitlaw {
namespace {

constexpr double kSame = 1.01;  // numbers within this factor are one value
constexpr size_t kShown = 5;    // values of a factor in a message

// Equal numbers become equal texts: "1e-2" and 0.01.
std::string text_of(double value) {
  return std::isnan(value) ? "" : fmt::format("{:.12g}", value);
}
std::string text_of(const std::optional<int64_t>& value) {
  return value ? fmt::format("{}", *value) : "";
}
std::string text_of(const std::string& value) {
  return value;
}

// A share near 1 is known by what it leaves: beta2 = .99 averages over 100 steps, .999 over 1,000.
bool is_share(const Factor& factor) {
  const std::string_view name = factor.name;
  return name == "beta1" || name == "beta2" || name == "run_fraction";
}

// Of each number the smallest within 1 % of it: groups begin at the smallest. What `shares` leave
// of 1 has to be within 1 %, too.
std::map<double, double> first_of_nearly_equal(std::vector<double> numbers, bool shares = false) {
  std::erase_if(numbers, [](double number) { return std::isnan(number); });
  std::sort(numbers.begin(), numbers.end());
  std::map<double, double> out;
  double first = kUnknown;
  for (const double number : numbers) {
    const bool leaves_as_much = !shares || 1 - first <= kSame * (1 - number);
    const bool same = number == first || (first > 0 && number <= kSame * first && leaves_as_much);
    if (!same) first = number;
    out[number] = first;
  }
  return out;
}

void merge_values(std::vector<FactorRow>& rows, const Factor& factor) {
  const size_t place = factor.index();
  std::vector<double> numbers;
  for (const FactorRow& row : rows)
    numbers.push_back(parse_number(row.values[place]).value_or(kUnknown));
  const std::map<double, double> first = first_of_nearly_equal(numbers, is_share(factor));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!std::isnan(numbers[i])) rows[i].values[place] = text_of(first.at(numbers[i]));
  }
}

// Equal for rows that must have one value of a factor.
using Group = std::vector<std::string>;

class Pooling {
 public:
  // The numbers of `rows` are merged.
  explicit Pooling(const std::vector<FactorRow>& rows) : rows_(rows) {}

  std::optional<PooledFactor> find(const Factor& factor) const {
    using Where = PooledFactor::Where;
    if (!has_two_values(factor)) return std::nullopt;
    const bool everywhere = factor.varies == Varies::kNever || factor.varies == Varies::kFreely;
    if (everywhere) return differing(factor, Where::kAnywhere);
    if (auto found = differing(factor, Where::kAtOnePrecision)) return found;
    if (factor.varies == Varies::kByPrecision) return std::nullopt;
    return differing(factor, Where::kAtOneSize);
  }

 private:
  static Group group_of(const Factor& factor, PooledFactor::Where where, const FactorRow& row) {
    Group group;
    if (where != PooledFactor::kAnywhere)
      group.push_back(fmt::format("{} {} {}", row.params, row.tokens, share_of_run(row)));
    if (where == PooledFactor::kAtOnePrecision) group.push_back(row.bits);
    for (const std::string& name : split(factor.follows, ' '))
      group.push_back(name == kCalibrationSeed ? row.calibration_seed
                                               : row.value(*find_factor(name)));
    return group;
  }

  // Rules of N and D are those of the whole run: halfway through a long one the rate is another one
  // than at the end of a short one.
  static std::string share_of_run(const FactorRow& row) {
    const std::string& share = row.value(*find_factor("run_fraction"));
    return share.empty() ? "1" : share;
  }

  // Most factors of most tables have one value or none.
  bool has_two_values(const Factor& factor) const {
    const size_t place = factor.index();
    const std::string* first = nullptr;
    for (const FactorRow& row : rows_) {
      const std::string& value = row.values[place];
      if (value.empty()) continue;
      if (first && value != *first) return true;
      first = &value;
    }
    return false;
  }

  std::optional<PooledFactor> differing(const Factor& factor, PooledFactor::Where where) const {
    std::map<Group, std::map<std::string, int>> groups;
    for (const FactorRow& row : rows_) {
      const std::string& value = row.value(factor);
      if (!value.empty()) ++groups[group_of(factor, where, row)][value];
    }
    std::map<std::string, int> counts;
    for (const auto& [group, held] : groups) {
      if (held.size() < 2) continue;
      for (const auto& [value, count] : held) counts[value] += count;
    }
    if (counts.empty()) return std::nullopt;
    PooledFactor out{&factor, factor.name, where, {counts.begin(), counts.end()}};
    if (where == PooledFactor::kAnywhere) {
      out.unknown =
          static_cast<int>(std::count_if(rows_.begin(), rows_.end(), [&](const FactorRow& row) {
            return row.counts[factor.index()] && row.value(factor).empty();
          }));
    }
    if (!factor.is_text()) {
      std::stable_sort(out.values.begin(), out.values.end(), [](const auto& a, const auto& b) {
        return parse_number(a.first).value_or(0) < parse_number(b.first).value_or(0);
      });
    }
    return out;
  }

  const std::vector<FactorRow>& rows_;
};

std::vector<PooledFactor> pooled_among(const std::vector<FactorRow>& merged) {
  const Pooling pooling(merged);
  const std::vector<bool> known = known_factors(merged);
  std::vector<PooledFactor> out;
  for (const Factor& factor : factors()) {
    if (!known[factor.index()]) continue;
    if (auto found = pooling.find(factor)) out.push_back(std::move(*found));
  }
  return out;
}

const char* place_of(PooledFactor::Where where) {
  switch (where) {
    case PooledFactor::kAnywhere:
      return "";
    case PooledFactor::kAtOneSize:
      return " between precisions at the same N and D";
    case PooledFactor::kAtOnePrecision:
      return " at the same N, D and precision";
  }
  return "";
}

// The factors in which rows differ, place by place: "a (...); and, at the same N and D, in b
// (...)".
// A place belongs to its own factors alone.
std::string sentence_of(const std::vector<PooledFactor>& all) {
  std::vector<std::string> parts;
  for (const auto where :
       {PooledFactor::kAnywhere, PooledFactor::kAtOnePrecision, PooledFactor::kAtOneSize}) {
    std::vector<std::string> here;
    for (const PooledFactor& pooled : all) {
      if (pooled.where == where) here.push_back(describe(pooled));
    }
    if (here.empty()) continue;
    const std::string last = here.back();
    here.pop_back();
    const std::string names =
        fmt::format("{}{}{}", fmt::join(here, ", "), here.empty() ? "" : " and ", last);
    parts.push_back(parts.empty() ? names + place_of(where)
                                  : fmt::format("and,{}, in {}", place_of(where), names));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

bool is_among(const PooledFactor& pooled, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), pooled.factor->name) != names.end();
}

// The values of the factors, from the fields of a row and the bits of its parts.
void set_values(FactorRow& row, std::vector<std::string> fields, const auto& bits_of) {
  row.fields = std::move(fields);
  row.counts.reserve(row.fields.size());
  row.values.resize(row.fields.size());
  for (const Factor& factor : factors()) {
    const size_t place = factor.index();
    const bool counts = *factor.bits == '\0' || bits_of(factor.bits) < kUnquantizedBits;
    row.counts.push_back(counts);
    std::string& field = row.fields[place];
    if (field.empty()) continue;
    field = trim(field);
    if (counts) row.values[place] = factor_value(factor, field);
  }
}

// The class of a pass by any of its names; what is not quantized is BF16.
void set_class(FactorRow& row, const char* factor, const std::string& name) {
  const size_t place = find_factor(factor)->index();
  const std::string& field = row.fields[place];
  if (row.values[place].empty() && (field.empty() || !is_unquantized(field))) return;
  row.values[place] = is_unquantized(name) ? "BF16" : name;
}

std::string settings_of(const std::string& label, double bits_post, const std::string& method,
                        const auto&... others) {
  std::string out = label;
  if (bits_post > 0 && bits_post < kUnquantizedBits)
    out += fmt::format(", {:g} bits by {}", bits_post, method);
  ((out += fmt::format("/{}", others)), ...);
  return out;
}

}  // namespace

std::string label_of_bits(double weights, double activations, double kv) {
  std::string out;
  const auto add = [&](const char* part, double bits) {
    if (bits < kUnquantizedBits) out += fmt::format("{}{:g}", part, bits);
  };
  add("W", weights), add("A", activations), add("KV", kv);
  return out.empty() ? "BF16" : out;
}

std::vector<std::string> FactorRow::fixed_values() const {
  std::vector<std::string> out = values;
  for (const Factor& factor : factors()) {
    if (factor.varies == Varies::kFreely) out[factor.index()].clear();
  }
  return out;
}

FactorRow factor_row(const TidyRow& row) {
  FactorRow out;
  if (row.N) out.params = static_cast<double>(*row.N);
  if (row.D) out.tokens = static_cast<double>(*row.D);
  out.label = label_of_bits(row.P_w, row.P_a, row.P_kv);
  const int64_t group = row.group.value_or(0);
  out.bits = settings_of(out.label, row.P_post,
                         row.method + (group > 0 ? fmt::format("-g{}", group) : ""));
  out.precision = out.bits;
  std::map<std::string, std::string> fields;
  for_each_column(row, [&](const char* name, const auto& value, const char*) {
    fields[name] = text_of(value);
  });
  out.seed = fields["seed"];
  out.calibration_seed = fields[kCalibrationSeed];
  if (row.is_run()) out.loss = row.loss;
  std::vector<std::string> texts;
  for (const Factor& factor : factors()) texts.push_back(fields[factor.name]);
  set_values(out, std::move(texts), [&](std::string_view column) {
    if (column == "P") return std::min({row.P_w, row.P_a, row.P_kv});
    return parse_number(fields[std::string(column)]).value_or(kUnknown);
  });
  return out;
}

FactorRow factor_row(const Observation& run, FactorTexts texts) {
  FactorRow out;
  out.params = run.params;
  out.tokens = run.tokens;
  out.label = label_of_bits(run.bits_weights, run.bits_activations, run.bits_kv);
  for (const auto& [part, bits] : {std::pair{"K", run.bits_keys},
                                   {"V", run.bits_values},
                                   {"E", run.bits_embedding},
                                   {"H", run.bits_head}}) {
    if (bits < kUnquantizedBits) out.label += fmt::format("{}{:g}", part, bits);
  }
  out.bits = settings_of(out.label, run.bits_post, run.method);
  out.precision = settings_of(out.bits, 0, "", run.group, run.precision, run.backward);
  for (const NamedInput& each : run.inputs)
    out.precision += fmt::format("/{}={}", each.column, each.value);
  out.seed = std::move(texts.seed);
  out.calibration_seed = std::move(texts.calibration_seed);
  if (!run.is_post_training()) out.loss = run.loss_nats;
  set_values(out, std::move(texts.fields), [&](std::string_view column) {
    if (column == "P") return std::min({run.bits_weights, run.bits_activations, run.bits_kv});
    if (column == "P_w") return run.bits_weights;
    if (column == "P_a") return run.bits_activations;
    if (column == "P_kv") return run.bits_kv;
    if (column == "P_post") return run.is_post_training() ? run.bits_post : kUnquantizedBits;
    return parse_number(out.fields[find_factor(column)->index()]).value_or(kUnknown);
  });
  set_class(out, "precision", run.precision);
  set_class(out, "backward", run.backward);
  return out;
}

std::vector<bool> known_factors(const std::vector<FactorRow>& rows) {
  std::vector<bool> out(factors().size(), false);
  for (const FactorRow& row : rows) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (!row.values[i].empty()) out[i] = true;
    }
  }
  return out;
}

std::vector<FactorRow> merge_numbers(std::vector<FactorRow> rows) {
  for (double FactorRow::*size : {&FactorRow::params, &FactorRow::tokens}) {
    std::vector<double> numbers;
    for (const FactorRow& row : rows) numbers.push_back(row.*size);
    const std::map<double, double> same = first_of_nearly_equal(std::move(numbers));
    for (FactorRow& row : rows) {
      if (!std::isnan(row.*size)) row.*size = same.at(row.*size);
    }
  }
  const std::vector<bool> known = known_factors(rows);
  for (const Factor& factor : factors()) {
    if (known[factor.index()] && !factor.is_text()) merge_values(rows, factor);
  }
  return rows;
}

std::vector<PooledFactor> pooled_factors(const std::vector<FactorRow>& rows) {
  return pooled_among(merge_numbers(rows));
}

std::string describe(const PooledFactor& pooled) {
  // Values are more than 1 % apart, so a share needs no more digits.
  const auto short_of = [&](const std::string& value) {
    const auto number = pooled.factor->is_text() ? std::nullopt : parse_finite(value);
    return number && *number != std::floor(*number) ? fmt::format("{:.4g}", *number) : value;
  };
  const auto rows = [](int count) { return fmt::format("{} row{}", count, count == 1 ? "" : "s"); };
  std::vector<std::string> shown;
  int others = 0;
  for (const auto& [value, count] : pooled.values) {
    if (shown.size() < kShown)
      shown.push_back(fmt::format("{}: {}", short_of(value), rows(count)));
    else
      others += count;
  }
  const size_t more = pooled.values.size() - shown.size();
  if (more > 0)
    shown.push_back(
        fmt::format("and {} more value{}: {}", more, more == 1 ? "" : "s", rows(others)));
  if (pooled.unknown > 0) shown.push_back(fmt::format("and {} without it", rows(pooled.unknown)));
  return fmt::format("{} ({})", pooled.name, fmt::join(shown, ", "));
}

void must_not_pool(const std::vector<FactorRow>& rows, const MayDiffer& may,
                   const std::string& where, const std::string& filter,
                   std::vector<std::string>& notes) {
  const std::vector<FactorRow> merged = merge_numbers(rows);
  std::vector<PooledFactor> refused, said;
  for (PooledFactor& pooled : pooled_among(merged)) {
    if (is_among(pooled, may.modelled)) continue;
    if (const auto name = may.names.find(pooled.name); name != may.names.end())
      pooled.name = name->second;
    const bool allowed = pooled.factor->varies == Varies::kFreely || is_among(pooled, may.pooled);
    (allowed ? said : refused).push_back(std::move(pooled));
  }
  if (!refused.empty()) {
    throw Error(fmt::format("{}: rows differ in {}; {}", where, sentence_of(refused),
                            pooling_advice(rows, refused, may, filter)));
  }
  if (!said.empty())
    notes.push_back(fmt::format("{}rows differ in {}.", kPooledNote, sentence_of(said)));
  note_doubtful_among(merged, may, notes);
}

std::vector<std::string> modelled_factors(const Law& law) {
  std::vector<std::string> out;
  Observation plain;
  plain.params = 1e8, plain.tokens = 1e10;
  plain.bits_weights = plain.bits_activations = plain.bits_kv = 4;
  plain.group = 32, plain.exponent_bits = 2, plain.mantissa_bits = 1;
  plain.gaussian_error_weights = plain.gaussian_error_activations = 0.01;
  plain.gaussian_error_kv = 0.01;
  plain.precision = "a", plain.backward = "a", plain.optimizer = "a";
  for (const LawInput& input : law.inputs) {
    plain.inputs.push_back({input.column, 2.0});
    if (std::string factor = factor_called(input.column); !factor.empty())
      out.push_back(std::move(factor));
  }
  const BoundLaw bound = bind_law(law, std::vector{plain});
  const double* const constants = bound.law().constants[0].values.data();
  const auto add_if_felt = [&](const std::vector<std::string>& names, const Observation& other) {
    if (predict(bound.law(), constants, plain) != predict(bound.law(), constants, other))
      out.insert(out.end(), names.begin(), names.end());
  };
  for (const ClassParameter& parameter : law.class_parameters) {
    const bool backward = parameter.axis == ClassAxis::kBackward;
    out.emplace_back(backward                                  ? "backward"
                     : parameter.axis == ClassAxis::kOptimizer ? "optimizer"
                                                               : "precision");
  }
  Observation other = plain;
  other.unique_tokens = plain.tokens / 4;
  add_if_felt({"epochs", "unique_tokens"}, other);
  other = plain;
  other.exponent_bits = 3, other.mantissa_bits = 2;
  other.gaussian_error_weights = other.gaussian_error_activations = other.gaussian_error_kv = 0.02;
  add_if_felt({"format", "format_w", "format_a", "format_kv"}, other);
  other = plain;
  other.group = 128;
  add_if_felt({"training_group"}, other);
  return out;
}

}  // namespace bitlaw
