#include "serve/curve.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

std::string line_of(int step) {
  return fmt::format("{{\"step\":{},\"tokens\":{},\"loss_nats\":{}}}\n", step, 256 * step,
                     3 + 1.0 / step);
}

class CurveOfARun : public testing::Test {
 protected:
  void append(const std::string& text) {
    std::ofstream(folder_ / "metrics.jsonl", std::ios::app | std::ios::binary) << text;
  }
  TestFolder folder_;
  Curve curve_{folder_ / "metrics.jsonl"};
};

TEST_F(CurveOfARun, GrowsWithItsFile) {
  EXPECT_FALSE(curve_.update());
  EXPECT_TRUE(curve_.training().empty());
  append(line_of(1) + line_of(2) + line_of(3).substr(0, 10));  // the third is being written
  EXPECT_TRUE(curve_.update());
  ASSERT_EQ(curve_.training().size(), 2u);
  EXPECT_FALSE(curve_.update());
  append(line_of(3).substr(10));
  EXPECT_TRUE(curve_.update());
  ASSERT_EQ(curve_.training().size(), 3u);
  EXPECT_EQ(curve_.training()[2].step, 3);
  EXPECT_EQ(curve_.training()[2].tokens, 768);
  EXPECT_EQ(curve_.training()[2].loss_nats, 3 + 1.0 / 3);
}

// However it was read: at once, or while it grew.
TEST_F(CurveOfARun, HasAtMostSoManyPointsAndAlwaysTheLast) {
  for (const int steps : {999, 1000, 1001, 2000, 5003}) {
    std::filesystem::remove(folder_ / "metrics.jsonl");
    std::string all;
    for (int step = 1; step <= steps; ++step) all += line_of(step);
    Curve growing(folder_ / "metrics.jsonl");
    for (size_t place = 0; place < all.size(); place += 10'007) {
      append(all.substr(place, 10'007));
      growing.update();
    }
    Curve whole(folder_ / "metrics.jsonl");
    EXPECT_TRUE(whole.update());
    for (const Curve* each : {&growing, &whole}) {
      const std::vector<Curve::Point> points = each->training();
      EXPECT_LE(points.size(), 1000u);
      EXPECT_GE(points.size(), std::min<size_t>(static_cast<size_t>(steps), 500u));
      EXPECT_EQ(points.front().step, 1);
      EXPECT_EQ(points.back().step, steps);
      for (size_t i = 0; i + 2 < points.size(); ++i)
        EXPECT_EQ(points[i + 1].step - points[i].step, static_cast<double>(each->every()));
    }
    EXPECT_EQ(growing.every(), whole.every());
  }
}

TEST_F(CurveOfARun, ValidationsAndOddLinesHaveTheirPlace) {
  append(line_of(1) + "not JSON\n\n{\"step\":2}\n[1]\n" +
         "{\"step\":1,\"tokens\":256,\"validation\":{\"loss_nats\":4.5}}\n"
         "{\"step\":2,\"tokens\":512,\"loss_nats\":null}\n" +
         line_of(3));
  EXPECT_TRUE(curve_.update());
  ASSERT_EQ(curve_.training().size(), 2u);
  EXPECT_EQ(curve_.training()[1].step, 3);
  ASSERT_EQ(curve_.validation().size(), 1u);
  EXPECT_EQ(curve_.validation()[0].loss_nats, 4.5);
}

// A resumed run cuts its log; the new lines may be as long as the old ones.
TEST_F(CurveOfARun, IsReadAgainWhereTheFileIsAnotherOne) {
  append(line_of(1) + line_of(2) + line_of(3));
  curve_.update();
  std::filesystem::resize_file(folder_ / "metrics.jsonl", line_of(1).size());
  append("{\"step\":2,\"tokens\":512,\"loss_nats\":9.5}\n" + line_of(3) + line_of(4));
  EXPECT_TRUE(curve_.update());
  ASSERT_EQ(curve_.training().size(), 4u);
  EXPECT_EQ(curve_.training()[1].loss_nats, 9.5);
  std::filesystem::remove(folder_ / "metrics.jsonl");
  EXPECT_TRUE(curve_.update());
  EXPECT_TRUE(curve_.training().empty());
}

TEST_F(CurveOfARun, APipeInItsPlaceStopsNobody) {
  ASSERT_EQ(::mkfifo((folder_ / "metrics.jsonl").c_str(), 0600), 0);
  EXPECT_FALSE(curve_.update());
}

}  // namespace
}  // namespace bitlaw
