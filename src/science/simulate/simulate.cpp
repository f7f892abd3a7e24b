#include "simulate/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>
#include <tuple>

#include "base/config.h"
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/random.h"
#include "base/range.h"
#include "base/text.h"
#include "fit/bootstrap.h"
#include "laws/part_bits.h"
#include "table/write_table.h"

namespace bitlaw {
namespace {

// Streams of random numbers.
enum Stream : uint64_t { kLossOfRun, kDeltaOfRun, kLossOfTrunk, kDeltaOfTrunk };

// Options of parts that only some laws have.
struct OwnPart {
  const char* option;
  const char* of;
  std::vector<double> StudyOptions::*bits;
  void (*set)(Observation& run, double bits);
};
constexpr OwnPart kOwnParts[] = {
    {"keys", "keys apart from values", &StudyOptions::keys,
     [](Observation& run, double bits) {
       run.bits_kv = run.bits_keys = bits, run.bits_values = kUnquantizedBits;
     }},
    {"values", "values apart from keys", &StudyOptions::values,
     [](Observation& run, double bits) {
       run.bits_kv = run.bits_values = bits, run.bits_keys = kUnquantizedBits;
     }},
    {"embedding", "embeddings", &StudyOptions::embedding,
     [](Observation& run, double bits) { run.bits_embedding = bits; }},
    {"head", "the output head", &StudyOptions::head,
     [](Observation& run, double bits) { run.bits_head = bits; }},
};

// Whether the law has a constant for the part.
bool has_part(const Law& law, const OwnPart& part) {
  Observation run{.params = 1e9, .tokens = 1e11};
  for (const LawInput& input : law.inputs) run.inputs.push_back({input.column, 1});
  Observation lowered = run;
  part.set(lowered, 4);
  Observation as_one = lowered;
  as_one.bits_keys = as_one.bits_values = as_one.bits_embedding = as_one.bits_head = kUnknown;
  const double* const values = law.constants[0].values.data();
  return law.is_bound() && predict(law, values, lowered) != predict(law, values, as_one);
}

void check_positive(const std::vector<double>& values, const char* option) {
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) {
      throw Error(fmt::format("{}: {} is not a number above 0", option, value));
    }
  }
}

void check(const StudyOptions& options) {
  check_positive(options.params, "params");
  check_positive(options.tokens, "tokens");
  check_positive(options.ratios, "ratios");
  check_positive(options.weights, "weights");
  check_positive(options.activations, "activations");
  check_positive(options.kv, "kv");
  check_positive(options.tied, "tied");
  for (const OwnPart& part : kOwnParts) check_positive(options.*part.bits, part.option);
  check_positive(options.post, "post");
  if (options.params.empty()) throw Error("params: give at least one size N");
  require_range("replicates", options.replicates, 1, 1'000'000);
  if (options.trunk != "run" && options.trunk != "size") {
    throw Error(fmt::format("trunk: {} is unknown; use run or size", options.trunk));
  }
}

void check_noise(const StudyOptions& options) {
  // At 1, one loss in six is above e times what the law says.
  if (!(options.noise >= 0 && options.noise <= 1)) {
    throw Error("noise: expected a standard deviation of log loss, between 0 and 1");
  }
  if (!(options.delta_noise >= 0) || !std::isfinite(options.delta_noise)) {
    throw Error("delta_noise: expected a standard deviation in nats, 0 or above");
  }
  if (!(options.shared >= 0 && options.shared <= 1)) {
    throw Error("shared: expected a share of the variance, between 0 and 1");
  }
  if (!(options.diverged > 0)) throw Error("diverged: must be above 0 nats");
}

// Bits of a class that is called after them, W4A4 or W4A16KV4.
void read_class_bits(Observation& run) {
  double w = 0, a = 0, kv = 0;
  int read = 0;
  const char* name = run.precision.c_str();
  if (std::sscanf(name, "W%lfA%lf%n", &w, &a, &read) != 2) return;
  run.bits_weights = w, run.bits_activations = a;
  if (std::sscanf(name + read, "KV%lf", &kv) == 1) run.bits_kv = kv;
}

