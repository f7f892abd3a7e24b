// The script, in form and with a shell. tests/cluster runs it in a real Slurm.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sweep/launcher.h"
#include "work/jobs_for_tests.h"

namespace bitlaw {
namespace {

class LaunchSlurm : public testing::Test, protected ScriptedJobs {
 protected:
  LaunchOptions options() const {
    LaunchOptions options(ScriptedJobs::options());
    options.label = "a study";
    options.cluster.worker = "sh " + (folder() / "worker.sh").string();
    return options;
  }
  std::string script(const LaunchOptions& options) const { return slurm_script(jobs, options); }
  // The option's value in the header; "none" without one.
  static std::string value(const std::string& script, const std::string& option) {
    for (const std::string& line : split(script, '\n')) {
      if (line.starts_with("#SBATCH --" + option + "=")) return line.substr(line.find('=') + 1);
      if (line == "#SBATCH --" + option) return "";
    }
    return "none";
  }
  // Runs the script with a worker that does `work` and an scontrol that notes its call, after
  // `signal` if there is one, and returns its exit status.
  int run(const std::string& work, const std::string& signal = "") {
    folder().write("worker.sh", work);
    folder().write("bin/scontrol",
                   "#!/bin/sh\necho \"$@\" >> " + called() + "\nkill -KILL $PPID\n");
    std::filesystem::permissions(folder() / "bin/scontrol", std::filesystem::perms::owner_all);
    folder().write("slurm.sh", script(options()));
    const std::string ready = folder() / "ready";
    std::string command =
        "cd " + folder().path().string() +
        "; SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 PATH=" + (folder() / "bin").string() +
        ":$PATH; export SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID PATH; sh slurm.sh & ";
    if (!signal.empty())
      command += "while ! test -e ready; do sleep 0.02; done; kill -" + signal + " $!; ";
    const int status = std::system((command + "wait $!").c_str());
    return WEXITSTATUS(status);
  }
  std::string called() const { return folder() / "called"; }
  bool requeued() const { return std::filesystem::exists(called()); }
};

TEST_F(LaunchSlurm, TheScriptSaysWhatATaskTakes) {
  for (int i = 0; i < 5; ++i) add("job" + std::to_string(i), "true");
  jobs[0].memory_bytes = 1024.0 * 1024 * 1024;
  LaunchOptions given = options();
  given.parallel = 4;
  given.cluster.tasks = 40;
  given.cluster.at_once = 2;
  given.cluster.limit_seconds = 5400;
  given.cluster.slurm_options = {"partition=short", "exclusive", "constraint=a&b|c",
                                 "comment=two words"};
  const std::string text = script(given);
  EXPECT_TRUE(text.starts_with("#!/bin/sh\n#SBATCH --job-name=bitlaw-a-study\n")) << text;
  EXPECT_EQ(value(text, "array"), "1-5%2") << "no more tasks than jobs";
  EXPECT_EQ(value(text, "cpus-per-task"), "4");
  EXPECT_EQ(value(text, "time"), "1:30:00");
  EXPECT_EQ(value(text, "signal"), "B:USR1@270");
  EXPECT_EQ(value(text, "requeue"), "");
  EXPECT_EQ(value(text, "open-mode"), "append");
  EXPECT_EQ(value(text, "output"), (runs() / "logs/slurm-%A_%a.out").string());
  EXPECT_EQ(value(text, "chdir"), std::filesystem::current_path().string());
  EXPECT_EQ(value(text, "partition"), "short");
  EXPECT_EQ(value(text, "exclusive"), "");
  EXPECT_EQ(value(text, "comment"), "'two words'");
  EXPECT_EQ(value(text, "constraint"), "a&b|c");
  EXPECT_NE(value(text, "mem"), "none");
  EXPECT_NE(text.find("--jobs 4 --for 5130s"), std::string::npos) << text;
}

TEST_F(LaunchSlurm, NothingOfTheEnvironmentIsWritten) {
  ASSERT_EQ(::setenv("BITLAW_TEST_KEY", "sk-0123456789abcdef", 1), 0);
  add("a", "true");
  const std::string text = script(options());
  EXPECT_EQ(value(text, "export"), "NONE");
  EXPECT_EQ(text.find("sk-0123456789abcdef"), std::string::npos);
  EXPECT_EQ(text.find("BITLAW_TEST_KEY"), std::string::npos);
  ::unsetenv("BITLAW_TEST_KEY");
}

TEST_F(LaunchSlurm, WithoutALimitThereIsStillAWarning) {
  add("a", "true");
  const std::string text = script(options());
  EXPECT_EQ(value(text, "time"), "none");
  EXPECT_EQ(value(text, "signal"), "B:USR1@120");
  EXPECT_EQ(text.find(" --for "), std::string::npos);
  LaunchOptions days = options();
  days.cluster.limit_seconds = 2 * 86400 + 3600;
  EXPECT_EQ(value(script(days), "time"), "2-1:00:00");
}

TEST_F(LaunchSlurm, OptionsThatAreWrongAreRefused) {
  add("a", "true");
  const auto refusal = [&](const std::string& option) {
    LaunchOptions given = options();
    given.cluster.slurm_options = {option};
    return error_of([&] { script(given); });
  };
  for (const char* wrong : {"", "=x", "--partition=x", "partition=", "Partition=x", "a b=c",
                            "partition=x\n#SBATCH --uid=0"})
    EXPECT_NE(refusal(wrong).find("expected a long option"), std::string::npos) << wrong;
  EXPECT_NE(refusal("time=10").find("is set by --time-limit"), std::string::npos);
  EXPECT_NE(refusal("export=ALL").find("your environment"), std::string::npos);
  EXPECT_EQ(refusal("account=my-lab"), "");
  EXPECT_NE(refusal("comment=it's").find("takes no quotation marks"), std::string::npos);
}

TEST_F(LaunchSlurm, PathsAreKeptWhole) {
  add("a", "true");
  LaunchOptions given = options();
  given.cluster.worker.clear();
  given.runs = folder() / "my runs 100%";
  const std::string text = script(given);
  EXPECT_EQ(value(text, "output"),
            "'" + (folder() / "my runs 100%%/logs/slurm-%A_%a.out").string() + "'");
  EXPECT_NE(text.find(" work '" + (folder() / "my runs 100%").string() + "' --jobs"),
            std::string::npos);
  given.runs = folder() / "it's";
  EXPECT_NE(error_of([&] { script(given); }).find("or another directory (--runs)"),
            std::string::npos);
}

TEST_F(LaunchSlurm, ATaskGoesOnLaterOnlyIfItsWorkerSaysSo) {
  add("a", "true");
  EXPECT_EQ(run("exit 0"), 0);
  EXPECT_EQ(run("exit 1"), 1);
  EXPECT_FALSE(requeued());
  run("exit 75");
  EXPECT_EQ(trim(read_file(called())), "requeue 7_2");
}

constexpr const char* kWaits =
    "trap 'exit 75' USR1\ntouch ready\nwhile true; do sleep 0.02; done\n";

TEST_F(LaunchSlurm, TheWarningReachesTheWorker) {
  add("a", "true");
  run(kWaits, "USR1");
  EXPECT_TRUE(requeued());
}

TEST_F(LaunchSlurm, ATaskThatIsCancelledStopsForGood) {
  add("a", "true");
  EXPECT_EQ(run(kWaits, "TERM"), 75);
  EXPECT_FALSE(requeued());
}

TEST_F(LaunchSlurm, WithoutSlurmItSaysWhatToDo) {
  add("a", "true");
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder() / "bin").c_str(), 1);
  const std::string sentence = error_of([&] { launch_slurm(jobs, options()); });
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(sentence, "sbatch was not found, so nothing was submitted: call `sbatch " +
                          (runs() / "slurm.sh").string() +
                          "` where Slurm is, or use another --launcher");
  EXPECT_TRUE(std::filesystem::exists(runs() / "slurm.sh"));
}

TEST_F(LaunchSlurm, SubmitsAndTellsTheJob) {
  add("a", "true");
  folder().write("bin/sbatch", "#!/bin/sh\necho \"$@\" > " + called() + "\necho '1234;cluster'\n");
  std::filesystem::permissions(folder() / "bin/sbatch", std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", ((folder() / "bin").string() + ":" + path).c_str(), 1);
  const Launched launched = launch_slurm(jobs, options());
  folder().write("bin/sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition' >&2\nexit 1\n");
  const std::string refused = error_of([&] { launch_slurm(jobs, options()); });
  write_result(directory("a"), {.status = RunStatus::kDiverged});
  const Launched done = launch_slurm(jobs, options());
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(trim(read_file(called())),
            "--parsable --export=NONE " + (runs() / "slurm.sh").string());
  EXPECT_EQ(launched.outcomes[0].state, JobState::kWaiting);
  EXPECT_NE(launched.note.find("as job 1234:"), std::string::npos) << launched.note;
  EXPECT_NE(refused.find("invalid partition"), std::string::npos) << refused;
  EXPECT_EQ(done.note, "nothing is left to run");
}

}  // namespace
}  // namespace bitlaw
