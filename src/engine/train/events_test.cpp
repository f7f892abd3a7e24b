// Event files of TensorBoard, as a run writes them.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "record/event_file.h"
#include "train/interrupt.h"
#include "train/run.h"
#include "train/synthetic_text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct StopAfter : MetricsSink {
  explicit StopAfter(int64_t at) : step(at) {}
  int64_t step;
  void record(const StepMetrics& metrics) override {
    if (metrics.step >= step) request_stop();
  }
};

// The data of the records, without the time, which is the eight bytes after the first.
std::vector<std::string> events_without_time(const std::string& file) {
  std::vector<std::string> events;
  for (size_t at = 0; at + 12 < file.size();) {
    uint64_t size = 0;
    std::memcpy(&size, file.data() + at, sizeof size);
    events.push_back(file.substr(at + 12 + 9, size - 9));
    at += 12 + size + 4;
  }
  return events;
}

std::vector<fs::path> event_files(const fs::path& run) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(run)) {
    if (entry.path().filename().string().starts_with("events.")) files.push_back(entry.path());
  }
  return files;
}

TEST(Events, AreThoseOfTheMetricsWhateverStopsTheRun) {
  clear_stop_request();
  const TemporaryDirectory directory;
  write_synthetic_dataset(directory.path() / "data");
  TrainConfig config;
  config.model.width = 16;
  config.model.layers = 1;
  config.model.heads = 1;
  config.model.sequence = 32;
  config.model.vocabulary = kSyntheticVocabulary;
  config.data.path = (directory.path() / "data").string();
  config.train.batch_tokens = 256;
  config.train.tokens = 60 * config.train.batch_tokens;
  RunOptions options{.directory = (directory.path() / "runs").string(), .threads = 1};
  options.checkpoint_steps = 9;
  options.log_steps = 7;
  options.validation_steps = 20;
  options.quiet = options.tensorboard = true;
  for (const int64_t step : {14, 35, 49}) {
    StopAfter sink(step);
    EXPECT_EQ(train(config, options, &sink).status, RunStatus::kInterrupted);
    clear_stop_request();
  }
  const RunOutcome outcome = train(config, options);
  EXPECT_EQ(outcome.status, RunStatus::kFinished);

  const std::vector<fs::path> files = event_files(outcome.directory);
  ASSERT_EQ(files.size(), 1u);
  const std::vector<std::string> live = events_without_time(read_file(files[0]));
  MetricsEvents events;
  const std::string whole =
      event_file_of(read_file(outcome.directory / "metrics.jsonl"), 0, events);
  EXPECT_EQ(live, events_without_time(whole));
  // Version, start, 60 / 7 lines and the last, 3 validations.
  EXPECT_EQ(live.size(), 2u + 9u + 3u);

  // A run that has ended without.
  for (const fs::path& file : files) fs::remove(file);
  EXPECT_TRUE(train(config, options).was_there);
  ASSERT_EQ(event_files(outcome.directory).size(), 1u);
  EXPECT_EQ(events_without_time(read_file(event_files(outcome.directory)[0])), live);
}

}  // namespace
}  // namespace bitlaw