std::vector<Observation> precisions(const Law& law, const StudyOptions& options) {
  for (const OwnPart& part : kOwnParts) {
    if (!(options.*part.bits).empty() && !has_part(law, part))
      throw Error(fmt::format("{}: {} has no constants of {}", part.option, law.name, part.of));
  }
  std::vector<Observation> out(1);
  if (!law.uses_bits) return out;
  const auto add = [&](double w, double a, double kv) {
    Observation run;
    run.bits_weights = w, run.bits_activations = a, run.bits_kv = kv;
    out.push_back(run);
  };
  constexpr double kNone = kUnquantizedBits;
  for (const double bits : options.weights) add(bits, kNone, kNone);
  for (const double bits : options.activations) add(kNone, bits, kNone);
  for (const double bits : options.kv) add(kNone, kNone, bits);
  for (const double bits : options.tied) add(bits, bits, bits);
  for (const OwnPart& part : kOwnParts) {
    for (const double bits : options.*part.bits) {
      Observation& run = out.emplace_back();
      part.set(run, bits);
    }
  }
  for (const std::string& name : options.classes) {
    Observation run;
    run.precision = name;
    read_class_bits(run);
    out.push_back(run);
  }
  return out;
}

std::string precision_label(const Observation& run) {
  std::string out = run.precision.empty() ? bits_label(run) : run.precision;
  for (const NamedInput& each : run.inputs) out += fmt::format("-{}={:g}", each.column, each.value);
  return out;
}

// Every combination of the values of a formula's inputs; one without any for other laws.
std::vector<std::vector<NamedInput>> input_values(const Law& law, const StudyOptions& options) {
  std::map<std::string, std::vector<double>> values;  // by column
  std::vector<std::string> names;
  for (const LawInput& input : law.inputs) names.emplace_back(input.name);
  std::string column;
  for (const std::string& text : options.inputs) {
    const size_t sign = text.find('=');
    if (sign != std::string::npos) {
      const std::string name = trim(text.substr(0, sign));
      const auto input = std::find_if(
          law.inputs.begin(), law.inputs.end(),
          [&](const LawInput& each) { return name == each.name || name == each.column; });
      if (input == law.inputs.end()) throw Error("inputs: " + unknown_name("input", name, names));
      column = input->column;
    }
    const auto value = parse_finite(sign == std::string::npos ? text : text.substr(sign + 1));
    if (!value || column.empty())
      throw Error(fmt::format("inputs: {} is not NAME=NUMBER, as in experts=1,8", printable(text)));
    values[column].push_back(*value);
  }
  std::vector<std::vector<NamedInput>> out{{}};
  for (const LawInput& input : law.inputs) {
    if (values[input.column].empty()) {
      throw Error(fmt::format("inputs: {} needs values of {}: inputs {}=1,8", law.name, input.name,
                              input.name));
    }
    const std::vector<std::vector<NamedInput>> before = std::move(out);
    out.clear();
    for (const std::vector<NamedInput>& each : before) {
      for (const double value : values[input.column]) {
        out.push_back(each);
        out.back().push_back({input.column, value});
      }
    }
  }
  return out;
}

std::string cluster_name(const Observation& run, const StudyOptions& options, int64_t replicate) {
  std::string name = fmt::format("{:g}", run.params);
  if (options.trunk == "run") name += fmt::format("-{:g}", run.tokens);
  name += "-" + precision_label(run);
  if (options.replicates > 1) name += fmt::format("-{}", replicate);
  return name;
}

// The training runs that rows were quantized from.
class Sources {
 public:
  explicit Sources(const std::vector<Observation>& runs) {
    for (size_t i = 0; i < runs.size(); ++i) {
      if (!runs[i].is_post_training() && !runs[i].cluster.empty())
        first_.emplace(key(runs[i]), static_cast<int>(i));
    }
  }
  // The place of the first, or -1.
  int of(const Observation& cell) const {
    const auto found = first_.find(key(cell));
    return found == first_.end() ? -1 : found->second;
  }

