// Event files, read by TensorBoard itself: with the python3 that has it, or $BITLAW_TENSORBOARD_PYTHON.
// Without one this is skipped; record/event_file_test.cpp reads the bytes by itself.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

// Prints {"tag": [[step, value], ...]} of a directory.
constexpr const char* kReader = R"(
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)]
                  for tag in events.Tags()["scalars"]}))
)";

std::string python() {
  const char* named = std::getenv("BITLAW_TENSORBOARD_PYTHON");
  return named != nullptr ? named : "python3";
}

class TensorBoard : public World {
 protected:
  void SetUp() override {
    if (run_shell(python() + " -c 'import tensorboard'", around_).status != 0)
      GTEST_SKIP() << "no TensorBoard in " << python();
  }
  Json read(const std::string& directory) {
    write_text(around_.directory / "reader.py", kReader);
    const Outcome outcome = run_shell(python() + " reader.py " + directory, around_);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json();
  }
};

TEST_F(TensorBoard, ReadsWhatARunHasWritten) {
  const Json result =
      json_of(tiny_run({"--tensorboard", "--log-steps", "1", "--directory", "other", "--json"}));
  const std::string run = "other/" + result.at("run").get<std::string>();
  const Json scalars = read(run);
  std::vector<Json> losses;
  for (const std::string& line :
       split(read_file(around_.directory / run / "metrics.jsonl"), '\n')) {
    const std::optional<Json> each = try_parse_json(line);
    if (each && each->contains("loss_nats")) losses.push_back(*each);
  }
  ASSERT_GT(losses.size(), 2u);
  ASSERT_EQ(scalars.at("loss/train").size(), losses.size());
  for (size_t i = 0; i < losses.size(); ++i) {
    EXPECT_EQ(scalars.at("loss/train")[i][0], losses[i].at("step"));
    EXPECT_FLOAT_EQ(scalars.at("loss/train")[i][1].get<float>(),
                    losses[i].at("loss_nats").get<float>());
    EXPECT_FLOAT_EQ(scalars.at("learning_rate")[i][1].get<float>(),
                    losses[i].at("learning_rate").get<float>());
  }
  EXPECT_FLOAT_EQ(scalars.at("loss/validation")[0][1].get<float>(),
                  result.at("validation").at("loss_nats").get<float>());

  // The same, made afterwards.
  EXPECT_EQ(run_bitlaw({"runs", "other", "--tensorboard", "events"}, around_).status, 0);
  const Json made = read("events/" + result.at("run").get<std::string>());
  EXPECT_EQ(dump_json(made), dump_json(scalars));
}

}  // namespace
}  // namespace bitlaw
