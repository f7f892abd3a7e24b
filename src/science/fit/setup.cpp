#include "fit/setup.h"

#include "laws/fixed_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "base/ends.h"
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/range.h"
#include "base/text.h"
#include "fit/identify.h"

namespace bitlaw {
namespace {

int parameter_of(const Law& law, const std::string& name, const char* option) {
  const int i = parameter_index(law, name);
  if (i >= 0) return i;
  std::vector<std::string> names;
  for (const Parameter& p : law.parameters) names.emplace_back(p.name);
  const std::string what = fmt::format("{} constant", law.name);
  throw Error(fmt::format("{}: {}", option, unknown_name(what, name, names)));
}

// A constant that another is tied to stays free if the rows identify that other one.
void freeze_unidentifiable(const Law& law, Stage stage, const std::vector<Observation>& rows,
                           ParameterChoice& choice) {
  const std::vector<Frozen> unknown = unidentifiable(law, stage, rows);
  const auto is_unknown = [&](size_t parameter) {
    return std::any_of(unknown.begin(), unknown.end(), [&](const Frozen& frozen) {
      return frozen.parameter == static_cast<int>(parameter);
    });
  };
  for (const Frozen& frozen : unknown) {
    bool told_by_a_tie = false;
    for (size_t i = 0; i < choice.tied_to.size(); ++i) {
      told_by_a_tie |= choice.tied_to[i] == frozen.parameter && !is_unknown(i);
    }
    std::string& reason = choice.reasons[frozen.parameter];
    if (!reason.empty() || told_by_a_tie) continue;
    reason = frozen.reason;
    choice.kept[static_cast<size_t>(frozen.parameter)] = Kept::kByRows;
    if (frozen.depends) choice.confounded.push_back(frozen.parameter);
  }
}

void read_freezes(const Law& law, const std::vector<std::string>& freezes, ParameterChoice& out) {
  for (const std::string& assignment : freezes) {
    const std::vector<std::string> sides = split(assignment, '=');
    const auto value = sides.size() == 2 ? parse_finite(sides[1]) : std::nullopt;
    if (sides.empty() || sides.size() > 2 || (sides.size() == 2 && !value)) {
      throw Error(fmt::format("freeze: {} is not NAME=NUMBER", assignment));
    }
    const int i = parameter_of(law, trim(sides[0]), "freeze");
    if (value) out.base[i] = *value;
    if (law.parameters[i].scale == Scale::kLog && !(out.base[i] > 0)) {
      throw Error(fmt::format("freeze: {} must be positive", law.parameters[i].name));
    }
    out.kept[static_cast<size_t>(i)] = Kept::kAsked;
    out.reasons[i] = sides.size() == 2 ? "as requested" : "at its published value, as requested";
  }
}

// "alpha=0.1..1". A positive constant may begin at 0: its own least value.
BoundLaw limited(const BoundLaw& bound, const std::vector<std::string>& ranges) {
  const Law& law = bound.law();
  std::vector<std::pair<int, Range>> out;
  for (const std::string& assignment : ranges) {
    const size_t sign = assignment.find('=');
    const auto ends =
        sign == std::string::npos ? std::nullopt : split_ends(assignment.substr(sign + 1));
    if (!ends)
      throw Error(fmt::format("range: {} is not NAME=LOW..HIGH, as in alpha=0.1..1", assignment));
    const int i = parameter_of(law, trim(assignment.substr(0, sign)), "range");
    const auto low = parse_finite(ends->first), high = parse_finite(ends->second);
    if (!low || !high || !(*low < *high))
      throw Error(fmt::format("range: {} is not NAME=LOW..HIGH, with LOW below HIGH", assignment));
    const Parameter& parameter = law.parameters[static_cast<size_t>(i)];
    const bool positive = parameter.scale == Scale::kLog;
    if (positive && (*low < 0 || !(*high > parameter.low))) {
      throw Error(fmt::format("range: {}: {} is positive, at least {:g}", assignment,
                              parameter.name, parameter.low));
    }
    out.push_back({i, {positive ? std::max(*low, parameter.low) : *low, *high}});
  }
  return with_ranges(bound, out);
}

// A range of a constant that is not fitted would be ignored.
void check_ranges(const Law& law, const ParameterChoice& choice, const FitOptions& options) {
  for (const std::string& assignment : options.range) {
    const int i = parameter_of(law, trim(assignment.substr(0, assignment.find('='))), "range");
    const auto at = static_cast<size_t>(i);
    if (choice.tied_to[at] >= 0) {
      throw Error(fmt::format("range: {} is tied to {}; give the range of {}",
                              law.parameters[at].name,
                              law.parameters[static_cast<size_t>(choice.tied_to[at])].name,
                              law.parameters[static_cast<size_t>(choice.tied_to[at])].name));
    }
    if (choice.kept[at] == Kept::kAsked) {
      throw Error(fmt::format("range: {} is frozen; leave out its range, or --freeze",
                              law.parameters[at].name));
    }
  }
}

void read_ties(const Law& law, const std::vector<std::string>& ties, ParameterChoice& out) {
  for (const std::string& assignment : ties) {
    const std::vector<std::string> sides = split(assignment, '=');
    if (sides.size() != 2) throw Error(fmt::format("tie: {} is not NAME=NAME", assignment));
    const int i = parameter_of(law, trim(sides[0]), "tie");
    const int to = parameter_of(law, trim(sides[1]), "tie");
    const bool is_target = std::count(out.tied_to.begin(), out.tied_to.end(), i) > 0;
    if (i == to || out.tied_to[to] >= 0 || is_target) {
      throw Error(
          fmt::format("tie: {} chains ties; tie every constant to the same one", assignment));
    }
    out.tied_to[i] = to;
    out.base[i] = out.base[to];
    out.kept[static_cast<size_t>(i)] = Kept::kByTie;
    out.reasons[i] = fmt::format("equals {}", law.parameters[to].name);
  }
}

// A law's constants belong to one method of quantization.
void choose_method(const std::vector<Observation>& runs, const std::string& asked,
                   StageRows& rows) {
  std::set<std::string> methods;
  for (const Observation& run : runs) {
    if (run.is_post_training()) methods.insert(run.method);
  }
  if (!asked.empty() && !methods.contains(asked)) {
    throw Error(fmt::format("method: no row was quantized by {}; the table has {}", asked,
                            methods.empty() ? "no post-training quantization"
                                            : fmt::format("{}", fmt::join(methods, ", "))));
  }
  if (!asked.empty()) {
    rows.method = asked;
  } else if (methods.contains("gptq")) {
    rows.method = "gptq";
  } else if (!methods.empty()) {
    rows.method = *methods.begin();
  }
  for (const std::string& method : methods) {
    if (method != rows.method) rows.others.push_back(method.empty() ? "an unnamed method" : method);
  }
}

}  // namespace

namespace {

struct OwnPart {
  const char* suffix;
  double (*bits)(const Observation&);
};
constexpr OwnPart kOwnParts[] = {
    {"_w", [](const Observation& row) { return row.bits_weights; }},
    {"_a", [](const Observation& row) { return row.bits_activations; }},
    {"_k", [](const Observation& row) { return row.key_bits(); }},
    {"_v", [](const Observation& row) { return row.value_bits(); }},
    {"_emb", [](const Observation& row) { return row.bits_embedding; }},
    {"_head", [](const Observation& row) { return row.bits_head; }},
};

bool have_equal_bits(const std::vector<Observation>& rows, const OwnPart& a, const OwnPart& b) {
  bool lowered = false;
  for (const Observation& row : rows) {
    const double one = a.bits(row), other = b.bits(row);
    if (one != other) return false;
    lowered = lowered || one < kUnquantizedBits;
  }
  return lowered;
}

// In a law with a factor for every part, parts that have equal bits in every row are one: the constants
// of the later are tied to those of the earlier.
void tie_equal_parts(const Law& law, const std::vector<Observation>& rows, ParameterChoice& out) {
  if (parameter_index(law, "gamma_k") < 0) return;
  const auto index = [&](const char* name, const OwnPart& part) {
    return parameter_index(law, std::string(name) + part.suffix);
  };
  for (size_t later = 1; later < std::size(kOwnParts); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      if (!have_equal_bits(rows, kOwnParts[earlier], kOwnParts[later])) continue;
      bool tied = false;
      for (const char* name : {"gamma", "n"}) {
        const int to = index(name, kOwnParts[earlier]), i = index(name, kOwnParts[later]);
        const auto at = static_cast<size_t>(i);
        const bool is_target = std::count(out.tied_to.begin(), out.tied_to.end(), i) > 0;
        if (out.tied_to[at] >= 0 || !out.reasons[at].empty() || is_target) continue;
        if (!out.reasons[static_cast<size_t>(to)].empty()) continue;
        out.tied_to[at] = to, tied = true;
      }
      if (tied) {
        out.notes.push_back(fmt::format(
            "{0} and {1} have equal bits in every row, so the table cannot tell them apart: "
            "gamma_{1} and n_{1} are tied to gamma_{0} and n_{0}.",
            kOwnParts[earlier].suffix + 1, kOwnParts[later].suffix + 1));
      }
      break;
    }
  }
}

}  // namespace

