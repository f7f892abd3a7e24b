#include "report/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "laws/effective.h"
#include "plan/frontier.h"
#include "plan/plan.h"
#include "report/fields.h"
#include "report/fitted_law.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

constexpr int kCurvePoints = 60;

// A cell of a method without options (gptq+clip) and without activations rounded in use
// (rtn+act8), of which there may be any number.
bool is_plain_cell(const TidyRow& row) {
  return !row.is_run() && row.method.find('+') == std::string::npos;
}

// Bits of the only part that is quantized: "W", "A" or "KV"; "" if none or several are.
std::pair<std::string, double> lowered_part(const TidyRow& row) {
  const double w = row.P_w, a = row.P_a, kv = row.P_kv;
  const int lowered = (w < 16) + (a < 16) + (kv < 16);
  if (lowered != 1) return {"", 16};
  if (w < 16) return {"W", w};
  if (a < 16) return {"A", a};
  return {"KV", kv};
}

// Points on a logarithmic grid a little wider than [low, high].
template <class Function>
Json curve(double low, double high, Function&& y) {
  Json points = Json::array();
  const double first = std::log(low) - 0.15, last = std::log(high) + 0.15;
  for (int i = 0; i < kCurvePoints; ++i) {
    const double x = std::exp(first + (last - first) * i / (kCurvePoints - 1));
    const double value = y(x);
    if (std::isfinite(value)) points.push_back({{"x", x}, {"y", value}});
  }
  return points;
}

Json ptq_figure(const std::vector<TidyRow>& rows, const FittedLaw& constants) {
  // Loss after quantization of the BF16 runs against D/N, one panel per N, one series per (method,
  // bits).
  // A cell is evaluated on a part of the validation text; its paired delta is added to the run's
  // own loss.
  std::map<double, std::map<std::tuple<std::string, double>, Json>> panels;
  std::map<std::pair<std::string, int64_t>, double> run_loss;
  for (const TidyRow& row : rows) {
    if (row.is_run()) run_loss[{row.run, row.D.value_or(0)}] = row.loss;
  }
  for (const TidyRow& row : rows) {
    const double n = whole(row.N), d = whole(row.D);
    double loss = row.loss;
    if (!row.is_run()) {
      const auto trained = run_loss.find({row.run, row.D.value_or(0)});
      loss = trained == run_loss.end() ? std::nan("") : trained->second + row.delta;
    }
    if (!all_bf16(row) || !(n > 0) || !(d > 0) || !std::isfinite(loss)) continue;
    if (whole(row.group) > 0) continue;
    if (!row.is_run() && row.method != "gptq" && row.method != "rtn") continue;
    Json point{{"x", d / n}, {"y", loss}, {"run", row.run}};
    if (std::isfinite(row.standard_error)) point["se"] = row.standard_error;
    panels[n][{row.method, row.is_run() ? 16 : row.P_post}].push_back(point);
  }
  Json out = Json::array();
  for (const auto& [n, cells] : panels) {
    Json series = Json::array();
    for (const auto& [key, points] : cells) {
      const auto& [method, bits] = key;
      Json one{{"method", method}, {"bits", bits}, {"points", points}};
      double low = 1e300, high = 0;
      for (const Json& point : points) {
        low = std::min(low, number(point, "x"));
        high = std::max(high, number(point, "x"));
      }
      if (constants.models_delta() && method == "gptq") {  // the fit's PTQ term is that of GPTQ
        one["curve"] = curve(low, high, [&, n = n, bits = bits](double x) {
          return constants.loss(n, x * n, 16, 16, 16, bits);
        });
      }
      series.push_back(one);
    }
    out.push_back({{"N", n}, {"series", series}});
  }
  return {{"panels", out}};
}

Json delta_figure(const std::vector<TidyRow>& rows, const FittedLaw& constants) {
  std::map<std::tuple<double, std::string, double>, Json> cells;
  for (const TidyRow& row : rows) {
    if (!is_plain_cell(row) || !all_bf16(row) || whole(row.group) > 0 || !std::isfinite(row.delta))
      continue;
    const double n = whole(row.N);
    cells[{n, row.method, row.P_post}].push_back({{"x", whole(row.D) / n},
                                                  {"y", row.delta},
                                                  {"se", row.standard_error},
                                                  {"flagged", whole(row.flagged) == 1},
                                                  {"run", row.run}});
  }
  Json series = Json::array();
  for (const auto& [key, points] : cells) {
    const auto& [n, method, bits] = key;
    Json one{{"N", n}, {"method", method}, {"bits", bits}, {"points", points}};
    double low = 1e300, high = 0;
    for (const Json& point : points) {
      low = std::min(low, number(point, "x"));
      high = std::max(high, number(point, "x"));
    }
    if (constants.models_delta() && method == "gptq") {
      one["curve"] = curve(low, high, [&, n = n, bits = bits](double x) {
        return constants.delta(n, x * n, 16, 16, 16, bits);
      });
    }
    series.push_back(one);
  }
  return {{"series", series}};
}

