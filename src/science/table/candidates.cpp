#include "table/candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "laws/bind.h"
#include "laws/part_bits.h"
#include "table/observation_columns.h"
#include "table/precision_columns.h"

namespace bitlaw {
namespace {

double number_of(const std::string& text, const std::string& where) {
  const auto value = parse_positive(text);
  if (!value) throw Error(fmt::format("{}: '{}' is not a positive number", where, trim(text)));
  return *value;
}

std::vector<double> log_spaced(double low, double high, int count) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) {
    const double value = low * std::pow(high / low, i / (count - 1.0));
    const double digit = std::pow(10, std::floor(std::log10(value)) - 2);
    out.push_back(std::round(value / digit) * digit);  // three digits are plenty
  }
  return out;
}

// A run's precision, without its size: every input of a law that depends on it.
Observation precision_of(const Observation& row) {
  Observation out = row;
  out.params = out.tokens = out.loss_nats = out.delta_nats = kUnknown;
  out.params_total = out.bits_post = 0;
  out.loss_standard_error = out.delta_standard_error = out.unique_tokens = kUnknown;
  out.method.clear(), out.cluster.clear();
  out.inputs.clear();
  return out;
}

// Which parts are below 16 bits.
int parts_of(const Observation& row) {
  return (row.bits_weights < kUnquantizedBits) + 2 * (row.bits_activations < kUnquantizedBits) +
         4 * (row.bits_kv < kUnquantizedBits);
}

Observation at_bits(int parts, double bits) {
  Observation out;
  if (parts & 1) out.bits_weights = bits;
  if (parts & 2) out.bits_activations = bits;
  if (parts & 4) out.bits_kv = bits;
  return out;
}

// Every precision of the table; and for formulas in bits, whole bits between in the same parts.
std::vector<Observation> precisions(const Law& law, const std::vector<Observation>& rows,
                                    const std::vector<double>& bits) {
  std::map<std::string, Observation> known;
  const auto add = [&](const Observation& row) {
    const std::string name =
        precision_class(row) + "/" + backward_class(row) + "/" + bits_label(row);
    known.emplace(name, precision_of(row));
  };
  std::set<int> parts;
  std::set<double> whole(bits.begin(), bits.end());
  double least = kUnquantizedBits, most = 0;
  for (const Observation& row : rows) {
    if (row.is_post_training()) continue;
    if (bits.empty() || whole.contains(least_bits(row))) add(row);
    parts.insert(parts_of(row));
    least = std::min(least, least_bits(row));
    if (least_bits(row) < kUnquantizedBits) most = std::max(most, least_bits(row));
  }
  if (law.class_parameters.empty() && law.uses_bits) {
    if (bits.empty()) {
      for (double b = std::ceil(least); b <= most; ++b) whole.insert(b);
    }
    for (const int mask : parts) {
      for (const double b : whole) {
        if (mask != 0 || b >= kUnquantizedBits) add(at_bits(mask, b));
      }
    }
  }
  std::vector<Observation> out;
  for (const auto& [name, row] : known) out.push_back(row);
  return out;
}

}  // namespace

namespace {

// What the table has in the inputs of a formula, each combination once; one without any for other laws.
// Those that `given` names take its values instead.
std::vector<std::vector<NamedInput>> combinations_of_inputs(
    const Law& law, const std::vector<Observation>& rows,
    const std::map<std::string, std::vector<double>>& given) {
  std::vector<std::vector<NamedInput>> out;
  const auto add = [&](std::vector<NamedInput> inputs) {
    if (std::find(out.begin(), out.end(), inputs) == out.end()) out.push_back(std::move(inputs));
  };
  for (const Observation& row : rows) {
    std::vector<NamedInput> own;
    for (const LawInput& input : law.inputs) own.push_back({input.column, row.input(input.column)});
    add(std::move(own));
  }
  if (out.empty()) out.emplace_back();
  for (const auto& [column, values] : given) {
    const std::vector<std::vector<NamedInput>> before = std::move(out);
    out.clear();
    for (std::vector<NamedInput> inputs : before) {
      for (const double value : values) {
        for (NamedInput& each : inputs) {
          if (each.column == column) each.value = value;
        }
        add(inputs);
      }
    }
  }
  if (out.size() > kMostCombinations) {
    throw Error(
        fmt::format("candidates: the table has {} combinations of the formula's inputs; name "
                    "the values to try: grid;{}=...",
                    out.size(), law.inputs[0].name));
  }
  return out;
}

}  // namespace