ParameterChoice choose(const Law& law, const StageRows& rows, const FitOptions& options) {
  ParameterChoice out;
  out.base.assign(law.constants[0].values.begin(), law.constants[0].values.end());
  out.tied_to.assign(law.parameters.size(), -1);
  out.reasons.assign(law.parameters.size(), "");
  out.kept.assign(law.parameters.size(), Kept::kFitted);
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const Parameter& p = law.parameters[i];
    if (p.low != p.high) continue;
    out.base[i] = p.low;
    out.kept[i] = Kept::kByFormula, out.reasons[i] = "the formula gives its value";
  }
  read_freezes(law, options.freeze, out);
  read_ties(law, options.tie, out);
  if (!rows.training.empty()) tie_equal_parts(law, rows.training, out);
  if (!rows.training.empty()) freeze_unidentifiable(law, Stage::kTraining, rows.training, out);
  if (!rows.post.empty()) freeze_unidentifiable(law, Stage::kPost, rows.post, out);
  return out;
}

Prepared prepare(const Law& unbound, const std::vector<Observation>& runs,
                 const FitOptions& options) {
  check_options(options);
  if (unbound.predicts == Predicts::kGap &&
      (options.residual != "log" || options.weights != "none" || options.huber_delta != 0)) {
    throw Error(fmt::format(
        "{}: gaps are fitted in standard errors; leave out --residual, --weights and --huber-delta "
        "(--post-threshold is Huber's threshold of gaps)",
        unbound.name));
  }
  Prepared out;
  out.bound = bind_law(unbound, runs);
  if (!options.range.empty()) out.bound = limited(out.bound, options.range);
  out.rows = sort_rows(out.law(), runs, options);
  out.choice = choose(out.law(), out.rows, options);
  check_ranges(out.law(), out.choice, options);
  return out;
}

