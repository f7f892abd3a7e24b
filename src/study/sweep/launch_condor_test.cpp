// The submit file, in form.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sweep/launcher.h"
#include "work/jobs_for_tests.h"

namespace bitlaw {
namespace {

class LaunchCondor : public testing::Test, protected ScriptedJobs {
 protected:
  // Every line of a submit file is a comment, `name = value`, or the last one, `queue N`.
  std::map<std::string, std::string> lines(const LaunchOptions& options) {
    std::map<std::string, std::string> out;
    const std::vector<std::string> all = split(trim(condor_script(jobs, options)), '\n');
    for (const std::string& line : all) {
      if (line.starts_with("#")) continue;
      const size_t equals = line.find(" = ");
      if (&line == &all.back()) {
        EXPECT_TRUE(line.starts_with("queue "));
        out["queue"] = line.substr(6);
      } else if (equals == std::string::npos) {
        ADD_FAILURE() << line;
      } else {
        EXPECT_TRUE(out.emplace(line.substr(0, equals), line.substr(equals + 3)).second) << line;
      }
    }
    return out;
  }
};

TEST_F(LaunchCondor, TheFileSaysWhatAJobIs) {
  for (int i = 0; i < 5; ++i) add("job" + std::to_string(i), "true");
  jobs[0].memory_bytes = 1e9;
  LaunchOptions given(options(4));
  given.cluster.tasks = 3;
  given.cluster.at_once = 2;
  given.cluster.limit_seconds = 7200;
  given.cluster.condor_options = {"request_disk=1GB", "+ProjectName = \"x\""};
  auto file = lines(given);
  EXPECT_EQ(file["universe"], "vanilla");
  EXPECT_EQ(file["executable"], program());
  EXPECT_EQ(file["arguments"],
            "\"work " + runs().string() + " --jobs 4 --for 6900s --idle 2m --left-status 75\"");
  EXPECT_EQ(file["request_cpus"], "4");
  EXPECT_TRUE(file["request_memory"].ends_with("MB"));
  EXPECT_EQ(file["should_transfer_files"], "NO");
  EXPECT_EQ(file["getenv"], "False") << "nothing of the environment goes along";
  EXPECT_EQ(file["kill_sig"], "SIGTERM");
  EXPECT_EQ(file["want_graceful_removal"], "True");
  EXPECT_NE(file["on_exit_remove"].find("ExitCode =!= 75"), std::string::npos);
  EXPECT_EQ(file["max_materialize"], "2");
  EXPECT_EQ(file["request_disk"], "1GB");
  EXPECT_EQ(file["+ProjectName"], "\"x\"");
  EXPECT_EQ(file["queue"], "3");
}

TEST_F(LaunchCondor, WordsAreQuotedAsItReadsThem) {
  add("a", "true");
  LaunchOptions given(options());
  given.runs = folder() / "it's \"my\" runs";
  const std::string arguments = lines(given)["arguments"];
  EXPECT_NE(arguments.find("'" + folder().path().string() + "/it''s \"\"my\"\" runs'"),
            std::string::npos)
      << arguments;
  given.runs = folder() / "$(HOME)";
  EXPECT_NE(error_of([&] { lines(given); }).find("use another directory"), std::string::npos);
}

TEST_F(LaunchCondor, LinesThatAreWrongAreRefused) {
  add("a", "true");
  const auto refusal = [&](const std::string& option) {
    LaunchOptions given(options());
    given.cluster.condor_options = {option};
    return error_of([&] { condor_script(jobs, given); });
  };
  for (const char* wrong : {"", "x", "=1", "a b=1", "a=1\nqueue 1000"})
    EXPECT_NE(refusal(wrong).find("expected a line"), std::string::npos) << wrong;
  EXPECT_NE(refusal("getenv=True").find("is set by"), std::string::npos);
}

TEST_F(LaunchCondor, WritesTheFileAndSaysHowToSubmitIt) {
  add("a", "true");
  EXPECT_EQ(launch_condor(jobs, options()).note,
            "submit the jobs with: condor_submit " + (runs() / "condor.sub").string());
  EXPECT_TRUE(std::filesystem::exists(runs() / "condor.sub"));
  EXPECT_TRUE(std::filesystem::is_directory(runs() / "logs")) << "HTCondor does not make it";
  write_result(directory("a"), {.status = RunStatus::kDiverged});
  EXPECT_EQ(launch_condor(jobs, options()).note, "nothing is left to run");
}

}  // namespace
}  // namespace bitlaw