bool has_candidate_grid(const Law& law, const std::vector<Observation>& rows) {
  std::vector<std::vector<double>> seen;
  for (const Observation& row : rows) {
    std::vector<double> own;
    for (const LawInput& input : law.inputs) own.push_back(row.input(input.column));
    if (std::find(seen.begin(), seen.end(), own) == seen.end()) seen.push_back(std::move(own));
    if (seen.size() > kMostCombinations) return false;
  }
  return true;
}

std::vector<Observation> candidate_grid(const Law& law, const std::vector<Observation>& rows,
                                        const std::string& text) {
  double least_n = std::numeric_limits<double>::infinity(), most_n = 0, least_d = least_n,
         most_d = 0;
  for (const Observation& row : rows) {
    least_n = std::min(least_n, row.params), most_n = std::max(most_n, row.params);
    least_d = std::min(least_d, row.tokens), most_d = std::max(most_d, row.tokens);
  }
  std::vector<double> sizes = log_spaced(least_n, 4 * most_n, 7);
  std::vector<double> tokens = log_spaced(least_d, 10 * most_d, 9);
  std::vector<double> bits;
  std::map<std::string, std::vector<double>> of_inputs;  // by column
  if (trim(text) != "grid") {
    for (const std::string& axis : split(text, ';')) {
      if (trim(axis) == "grid") continue;
      const size_t at = axis.find('=');
      const std::string name = trim(axis.substr(0, at));
      std::vector<double>* values = name == "N"      ? &sizes
                                    : name == "D"    ? &tokens
                                    : name == "bits" ? &bits
                                                     : nullptr;
      for (const LawInput& input : law.inputs) {
        if (name == input.name || name == input.column) values = &of_inputs[input.column];
      }
      if (!values || at == std::string::npos) {
        throw Error(
            fmt::format("candidates: expected grid, N=1e8,2e8;D=1e9,1e10;bits=3,4,16, or a CSV "
                        "file with columns N and D, not {}",
                        text));
      }
      values->clear();
      for (const std::string& value : split(axis.substr(at + 1), ',')) {
        values->push_back(number_of(value, "candidates"));
      }
    }
  }
  const std::vector<std::vector<NamedInput>> combinations =
      combinations_of_inputs(law, rows, of_inputs);
  std::vector<Observation> out;
  for (const Observation& precision : precisions(law, rows, bits)) {
    for (const double n : sizes) {
      for (const double d : tokens) {
        for (const std::vector<NamedInput>& inputs : combinations) {
          out.push_back(precision);
          out.back().params = n, out.back().tokens = d;
          out.back().inputs = inputs;
        }
      }
    }
  }
  if (out.empty()) throw Error("candidates: none of these precisions is in the table");
  return out;
}

void spell_as(const std::vector<Observation>& rows, std::vector<Observation>& candidates) {
  std::vector<std::string> forward, backward;  // of the rows
  for (const Observation& row : rows) {
    if (const std::string name = precision_class(row); !name.empty()) first_spelling(name, forward);
    if (!row.backward.empty()) first_spelling(row.backward, backward);
  }
  for (Observation& candidate : candidates) {
    const std::string name = precision_class(candidate);
    if (const std::string known = name.empty() ? "" : first_spelling(name, forward); known != name)
      candidate.precision = known;
    if (!candidate.backward.empty())
      candidate.backward = first_spelling(candidate.backward, backward);
  }
}

std::vector<Observation> read_candidates(const std::string& text, const std::string& where,
                                         const TableOptions& options) {
  TableOptions planned = options;
  planned.measured = false;
  return read_table(text, where, planned).runs;
}

}  // namespace bitlaw
