#include <fmt/format.h>

#include <cmath>

#include "fit/derived.h"
#include "fit/fit.h"

namespace bitlaw {
namespace {

std::string stage_line(const char* name, const StageFit& stage) {
  return fmt::format(
      "  {}: {} points in {} clusters, {} constants, objective {:.8g}, R^2 {:.4f}, "
      "condition {:.1e}\n",
      name, stage.points, stage.clusters, stage.free, stage.objective, stage.r2, stage.condition);
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

}  // namespace

std::string fit_text(const Fit& fit) {
  std::string out = fmt::format("{}, {}\n", fit.law, fit.objective_name);
  if (fit.training.points > 0)
    out += stage_line("training", fit.training) + scatter_line(fit.training.scatter);
  if (fit.post.points > 0) out += stage_line("after training", fit.post);
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
    out += fmt::format("  held out {:<9} {:>4} {}: relative error {:.3f} %", held.split,
                       held.points, held.part == "post" ? "deltas" : "losses", 100 * held.rms_log);
    if (std::isfinite(held.standard_error)) {
      out += fmt::format(" +- {:.3f} %", 100 * held.standard_error);
    }
    if (held.unclear > 0) {
      out += fmt::format(" ({} more, below five standard errors, {} not judged)", held.unclear,
                         held.unclear == 1 ? "is" : "are");
    }
    out += "\n";
  }
  for (const std::string& note : fit.notes) out += note + "\n";
  return out;
}

}  // namespace bitlaw
