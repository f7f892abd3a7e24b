#include "runs/effort.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parallel.h"

namespace bitlaw {
namespace {

TEST(Effort, SessionsAddUpAndDamageLosesNothingElse) {
  const std::filesystem::path runs =
      std::filesystem::path(testing::TempDir()) / ("effort" + std::to_string(::getpid()));
  std::filesystem::remove_all(runs);
  EXPECT_EQ(read_effort(runs), Json::array()) << "there is no such directory";
  add_effort(runs, 12.5);
  add_effort(runs, 3);
  const Json sessions = read_effort(runs);
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0]["seconds"], 12.5);
  EXPECT_EQ(sessions[1]["seconds"], 3);
  EXPECT_EQ(sessions[1]["cores"], hardware_threads());
  EXPECT_EQ(sessions[1]["processor"], processor_name());
  for (const char* damage : {"", "{", "[]", "{\"sessions\": 3}", "null"}) {
    write_file_atomically(runs / "effort.json", damage);
    EXPECT_EQ(read_effort(runs), Json::array()) << damage;
  }
  add_effort(runs, 1);
  EXPECT_EQ(read_effort(runs).size(), 1u);
  std::filesystem::remove_all(runs);
}

TEST(Effort, TheProcessorIsOneLine) {
  EXPECT_EQ(processor_name().find('\n'), std::string::npos);
#ifdef __x86_64__
  EXPECT_FALSE(processor_name().empty());
#endif
}

}  // namespace
}  // namespace bitlaw