 private:
  using Key = std::tuple<std::string_view, double, double, std::string>;
  static Key key(const Observation& run) {
    return {run.cluster, run.params, run.tokens, bits_label(run)};
  }
  std::map<Key, int> first_;
};

}  // namespace

// More would not fit into memory.
void check_rows(const StudyOptions& options, size_t precisions, size_t token_counts) {
  constexpr double kMostRows = 1e7;
  const double rows =
      static_cast<double>(options.params.size()) * static_cast<double>(token_counts * precisions) *
      static_cast<double>(options.replicates) * static_cast<double>(1 + options.post.size());
  if (rows <= kMostRows) return;
  throw Error(fmt::format(
      "replicates = {}: with these sizes, token counts and bits that is a study of {:.3g} rows, "
      "expected at most {:.0e}",
      options.replicates, rows, kMostRows));
}

std::vector<Observation> design_runs(const Law& law, const StudyOptions& options) {
  check(options);
  std::vector<Observation> kinds;
  for (const Observation& precision : precisions(law, options)) {
    for (std::vector<NamedInput>& inputs : input_values(law, options)) {
      kinds.push_back(precision);
      kinds.back().inputs = std::move(inputs);
    }
  }
  const size_t token_counts = options.tokens.size() + options.ratios.size();
  check_rows(options, kinds.size(), std::max<size_t>(1, token_counts));
  std::vector<Observation> out;
  const auto add_cells = [&](const Observation& run) {
    for (const double bits : options.post) {
      Observation cell = run;
      cell.bits_post = bits, cell.method = "simulated";
      out.push_back(cell);
    }
  };
  for (const double params : options.params) {
    std::vector<double> tokens = options.tokens;
    if (tokens.empty() && options.ratios.empty()) tokens = {1.5e9, 3.3e9, 6.5e9, 13.1e9, 26.2e9};
    for (const double ratio : options.ratios) tokens.push_back(ratio * params);
    for (const double count : tokens) {
      std::vector<Observation> plain;
      for (Observation run : kinds) {
        run.params = params, run.tokens = count;
        for (int64_t replicate = 1; replicate <= options.replicates; ++replicate) {
          run.cluster = cluster_name(run, options, replicate);
          out.push_back(run);
          if (precision_class(run).empty()) plain.push_back(run);
        }
      }
      if (law.has_delta) std::for_each(plain.begin(), plain.end(), add_cells);
    }
  }
  return out;
}

Truth truth_for(const Law& law, const std::vector<Observation>& runs, const std::string& set,
                const Fit* fit, const std::vector<std::string>& overrides) {
  Truth out{bind_law(law, runs), {}};
  const Law& bound = out.law.law();
  const ConstantSet* published = find_constants(bound, set);
  if (!published) {
    std::vector<std::string> known;
    for (const ConstantSet& each : bound.constants) known.emplace_back(each.name);
    throw Error(fmt::format("{} has no constants called {}; it has {}", law.name, set,
                            fmt::join(known, ", ")));
  }
  out.values.assign(published->values.begin(), published->values.end());
  for (size_t i = 0; fit && i < bound.parameters.size(); ++i) {
    const char* name = bound.parameters[i].name;
    const auto found = std::find_if(fit->parameters.begin(), fit->parameters.end(),
                                    [&](const FittedParameter& p) { return p.name == name; });
    if (found == fit->parameters.end()) {
      throw Error(fmt::format("the fit of {} has no {}; leave such runs out, or give --constants",
                              fit->law, name));
    }
    out.values[i] = found->value;
  }
  const auto is_given = [&](const char* name) {
    return std::any_of(overrides.begin(), overrides.end(), [&](const std::string& assignment) {
      return trim(assignment.substr(0, assignment.find('='))) == name;
    });
  };
  for (const BoundClass& each : bound.classes) {
    const char* name = bound.parameters[static_cast<size_t>(each.position)].name;
    const bool known = std::any_of(
        published->classes.begin(), published->classes.end(), [&](const ClassValue& value) {
          return value.name == each.name &&
                 std::string_view(value.parameter) ==
                     law.class_parameters[static_cast<size_t>(each.parameter)].parameter.name;
        });
    const bool starting_point = std::string_view(published->name) == "start";
    if (fit || known || starting_point || is_given(name)) continue;
    throw Error(
        fmt::format("{} of {} was never published; leave such runs out, or give --constants {}=...",
                    name, law.name, name));
  }
  std::vector<std::string> names;
  for (const Parameter& p : bound.parameters) names.emplace_back(p.name);
  for (const std::string& assignment : overrides) {
    const size_t equals = assignment.find('=');
    const std::string name = trim(assignment.substr(0, equals));
    const std::string text = equals == std::string::npos ? "" : assignment.substr(equals + 1);
    const int i = parameter_index(bound, name);
    if (i < 0) {
      const std::string what = fmt::format("{} constant", law.name);
      throw Error(fmt::format("constants: {}", unknown_name(what, name, names)));
    }
    const auto value = parse_finite(text);
    if (!value) throw Error(fmt::format("constants: {} is not NAME=NUMBER", assignment));
    out.values[static_cast<size_t>(i)] = *value;
  }
  return out;
}