void check_options(const FitOptions& options) {
  if (options.objective != "huber" && options.objective != "least-squares" &&
      options.objective != "lad") {
    throw Error(fmt::format("objective: {} is unknown; use huber, lad or least-squares",
                            options.objective));
  }
  if (options.residual != "log" && options.residual != "linear") {
    throw Error(fmt::format("residual: {} is unknown; use log or linear", options.residual));
  }
  if (options.weights != "none" && options.weights != "standard-error") {
    throw Error(fmt::format("weights: {} is unknown; use none or standard-error", options.weights));
  }
  if (options.params != "non-embedding" && options.params != "total" && options.params != "flops") {
    throw Error(
        fmt::format("params: {} is unknown; use non-embedding, total or flops", options.params));
  }
  if (!(options.huber_delta >= 0)) throw Error("huber_delta: must be positive, or 0");
  if (!(options.level > 0 && options.level < 1)) throw Error("level: must be between 0 and 1");
  require_range("starts", options.starts, 1, kMostStarts);
  require_range("draws", options.draws, 0, 1'000'000);
}

StageRows sort_rows(const Law& law, const std::vector<Observation>& runs,
                    const FitOptions& options) {
  StageRows rows;
  choose_method(runs, options.method, rows);
  const bool total = options.params == "total", by_compute = options.params == "flops";
  for (size_t i = 0; i < runs.size(); ++i) {
    Observation run = runs[i];
    if (total && !(run.params_total > 0)) {
      throw Error(
          "params: total needs N_total in every row; add the column, or use params non-embedding");
    }
    if (total) count_all_params(run);
    if (by_compute && !count_params_by_compute(run)) {
      throw Error(
          "params: flops needs C, the training compute, in every row; add the column, or use "
          "params "
          "non-embedding");
    }
    const bool post = run.is_post_training();
    const double value = measured(law, run);
    const bool gap = law.predicts == Predicts::kGap;
    if (!post && gap && std::isnan(value)) {
      throw Error(
          fmt::format("{} is fitted to gaps between runs, and row {} has none: name the class "
                      "of the reference runs with --gap-to",
                      law.name, i + 1));
    }
    if (!(run.params > 0) || !(run.tokens > 0) || (!post && !gap && !(value > 0)) ||
        !std::isfinite(run.params * run.tokens) || std::isinf(value)) {
      throw Error(fmt::format("row {}: N = {}, D = {}, {} = {}; all must be positive numbers",
                              i + 1, run.params, run.tokens, measured_name(law), value));
    }
    for (const LawInput& input : law.inputs) {
      if (std::isfinite(run.input(input.column))) continue;
      throw Error(fmt::format("row {}: has no value of {}, the column {} of {}", i + 1, input.name,
                              input.column, law.name));
    }
    const auto leave_out = [&](std::string why) { rows.left_out.emplace_back(i, std::move(why)); };
    if (!post) {
      rows.training.push_back(run);
      rows.training_at.push_back(i);
    } else if (!law.has_delta) {
      leave_out(fmt::format("{} does not model quantization after training", law.name));
    } else if (run.method != rows.method) {
      leave_out(fmt::format("quantized by {}, and the fit is of {}",
                            run.method.empty() ? "an unnamed method" : run.method,
                            rows.method.empty() ? "those of an unnamed method" : rows.method));
    } else if (!std::isfinite(run.delta_nats)) {
      ++rows.no_delta;
      leave_out("quantized, and has no delta");
    } else if (run.bits_weights <= run.bits_post) {
      ++rows.no_difference;
      leave_out("quantized to no fewer bits than its weights had in training");
    } else {
      rows.judged.push_back(run);
      if (predicts_no_delta(law, run)) {
        leave_out(fmt::format("{} predicts no loss from its quantization, whatever its constants",
                              law.name));
        continue;
      }
      rows.post.push_back(run);
      rows.post_at.push_back(i);
    }
  }
  return rows;
}

