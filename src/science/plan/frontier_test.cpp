#include "plan/frontier.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

PlanRequest asked() {
  PlanRequest request;
  request.frontier = "bytes=1e7..1e11", request.tokens = 1e11;
  return request;
}

// At every point no other choice of bits, with all the N that fits, has less loss.
TEST(Frontier, NoOtherChoiceOfBitsIsBetter) {
  for (const bool coded : {false, true}) {
    PlanRequest request = asked();
    if (coded) request.entropy_coded = {"gaussian"};
    const Frontier made = make_frontier(request);
    ASSERT_EQ(made.error, "");
    EXPECT_EQ(made.points.size(), 21u);
    for (const FrontierPoint& point : made.points) {
      if (!point.none.empty()) continue;
      EXPECT_LE(point.best.memory_bytes.value(), point.bytes * (1 + 1e-9));
      PlanRequest one = request;
      one.frontier.clear(), one.free = {"N"}, one.memory_bytes = point.bytes;
      for (const double bits : {2, 3, 4, 5, 6, 8, 16}) {
        one.bits = {bits, 16, 16};
        const Plan plan = make_plan(one);
        if (!plan.error.empty()) continue;
        EXPECT_GE(plan.optimum->loss.value(), point.best.loss.value() - 1e-12);
      }
    }
  }
}

// At a change two choices are worth the same, and each wins on its side.
TEST(Frontier, ChangesAreWhereTwoChoicesTie) {
  PlanRequest request = asked();
  request.tokens = 0, request.tokens_per_param = 20;
  request.entropy_coded = {"gaussian"};
  request.frontier = "bytes=1e7..1e13";
  const Frontier made = make_frontier(request);
  ASSERT_EQ(made.error, "");
  ASSERT_FALSE(made.changes.empty());
  request.frontier.clear(), request.free = {"N"};
  for (const FrontierChange& change : made.changes) {
    double loss[2];
    request.memory_bytes = change.bytes;
    for (int i = 0; i < 2; ++i) {
      const std::string& name = i == 0 ? change.from : change.to;
      request.bits = {std::stod(name), 16, 16};
      loss[i] = make_plan(request).optimum->loss.value();
    }
    EXPECT_NEAR(loss[0], loss[1], 1e-5) << change.from << " " << change.to;
  }
  // Every change lies between the points that differ.
  size_t k = 0;
  for (size_t i = 0; i + 1 < made.points.size(); ++i) {
    if (made.points[i].choice == made.points[i + 1].choice || made.points[i].choice.empty())
      continue;
    ASSERT_LT(k, made.changes.size());
    EXPECT_EQ(made.changes[k].from, made.points[i].choice);
    while (k < made.changes.size() && made.changes[k].bytes <= made.points[i + 1].bytes * 1.001)
      ++k;
    EXPECT_EQ(made.changes[k - 1].to, made.points[i + 1].choice);
  }
}

TEST(Frontier, MoreBytesNeverHurt) {
  PlanRequest request = asked();
  for (const char* kind : {"tokens", "ratio", "compute", "post"}) {
    PlanRequest one = request;
    if (std::string(kind) == "ratio") one.tokens = 0, one.tokens_per_param = 20;
    if (std::string(kind) == "compute") one.tokens = 0, one.compute = 1e21;
    if (std::string(kind) == "post") one.tokens = 0, one.free = {"N", "D", "P_post"};
    const Frontier made = make_frontier(one);
    ASSERT_EQ(made.error, "") << kind;
    double before = 100;
    for (const FrontierPoint& point : made.points) {
      if (!point.none.empty()) continue;
      EXPECT_LE(point.best.loss.value(), before + 1e-9) << kind << " " << point.bytes;
      before = point.best.loss.value();
      if (std::string(kind) == "ratio") {
        EXPECT_NEAR(point.best.tokens_per_param, 20, 1e-9);
      }
    }
  }
}

TEST(Frontier, SaysWhereNothingFitsAndWhatExtrapolates) {
  PlanRequest request = asked();
  request.frontier = "bytes=1e4..1e12";
  const Frontier made = make_frontier(request);
  EXPECT_NE(made.points.front().none, "");
  EXPECT_EQ(made.points.back().none, "");
  EXPECT_FALSE(made.points.back().beyond.empty());
  EXPECT_NE(fmt::format("{}", fmt::join(made.notes, " ")).find("extrapolates"), std::string::npos);
  request.frontier = "bytes=10..1000";
  EXPECT_NE(make_frontier(request).error.find("no model fits"), std::string::npos);
}

TEST(Frontier, SeveralLawsAreSetSideBySide) {
  PlanRequest request = asked();
  request.laws = {"kumar,kumar-no-offsets,no-such-law"};
  const Frontiers made = make_frontiers(request, {});
  EXPECT_EQ(made.error, "");
  ASSERT_EQ(made.laws.size(), 3u);
  EXPECT_NE(made.laws[2].error, "");
  const std::string text = frontier_text(made);
  EXPECT_NE(text.find("The laws choose alike at"), std::string::npos);
  EXPECT_NE(text.find("Not answered by no-such-law"), std::string::npos);
  const Json document = frontier_json(made);
  EXPECT_EQ(document["ranges"].size(), made.laws[0].points.size());
  const std::string csv = frontier_csv(made);
  EXPECT_EQ(static_cast<size_t>(std::count(csv.begin(), csv.end(), '\n')),
            1 + 2 * made.laws[0].points.size())
      << "a line for each point, and the header";
}

TEST(Frontier, RefusesWhatItCannotAnswer) {
  const auto error = [](auto change) {
    PlanRequest request = asked();
    change(request);
    return make_frontier(request).error;
  };
  EXPECT_NE(error([](auto& r) { r.frontier = "1e6..1e9"; }).find("write bytes="),
            std::string::npos);
  EXPECT_NE(error([](auto& r) { r.frontier = "bytes=1e9..1e6"; }).find("not below"),
            std::string::npos);
  EXPECT_NE(error([](auto& r) { r.tokens = 0; }).find("how much the models are trained"),
            std::string::npos);
  EXPECT_NE(error([](auto& r) { r.memory_bytes = 1e9; }).find("leave out memory_bytes"),
            std::string::npos);
  EXPECT_EQ(error([](auto& r) { r.frontier = "bytes=4MB..1TB"; }), "");
}

}  // namespace
}  // namespace bitlaw