SimulatedStudy draw_study(const Truth& truth, const std::vector<Observation>& runs,
                          const StudyOptions& options) {
  check_noise(options);
  const Law& law = truth.law.law();
  const std::vector<int> trunks = number_clusters(runs);
  const auto error_of = [&](size_t row, Stream of_run, Stream of_trunk) {
    const double own = random_normal(options.seed, of_run, row);
    const double common = random_normal(options.seed, of_trunk, static_cast<uint64_t>(trunks[row]));
    return std::sqrt(1 - options.shared) * own + std::sqrt(options.shared) * common;
  };
  const auto draw = [&](size_t row) {
    Observation run = runs[row];
    run.bits_post = 0;
    return predict(law, truth.values.data(), run) *
           std::exp(options.noise * error_of(row, kLossOfRun, kLossOfTrunk));
  };

  const Sources sources(runs);
  SimulatedStudy out;
  for (size_t i = 0; i < runs.size(); ++i) {
    Observation row = runs[i];
    const int source = row.is_post_training() ? sources.of(row) : -1;
    const double value = draw(source >= 0 ? static_cast<size_t>(source) : i);
    if (!std::isfinite(value)) {
      throw Error(fmt::format("row {}: {} does not predict a run with N = {:g}, D = {:g}, {}",
                              i + 1, law.name, row.params, row.tokens, precision_label(row)));
    }
    if (law.predicts == Predicts::kQatShare) {
      row.qat_share = value;
    } else {
      if (law.predicts == Predicts::kLoss && !(value > 0)) {
        throw Error(
            fmt::format("row {}: {} gives a loss of {:.3g} at N = {:g}, D = {:g}, and losses are "
                        "above zero; check the constants",
                        i + 1, law.name, value, row.params, row.tokens));
      }
      if (value > options.diverged) {
        ++out.diverged;
        continue;
      }
      row.loss_nats = value;
      row.loss_standard_error = options.noise > 0 ? options.noise * value : kUnknown;
    }
    if (row.is_post_training()) {
      row.delta_nats = predict_delta(law, truth.values.data(), row) +
                       options.delta_noise * error_of(i, kDeltaOfRun, kDeltaOfTrunk);
      row.delta_standard_error = options.delta_noise > 0 ? options.delta_noise : kUnknown;
      row.loss_nats = value + row.delta_nats;
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

Json study_json(const Truth& truth, const SimulatedStudy& study, const StudyOptions& options) {
  const Law& law = truth.law.law();
  Json out{{"law", law.name},
           {"diverged", study.diverged},
           {"options", to_json(options)},
           {"rows", table_to_json(study.rows)}};
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    out["constants"][law.parameters[i].name] = truth.values[i];
  }
  return out;
}

}  // namespace bitlaw