// A run of the middle of the table with one part ("W", "A", "KV") lowered, the others unlimited.
Observation with_part_at(const std::string& part, double bits, const Middle& middle) {
  Observation run = middle.run;
  run.bits_weights = part == "W" ? bits : kUnlimitedBits;
  run.bits_activations = part == "A" ? bits : kUnlimitedBits;
  run.bits_kv = part == "KV" ? bits : kUnlimitedBits;
  return run;
}

// N_eff / N of each part against its bits, by the law; nothing if training fails.
Json share_curve(const FittedLaw& constants, const std::string& part, const Middle& middle) {
  Json points = Json::array();
  if (!constants.has_curves()) return points;
  for (double bits = 2; bits <= 12.001; bits += 0.1) {
    const double share =
        effective_share(*constants.law, constants.values.data(), with_part_at(part, bits, middle));
    if (std::isfinite(share)) points.push_back({{"x", bits}, {"y", share}});
  }
  return points;
}

// Measured N_eff / N: what the loss that a run lost against its reference is worth in size (arXiv
// 2411.04330, section 4.2).
Json measured_shares(const std::vector<TidyRow>& rows, const References& references,
                     const FittedLaw& constants, const std::string& part, const Middle& middle) {
  Json points = Json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    const TidyRow& row = rows[i];
    const auto [lowered, bits] = lowered_part(row);
    const double n = whole(row.N), d = whole(row.D);
    const auto base = references.of(i);
    if (lowered != part || !base) continue;
    Observation plain = middle.run;
    plain.params = n, plain.tokens = d;
    plain.bits_weights = plain.bits_activations = plain.bits_kv = kUnlimitedBits;
    const double full = predict(*constants.law, constants.values.data(), plain);
    const double share = share_at_loss(*constants.law, constants.values.data(), plain,
                                       full + (row.loss - base->loss));
    if (!std::isfinite(share)) continue;
    points.push_back({{"x", bits},
                      {"y", share},
                      {"N", n},
                      {"D", d},
                      {"flagged", row.unstable == 1},
                      {"run", row.run}});
  }
  return points;
}

Json effective_figure(const std::vector<TidyRow>& rows, const References& references,
                      const FittedLaw& constants, const FittedLaw& published) {
  if (!constants.has_curves()) return nullptr;
  const Middle middle = middle_of(sizes_of(rows));
  Json parts = Json::array();
  for (const char* part : {"W", "A", "KV"}) {
    parts.push_back({{"part", part},
                     {"points", measured_shares(rows, references, constants, part, middle)},
                     {"curve", share_curve(constants, part, middle)},
                     {"published", share_curve(published, part, middle)}});
  }
  return {{"parts", parts}};
}

Json predicted_figure(const std::vector<TidyRow>& rows, const FittedLaw& constants) {
  if (!constants) return nullptr;
  Json points = Json::array();
  double trained = std::nan("");
  for (const TidyRow& row : rows) {
    const double n = whole(row.N), d = whole(row.D);
    double loss = row.loss;
    if (row.is_run()) {
      trained = loss;  // rows come with the run first
    } else {
      loss = trained + row.delta;
    }
    if (!std::isfinite(loss) || row.status == "diverged" ||
        !(row.is_run() || (row.method == "gptq" && constants.models_delta())))
      continue;
    const double predicted =
        constants.loss(n, d, row.P_w, row.P_a, row.P_kv, row.is_run() ? 16 : row.P_post);
    const std::string part = lowered_part(row).first;
    const std::string kind = !row.is_run()   ? "after GPTQ"
                             : part == "W"   ? "weights"
                             : part == "A"   ? "activations"
                             : part == "KV"  ? "KV"
                             : all_bf16(row) ? "BF16"
                                             : "several parts";
    if (std::isfinite(predicted)) {
      points.push_back(
          {{"x", predicted}, {"y", loss}, {"kind", kind}, {"run", row.run}, {"N", n}, {"D", d}});
    }
  }
  return {{"points", points}};
}

