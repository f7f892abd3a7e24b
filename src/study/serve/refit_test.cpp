#include "serve/refit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "serve/runs_for_tests.h"

namespace bitlaw {
namespace {

// The document once `done` holds of it.
template <class Done>
Json wait_for(const Refit& refit, const std::string& study, const Done& done) {
  for (int i = 0; i < 6000; ++i) {
    Json document = refit.document(study, true);
    if (done(document)) return document;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ADD_FAILURE() << "no such document in two minutes";
  return refit.document(study, true);
}

TEST(Refit, FitsWhatHasEndedAndSaysWhatChanged) {
  MadeUpRuns made;
  made.add_grid(3, 4);
  LiveView view({made.runs()});
  view.look();
  const std::string study = view.results()[0].key;
  std::mutex mutex;
  std::vector<std::string> events;
  Refit refit(view, {.draws = 0, .rest_per_work = 1}, [&](std::string event) {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
  });
  refit.look();
  const Json first = wait_for(refit, study, [](const Json& each) {
    return each["fitted"].get<bool>() && !each["so_far"].is_null();
  });
  EXPECT_TRUE(first["read"].get<bool>());
  EXPECT_EQ(first["so_far"]["runs"], 36);
  EXPECT_TRUE(first["so_far"]["constants"][0]["change"].is_null());
  EXPECT_EQ(first["fit"]["training"]["points"], 36);
  EXPECT_TRUE(first["problem"].is_null());
  made.add(777'000, 256 * 5000, "6");
  view.look();
  refit.look();
  const Json second = wait_for(
      refit, study, [](const Json& each) { return each["so_far"]["runs"].get<int>() == 37; });
  EXPECT_FALSE(second["so_far"]["constants"][0]["change"].is_null());
  const std::lock_guard lock(mutex);
  ASSERT_GE(events.size(), 3u);
  EXPECT_EQ(events[0].rfind("event: law\ndata: {", 0), 0u);
  EXPECT_EQ(events[0].find("\"fit\":"), std::string::npos);  // that one is asked for
}

TEST(Refit, SaysWhyThereIsNoFit) {
  MadeUpRuns made;
  made.add(1000, 25'600);
  LiveView view({made.runs()});
  view.look();
  const std::string study = view.results()[0].key;
  Refit refit(view, {.draws = 0, .rest_per_work = 1}, [](const std::string&) {});
  refit.look();
  const Json document =
      wait_for(refit, study, [](const Json& each) { return !each["problem"].is_null(); });
  EXPECT_FALSE(document["fitted"].get<bool>());
  EXPECT_TRUE(document["so_far"].is_null());
  EXPECT_TRUE(document["fit"].is_null());
}

}  // namespace
}  // namespace bitlaw
