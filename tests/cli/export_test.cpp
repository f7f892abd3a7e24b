// `bitlaw export`: its messages and files, and, if the packages are installed, how llama.cpp and
// transformers read them.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/file.h"
#include "base/source_folder.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

using ExportVerb = World;

TEST_F(ExportVerb, WritesBothAndSaysSo) {
  const Json document = json_of(
      {"export", run_, "--gguf", "out/model.gguf", "--type", "bf16", "--hf", "out/hf", "--json"});
  EXPECT_EQ("runs/" + document.at("run").get<std::string>(), run_);
  EXPECT_EQ(document.at("note"), "");
  const fs::path out = around_.directory / "out";
  EXPECT_EQ(document.at("gguf").at("bytes"), fs::file_size(out / "model.gguf"));
  EXPECT_EQ(document.at("gguf").at("type"), "bf16");
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json",
                           "tokenizer_config.json", "generation_config.json"})
    EXPECT_TRUE(fs::exists(out / "hf" / name)) << name;
  const std::string card = read_file(out / "hf/README.md");
  EXPECT_TRUE(card.starts_with("---\nlibrary_name: transformers\n")) << card;
  EXPECT_NE(card.find("| validation loss | "), std::string::npos) << card;
  const std::string before = read_file(out / "model.gguf");
  json_of({"export", run_, "--gguf", "out/model.gguf", "--type", "bf16", "--json"});
  EXPECT_EQ(read_file(out / "model.gguf"), before) << "the same run gives the same bytes";
}

TEST_F(ExportVerb, SaysThatRoundingInTrainingIsNotExported) {
  const Json trained = [&] {
    const Outcome outcome = run(tiny_run({"recipe.weights=4", "--directory", "low", "--json"}));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json();
  }();
  const std::string name = fs::directory_iterator(around_.directory / "low")->path().filename();
  const Json document = json_of({"export", "low/" + name, "--gguf", "low.gguf", "--json"});
  EXPECT_TRUE(document.at("note").get<std::string>().starts_with("trained as w4a16kv16: "))
      << document.at("note");
}

TEST_F(ExportVerb, ExportsRoundedWeightsIfAsked) {
  ASSERT_EQ(run(tiny_run({"recipe.weights=2", "--directory", "low", "--json"})).status, 0);
  const std::string name = fs::directory_iterator(around_.directory / "low")->path().filename();
  const auto loss = [&](const std::string& to, std::vector<std::string> further) {
    std::vector<std::string> line{"export", "low/" + name, "--hf", to, "--json"};
    line.insert(line.end(), further.begin(), further.end());
    json_of(line);
    return json_of({"quantize", to, "--text", "text", "--records", "records", "--method", "none",
                    "--worse-than-chance", "--quiet", "--json"})
        .at("rows")[0]
        .at("baseline_loss_nats")
        .get<double>();
  };
  const double plain = loss("plain", {}), rounded = loss("rounded", {"--rounded"});
  EXPECT_NE(plain, rounded);
  const Json document =
      json_of({"export", "low/" + name, "--gguf", "r.gguf", "--rounded", "--json"});
  EXPECT_NE(document.at("note").get<std::string>().find("as they were rounded"), std::string::npos);
  EXPECT_EQ(document.at("rounded"), true);
}

TEST_F(ExportVerb, RefusesInOneSentence) {
  expect_refused({"export", run_}, {"give --gguf FILE, --hf DIRECTORY, or both"});
  expect_refused({"export", "data", "--gguf", "x"}, {"data: is not a run (it has no run.json)"});
  expect_refused({"export", run_, "--gguf", "x", "--type", "q4_0"}, {"--type"});
  expect_refused({"export", run_, "--hf", "text"}, {"text: exists and is not empty"});
  expect_refused({"export", run_, "--gguf", "x", "--hf", "text"},
                 {"text: exists and is not empty"});
  expect_refused({"export", run_, "--gguf", "text"}, {"text"});
  fs::remove(around_.directory / run_ / "checkpoints/final/tokenizer.model");
  expect_refused({"export", run_, "--gguf", "x"}, {"tokenizer.model: no tokenizer"});
}

class OtherPrograms : public ExportVerb {
 protected:
  struct Said {
    int status;
    std::string text;
  };
  // Runs a script of tools/ by BITLAW_PYTHON in the test's directory. It ends with 77 if a package is
  // missing.
  Said python(const std::string& script, const std::string& arguments) {
    const char* program = std::getenv("BITLAW_PYTHON");
    const std::string directory = around_.directory.string();
    const std::string command = "cd " + directory + " && " + (program ? program : "python3") + " " +
                                kSourceFolder + "/tools/" + script + " " + arguments +
                                " >output 2>&1";
    const int outcome = std::system(command.c_str());
    return {WIFEXITED(outcome) ? WEXITSTATUS(outcome) : -1,
            read_file(around_.directory / "output")};
  }
};

TEST_F(OtherPrograms, LlamaCppAndTransformersAgree) {
  json_of({"export", run_, "--gguf", "model.gguf", "--hf", "hf", "--json"});
  const Said said = python("check_gguf_export.py", "model.gguf hf");
  if (said.status == 77) GTEST_SKIP() << said.text;
  EXPECT_EQ(said.status, 0) << said.text;
}

TEST_F(OtherPrograms, TransformersHasTheTokensAndTheLossOfTheRun) {
  json_of({"export", run_, "--hf", "hf", "--json"});
  write_text(around_.directory / "eval.json", run({"eval", run_, "--threads", "1", "--json"}).out);
  const Said said = python("check_transformers_export.py", "hf eval.json");
  if (said.status == 77) GTEST_SKIP() << said.text;
  EXPECT_EQ(said.status, 0) << said.text;
}

}  // namespace
}  // namespace bitlaw
