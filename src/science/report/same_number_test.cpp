// P*, N_eff and D_crit have one definition (laws/effective.h): fit, design, plan and report give the
// same number for every law of the registry at its published constants, or none of them gives any.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "base/error.h"
#include "design/quantity.h"
#include "fit/derived.h"
#include "laws/bind.h"
#include "plan/plan.h"
#include "report/report.h"

namespace bitlaw {
namespace {

using Value = std::optional<double>;  // none: the law has no such number

Value finite(double value) {
  return std::isfinite(value) ? Value(value) : std::nullopt;
}

// A small table: two sizes, two amounts of data; BF16, four bits in all parts, three in weights.
std::vector<Observation> training_rows() {
  std::vector<Observation> rows;
  for (const double params : {1e8, 4e8}) {
    for (const double tokens : {2e9, 3.2e10}) {
      for (const double bits : {16.0, 4.0, 3.0}) {
        Observation run;
        run.params = params, run.tokens = tokens, run.bits_weights = bits;
        if (bits == 4) run.bits_activations = run.bits_kv = bits;
        run.group = 64;
        rows.push_back(run);
      }
    }
  }
  return rows;
}
constexpr double kParams = 2e8, kTokens = 8e9;      // the middle of the table
constexpr double kCompute = 10 * 6 * 4e8 * 3.2e10;  // ten times its largest budget

// A law at its first constants, as the four programs are given it.
struct Subject {
  explicit Subject(const Law& unbound) : bound(bind_law(unbound, training_rows())) {
    rows.training = training_rows();
    for (Observation& row : rows.training) row.loss_nats = 3;
    if (law().has_delta) {
      rows.post = {rows.training[6]};  // the largest size in BF16
      rows.post[0].bits_post = 4, rows.post[0].delta_nats = 0.1;
    }
    values.assign(law().constants[0].values.begin(), law().constants[0].values.end());
    fit = {{"law", law().name}, {"points", 12}};
    for (size_t i = 0; i < values.size(); ++i) {
      fit["parameters"][law().parameters[i].name]["value"] = values[i];
    }
  }
  const Law& law() const { return bound.law(); }

  // What `bitlaw fit` derives: the quantity whose name begins so (N, D or C may follow).
  Value by_fit(const std::string& name) const {
    for (const DerivedQuantity& each : derived_quantities(law(), rows, values)) {
      const std::string& found = each.about.name;
      const bool same = found.starts_with(name) &&
                        (found.size() == name.size() || found.substr(name.size(), 2) == ", ");
      if (same) return finite(each.about.value);
    }
    return std::nullopt;
  }
  Value by_design(const std::string& name) const {
    try {
      return finite(parse_quantity(name, law(), rows.training).of(values.data()));
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  Plan plan(PlanRequest request) const {
    request.law = law().name;
    request.group = 64;
    return make_plan(request, fit);
  }
  Json report() const {
    std::vector<TidyRow> table;
    for (const Observation& run : rows.training) {
      TidyRow& row = table.emplace_back();
      row.run = "r";
      row.method = "none";
      row.N = std::llround(run.params);
      row.D = std::llround(run.tokens);
      row.P_w = run.bits_weights;
      row.P_a = run.bits_activations;
      row.P_kv = run.bits_kv;
      row.granularity_w = fmt::format("group{}", run.group);
      row.loss = 3;
    }
    return make_report({"t", table, fit});
  }

  BoundLaw bound;
  StageRows rows;
  std::vector<double> values;
  Json fit;
};

// Searches end within 1e-7 of a number; people see three to five digits.
void expect_same(const Subject& subject, const char* what, Value expected, Value found,
                 const char* who) {
  EXPECT_EQ(found.has_value(), expected.has_value())
      << subject.law().name << ": " << what << " of " << who << ", fit has "
      << expected.value_or(kUnknown) << ", it has " << found.value_or(kUnknown);
  if (!found || !expected) return;
  EXPECT_NEAR(*found / *expected, 1, 1e-6) << subject.law().name << ": " << what << " of " << who
                                           << ", " << *found << " and of fit " << *expected;
}

Value number_at(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return {};
  return object[key].get<double>();
}

TEST(SameNumber, BestPrecision) {
  for (const Law& law : laws()) {
    const Subject subject(law);
    const Value fit = subject.by_fit("P* (weights, activations, KV)");
    expect_same(subject, "P*", fit, subject.by_design("P*"), "design");
    expect_same(subject, "P* of weights", subject.by_fit("P* (weights)"), subject.by_design("P*_w"),
                "design");
    PlanRequest request;
    request.compute = kCompute;
    const Plan plan = subject.plan(request);
    const bool chosen = plan.optimum && plan.knows_bits && plan.optimum->precision.empty();
    expect_same(subject, "P*", fit, chosen ? finite(plan.optimum->bits_weights) : Value(), "plan");
    const Json report = subject.report();
    const Json& optimum = report["figures"]["optimum"];
    expect_same(subject, "P*", fit,
                optimum.is_object() ? number_at(optimum["best"], "P_w") : Value(), "report");
    if (!fit) continue;
    // This fit has no intervals, so that the answer has no number.
    EXPECT_NE(report_text(report).find("the fit has no intervals"), std::string::npos)
        << law.name << "\n"
        << report_text(report);
  }
}

TEST(SameNumber, EffectiveParameters) {
  for (const Law& law : laws()) {
    const Subject subject(law);
    const bool classes = !law.class_parameters.empty();
    const std::string all =
        classes ? "N_eff/N at W4A4KV4" : "N_eff/N at P_w = 4, P_a = 4, P_kv = 4";
    const Value fit = subject.by_fit("N_eff/N at P_w = 4, P_a = 4, P_kv = 4");
    if (!classes) expect_same(subject, "N_eff", fit, subject.by_design("N_eff:4"), "design");
    PlanRequest request;
    request.params = kParams, request.tokens = kTokens, request.bits = {4}, request.free = {};
    if (classes) request.bits = {}, request.precision = "W4A4KV4";
    const Plan plan = subject.plan(request);
    Value planned = plan.optimum ? plan.optimum->effective_params : Value();
    if (planned) *planned /= kParams;
    expect_same(subject, "N_eff", fit, planned, "plan");

    // The figure's curve, of one part at a time.
    const Json report = subject.report();
    const Json& figure = report["figures"]["effective"];
    for (const auto& [part, name] :
         {std::pair{0, "N_eff_w:4"}, {1, "N_eff_a:4"}, {2, "N_eff_kv:4"}}) {
      Value drawn;
      if (figure.is_object()) {
        for (const Json& point : figure["parts"][part]["curve"]) {
          if (std::fabs(point["x"].get<double>() - 4) < 1e-9) drawn = number_at(point, "y");
        }
      }
      expect_same(subject, name, subject.by_design(name), drawn, "report");
    }
  }
}

TEST(SameNumber, CriticalData) {
  for (const Law& law : laws()) {
    const Subject subject(law);
    const Value fit = subject.by_fit("D_crit at N = 4e+08, P_post = 4");
    expect_same(subject, "D_crit", fit, subject.by_design("D_crit:4"), "design");
    PlanRequest request;
    request.critical_data = true, request.params = 4e8, request.bits = {4};
    const Plan plan = subject.plan(request);
    expect_same(subject, "D_crit", fit,
                plan.critical_data.empty() ? Value() : finite(plan.critical_data[0].tokens),
                "plan");
  }
}

}  // namespace
}  // namespace bitlaw
