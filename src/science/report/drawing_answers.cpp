#include "report/drawing_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/text.h"
#include "plan/plan.h"
#include "report/drawing_data.h"
#include "report/drawing_kinds.h"
#include "report/fields.h"

namespace bitlaw {
namespace {

constexpr const char* kAdviceGroup = "What the law advises";
constexpr size_t kAnswerDraws = 100;  // of intervals along a curve
constexpr double kFailing = 3;        // nats above the least loss: training fails there

// The sentences of an answer's notes, behind those that are there.
void add_notes(const Json& answer, std::string& says) {
  for (const Json& note : answer.value("notes", Json::array())) {
    if (note.is_string()) says += (says.empty() ? "" : " ") + note.get<std::string>();
  }
}

// {low, high} or [low, high].
std::optional<PredictedInterval> interval_of(const Json& from, const char* key) {
  const auto found = from.find(key);
  if (found == from.end()) return {};
  if (found->is_object()) return PredictedInterval{number(*found, "low"), number(*found, "high")};
  if (!found->is_array() || found->size() != 2 || !(*found)[0].is_number() ||
      !(*found)[1].is_number())
    return {};
  return PredictedInterval{(*found)[0].get<double>(), (*found)[1].get<double>()};
}

std::string joined(const Json& texts) {
  std::string out;
  for (const Json& text : texts) out += (out.empty() ? "" : "; ") + text.get<std::string>();
  return out;
}

// ---- a frontier ------------------------------------------------------------------------------------

Drawing best_by_bytes(const Json& frontier) {
  Drawing drawing{"loss-by-bytes",
                  kAdviceGroup,
                  "The best model for every number of bytes",
                  "",
                  {"bytes of the model file", true},
                  {"loss, nats per token", true}};
  double least = 1e300;
  for (const Json& point : frontier["points"]) {
    if (const double loss = number(point, "loss"); loss < least) least = loss;
  }
  constexpr double kMostTimes = 3;  // training fails above
  DrawnPanel panel;
  size_t points = 0, beyond = 0;
  std::string first, last;
  for (const Json& point : frontier["points"]) {
    const double loss = number(point, "loss");
    if (!(loss < kMostTimes * least)) continue;
    const std::string choice = text(point, "choice");
    const double bits = std::strtod(choice.c_str(), nullptr);
    DrawnPoint drawn{number(point, "bytes"), loss};
    if (const auto mean = interval_of(point, "mean"))
      drawn.low = mean->low, drawn.high = mean->high;
    const std::string leaves = joined(point.value("beyond", Json::array()));
    drawn.about = {{"N", number(point, "N")},
                   {"D", number(point, "D")},
                   {"next best", text(point, "second")},
                   {"next best, nats more", number(point, "gap")},
                   {"beyond the fitted runs", leaves}};
    panel.named(choice, choice.ends_with(" bits") ? bits : kUnknown).points.push_back(drawn);
    ++points, beyond += !leaves.empty();
    if (first.empty())
      first = fmt::format("{} for a file of {} bytes", choice, format_count(drawn.x));
    last = format_count(drawn.x);
  }
  if (points > 1) drawing.panels.push_back(std::move(panel));
  if (points == 0) {
    drawing.says = "No file of this range holds a model.";
    return drawing;
  }
  const std::string changes = frontier_changes(frontier);
  drawing.says = fmt::format(
      "By {}, {}{}.", text(frontier, "law"), first,
      changes.empty() ? fmt::format(" and for all up to {} bytes", last) : "; " + changes);
  if (beyond > 0)
    drawing.says += fmt::format(
        " {} of {} points lie beyond the runs that the constants were fitted to.", beyond, points);
  add_notes(frontier, drawing.says);
  return drawing;
}

Drawing losses_by_bytes(const Json& frontier) {
  Drawing drawing{"frontier-of-bytes",
                  kAdviceGroup,
                  "Which bits at which bytes",
                  "",
                  {"bytes of the model file", true},
                  {"loss above the best, nats per token"}};
  DrawnPanel panel;
  panel.series = frontier_series(frontier);
  if (!panel.series.empty()) drawing.panels.push_back(std::move(panel));
  const std::string changes = frontier_changes(frontier);
  drawing.says = changes.empty() ? "One choice of bits is the best at all bytes."
                                 : fmt::format("The best bits change with the bytes: {}.", changes);
  if (drawing.panels.empty())
    drawing.says = "The bits are not from a list, so there are no choices beside each other.";
  return drawing;
}

// ---- a design --------------------------------------------------------------------------------------

Drawing proposed_runs(const Json& design) {
  Drawing drawing{"design-runs",          kAdviceGroup,
                  "The next runs",        "",
                  {"parameters N", true}, {"training tokens D", true}};
  DrawnPanel panel;
  double place = 0;
  size_t beyond = 0;
  for (const Json& run : design["runs"]) {
    beyond += !run.value("beyond", Json::array()).empty();
    DrawnPoint point{number(run, "N"), number(run, "D")};
    point.about = {{"order", ++place},
                   {"FLOP", number(run, "flop")},
                   {"standard error after", number(run, "standard_error_after")},
                   {"beyond the table", joined(run.value("beyond", Json::array()))}};
    const double w = number(run, "P_w");
    const bool tied = w == number(run, "P_a") && w == number(run, "P_kv");
    panel.named(text(run, "precision"), tied ? w : kUnknown).points.push_back(std::move(point));
  }
  const size_t count = design["runs"].size();
  if (count > 0) drawing.panels.push_back(std::move(panel));
  drawing.says = count == 0
                     ? std::string("No run of the candidates fits into the budget.")
                     : fmt::format("{} {} for {:.3g} of {:.3g} FLOP; {} candidates were looked at.",
                                   count, count == 1 ? "run" : "runs", number(design, "spent"),
                                   number(design, "budget"), number(design, "candidates"));
  if (beyond > 0)
    drawing.says += fmt::format(" {} of them leave the table's N, D, C or bits.", beyond);
  return drawing;
}

Drawing error_by_cost(const Json& design) {
  const std::string shrink = text(design, "shrink"), unit = text(design, "unit");
  Drawing drawing{"design-error",
                  kAdviceGroup,
                  fmt::format("Standard error of {} with the next runs", shrink),
                  "",
                  {"FLOP of the next runs"},
                  {unit.empty() ? "standard error" : fmt::format("standard error, {}", unit)}};
  const double before = number(design.value("before", Json::object()), "standard_error"),
               after = number(design.value("after", Json::object()), "standard_error"),
               random = number(design.value("random", Json::object()), "standard_error");
  double flop = 0;
  DrawnSeries series{"proposed runs"};
  if (std::isfinite(before)) {
    series.points.push_back({0, before});
    series.curve.push_back({0, before});
  }
  for (const Json& run : design["runs"]) {
    flop += number(run, "flop");
    const double error = number(run, "standard_error_after");
    DrawnPoint point{flop, error};
    point.about = {
        {"N", number(run, "N")}, {"D", number(run, "D")}, {"precision", text(run, "precision")}};
    series.points.push_back(std::move(point));
    series.curve.push_back({flop, error});
  }
  if (series.curve.size() > 1) {
    DrawnPanel panel;
    panel.series.push_back(std::move(series));
    if (std::isfinite(random))
      panel.lines.push_back({kUnknown, random, false, "as many runs at random"});
    drawing.panels.push_back(std::move(panel));
  }
  if (std::isfinite(before) && std::isfinite(after))
    drawing.says = fmt::format("The standard error goes from {:.3g} to {:.3g}", before, after);
  else if (std::isfinite(after))
    drawing.says = fmt::format(
        "The table alone does not identify {}; with these runs its standard error is {:.3g}",
        shrink, after);
  else
    drawing.says = fmt::format("Neither the table nor these runs identify {}", shrink);
  drawing.says += std::isfinite(random)
                      ? fmt::format(", with runs chosen at random to {:.3g}.", random)
                      : std::string(".");
  return drawing;
}

// ---- a plan ----------------------------------------------------------------------------------------

// The request answered at each of these, where `give` puts them in; those without an answer are left out (the
// first error is in `why_not`), and those so far above the least loss that training fails.
std::vector<DrawnPlace> places_of(const PlanRequest& request, const Json& fit, const Json& devices,
                                  const std::vector<double>& xs,
                                  void (*give)(PlanRequest& request, double value),
                                  std::string& why_not) {
  std::vector<DrawnPlace> out;
  double least = 1e300;
  for (const double x : xs) {
    PlanRequest asked = request;
    give(asked, x);
    const Plan plan = make_plan(asked, fit, devices, PlanDepth::kNumbers);
    if (why_not.empty()) why_not = plan.error;
    if (!plan.error.empty() || !plan.optimum || !plan.optimum->loss) continue;
    DrawnPlace& place = out.emplace_back(DrawnPlace{x, *plan.optimum->loss});
    least = std::min(least, place.y);
    if (!plan.next_run) continue;
    place.mean = plan.next_run->mean, place.run = plan.next_run->run;
  }
  std::erase_if(out, [&](const DrawnPlace& place) { return !(place.y < least + kFailing); });
  return out;
}

// The places that lose less than this against the best: "2.6 B to 10.5 B".
constexpr double kNearNats = 0.01;
template <class Words>
std::string near_words(const std::vector<DrawnPlace>& places, double best, double best_loss,
                       const Words& words) {
  double low = best, high = best;
  for (const DrawnPlace& place : places) {
    if (place.y > best_loss + kNearNats) continue;
    low = std::min(low, place.x), high = std::max(high, place.x);
  }
  return fmt::format("{} to {}", words(low), words(high));
}

std::string where_of(const PlanRequest& request) {
  const bool has_budget = request.compute > 0 || request.gpu_hours > 0 || request.memory_bytes > 0;
  return has_budget ? "within this budget" : "at this N and D";
}

DrawnSeries the_plan(double x, const Json& plan) {
  const Json& best = plan["optimum"];
  DrawnSeries out{"the plan"};
  DrawnPoint point{x, number(best, "loss")};
  point.about = {{"N", number(best, "N")}, {"D", number(best, "D")}, {"P_w", number(best, "P_w")}};
  out.points.push_back(std::move(point));
  return out;
}

Drawing loss_by_bits(const Json& plan, const PlanRequest& request, const Json& fit,
                     const Json& devices) {
  Drawing drawing{"loss-by-bits",
                  kAdviceGroup,
                  fmt::format("Loss by bits in training, {}", where_of(request)),
                  "",
                  {"bits of weights, activations and KV"},
                  {"loss, nats per token"}};
  drawing.x.ticks = {2, 3, 4, 5, 6, 8, 10, 12, 16};
  drawing.whole = true;
  constexpr int kPlaces = 29;  // every half bit
  std::string why_not;
  std::vector<DrawnPlace> places = places_of(
      request, fit, devices, even_places(2, 16, kPlaces),
      [](PlanRequest& asked, double bits) {
        asked.bits = {bits};
        asked.available_bits.clear(), asked.formats.clear(), asked.precision.clear();
        asked.integer_bits = false;
        std::erase_if(asked.free,
                      [](const std::string& name) { return name[0] == 'P' && name != "P_post"; });
      },
      why_not);
  if (places.size() < 2) {
    drawing.says = fmt::format("The request has no answer at other bits{}{}.",
                               why_not.empty() ? "" : ": ", why_not);
    return drawing;
  }
  // Few bits cost so much that the rest would be a flat line.
  const Json& optimum = plan["optimum"];
  const double best = number(optimum, "loss");
  const double highest = best + std::max(0.05, 3 * (places.back().y - best));
  std::erase_if(places, [&](const DrawnPlace& place) { return place.y > highest; });
  DrawnPanel panel;
  panel.named(text(plan, "law")).curve = places;
  const double p = number(optimum, "P_w");
  if (p == number(optimum, "P_a") && p == number(optimum, "P_kv")) {
    panel.series.push_back(the_plan(p, plan));
    drawing.says = fmt::format(
        "The plan has {:.3g} bits; {} bits lose less than {:g} nats against it.", p,
        near_words(places, p, best, [](double bits) { return fmt::format("{:.3g}", bits); }),
        kNearNats);
  }
  drawing.panels.push_back(std::move(panel));
  add_notes(plan, drawing.says);
  return drawing;
}

Drawing loss_by_size(const Json& plan, const PlanRequest& request, const Json& fit,
                     const Json& devices) {
  Drawing drawing{"loss-by-size",
                  kAdviceGroup,
                  "Loss by size, within this budget",
                  "",
                  {"parameters N", true},
                  {"loss, nats per token"}};
  drawing.whole = true;
  const double best = number(plan["optimum"], "N");
  constexpr double kReach = 8;  // times the best, to both sides
  constexpr int kPlaces = 25;
  std::string why_not;
  const std::vector<DrawnPlace> places = places_of(
      request, fit, devices, log_places(best / kReach, best * kReach, kPlaces, 0),
      [](PlanRequest& asked, double n) {
        asked.params = n;
        std::erase(asked.free, "N");
      },
      why_not);
  if (places.size() < 2) {
    drawing.says = fmt::format("The request has no answer at other sizes{}{}.",
                               why_not.empty() ? "" : ": ", why_not);
    return drawing;
  }
  DrawnPanel panel;
  panel.named(text(plan, "law")).curve = places;
  panel.series.push_back(the_plan(best, plan));
  drawing.panels.push_back(std::move(panel));
  drawing.says = fmt::format(
      "The plan has {} parameters; {} lose less than {:g} nats against it.", format_count(best),
      near_words(places, best, number(plan["optimum"], "loss"), format_count), kNearNats);
  add_notes(plan, drawing.says);
  return drawing;
}

}  // namespace

std::vector<Drawing> comparison_drawings(const Json& comparison) {
  const Json table = comparison_table(comparison);
  return table.is_object() ? std::vector{comparison_drawing(table)} : std::vector<Drawing>();
}

std::vector<Drawing> frontier_drawings(const Json& frontier) {
  if (!frontier.contains("points") || !frontier.contains("changes")) return {};  // of several laws
  return {best_by_bytes(frontier), losses_by_bytes(frontier)};
}

std::vector<Drawing> design_drawings(const Json& design) {
  if (!design.contains("runs")) return {};
  return {proposed_runs(design), error_by_cost(design)};
}

std::vector<Drawing> plan_drawings(const Json& plan, const PlanRequest& request, const Json& fit,
                                   const Json& devices) {
  std::vector<Drawing> out;
  const Json few = with_draws(fit, kAnswerDraws);
  if (!plan.contains("optimum") || !std::isfinite(number(plan["optimum"], "loss"))) return out;
  if (plan.value("knows_bits", false)) out.push_back(loss_by_bits(plan, request, few, devices));
  if (request.params == 0 && (request.compute > 0 || request.gpu_hours > 0))
    out.push_back(loss_by_size(plan, request, few, devices));
  return out;
}

}  // namespace bitlaw
