#include "plan/landscape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json_fields.h"
#include "base/names.h"
#include "plan/answer.h"
#include "plan/given.h"
#include "plan/problem.h"
#include "plan/unused.h"
#include "predict/constants.h"

namespace bitlaw {
namespace {

constexpr size_t kMostPoints = 20'000;

struct AxisKind {
  const char* name;
  void (*give)(PlanRequest& request, double value);
};

// Bits of one part, where the request may give none, one number or three.
void give_part(PlanRequest& request, size_t part, double bits) {
  std::vector<double>& all = request.bits;
  if (all.size() != 3) all.assign(3, all.size() == 1 ? all[0] : kUnquantizedBits);
  all[part] = bits;
}

constexpr std::array kAxes{
    AxisKind{"N", [](PlanRequest& request, double value) { request.params = value; }},
    AxisKind{"D", [](PlanRequest& request, double value) { request.tokens = value; }},
    AxisKind{"compute", [](PlanRequest& request, double value) { request.compute = value; }},
    AxisKind{"gpu_hours", [](PlanRequest& request, double value) { request.gpu_hours = value; }},
    AxisKind{"memory_bytes",
             [](PlanRequest& request, double value) { request.memory_bytes = value; }},
    AxisKind{"P", [](PlanRequest& request, double value) { request.bits = {value}; }},
    AxisKind{"P_w", [](PlanRequest& request, double value) { give_part(request, 0, value); }},
    AxisKind{"P_a", [](PlanRequest& request, double value) { give_part(request, 1, value); }},
    AxisKind{"P_kv", [](PlanRequest& request, double value) { give_part(request, 2, value); }},
    AxisKind{"P_post", [](PlanRequest& request, double value) { request.post_bits = value; }}};

const AxisKind* find_axis(const std::string& name) {
  const auto found = std::find_if(kAxes.begin(), kAxes.end(),
                                  [&](const AxisKind& each) { return each.name == name; });
  return found == kAxes.end() ? nullptr : &*found;
}

std::string check_axes(const std::vector<LandscapeAxis>& axes) {
  if (axes.empty() || axes.size() > 2) return "axes: give one or two";
  size_t points = 1;
  for (const LandscapeAxis& axis : axes) {
    if (!find_axis(axis.name)) {
      std::vector<std::string> names;
      for (const AxisKind& each : kAxes) names.emplace_back(each.name);
      return unknown_name("axis", axis.name, names);
    }
    for (const double value : axis.values) {
      if (!(value > 0) || std::isinf(value))
        return fmt::format("axes: {} = {} is not a positive number", axis.name, value);
    }
    points *= std::min(axis.values.size(), kMostPoints + 1);
  }
  if (points == 0) return "axes: give values for each";
  if (points > kMostPoints) return fmt::format("axes: more than {} points", kMostPoints);
  return axes.size() == 2 && axes[0].name == axes[1].name ? "axes: the two are the same" : "";
}

// The answer at one point; or why there is none.
std::string solve(const PlanRequest& asked, const Constants& constants, const Json& devices,
                  LandscapePoint& out) {
  if (std::string wrong = check_given(asked); !wrong.empty()) return wrong;
  PlanRequest request = asked;
  request.law = constants.law->name;
  request.free = free_of(asked);
  PlanProblem problem;
  std::string wrong = read_problem(request, constants, devices, problem);
  if (wrong.empty()) wrong = check_used(request, *constants.law, constants.total);
  if (wrong.empty()) wrong = check_felt(problem, constants);
  if (wrong.empty()) wrong = check_used(request, problem);
  if (!wrong.empty()) return wrong;
  const Planner planner(problem, constants);
  const PlanPoint best =
      planner.with(constants.values, [](const PlanTask& task) { return best_plan(task).point; });
  if (!std::isfinite(best.loss)) return "no model lies within the limits";
  const Bits& bits = best.precision.bits;
  out = {best.loss,        best.params, best.tokens,   bits.weights,
         bits.activations, bits.kv,     best.post_bits};
  return "";
}

Landscape no_landscape(std::string sentence) {
  Landscape out;
  out.error = std::move(sentence);
  return out;
}

}  // namespace

Landscape make_landscape(const PlanRequest& request, const std::vector<LandscapeAxis>& axes,
                         const Json& fit, const Json& devices) {
  std::string wrong = check_axes(axes);
  if (!wrong.empty()) return no_landscape(wrong);
  for (const auto& [option, given] : {std::pair{"critical_data", request.critical_data},
                                      {"inference_budget", request.inference_budget > 0},
                                      {"frontier", !request.frontier.empty()},
                                      {"laws", !request.laws.empty()}}) {
    if (given)
      return no_landscape(
          fmt::format("{0}: a landscape is of one law, and of its loss; leave out {0}", option));
  }
  Constants constants;
  wrong = read_constants(request.law, request.constants, fit, constants);
  if (!wrong.empty()) return no_landscape(wrong);
  const Law& law = *constants.law;
  if (law.predicts != Predicts::kLoss || !law.needs_sizes)
    return no_landscape(
        fmt::format("{} does not predict a loss of N and D; name another law", law.name));
  const bool quantizes_after =
      request.post_bits > 0 || axes[0].name == "P_post" || axes.back().name == "P_post";
  if (quantizes_after && !law.has_delta)
    return no_landscape(fmt::format("{} does not model quantization after training; plan with {}",
                                    law.name, laws_with_delta()));

  Landscape out;
  out.law = law.name, out.source = constants.source, out.axes = axes;
  bool any = false;
  PlanRequest one = request;
  const LandscapeAxis none{"", {0}};
  const LandscapeAxis& second = axes.size() == 2 ? axes[1] : none;
  for (const double y : second.values) {
    if (axes.size() == 2) find_axis(second.name)->give(one, y);
    for (const double x : axes[0].values) {
      find_axis(axes[0].name)->give(one, x);
      const std::string why = solve(one, constants, devices, out.points.emplace_back());
      any = any || why.empty();
      if (wrong.empty()) wrong = why;
    }
  }
  // Some points may lie outside the limits, or at bits that the law has no constant for; not all.
  return any ? out : no_landscape(wrong);
}

Json landscape_json(const Landscape& landscape) {
  Json out{{"law", landscape.law}, {"source", landscape.source}, {"axes", Json::array()}};
  for (const LandscapeAxis& axis : landscape.axes)
    out["axes"].push_back({{"name", axis.name}, {"values", axis.values}});
  const std::vector<LandscapePoint>& points = landscape.points;
  for (const auto& [name, field] : {std::pair{"loss", &LandscapePoint::loss},
                                    {"N", &LandscapePoint::params},
                                    {"D", &LandscapePoint::tokens},
                                    {"P_w", &LandscapePoint::bits_weights},
                                    {"P_a", &LandscapePoint::bits_activations},
                                    {"P_kv", &LandscapePoint::bits_kv},
                                    {"P_post", &LandscapePoint::post_bits}}) {
    const auto quantity = field;
    const std::string label = name;
    const auto known = std::find_if(points.begin(), points.end(), [](const LandscapePoint& each) {
      return std::isfinite(each.loss);
    });
    const bool varies = std::any_of(points.begin(), points.end(), [&](const LandscapePoint& each) {
      return std::isfinite(each.loss) && each.*quantity != (*known).*quantity;
    });
    const bool is_axis = std::any_of(landscape.axes.begin(), landscape.axes.end(),
                                     [&](const LandscapeAxis& axis) { return axis.name == label; });
    if (quantity != &LandscapePoint::loss && (is_axis || !varies)) continue;
    Json list = Json::array();
    for (const LandscapePoint& each : points) list.push_back(json_number(each.*quantity));
    out[label] = std::move(list);
  }
  return out;
}

}  // namespace bitlaw
