#include "work/jobs_file.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/error.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

StudyJobs some_study() {
  StudyJobs study{.study = "tiny", .directory = "/somewhere", .data = {{"data", "0123"}}};
  study.jobs.push_back({.name = "long",
                        .run = "a",
                        .tokens = 1000,
                        .share = true,
                        .share_steps = {4, 8},
                        .cost = 3.5e9});
  study.jobs.push_back({.name = "short",
                        .run = "b",
                        .tokens = 500,
                        .checkpoints = 2,
                        .share = true,
                        .cost = 1e9,
                        .memory_bytes = 2e6,
                        .trunk = 0,
                        .trunk_tokens = 400,
                        .trunk_state = "trunks/t/step-4"});
  Job quantize{.kind = JobKind::kQuantize, .name = "short (quantize)", .run = "b", .after = 1};
  quantize.grid.bits = {3, 5};
  study.jobs.push_back(quantize);
  return study;
}

std::string error_of_reading(const TestFolder& folder) {
  try {
    read_study_jobs(folder.path());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(JobsFile, ComesBackAsItWas) {
  const TestFolder folder;
  const StudyJobs study = some_study();
  write_study_jobs(folder.path(), study);
  const StudyJobs back = read_study_jobs(folder.path());
  EXPECT_EQ(back.study, study.study);
  EXPECT_EQ(back.directory, study.directory);
  EXPECT_EQ(back.data, study.data);
  ASSERT_EQ(back.jobs.size(), study.jobs.size());
  for (size_t i = 0; i < study.jobs.size(); ++i) {
    const Job &one = back.jobs[i], &other = study.jobs[i];
    EXPECT_EQ(job_command(one, "runs", "bitlaw"), job_command(other, "runs", "bitlaw"));
    EXPECT_EQ(one.name, other.name);
    EXPECT_EQ(one.tokens, other.tokens);
    EXPECT_EQ(one.cost, other.cost);
    EXPECT_EQ(one.memory_bytes, other.memory_bytes);
    EXPECT_EQ(one.after, other.after);
    EXPECT_EQ(one.trunk, other.trunk);
    EXPECT_EQ(one.trunk_tokens, other.trunk_tokens);
    EXPECT_EQ(one.trunk_state, other.trunk_state);
  }
}

TEST(JobsFile, OtherFilesAreRefusedInASentence) {
  const TestFolder folder;
  EXPECT_NE(error_of_reading(folder).find("is not the directory of a study"), std::string::npos);
  write_study_jobs(folder.path(), some_study());
  const std::string good = read_file(folder / "jobs.json");
  folder.write("jobs.json", good.substr(0, good.size() / 2));
  EXPECT_NE(error_of_reading(folder), "");
  std::string later = good;
  later.replace(later.find("\"format\":1"), 10, "\"format\":2");
  folder.write("jobs.json", later);
  EXPECT_NE(error_of_reading(folder).find("a later version of bitlaw"), std::string::npos);
  std::string outside = good;
  outside.replace(outside.find("\"after\":1"), 9, "\"after\":9");
  folder.write("jobs.json", outside);
  EXPECT_NE(error_of_reading(folder), "") << "no such job";
  std::string incomplete = good;
  incomplete.replace(incomplete.find("\"cost\""), 6, "\"toll\"");
  folder.write("jobs.json", incomplete);
  EXPECT_NE(error_of_reading(folder).find("cost"), std::string::npos);
  for (const char* steps : {"[4,1e300]", "[4,1.5]", "{\"a\":4}"}) {
    std::string odd = good;
    odd.replace(odd.find("[4,8]"), 5, steps);
    folder.write("jobs.json", odd);
    EXPECT_NE(error_of_reading(folder).find("share_steps must be a list"), std::string::npos)
        << steps;
  }
}

}  // namespace
}  // namespace bitlaw
