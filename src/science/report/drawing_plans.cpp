// What the fitted law advises: the best bits, N and D, by cost, by D and by bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "laws/effective.h"
#include "plan/plan.h"
#include "report/answer.h"
#include "report/drawing_kinds.h"
#include "report/fields.h"

namespace bitlaw {
namespace {

constexpr const char* kPlansGroup = "What the law advises";
constexpr int kPlanPlaces = 13;
constexpr size_t kPlanDraws = 100;  // of intervals along a curve; a number in a sentence has all

// ---- the best bits at the best N and D -------------------------------------------------------------

// " Extrapolates beyond the runs ...", of the notes of a plan; "" if it does not.
std::string extrapolation_of(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    if (note.starts_with("Extrapolates")) return " " + note;
  }
  return "";
}

// A curve that depends on constants of others is not of the fit alone.
std::string fitted_name(const std::string& missing) {
  return missing.find("was not fitted") == std::string::npos
             ? "fitted law"
             : "law with constants that were not fitted";
}

void add_best_split(const DrawingData& data, std::vector<Drawing>& out) {
  const Json& optimum = data.document()["figures"]["optimum"];
  if (!optimum.is_object()) return;
  Drawing drawing{"best-split",
                  kPlansGroup,
                  "Loss at the best N and D for each precision",
                  "",
                  {"bits of weights, activations, keys and values"},
                  {"loss, nats per token"}};
  drawing.says = best_precision_sentence(optimum, data.document()["constants"]);
  if (optimum.contains("notes"))
    drawing.says += extrapolation_of(optimum["notes"].get<std::vector<std::string>>());
  if (!optimum["curve"].empty()) {
    // Few bits cost so much that the rest would be a flat line.
    double lowest = 1e300;
    for (const Json& point : optimum["curve"]) lowest = std::min(lowest, number(point, "y"));
    const double at_16 = number(optimum["curve"].back(), "y");
    const double highest = lowest + std::max(0.05, 3 * (at_16 - lowest));
    DrawnPanel panel{
        fmt::format("{:.3g} FLOP at 16 bits, cost linear in bits", number(optimum, "compute"))};
    for (const Json& point : optimum["curve"]) {
      if (number(point, "y") > highest) continue;
      DrawnPlace place{number(point, "x"), number(point, "y")};
      if (point.contains("low"))
        place.mean = PredictedInterval{number(point, "low"), number(point, "high")};
      panel.named(fitted_name(drawing.says)).curve.push_back(place);
    }
    if (optimum["published_best"].is_object())
      panel.lines.push_back({number(optimum["published_best"], "P_w"), kUnknown, false,
                             "best by the published constants"});
    drawing.panels.push_back(std::move(panel));
  }
  out.push_back(std::move(drawing));
}

// ---- the best bits at fixed N, against D -----------------------------------------------------------

// Sizes by their model cards (arXiv 2407.21783), trained on 15 T tokens.
struct KnownModel {
  const char* name;
  double params;
};
constexpr KnownModel kLlamas[] = {
    {"Llama-3 8B", 8e9}, {"Llama-3 70B", 70e9}, {"Llama-3 405B", 405e9}};
constexpr double kLlamaTokens = 15e12;

PlanRequest best_bits_request(double n, double d) {
  PlanRequest request;
  request.params = n, request.tokens = d, request.free = {"P"};
  return request;
}

std::vector<std::string> felt_constants(const Plan& plan, double PlanMoves::*move) {
  std::vector<std::string> out;
  for (const auto& [name, sensitivity] : plan.sensitivity) {
    if (sensitivity.per_percent && (*sensitivity.per_percent).*move != 0) out.push_back(name);
  }
  return out;
}

bool reaches_an_end(const PlanInterval& bits) {
  constexpr double kNear = 0.01;
  return bits.low < kFewestBits + kNear || bits.high > kMostBits - kNear;
}

void add_best_bits_by_data(const DrawingData& data, std::vector<Drawing>& out) {
  if (!data.has_bits() || !data.fit()->law->inputs.empty()) return;
  Drawing drawing{
      "best-bits-fixed-size",      kPlansGroup,  "Best bits in training at fixed N, against D", "",
      {"training tokens D", true}, {"best bits"}};
  DrawnPanel panel;
  panel.lines.push_back({kLlamaTokens, kUnknown, false, "15 T tokens"});
  std::vector<double> lengths = log_places(1e11, 1e14, kPlanPlaces, 0);
  lengths.push_back(kLlamaTokens);
  std::sort(lengths.begin(), lengths.end());
  const Json few = data.fit_with_draws(kPlanDraws);
  std::string known, unknown, by_authors;
  for (const KnownModel& model : kLlamas) {
    DrawnSeries fitted{model.name}, published{fmt::format("{}, published constants", model.name)};
    published.dashed = true;
    for (const double d : lengths) {
      PlanRequest request = best_bits_request(model.params, d);
      const Plan plan = d == kLlamaTokens ? make_plan(request, data.input().fit)
                                          : make_plan(request, few, nullptr, PlanDepth::kNumbers);
      if (plan.error.empty() && plan.optimum) {
        DrawnPlace place{d, plan.optimum->bits_weights};
        const auto found = plan.intervals ? plan.intervals->find("P_w")
                                          : std::map<std::string, PlanInterval>::const_iterator();
        const bool has_interval = plan.intervals && found != plan.intervals->end();
        if (has_interval) place.mean = PredictedInterval{found->second.low, found->second.high};
        fitted.curve.push_back(place);
        if (d == kLlamaTokens) {
          std::string missing = data.not_identified(felt_constants(plan, &PlanMoves::bits_weights));
          if (missing.empty() && !has_interval) missing = "the fit has no intervals";
          if (missing.empty() && reaches_an_end(found->second))
            missing = "the interval reaches the limit of the search";
          if (missing.empty())
            known += fmt::format("{}{:.1f} [{:.1f}, {:.1f}] for {}", known.empty() ? "" : ", ",
                                 place.y, found->second.low, found->second.high, model.name);
          else
            unknown = missing;
        }
      }
      if (!data.published()) continue;
      request.law = data.fit()->law->name;
      const Plan theirs = make_plan(request, nullptr, nullptr, PlanDepth::kNumbers);
      if (!theirs.error.empty() || !theirs.optimum) continue;
      published.curve.push_back({d, theirs.optimum->bits_weights});
      if (d == kLlamaTokens)
        by_authors += fmt::format("{}{:.1f} for {}", by_authors.empty() ? "" : ", ",
                                  theirs.optimum->bits_weights, model.name);
    }
    if (fitted_name(unknown) != fitted_name(""))
      fitted.name += ", with constants that were not fitted";
    panel.series.push_back(std::move(fitted));
    panel.series.push_back(std::move(published));
  }
  drawing.panels.push_back(std::move(panel));
  if (!known.empty())
    drawing.says = fmt::format(
        "At 15 T tokens and a cost linear in bits, the fit's best precision is "
        "{} (90 % intervals).",
        known);
  if (!unknown.empty())
    drawing.says += fmt::format("{}The fit does not identify the best bits{}: {}.",
                                drawing.says.empty() ? "" : " ",
                                known.empty() ? "" : " of the others", unknown);
  if (drawing.says.empty()) drawing.says = "The fitted constants give no best bits at 15 T tokens.";
  if (!by_authors.empty()) drawing.says += fmt::format(" Published constants give {}.", by_authors);
  const double most = data.fit()->reach.params.high;
  if (most > 0 && kLlamas[0].params > most)
    drawing.says += fmt::format(
        " All of this extrapolates: {:.2g} times the largest fitted model at "
        "least.",
        kLlamas[0].params / most);
  out.push_back(std::move(drawing));
}

// ---- models for inference --------------------------------------------------------------------------

struct ServedNumber {
  const char *id, *title, *label, *name;  // name: of the plan's number
  bool log;
};
constexpr ServedNumber kServed[] = {
    {"inference-bits", "Best bits after training against the bits to serve", "bits after training",
     "P_post", false},
    {"inference-size", "Best size against the bits to serve", "parameters", "N", true},
    {"inference-tokens", "Best training length against the bits to serve", "training tokens", "D",
     true},
};

std::string served_sentence(const DrawingData& data, const Plan& plan, const ServedNumber& number,
                            double budget) {
  std::vector<std::string> felt;
  for (const auto move : {&PlanMoves::post_bits, &PlanMoves::log_params, &PlanMoves::log_tokens}) {
    for (const std::string& name : felt_constants(plan, move)) felt.push_back(name);
  }
  std::string missing = data.not_identified(felt);
  const auto found = plan.intervals ? plan.intervals->find(number.name)
                                    : std::map<std::string, PlanInterval>::const_iterator();
  if (missing.empty() && (!plan.intervals || found == plan.intervals->end()))
    missing = "the fit has no intervals";
  if (missing.empty() && std::string_view(number.name) == "P_post" && reaches_an_end(found->second))
    missing = "the interval reaches the limit of the search";
  if (!missing.empty())
    return fmt::format("The fit does not identify the best model to serve: {}.", missing);
  const auto shown = [&](double value) {
    return number.log ? format_count(value) : fmt::format("{:.2f}", value);
  };
  return fmt::format(
             "For {} bits of weights to serve the fit advises {} [{}, {}] {} (90 % interval).",
             format_count(budget), shown(*plan.optimum->find(number.name)),
             shown(found->second.low), shown(found->second.high), number.label) +
         extrapolation_of(plan.notes);
}

void add_served_models(const DrawingData& data, std::vector<Drawing>& out) {
  if (!data.has_delta() || !data.fit()) return;
  double most = 0, least = 1e300;
  for (const DrawnRow& row : data.rows()) {
    if (row.n > 0) most = std::max(most, row.n), least = std::min(least, row.n);
  }
  if (!(most > 0)) return;
  // From the smallest model at three bits to ten times the largest at sixteen; said at four of the
  // largest.
  std::vector<double> budgets = log_places(3 * least, 160 * most, kPlanPlaces, 0);
  const double named = 4 * most;
  budgets.push_back(named);
  std::sort(budgets.begin(), budgets.end());
  const Json few = data.fit_with_draws(kPlanDraws), none = data.fit_with_draws(0);
  constexpr size_t kStride = 3;
  std::vector<Plan> plans, published;
  for (size_t i = 0; i < budgets.size(); ++i) {
    PlanRequest request;
    request.inference_budget = budgets[i];
    const bool has_interval = i % kStride == 0 || i + 1 == budgets.size();
    plans.push_back(budgets[i] == named ? make_plan(request, data.input().fit)
                                        : make_plan(request, has_interval ? few : none, nullptr,
                                                    PlanDepth::kNumbers));
    if (!data.published()) continue;
    request.law = data.fit()->law->name;
    published.push_back(make_plan(request, nullptr, nullptr, PlanDepth::kNumbers));
  }
  for (const ServedNumber& number : kServed) {
    Drawing drawing{number.id,
                    kPlansGroup,
                    number.title,
                    "",
                    {"bits of all weights to serve, N P", true},
                    {number.label, number.log}};
    DrawnPanel panel;
    DrawnSeries fitted{"fitted law"}, theirs{"published constants"};
    theirs.dashed = true;
    for (size_t i = 0; i < budgets.size(); ++i) {
      const Plan& plan = plans[i];
      const std::optional<double> value =
          plan.error.empty() && plan.optimum ? plan.optimum->find(number.name) : std::nullopt;
      if (value) {
        DrawnPlace place{budgets[i], *value};
        if (plan.intervals) {
          const auto found = plan.intervals->find(number.name);
          if (found != plan.intervals->end())
            place.mean = PredictedInterval{found->second.low, found->second.high};
        }
        fitted.curve.push_back(place);
        if (budgets[i] == named) drawing.says = served_sentence(data, plan, number, named);
      }
      if (i >= published.size() || !published[i].error.empty() || !published[i].optimum) continue;
      if (const auto other = published[i].optimum->find(number.name))
        theirs.curve.push_back({budgets[i], *other});
    }
    if (drawing.says.empty())
      drawing.says = "The fitted constants give no best model to serve: more training never hurts.";
    fitted.name = fitted_name(drawing.says);
    interpolate_intervals(fitted.curve);
    panel.series = {std::move(fitted), std::move(theirs)};
    drawing.panels.push_back(std::move(panel));
    out.push_back(std::move(drawing));
  }
}

// ---- the frontier of bytes -------------------------------------------------------------------------

std::string frontier_sentence(const DrawingData& data, const Json& frontier) {
  const DrawnEstimate cost = data.estimate([&](const std::vector<double>& values) {
    const Observation& middle = data.middle().run;
    Observation run = data.model(middle.params, middle.tokens);
    run.bits_weights = run.bits_activations = run.bits_kv = kUnlimitedBits;
    const double whole_loss = predict(*data.fit()->law, values.data(), data.counted(run));
    run.bits_weights = 4;
    return predict(*data.fit()->law, values.data(), data.counted(run)) - whole_loss;
  });
  if (!cost.may_be_said())
    return fmt::format(
        "The fit does not identify what fewer bits of the weights cost ({}), so it does "
        "not say which bits are best at which bytes.",
        cost.missing);
  std::string out = frontier_changes(frontier);
  size_t points = 0, sure = 0, beyond = 0;
  for (const Json& point : frontier["points"]) {
    const std::string choice = text(point, "choice");
    beyond += !point.value("beyond", Json::array()).empty();
    if (choice.empty() || !point.contains("shares") || !point["shares"].is_object()) continue;
    constexpr double kSure = 0.9;
    ++points, sure += number(point["shares"], choice.c_str()) >= kSure;
  }
  out = out.empty() ? std::string("One choice of bits is the best at all bytes by the fit.")
                    : fmt::format("By the fit the best bits change with the bytes: {}.", out);
  if (points > 0)
    out +=
        fmt::format(" At {} of {} numbers of bytes nine in ten draws of the fit choose the same.",
                    sure, points);
  if (beyond > 0)
    out += fmt::format(" {} of {} lie beyond the fitted runs, where the law extrapolates.", beyond,
                       frontier["points"].size());
  return out;
}

void add_frontier(const DrawingData& data, std::vector<Drawing>& out) {
  const Json& frontier = data.document()["figures"]["frontier"];
  if (!frontier.is_object()) return;
  Drawing drawing{"frontier-of-bytes",
                  kPlansGroup,
                  "Which bits at which bytes",
                  "",
                  {"bytes of the model file", true},
                  {"loss above the best, nats per token"}};
  DrawnPanel panel{fmt::format("trained on {} tokens", format_count(number(frontier, "tokens")))};
  panel.series = frontier_series(frontier);
  drawing.panels.push_back(std::move(panel));
  drawing.says = frontier_sentence(data, frontier);
  out.push_back(std::move(drawing));
}

}  // namespace

