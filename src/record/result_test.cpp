#include "record/result.h"

#include <gtest/gtest.h>

#include "base/checksum.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

// As they have always been written: read, and written again, they only get a checksum.
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

TEST(Result, IsReadAndWrittenWithTheSameFields) {
  const TestFolder folder;
  for (const char* text : {kFinished, kDiverged, kCheckpointResult}) {
    folder.write("a/result.json", text);
    write_result(folder / "b", read_result(folder / "a").value());
    const Json written = parse_json(read_file(folder / "b/result.json"), "b");
    EXPECT_EQ(written, with_checksum(parse_json(text, "a")));
    EXPECT_EQ(result_to_json(read_result(folder / "b").value()),
              result_to_json(read_result(folder / "a").value()));
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
  const auto with = [&](const char* text, const char* place, const Json& value) {
    Json document = Json::parse(text);
    *find_json_pointer(document, place) = value;
    return refused(dump_json(document));
  };
  for (const auto& [place, value] :
       std::vector<std::pair<const char*, Json>>{{"/validation/loss_nats", -0.5},
                                                 {"/validation/standard_error", -1},
                                                 {"/validation/clusters", 1001},
                                                 {"/validation/tokens", -1},
                                                 {"/validation/bits_per_byte", -2.0},
                                                 {"/tokens", 15361},
                                                 {"/steps", -1},
                                                 {"/seconds", -1},
                                                 {"/train_loss_nats", -3}}) {
    const std::string error = with(kFinished, place, value);
    EXPECT_NE(error.find(" must be "), std::string::npos) << place << ": " << error;
    EXPECT_TRUE(error.ends_with(end)) << error;
  }
  EXPECT_NE(with(kDiverged, "/diverged_at_step", 8).find("diverged_at_step must be the last step"),
            std::string::npos);
  Json sealed = with_checksum(Json::parse(kFinished));
  sealed["validation"]["loss_nats"] = 3.125;
  EXPECT_EQ(refused(dump_json(sealed)),
            file + ": was changed after it was written: its checksum does not match" + end);
  EXPECT_EQ(refused(R"({"status": "fin)"),
            file + ": not valid JSON near line 1; the file may be cut short" + end);
}

}  // namespace
}  // namespace bitlaw
