#include "work/queue.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/error.h"

namespace bitlaw {
namespace {

// {cost, index of the job that it waits for}
std::vector<Job> jobs(const std::vector<std::pair<double, int>>& costs) {
  std::vector<Job> out;
  for (const auto& [cost, after] : costs) {
    out.emplace_back();
    out.back().cost = cost;
    out.back().after = after;
  }
  return out;
}

TEST(Queue, EqualCostsStayInTheirOrder) {
  const std::vector<Job> four = jobs({{1, -1}, {3, -1}, {1, -1}, {3, -1}});
  EXPECT_EQ(order_of(four, JobOrder::kLongest), (std::vector<size_t>{1, 3, 0, 2}));
  EXPECT_EQ(order_of(four, JobOrder::kCheapest), (std::vector<size_t>{0, 2, 1, 3}));
  EXPECT_EQ(order_of(four, JobOrder::kStudy), (std::vector<size_t>{0, 1, 2, 3}));
}

TEST(Queue, TrunksComeBeforeTheLongest) {
  std::vector<Job> four = jobs({{1, -1}, {3, -1}, {2, -1}, {4, -1}});
  four[0].trunk = 2;
  EXPECT_EQ(order_of(four, JobOrder::kTrunks), (std::vector<size_t>{2, 3, 1, 0}));
}

TEST(Queue, WhatComesFirstComesBehindWhatItWaitsFor) {
  std::vector<Job> six = jobs({{1, -1}, {3, -1}, {2, -1}, {4, -1}, {1, 3}, {5, -1}});
  six[0].trunk = 2;
  six[2].trunk = 5;
  const std::vector<size_t> order = order_of(six, JobOrder::kInformative);
  EXPECT_EQ(order, (std::vector<size_t>{0, 4, 2, 1, 3, 5})) << "the cheapest until more is known";
  EXPECT_EQ(with_first(six, {}, order), order);
  EXPECT_EQ(with_first(six, {1, 0}, order), (std::vector<size_t>{1, 5, 2, 0, 4, 3}));
  EXPECT_EQ(with_first(six, {4, 2, 0}, order), (std::vector<size_t>{3, 4, 5, 2, 0, 1}));
}

TEST(Queue, OrdersAreNamed) {
  EXPECT_EQ(order_named("informative"), JobOrder::kInformative);
  EXPECT_EQ(order_named("cheapest"), JobOrder::kCheapest);
  try {
    order_named("cheapst");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cheapest"), std::string::npos) << error.what();
  }
}

TEST(Queue, DurationFollowsTheOrder) {
  EXPECT_EQ(planned_duration({}, 2), 0);
  EXPECT_EQ(planned_duration(jobs({{3, -1}, {2, -1}, {2, -1}}), 1), 7);
  EXPECT_EQ(planned_duration(jobs({{3, -1}, {2, -1}, {2, -1}}), 2), 4);
  EXPECT_EQ(planned_duration(jobs({{3, -1}, {2, -1}, {2, -1}}), 8), 3) << "the longest job";
  EXPECT_EQ(planned_duration(jobs({{1, -1}, {1, -1}, {5, -1}}), 2), 5) << "longest first";
  EXPECT_EQ(planned_duration(jobs({{5, -1}, {4, 0}}), 8), 9) << "one waits for the other";
  EXPECT_EQ(planned_duration(jobs({{5, -1}, {4, 0}, {1, -1}, {3, -1}}), 2), 9);
}

}  // namespace
}  // namespace bitlaw