// Loss at the best N and D for each precision, at ten times the study's largest training budget.
Json optimum_figure(const std::vector<TidyRow>& rows, const Json& fit, const FittedLaw& constants,
                    const FittedLaw& published) {
  const std::vector<Observation> runs = sizes_of(rows);
  if (runs.empty() || !constants.models_bits()) return nullptr;
  if (!constants.has_curves()) return {{"curve", Json::array()}, {"best", nullptr}};
  const Middle middle = middle_of(runs);
  PlanRequest request;
  request.compute = middle.next_compute;
  if (middle.run.group > 0) request.group = middle.run.group;
  request.free = {"N", "D"};
  Json points = Json::array();
  for (double bits = 3; bits <= 16.001; bits += 0.5) {
    request.bits = {bits};
    const Plan plan = make_plan(request, fit, nullptr, PlanDepth::kNumbers);
    if (!plan.optimum || !std::isfinite(plan.optimum->loss.value_or(kUnknown))) continue;
    Json& point = points.emplace_back(Json{{"x", bits},
                                           {"y", *plan.optimum->loss},
                                           {"N", plan.optimum->params},
                                           {"D", plan.optimum->tokens}});
    if (plan.intervals && plan.intervals->contains("loss")) {
      point["low"] = plan.intervals->at("loss").low;
      point["high"] = plan.intervals->at("loss").high;
    }
  }
  request.free = {"N", "D", "P"};
  request.bits = {};
  const Plan best = make_plan(request, fit);
  if (published) request.law = published.law->name;
  const Plan by_authors = published ? make_plan(request) : Plan();
  Json out{{"compute", middle.next_compute}, {"curve", points}};
  // A constant at the edge of its range may have no effect there any more, but have one elsewhere.
  std::set<std::string> depends_on;
  for (const Plan* plan : {&best, &by_authors}) {
    for (const auto& [name, moves] : plan->sensitivity) {
      if (moves.per_percent && moves.per_percent->bits_weights != 0) depends_on.insert(name);
    }
  }
  const Json document = plan_json(best);
  out["depends_on"] = depends_on;
  out["best"] = document.value("optimum", Json(nullptr));
  if (document.contains("intervals")) out["intervals"] = document["intervals"];
  out["notes"] = best.notes;
  out["published_best"] = plan_json(by_authors).value("optimum", Json(nullptr));
  return out;
}

// The best bits by the bytes of the model file, trained on as many tokens as the study's longest
// runs. Embeddings are those of the study if its rows say them and agree.
Json frontier_figure(const std::vector<TidyRow>& rows, const Json& fit,
                     const FittedLaw& constants) {
  if (!constants.models_bits()) return nullptr;
  double least = 1e300, most = 0, tokens = 0;
  std::set<int64_t> vocabularies;
  bool all_tied = true;
  for (const TidyRow& row : rows) {
    if (!row.is_run() || !(whole(row.N) > 0) || !(whole(row.D) > 0)) continue;
    least = std::min(least, whole(row.N)), most = std::max(most, whole(row.N));
    tokens = std::max(tokens, whole(row.D));
    vocabularies.insert(row.vocabulary.value_or(0));
    all_tied = all_tied && row.tied_head == "true";
  }
  if (!(tokens > 0)) return nullptr;
  PlanRequest request;
  request.tokens = tokens;
  if (vocabularies.size() == 1 && *vocabularies.begin() > 0) {
    request.vocabulary = static_cast<double>(*vocabularies.begin());
    request.tied_head = all_tied;
  }
  // From the smallest model at two bits to a hundred times the largest at sixteen.
  request.frontier = fmt::format("bytes={}..{}", least / 4, 200 * most);
  const Frontier made = make_frontier(request, fit);
  if (!made.error.empty()) return nullptr;
  Json out = frontier_json(made);
  out["tokens"] = tokens;
  return out;
}

}  // namespace

Json figures_of(const std::vector<TidyRow>& rows, const References& references, const Json& fit) {
  const FittedLaw constants = fitted_law(fit), published = published_law(fit);
  return {{"ptq", ptq_figure(rows, constants)},
          {"delta", delta_figure(rows, constants)},
          {"effective", effective_figure(rows, references, constants, published)},
          {"predicted", predicted_figure(rows, constants)},
          {"optimum", optimum_figure(rows, fit, constants, published)},
          {"frontier", frontier_figure(rows, fit, constants)}};
}

}  // namespace bitlaw
