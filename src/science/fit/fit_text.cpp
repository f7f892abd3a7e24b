#include <fmt/format.h>

#include <cmath>

#include "fit/derived.h"
#include "fit/fit.h"

namespace bitlaw {
namespace {

std::string stage_line(const char* name, const StageFit& stage) {
  const std::string r2 = std::isfinite(stage.r2) ? fmt::format("R^2 {:.4f}, ", stage.r2) : "";
  return fmt::format(
      "  {}: {} points in {} clusters, {} constants, objective {:.8g}, {}condition {:.1e}\n", name,
      stage.points, stage.clusters, stage.free, stage.objective, r2, stage.condition);
}

std::string differences_line(const StageFit& stage, const char* what) {
  if (stage.judged == 0) return "";
  return fmt::format("  R^2 {:.4f} of all {} measured {}, in nats; the other is of logs\n",
                     stage.r2_all, stage.judged, what);
}

// "R^2 0.93 of the penalty L(P) - L(16) of 214 runs"
std::string penalty_line(const PenaltyFit& penalty) {
  if (!std::isfinite(penalty.r2)) return "";
  std::string out =
      fmt::format("  R^2 {:.4f} of the penalty L(P) - L(16) of {} runs", penalty.r2, penalty.rows);
  if (penalty.without_reference > 0) {
    out += fmt::format("; {} have no unquantized run of their N and D", penalty.without_reference);
  }
  return out + "\n";
}

// "runs scatter by .81 % of the loss around the law; by 2.1 % more per factor of e beyond ..."
std::string scatter_line(const Scatter& scatter) {
  if (!scatter.is_known()) return "";
  std::string out =
      fmt::format("  runs scatter around the law by {:.3f} %", 100 * scatter.deviation);
  if (std::isfinite(scatter.growth)) {
    out += fmt::format(
        "; laws fitted to inner rows missed outer ones by {:.3f} % per factor of e in N, D or C",
        100 * scatter.growth);
  }
  return out + "\n";
}

std::string parameter_line(const FittedParameter& p, double level) {
  const auto end = [](double value, bool open) {
    return open ? std::string("none") : fmt::format("{:.5g}", value);
  };
  std::string line = p.identified ? fmt::format("  {:<11} {:>14.8g}", p.name, p.value)
                                  : fmt::format("  {:<11} not identified", p.name);
  if (std::isfinite(p.low)) {
    line += fmt::format("  [{}, {}] {:.0f} %", end(p.low, p.low_open), end(p.high, p.high_open),
                        100 * level);
  }
  if (!p.tied_to.empty()) line += fmt::format("  = {}", p.tied_to);
  return line + "\n";
}

std::string held_out_line(const HeldOut& held) {
  const bool differences = held.all_points > 0;
  const char* what = held.part == "post" ? "deltas" : differences ? "gaps" : "losses";
  std::string out = fmt::format("  held out {:<9} {:>4} {}: ", held.split,
                                differences ? held.all_points : held.points, what);
  if (differences) out += fmt::format("{:.2f} standard errors", held.rms_errors);
  if (held.points > 0) {
    out += fmt::format("{}relative error {:.3f} %", differences ? "; " : "", 100 * held.rms_log);
    if (std::isfinite(held.standard_error)) {
      out += fmt::format(" +- {:.3f} %", 100 * held.standard_error);
    }
    if (held.unclear > 0) out += fmt::format(" of the {} clear ones", held.points);
  }
  return out + "\n";
}

}  // namespace

std::string fit_text(const Fit& fit) {
  std::string out = fmt::format("{}, {}\n", fit.law, fit.objective_name);
  if (fit.training.points > 0) {
    out += stage_line("training", fit.training) + differences_line(fit.training, "gaps") +
           penalty_line(fit.penalty);
    if (fit.training.judged == 0) out += scatter_line(fit.training.scatter);
  }
  if (fit.post.points > 0) {
    out += stage_line("after training", fit.post);
    out += differences_line(fit.post, "deltas");
  }
  std::vector<std::string> frozen;
  for (const FittedParameter& p : fit.parameters) {
    if (p.frozen.empty()) {
      out += parameter_line(p, fit.level);
    } else {
      frozen.push_back(fmt::format("{} {:.6g}", p.name, p.value));
    }
  }
  if (!frozen.empty()) out += fmt::format("  not fitted: {}\n", fmt::join(frozen, ", "));
  out += uncertainty_text(fit);
  for (const HeldOut& held : fit.held_out) {
    out += held_out_line(held);
  }
  for (const std::string& note : fit.notes) out += note + "\n";
  return out;
}

}  // namespace bitlaw
