#include "record/result.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

// As they have always been written: read, and written again, they must be the same bytes.
constexpr const char* kFinished = R"({
 "epochs": 0.5,
 "finished": "2026-01-02T03:04:05Z",
 "flops_per_second": 1.5,
 "peak_memory_bytes": 123456789,
 "predicted_memory_bytes": 120000000.0,
 "schema": 1,
 "seconds": 2.25,
 "status": "finished",
 "steps": 60,
 "threads": 2,
 "tokens": 15360,
 "tokens_per_second": 6826.666666666667,
 "train_loss_nats": 3.5,
 "validation": {
  "bits_per_byte": null,
  "clusters": 5,
  "loss_nats": 3.25,
  "standard_error": 0.01,
  "tokens": 1000
 },
 "weights_hash": "aa"
}
)";

constexpr const char* kDiverged = R"({
 "diverged_at_step": 7,
 "epochs": 0.5,
 "finished": "2026-01-02T03:04:05Z",
 "flops_per_second": 1.5,
 "peak_memory_bytes": 123456789,
 "predicted_memory_bytes": 120000000.0,
 "schema": 1,
 "seconds": 2.25,
 "status": "diverged",
 "steps": 7,
 "threads": 2,
 "tokens": 1792,
 "tokens_per_second": 796.4444444444445,
 "train_loss_nats": null,
 "validation": null
}
)";

constexpr const char* kCheckpointResult = R"({
 "status": "finished",
 "validation": {
  "bits_per_byte": 1.25,
  "clusters": 5,
  "loss_nats": 3.25,
  "standard_error": null,
  "tokens": 1000
 }
}
)";

TEST(Result, IsReadAndWrittenWithTheSameBytes) {
  const TestFolder folder;
  for (const char* text : {kFinished, kDiverged, kCheckpointResult}) {
    folder.write("a/result.json", text);
    write_result(folder / "b", read_result(folder / "a").value());
    EXPECT_EQ(read_file(folder / "b/result.json"), text);
  }
}

TEST(Result, SaysHowARunEnded) {
  const TestFolder folder;
  EXPECT_EQ(run_status(folder / "a"), RunStatus::kStarted);
  EXPECT_FALSE(read_result(folder / "a").has_value());
  folder.write("a/result.json", kDiverged);
  EXPECT_EQ(run_status(folder / "a"), RunStatus::kDiverged);
  EXPECT_EQ(read_result(folder / "a")->training->diverged_at_step, 7);
  folder.write("a/result.json", kFinished);
  EXPECT_EQ(run_status(folder / "a"), RunStatus::kFinished);
  EXPECT_EQ(read_result(folder / "a")->validation->loss_nats, 3.25);
}

TEST(Result, DamageIsNamedWithWhatToDo) {
  const TestFolder folder;
  const std::string file = (folder / "a/result.json").string();
  const std::string end = "; remove it and repeat the run";
  const auto refused = [&](const std::string& text) {
    folder.write("a/result.json", text);
    return error_of([&] { read_result(folder / "a"); });
  };
  EXPECT_EQ(refused("{}"), file + ": status is missing" + end);
  EXPECT_EQ(refused(R"({"status": "stopped"})"),
            file + ": status must be finished or diverged, not \"stopped\"" + end);
  EXPECT_EQ(refused(R"({"status": "finished"})"), file + ": validation is missing" + end);
  EXPECT_EQ(refused(R"({"status": "diverged", "schema": 1})"),
            file + ": train_loss_nats is missing" + end);
  EXPECT_EQ(refused(R"({"status": "fin)"),
            file + ": not valid JSON near line 1; the file may be cut short" + end);
}

}  // namespace
}  // namespace bitlaw
