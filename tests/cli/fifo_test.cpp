// FIFOs, pipes and devices where files are expected: read where that makes sense, else refused at
// once. A command that waits in silence is killed after two minutes, with status 142.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Fifo : public World {
 protected:
  void replace_by_fifo(const std::string& name) {
    const fs::path place = around_.directory / name;
    fs::remove(place);
    ASSERT_EQ(::mkfifo(place.c_str(), 0600), 0);
  }
  // A refusal at once; other rows may have been left out before it.
  void expect_failure(const std::vector<std::string>& arguments, const std::string& part) {
    const Outcome outcome = run(arguments);
    EXPECT_TRUE(outcome.status == 1 || outcome.status == 2) << arguments[0] << outcome.status;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
};

TEST_F(Fifo, TablesConfigurationsAndFitsAreReadFromPipes) {
  const std::string fit = "fit --law chinchilla --draws 20 --json ";
  const Outcome file = run_shell("\"$BITLAW\" " + fit + "table.csv --out fit.json", around_);
  ASSERT_EQ(file.status, 0) << file.err;
  const Json parameters = file.json().at("parameters");
  const auto parameters_of = [&](const std::string& command) {
    const Outcome outcome = run_shell(command, around_);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json().at("parameters");
  };
  EXPECT_EQ(parameters_of("cat table.csv | \"$BITLAW\" " + fit + "/dev/stdin"), parameters);
  EXPECT_EQ(parameters_of("mkfifo pipe; cat table.csv >pipe & \"$BITLAW\" " + fit + "pipe"),
            parameters);
  const Outcome plan =
      run_shell("cat fit.json | \"$BITLAW\" plan --fit /dev/stdin --compute 1e21 --json", around_);
  EXPECT_EQ(plan.status, 0) << plan.err;
  const Outcome train = run_shell(
      "echo 'data.path = \"data\"' | \"$BITLAW\" train /dev/stdin --print-config", around_);
  EXPECT_EQ(train.status, 0) << train.err;
  EXPECT_NE(train.out.find("path = \"data\""), std::string::npos);
}

TEST_F(Fifo, TextIsReadTwiceSoThatAPipeIsRefused) {
  ASSERT_EQ(::mkfifo((around_.directory / "text.txt").c_str(), 0600), 0);
  expect_refused({"data", "prepare", "text.txt", "--to", "new"}, {"text.txt: is a FIFO"});
}

TEST_F(Fifo, ADirectoryOfRunsIsNotWaitedFor) {
  fs::create_directories(around_.directory / "runs/other");
  replace_by_fifo("runs/other/run.json");
  const Outcome listed = run({"runs", "runs"});
  EXPECT_EQ(listed.status, 1) << "a damaged record is left out, and said";
  EXPECT_NE(listed.err.find("run.json: is a FIFO"), std::string::npos) << listed.err;
  replace_by_fifo(run_ + "/checkpoints/final/model.safetensors");
  expect_failure({"eval", run_}, "model.safetensors: is a FIFO");
  expect_failure({"export", run_, "--gguf", "x"}, "model.safetensors: is a FIFO");
  replace_by_fifo(run_ + "/result.json");
  expect_failure({"eval", run_}, "result.json: is a FIFO");
  expect_failure(tiny_run(), "result.json: is a FIFO");
  replace_by_fifo(run_ + "/run.json");
  expect_failure({"eval", run_}, "run.json: is a FIFO");
  expect_failure({"quantize", run_}, "run.json: is a FIFO");
}

TEST_F(Fifo, ADataSetIsNotWaitedFor) {
  for (const auto& entry : fs::directory_iterator(around_.directory / "data")) {
    const std::string name = "data/" + entry.path().filename().string();
    const std::string bytes = read_file(entry.path());
    replace_by_fifo(name);
    expect_failure(tiny_run({"--directory", "new"}), "a FIFO");
    fs::remove(around_.directory / name);
    write_text(around_.directory / name, bytes);
  }
}

TEST_F(Fifo, ACheckpointIsNotWaitedFor) {
  const std::string checkpoint = run_ + "/checkpoints/final";
  for (const std::string name : {"config.json", "model.safetensors"}) {
    const std::string bytes = read_file(around_.directory / checkpoint / name);
    replace_by_fifo(checkpoint + "/" + name);
    expect_failure({"quantize", checkpoint, "--text", "text"}, name + ": is a FIFO");
    fs::remove(around_.directory / checkpoint / name);
    write_text(around_.directory / checkpoint / name, bytes);
  }
}

}  // namespace
}  // namespace bitlaw