StageSetup setup_of(const Law& law, Stage stage, const ParameterChoice& choice,
                    std::vector<double> base, const FitOptions& options) {
  StageSetup setup;
  setup.law = &law;
  setup.base = std::move(base);
  setup.tied_to = choice.tied_to;
  setup.starts = static_cast<int>(options.starts);
  setup.seed = options.seed;
  setup.settings.stage = stage;
  setup.settings.floor = options.post_floor;
  setup.settings.weighted = options.weights == "standard-error";
  setup.settings.linear = options.residual == "linear";
  constexpr double kSquares = std::numeric_limits<double>::infinity();
  if (stage == Stage::kTraining && law.predicts != Predicts::kGap) {
    setup.settings.huber = options.objective == "huber" ? options.huber_delta
                           : options.objective == "lad" ? kLadThreshold
                                                        : kSquares;
  } else {
    const bool squares = options.post_threshold == 0 ||
                         (stage == Stage::kTraining && options.objective == "least-squares");
    constexpr double kLadErrors = 1e-3;  // standard errors
    setup.settings.huber = squares ? kSquares
                           : stage == Stage::kTraining && options.objective == "lad"
                               ? kLadErrors
                               : options.post_threshold;
  }
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    if (law.parameters[i].stage == stage && choice.reasons[i].empty()) {
      setup.free.push_back(static_cast<int>(i));
    }
  }
  return setup;
}

void require_points(const Law& law, size_t points, size_t free, const char* row) {
  if (points < free) {
    const std::string classes =
        law.classes.empty()
            ? ""
            : fmt::format(" ({} of them of single precision classes, {} to {})", law.classes.size(),
                          law.parameters[static_cast<size_t>(law.classes.front().position)].name,
                          law.parameters[static_cast<size_t>(law.classes.back().position)].name);
    throw Error(
        fmt::format("{} {}{} cannot determine the {} constants of {}{}; add {} or freeze some",
                    points, row, points == 1 ? "" : "s", free, law.name, classes, free - points));
  }
}

std::string note_on_other_count(const std::string& other, const ByCount& alpha,
                                const ByCount& objective) {
  const auto compared = [](const char* name, const ByCount& value) {
    const std::string now = fmt::format("{:.4g}", value.otherwise);
    const std::string before = fmt::format("{:.4g}", value.as_counted);
    return now == before ? fmt::format("the same {}, {}", name, now)
                         : fmt::format("{} {} rather than {}", name, now, before);
  };
  return fmt::format("With N counted {} instead: {}, with {}.", words_for_count(other),
                     compared("alpha", alpha), compared("objective", objective));
}

double r_squared(const std::vector<double>& measured, const std::vector<double>& predicted) {
  double mean = 0, left = 0, total = 0;
  for (const double value : measured) mean += value / static_cast<double>(measured.size());
  for (size_t i = 0; i < measured.size(); ++i) {
    left += std::pow(measured[i] - predicted[i], 2);
    total += std::pow(measured[i] - mean, 2);
  }
  return total > 0 ? 1 - left / total : kUnknown;
}

std::vector<int> confounded_of(const Law& law, Stage stage, const ParameterChoice& choice) {
  std::vector<int> out;
  for (const int i : choice.confounded) {
    if (law.parameters[static_cast<size_t>(i)].stage == stage) out.push_back(i);
  }
  return out;
}

}  // namespace bitlaw