std::vector<DrawnSeries> frontier_series(const Json& frontier) {
  std::map<double, DrawnSeries> series;  // by bits
  double other = 1000;                   // those without
  std::map<std::string, double> order;
  constexpr double kMostShown = 0.25;
  for (const Json& point : frontier["points"]) {
    if (!point.contains("choices") || !point["choices"].is_array() || point["choices"].empty())
      continue;
    const double best = number(point["choices"][0], "loss");
    for (const Json& choice : point["choices"]) {
      const double lost = number(choice, "loss") - best;
      if (!(lost <= kMostShown)) continue;
      const std::string name = text(choice, "choice");
      const double bits = std::strtod(name.c_str(), nullptr);
      const double place = order.emplace(name, bits > 0 ? bits : other++).first->second;
      DrawnSeries& one = series[place];
      one.name = name;
      if (bits > 0) one.bits = bits;
      one.curve.push_back({number(point, "bytes"), lost});
    }
  }
  std::vector<DrawnSeries> out;
  for (auto& [bits, one] : series) out.push_back(std::move(one));
  return out;
}

std::string frontier_changes(const Json& frontier) {
  std::string out;
  for (const Json& change : frontier["changes"]) {
    const std::string to = text(change, "to");
    out += fmt::format("{}{} over {} from {} bytes on", out.empty() ? "" : ", ", to,
                       text(change, "from"), format_count(number(change, "bytes")));
  }
  return out;
}

void add_plan_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  if (!data.fit()) return;
  add_best_split(data, out);
  add_best_bits_by_data(data, out);
  add_served_models(data, out);
  add_frontier(data, out);
}

}  // namespace bitlaw
