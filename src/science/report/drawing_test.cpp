#include "report/drawing.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "report/drawing_for_tests.h"

namespace bitlaw {
namespace {

TEST(Drawing, WhatAnAxisCannotShowIsLeftOut) {
  Drawing drawing{"id", "group", "title", "says.", {"x", true}, {"y"}};
  DrawnPanel panel{"one"};
  panel.named("a").points = {{1, -2}, {0, 1}, {-1, 1}, {2, kUnknown}};
  panel.named("b").points = {{0, 1}};
  drawing.panels = {panel, DrawnPanel{"empty"}};
  const Json out = drawing_json(drawing);
  ASSERT_EQ(out["panels"].size(), 1u) << "a panel without anything is none";
  ASSERT_EQ(out["panels"][0]["series"].size(), 1u);
  const Json& points = out["panels"][0]["series"][0]["points"];
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0], (Json{{"x", 1.0}, {"y", -2.0}}))
      << "no bar, run or remark that is not known";
}

TEST(Drawing, LongSeriesKeepEvenlyManyPoints) {
  Drawing drawing{"id", "group", "title", "says.", {"x"}, {"y"}};
  DrawnPanel panel;
  for (int i = 0; i < 10'000; ++i) panel.named("a").points.push_back({1.0 * i, 1});
  drawing.panels = {panel};
  const Json points = drawing_json(drawing)["panels"][0]["series"][0]["points"];
  EXPECT_LE(points.size(), 1500u);
  EXPECT_GE(points.size(), 1000u);
  EXPECT_GT(points.back()["x"], 9900.0);
}

std::vector<TidyRow> study() {
  std::vector<TidyRow> rows;
  for (const double n : {1e7, 3e7, 1e8}) {
    for (const double d : {1e9, 4e9, 1.6e10}) {
      for (const double bits : {16.0, 8.0, 4.0, 3.0}) {
        rows.push_back(drawn_run(n, d, bits, drawn_loss(n, d, bits)));
        if (bits < 16) continue;
        const TidyRow run = rows.back();
        for (const double post : {3.0, 4.0, 6.0})
          rows.push_back(drawn_cell(run, post, drawn_loss(n, d, 16, post) - run.loss));
      }
    }
  }
  return rows;
}

TEST(Drawing, EveryFigureSaysSomethingAndHasAFileName) {
  for (const Json& fit : {Json(), drawn_fit(), drawn_fit(40, 0.01)}) {
    std::set<std::string> ids;
    const Json drawings = drawings_in(study(), fit);
    EXPECT_GE(drawings.size(), fit.is_null() ? 5u : 14u);
    for (const Json& drawing : drawings) {
      const std::string id = drawing["id"], words = drawing["says"];
      EXPECT_TRUE(ids.insert(id).second) << id;
      for (const char c : id)
        EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) ||
                    std::isdigit(static_cast<unsigned char>(c)) || c == '-')
            << id;
      EXPECT_EQ(words.substr(words.find_last_not_of(' ')), ".") << id << ": " << words;
      EXPECT_EQ(words.find("nan"), std::string::npos) << id << ": " << words;
      EXPECT_EQ(words.find("  "), std::string::npos) << id << ": " << words;
      EXPECT_FALSE(drawing["x"]["label"].get<std::string>().empty());
    }
  }
}

TEST(Drawing, WithoutAFitNothingIsFitted) {
  for (const Json& drawing : drawings_in(study(), nullptr)) {
    for (const Json& panel : drawing["panels"]) {
      for (const Json& series : panel.value("series", Json::array()))
        EXPECT_FALSE(series.contains("curve")) << drawing["id"];
    }
    EXPECT_FALSE(says(drawing, "90 %")) << drawing["id"];
    EXPECT_FALSE(says(drawing, "By the fit")) << drawing["id"];
  }
}

TEST(Drawing, DivergedRunsAreNotDrawn) {
  std::vector<TidyRow> rows = study();
  const size_t before = drawing_named(drawings_in(rows, nullptr),
                                      "loss-by-bits-weights")["panels"][0]["series"][0]["points"]
                            .size();
  rows[4].status = "diverged";  // 8 bits at the least N and D
  ASSERT_EQ(rows[4].P_w, 8);
  EXPECT_EQ(drawing_named(drawings_in(rows, nullptr),
                          "loss-by-bits-weights")["panels"][0]["series"][0]["points"]
                .size(),
            before - 1);
}

}  // namespace
}  // namespace bitlaw
