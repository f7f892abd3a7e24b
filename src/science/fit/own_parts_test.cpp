// kumar-parts: every part its own bits, tied where the table cannot tell two of them apart.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "fit/fit.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

// The truth: keys are more robust than values, and embeddings lie between.
std::vector<double> true_parts() {
  const Law& law = *find_law("kumar-parts");
  std::vector<double> p(law.constants[0].values.begin(), law.constants[0].values.end());
  const auto set = [&](const char* name, double value) {
    p[static_cast<size_t>(parameter_index(law, name))] = value;
  };
  set("gamma_k", 0.8), set("n_k", 1.2), set("gamma_v", 1.5), set("n_v", 1.0);
  set("gamma_emb", 1.2), set("n_emb", 0.5);
  return p;
}

Observation part_run(double params, double tokens) {
  Observation run;
  run.params = params, run.tokens = tokens;
  return run;
}

// Each part by itself at 3 to 8 bits, at several N and D.
std::vector<Observation> with_own_parts(double noise, bool apart, bool embeddings) {
  const Law& law = *find_law("kumar-parts");
  const std::vector<double> truth = true_parts();
  std::vector<Observation> rows;
  for (const double params : {3e7, 1e8, 3e8}) {
    for (const double tokens : {2e9, 2e10}) {
      std::vector<Observation> here{part_run(params, tokens)};
      for (const double bits : {2.0, 3.0, 4.0, 6.0, 8.0}) {
        here.push_back(part_run(params, tokens)), here.back().bits_weights = bits;
        if (apart) {
          for (const bool keys : {true, false}) {
            Observation& run = here.emplace_back(part_run(params, tokens));
            run.bits_keys = keys ? bits : 16, run.bits_values = keys ? 16 : bits;
            run.bits_kv = bits;
          }
        } else {
          here.push_back(part_run(params, tokens)), here.back().bits_kv = bits;
        }
        if (embeddings) {
          here.push_back(part_run(params, tokens)), here.back().bits_embedding = bits;
        }
      }
      for (Observation& run : here) {
        if (embeddings && std::isnan(run.bits_embedding)) run.bits_embedding = 16;
        run.loss_nats =
            predict(law, truth.data(), run) * std::exp(noise * random_normal(3, 0, rows.size()));
        rows.push_back(run);
      }
    }
  }
  return rows;
}

FitOptions quick_parts(const char* law) {
  FitOptions options;
  options.law = law, options.draws = 0, options.starts = 40;
  return options;
}

double value_of_part(const Fit& fit, const char* name) {
  return fit.values()[static_cast<size_t>(parameter_index(*find_law("kumar-parts"), name))];
}

TEST(OwnParts, AreRecoveredWhereTheyVary) {
  const Fit fit = fit_law(with_own_parts(1e-4, true, true), quick_parts("kumar-parts"));
  EXPECT_NEAR(value_of_part(fit, "gamma_k"), 0.8, 0.05);
  EXPECT_NEAR(value_of_part(fit, "gamma_v"), 1.5, 0.05);
  EXPECT_NEAR(value_of_part(fit, "gamma_emb"), 1.2, 0.05);
  EXPECT_NEAR(value_of_part(fit, "n_v"), 1.0, 0.05);
  for (const FittedParameter& each : fit.parameters) {
    if (std::string_view(each.name) == "gamma_k") {
      EXPECT_TRUE(each.tied_to.empty());
    }
    if (std::string_view(each.name) == "gamma_a") {
      EXPECT_FALSE(each.frozen.empty()) << "16 bits always";
    }
    if (std::string_view(each.name) == "gamma_head") {
      EXPECT_FALSE(each.frozen.empty()) << "no column";
    }
  }
}

// Keys and values always alike: one set of constants for both, and a note.
TEST(OwnParts, EqualOnesAreTiedAndSaidToBe) {
  const Fit fit = fit_law(with_own_parts(1e-4, false, false), quick_parts("kumar-parts"));
  for (const FittedParameter& each : fit.parameters) {
    if (std::string_view(each.name) == "gamma_v") {
      EXPECT_EQ(each.tied_to, "gamma_k");
    }
    if (std::string_view(each.name) == "n_v") {
      EXPECT_EQ(each.tied_to, "n_k");
    }
  }
  EXPECT_EQ(value_of_part(fit, "gamma_v"), value_of_part(fit, "gamma_k"));
  EXPECT_NE(fmt::format("{}", fmt::join(fit.notes, " ")).find("k and v have equal bits"),
            std::string::npos);
}

std::vector<std::string> shares_of(const Fit& fit) {
  std::vector<std::string> out;
  for (const Derived& each : fit.derived) {
    if (each.name.starts_with("N_eff/N at ")) out.push_back(each.name.substr(11));
  }
  return out;
}

// Numbers carry the parts that they are of: not P_kv where only keys were rounded, and no part that
// the law does not know.
TEST(OwnParts, DerivedNumbersNameThem) {
  const std::vector<Observation> rows = with_own_parts(1e-4, true, true);
  const std::vector<std::string> parts = shares_of(fit_law(rows, quick_parts("kumar-parts")));
  const auto has = [](const std::vector<std::string>& names, const char* name) {
    return std::count(names.begin(), names.end(), name);
  };
  for (const char* name : {"P_w = 3", "P_k = 3", "P_v = 3", "P_emb = 3"})
    EXPECT_EQ(has(parts, name), 1) << name;
  EXPECT_EQ(has(parts, "P_kv = 3") + has(parts, ""), 0);
  const std::vector<std::string> kumar = shares_of(fit_law(rows, quick_parts("kumar")));
  EXPECT_EQ(has(kumar, "P_kv = 3"), 1);
  EXPECT_EQ(has(kumar, "P_k = 3") + has(kumar, "P_emb = 3") + has(kumar, ""), 0);
}

// Parts that a table does not have cost nothing: kumar and kumar-parts say the same of weights.
TEST(OwnParts, AbsentOnesCostNothing) {
  const Law &parts = *find_law("kumar-parts"), &kumar = *find_law("kumar");
  Observation run = part_run(1e8, 1e10);
  run.bits_weights = 4, run.bits_activations = 6, run.bits_kv = kUnlimitedBits;
  EXPECT_DOUBLE_EQ(predict(parts, parts.constants[0].values.data(), run),
                   predict(kumar, kumar.constants[0].values.data(), run));
  Observation lower = run;
  lower.bits_head = 4;
  EXPECT_GT(predict(parts, parts.constants[0].values.data(), lower),
            predict(parts, parts.constants[0].values.data(), run));
  EXPECT_EQ(predict(kumar, kumar.constants[0].values.data(), lower),
            predict(kumar, kumar.constants[0].values.data(), run))
      << "kumar does not ask";
}

}  // namespace
}  // namespace bitlaw
