#include "work/live.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(LiveTable, SaysOfEachJobHowFarItIs) {
  const LiveState state{
      .running = {{.name = "size=small",
                   .seconds = 8,
                   .pace = Pace{.share = 0.5, .loss_nats = 4.25, .tokens_per_second = 12'345}},
                  {.name = "size=large", .seconds = 1, .pace = {}}},
      .last = {"size=tiny  3 s"}};
  const std::vector<std::string> lines = live_lines(state, 100);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "  8 s        50%  loss 4.250    12.3 k tokens/s  size=small");
  EXPECT_EQ(lines[1], "  1 s        size=large");
  EXPECT_EQ(lines[2], "size=tiny  3 s");
}

TEST(LiveTable, FitsTheTerminal) {
  LiveState state;
  for (int i = 0; i < 40; ++i)
    state.running.push_back({.name = std::string(200, 'x'), .seconds = 1, .pace = {}});
  const std::vector<std::string> lines = live_lines(state, 60);
  ASSERT_EQ(lines.size(), 17u);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 60u);
  EXPECT_EQ(lines.back(), "  and 24 more");
}

// A line of progress has to fit into a pipe at once, 4096 bytes.
TEST(LiveTable, AsDataItFitsIntoAPipe) {
  LiveState state{
      .jobs = 50, .done = 3, .running_elsewhere = 2, .failed = 1, .running = {}, .last = {}};
  for (int i = 0; i < 40; ++i) {
    state.running.push_back({.name = std::string(300, 'x'),
                             .seconds = 1.0 / 3,
                             .pace = Pace{1.0 / 3, 10.0 / 3, 100'000.0 / 3}});
  }
  const Json values = live_values(state, "kumar on 3 runs");
  EXPECT_LT(dump_json(values).size(), 3500u);
  EXPECT_EQ(values["jobs"], 50);
  EXPECT_EQ(values["jobs_done"], 3);
  EXPECT_EQ(values["jobs_failed"], 1);
  EXPECT_EQ(values["jobs_elsewhere"], 2);
  EXPECT_EQ(values["running"].size(), 8u);
  EXPECT_EQ(values["running"][0]["loss_nats"], 10.0 / 3);
  EXPECT_EQ(values["law"], "kumar on 3 runs");
}

TEST(LiveTable, ALogHasTheLawNowAndThen) {
  testing::internal::CaptureStderr();
  {
    LiveTable table("tiny", 10, false);
    for (size_t done = 0; done < 20; ++done) {
      table.show({.jobs = 20, .done = done, .running = {}, .last = {}});
      table.show_law(done < 8 ? "" : "kumar on " + std::to_string(done) + " runs", false);
    }
    table.show_law("kumar on 20 runs", true);
    table.show_law("kumar on 20 runs", true);
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text, "kumar on 8 runs\nkumar on 12 runs\nkumar on 17 runs\nkumar on 20 runs\n");
}

// The example of docs/studies.md.
TEST(LiveTable, TheLawIsNotCut) {
  const std::string law =
      "kumar on 41 runs: alpha 0.291 (+0.004), beta 0.4 (-0.02), E 2.41 (+0.01), best precision "
      "5.9 "
      "bits";
  LiveState state;
  state.law = law;
  state.last = {std::string(80, 'x') + "\033  3 s"};
  EXPECT_EQ(live_lines(state, 120), (std::vector{std::string(80, 'x') + "?  3 s", law}));
  testing::internal::CaptureStderr();
  LiveTable("tiny", 10, false).show_law(law, true);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), law + "\n");
}

TEST(LiveTable, ALogHasPlainLines) {
  testing::internal::CaptureStderr();
  {
    LiveTable table("tiny", 10, false);
    table.show({.jobs = 3, .done = 1, .cost_done = 4, .running = {{.name = "a", .pace = {}}}});
    table.finish("3 jobs");
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
  EXPECT_NE(text.find("3 jobs\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace bitlaw
