// Bad input: bitlaw reports it in one sentence and changes no file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class BadInput : public World {
 protected:
  fs::path in(const std::string& name) const { return around_.directory / name; }
  void cut(const std::string& name, uintmax_t bytes) { fs::resize_file(in(name), bytes); }
  void cut_by(const std::string& name, uintmax_t bytes) {
    fs::resize_file(in(name), fs::file_size(in(name)) - bytes);
  }
  void overwrite(const std::string& name, size_t place, const std::string& bytes) {
    std::fstream file(in(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(place));
    file << bytes;
    ASSERT_TRUE(file.good());
  }
  void copy(const std::string& from, const std::string& to) {
    fs::remove_all(in(to));
    copy_tree(in(from), in(to));
  }
};

std::vector<std::string> train_on(const std::string& data, std::vector<std::string> further = {}) {
  further.insert(further.begin(), {"data.path=" + data, "--directory", "other"});
  return tiny_run(further);
}

TEST_F(BadInput, CommandLines) {
  expect_refused({}, {"subcommand"});
  expect_refused({"trian"}, {"trian", "did you mean 'train'?"});
  expect_refused({"data"}, {"subcommand"});
  expect_refused({"data", "prepre"}, {"did you mean 'prepare'?"});
  expect_refused({"train", "--drt-run"}, {"did you mean '--dry-run'?"});
  expect_refused({"plan", "--compute", "1e21", "--laww", "kumar"}, {"did you mean '--law'?"});
  expect_refused({"fit"}, {"table"});
  expect_refused({"fit", "table.csv", "--law"}, {"--law"});
  expect_refused({"fit", "table.csv", "--threads", "0"}, {"--threads", "from 1 to 4096"});
  expect_refused({"fit", "table.csv", "--threads", "many"}, {"--threads", "many"});
  expect_refused({"plan", "--compute", "much"}, {"--compute", "'much' is not a number"});
}

TEST_F(BadInput, TextAndOptionsOfPrepare) {
  const auto prepare = [](std::vector<std::string> further) {
    further.insert(further.begin(), {"data", "prepare"});
    further.insert(further.end(), {"--to", "new", "--quiet"});
    return further;
  };
  fs::create_directory(in("empty"));
  write_text(in("one/a.txt"), "One document.");
  write_text(in("lines/a.jsonl"), "{\"text\": \"good\"}\n{\"text\": 3}\n");
  write_text(in("broken/a.txt.gz"), "\x1f\x8b not a gzip file");
  write_text(in("broken_zst/a.txt.zst"), "not a zstd file");
  write_text(in("no.model"), "not a tokenizer");
  expect_refused(prepare({"nowhere"}), {"nowhere"});
  expect_refused(prepare({"empty"}), {"empty"});
  expect_refused(prepare({"one"}), {"1 distinct document"});
  expect_refused(prepare({"lines"}), {"a.jsonl:2"});
  expect_refused(prepare({"broken"}), {"a.txt.gz"});
  expect_refused(prepare({"broken_zst"}), {"a.txt.zst"});
  expect_refused(prepare({"text", "--tokenizer", "bep"}), {"bep"});
  expect_refused(prepare({"text", "--tokenizer", "no.model"}), {"no.model"});
  expect_refused(prepare({"text", "--vocabulary", "100"}), {"100", "320"});
  expect_refused(prepare({"text", "--vocabulary", "70000"}), {"70000", "65536"});
  expect_refused(prepare({"text", "--vocabulary", "ten"}), {"--vocabulary"});
  expect_refused(prepare({"text", "--validation-fraction", "2"}), {"validation_fraction"});
  expect_refused({"data", "prepare", "text"}, {"no directory"});
  expect_refused({"data", "corpus"}, {"no directory", "--to"});
  expect_refused({"data", "corpus", "--text", "t"}, {"--to is missing", "--text-only"});
  expect_refused({"data", "corpus", "--size", "50", "--to", "new"}, {"--size 50", "200MB"});
  expect_refused({"data", "corpus", "--size", "5TB", "--to", "new", "--quiet"}, {"packages give"});
  expect_refused({"data", "corpus", "--size", "5TB", "--to", "new", "--dry-run"},
                 {"packages give"});
  // Before the text is made.
  expect_refused({"data", "corpus", "--size", "1MB", "--to", "new", "--vocabulary", "300"},
                 {"vocabulary 300", "320 to 65536"});
  expect_refused({"data", "corpus", "--size", "1MB", "--to", "new", "--text", "new/text"},
                 {"--text new/text", "choose another folder"});
  expect_refused({"data", "synthetic", "--to", "new", "--rules", "33"}, {"rules = 33", "1 to 32"});
  expect_refused({"data", "prepare", "text", "--to", "data", "--quiet"}, {"data", "overwrite"});
  expect_refused({"data", "prepare", "text", "--to", "runs", "--tokenizer", "byte", "--quiet"},
                 {"other than a data set"});
}

TEST_F(BadInput, Shards) {
  copy("data", "d");
  cut_by("d/train_000000.bin", 10);
  expect_refused(train_on("d"), {"train_000000.bin", "cut short"});
  expect_refused({"data", "show", "d"}, {"train_000000.bin"});
  for (const uintmax_t bytes : {0, 1, 3, 500, 1024, 1025, 1026}) {
    copy("data", "d");
    cut("d/val_000000.bin", bytes);
    SCOPED_TRACE(bytes);
    expect_refused(train_on("d"), {"d"});
  }
  copy("data", "d");
  overwrite("d/train_000000.bin", 5000, "\xff");
  expect_refused(train_on("d"), {"not the ones that dataset.json describes"});
  copy("data", "d");
  overwrite("d/train_000000.bin", 4, "\x07");
  expect_refused(train_on("d"), {"version"});
  copy("data", "d");
  fs::remove(in("d/val_000000.bin"));
  expect_refused(train_on("d"), {"val_000000.bin"});
  copy("data", "d");
  cut("d/dataset.json", 100);
  expect_refused(train_on("d"), {"dataset.json"});
  write_text(in("d/dataset.json"), "[]");
  expect_refused(train_on("d"), {"dataset.json"});
  for (const char* damage : {"cut", "gone"}) {
    copy("data", "d");
    SCOPED_TRACE(damage);
    fs::remove(in("d/tokenizer.model"));
    if (damage == std::string("cut")) write_text(in("d/tokenizer.model"), "bitl");
    expect_refused(train_on("d"), {"tokenizer.model"});
  }
  expect_refused(train_on("nowhere"), {"nowhere", "data prepare"});
  expect_refused({"train", "model.width=32"}, {"data.path"});
  expect_refused({"data", "show", "nowhere"}, {"nowhere"});
}

TEST_F(BadInput, TokensBeyondTheVocabulary) {
  copy("data", "d");
  fs::remove(in("d/dataset.json"));
  expect_refused(train_on("d"), {"vocabulary must be given"});
  expect_refused(train_on("d", {"model.vocabulary=100"}), {"beyond the vocabulary of 100"});
  expect_refused(train_on("data", {"model.vocabulary=100"}), {"257", "100"});
}

TEST_F(BadInput, TextsTooShort) {
  expect_refused(train_on("data", {"model.sequence=65536", "train.batch_tokens=65536"}),
                 {"too short for one sequence", "65536"});
}

TEST_F(BadInput, Configurations) {
  expect_refused({"train", "nowhere.toml"}, {"nowhere.toml"});
  expect_refused({"train", "data"}, {"data", "directory"});
  const std::vector<std::pair<std::string, std::vector<std::string>>> files{
      {"[model]\nwidht = 3\n", {"bad.toml", "model.widht", "did you mean 'model.width'?"}},
      {"[modle]\nwidth = 3\n", {"bad.toml", "did you mean 'model'?"}},
      {"[model]\nwidth = \"x\"\n", {"bad.toml", "model.width", "whole number"}},
      {"[model]\nwidth = 1e300\n", {"bad.toml", "model.width"}},
      {"model = 3\n", {"bad.toml", "model"}},
      {"[model]\nwidth = [", {"bad.toml", "line 2"}},
      {std::string("\x00\x01\xff", 3), {"bad.toml", "line 1"}},
  };
  for (const auto& [text, parts] : files) {
    write_text(in("bad.toml"), text);
    expect_refused(tiny_run({"bad.toml"}), parts);
  }
  write_text(in("bad.json"), "{\"model\": {");
  expect_refused(tiny_run({"bad.json"}), {"bad.json"});
  const std::vector<std::pair<std::string, std::vector<std::string>>> overrides{
      {"train.lrr=1", {"train.lrr", "did you mean 'train.lr'?"}},
      {"recipe.weight=4", {"did you mean 'recipe.weights'?"}},
      {"train.tokens=abc", {"train.tokens"}},
      {"train.tokens=-5", {"train.tokens"}},
      {"train.tokens=0", {"train.tokens"}},
      {"train.lr=nan", {"train.lr"}},
      {"train.lr=-1", {"train.lr"}},
      {"model.width=0", {"model.width"}},
      {"model.heads=5", {"heads"}},
      {"model.sequence=7", {"batch_tokens"}},
      {"optimizer.beta1=2", {"beta1"}},
      {"schedule.kind=cosin", {"cosin"}},
      {"=3", {"KEY=VALUE"}},
  };
  for (const auto& [text, parts] : overrides) expect_refused(tiny_run({text}), parts);
}

TEST_F(BadInput, BitsOutOfRange) {
  for (const char* role : {"weights", "activations", "kv", "queries"}) {
    for (const char* bits : {"0", "1", "17", "-4", "4.5", "e9m9", "four"})
      expect_refused(tiny_run({fmt::format("recipe.{}={}", role, bits)}), {role});
  }
  expect_refused({"quantize", run_, "--bits", "1"}, {"bits = 1"});
  expect_refused({"quantize", run_, "--bits", "3,9"}, {"bits = 9"});
  expect_refused({"quantize", run_, "--bits", "3.5"}, {"3.5"});
  expect_refused({"quantize", run_, "--bits", "4294967299"}, {"4294967299"});
  expect_refused({"quantize", run_, "--bits", "8..3"}, {"8..3"});
  expect_refused({"quantize", run_, "--bits", "x"}, {"--bits"});
  expect_refused({"quantize", run_, "--formats", "e9m9"}, {"e9m9"});
  expect_refused({"quantize", run_, "--method", "gtpq"}, {"gtpq", "gptq"});
  expect_refused({"quantize", run_, "--groups=-1"}, {"groups"});
  expect_refused({"plan", "--free", "N,D", "--compute", "1e21", "--bits", "0"}, {"bits"});
  expect_refused({"plan", "--free", "N,D", "--compute", "1e21", "--bits", "99"}, {"bits"});
}

TEST_F(BadInput, RunsAndCheckpoints) {
  const auto refused = [&](const std::vector<std::string>& parts) {
    expect_refused({"eval", "r"}, parts);
    expect_refused({"quantize", "r", "--bits", "3", "--quiet"}, parts);
  };
  const std::string weights = "r/checkpoints/final/model.safetensors";
  refused({"r"});  // there is no such directory
  copy(run_, "r");
  cut_by(weights, 10);
  refused({"model.safetensors", "damaged"});
  for (const uintmax_t bytes : {0, 5, 8, 100}) {
    copy(run_, "r");
    cut(weights, bytes);
    SCOPED_TRACE(bytes);
    refused({"model.safetensors"});
  }
  copy(run_, "r");
  overwrite(weights, 0, "\xff\xff\xff\xff");
  refused({"model.safetensors", "damaged"});
  copy(run_, "r");
  overwrite(weights, 8, "?");
  refused({"model.safetensors"});
  copy(run_, "r");
  overwrite(weights, fs::file_size(in(weights)) - 8, std::string(8, '\xff'));  // NaN
  refused({"model.safetensors", "damaged"});
  copy(run_, "r");
  overwrite(weights, fs::file_size(in(weights)) / 2, "!");  // still a number
  refused({"model.safetensors", "damaged"});
  copy(run_, "r");
  fs::remove(in(weights));
  refused({"model.safetensors"});
  copy(run_, "r");
  cut("r/checkpoints/final/config.json", 30);
  refused({"config.json"});
  for (const char* text : {"", "{", "{}", "[1]", "null", "{\"name\": 3}"}) {
    copy(run_, "r");
    write_text(in("r/run.json"), text);
    SCOPED_TRACE(text);
    refused({"run.json"});
  }
  copy(run_, "r");
  cut("r/result.json", 30);
  refused({"result.json"});
  fs::remove(in("r/result.json"));
  expect_refused({"quantize", "r", "--bits", "3"}, {"no result"});
  copy(run_, "r");
  fs::rename(in("data"), in("elsewhere"));
  refused({"data"});
  expect_refused({"runs", "nowhere"}, {"nowhere"});
  expect_refused({"runs", "runs", "P_x=3"}, {"did you mean"});
  expect_refused({"runs", "runs", "P_w"}, {"COLUMN=VALUE"});
}

TEST_F(BadInput, ADamagedRunIsNamedAndLeavesTheOthers) {
  copy(run_, "runs/damaged");
  cut("runs/damaged/run.json", 30);
  const Outcome outcome = run({"runs", "runs", "--json"});
  EXPECT_EQ(outcome.status, 1) << "what is printed is not all";
  EXPECT_NE(outcome.err.find("runs/damaged/run.json"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("bitlaw: 1 damaged file was left out"), std::string::npos);
  EXPECT_EQ(outcome.json().at("rows").size(), 1u);
  // The index is nothing but a copy: any damage to it goes unnoticed.
  write_text(in("runs/index.sqlite"), "not a database");
  EXPECT_EQ(run({"runs", "runs", "--json"}).out, outcome.out);
  fs::remove(in("runs/index.sqlite"));
  EXPECT_EQ(run({"runs", "runs", "--json"}).out, outcome.out);
}

TEST_F(BadInput, DirectoriesWithoutRuns) {
  for (const char* verb : {"fit", "compare", "design"}) {
    SCOPED_TRACE(verb);
    expect_refused({verb, "text"}, {"text: is a directory without runs"});
    expect_refused({verb, run_}, {run_ + ": is one run", "the directory that contains it"});
  }
  EXPECT_EQ(run({"runs", "text"}).status, 0);
  EXPECT_FALSE(fs::exists(in("text/index.sqlite"))) << "nothing is left beside other files";
  expect_refused({"runs", "runs", "--csv", "-", "--json"}, {"--csv - and --json"});
}

TEST_F(BadInput, ARunOfAnotherConfigurationOrDamaged) {
  const Outcome first = run(tiny_run({"train.seed=9", "--json"}));
  ASSERT_EQ(first.status, 0) << first.err;
  const std::string name = first.json().at("run");
  fs::remove(in("runs/" + name + "/result.json"));
  write_text(in("runs/" + name + "/run.json"), "{");
  expect_refused(tiny_run({"train.seed=9"}), {"run.json"});
}

TEST_F(BadInput, Studies) {
  const std::string good =
      "name = \"s\"\n[base]\ndata.path = \"data\"\nmodel.width = 32\nmodel.heads = 2\n"
      "model.sequence = 32\ntrain.batch_tokens = 256\n[variants.size]\na = {\"model.layers\" = 1}\n"
      "[[grid]]\nsize = [\"a\"]\n\"train.tokens\" = [2560]\n"
      "[ptq]\nwhere = {\"recipe.weights\" = \"16\"}\nmethods = [\"rtn\"]\nbits = [3]\n";
  struct Case {
    const char *from, *to;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases{
      {"model.width", "model.wdith", {"did you mean 'model.width'?"}},
      {"train.tokens", "train.tokns", {"did you mean 'train.tokens'?"}},
      {"[[grid]]", "[[gird]]", {"did you mean 'grid'?"}},
      {"[\"a\"]", "[\"b\"]", {"[variants.size]: unknown variant 'b'; known: a"}},
      {"[2560]", "[]", {"train.tokens", "empty"}},
      {"recipe.weights", "recipe.weigths", {"did you mean 'recipe.weights'?"}},
      {"rtn", "rnt", {"rnt"}},
      {"bits = [3]", "bits = [1]", {"bits = 1"}},
      {"bits = [3]", "bist = [3]", {"did you mean 'bits'?"}},
      {"data.path = \"data\"", "", {"data.path"}},
      {"\"data\"", "\"nowhere\"", {"nowhere"}},
      {"name = \"s\"", "", {"name"}},
      {"name = \"s\"", "name = \"a/b\"", {"a/b"}},
      {"name = \"s\"", "name = \"..\"", {"'..'", "not . or .."}},
      {"[base]", "[base", {"line 2"}},
  };
  for (const Case& each : cases) {
    std::string text = good;
    text.replace(text.find(each.from), std::strlen(each.from), each.to);
    write_text(in("s.toml"), text);
    SCOPED_TRACE(each.to);
    expect_refused({"sweep", "s.toml"}, each.parts);
  }
  expect_refused({"sweep", "nowhere.toml"}, {"nowhere.toml"});
  write_text(in("s.toml"), good);
  expect_refused({"sweep", "s.toml", "base.train.lrr=1"}, {"did you mean 'train.lr'?"});
  expect_refused({"sweep", "s.toml", "base.train.tokens=oops"},
                 {"base.train.tokens=oops", "has no effect", "[[grid]]"});
  expect_refused({"sweep", "s.toml", "--jobs", "0"}, {"--jobs", "from 1 to 4096"});
  expect_refused({"sweep", "s.toml", "grid=[]"}, {"s.toml: has no cell; give it a [[grid]]"});
  expect_refused({"sweep", "s.toml", "require=[\"N<10\"]"}, {"require leaves out all", "'N<10'"});
  expect_refused({"sweep", "s.toml", "base.model.heads=5"},
                 {"s: ", "model.heads = 5", "width is 32"});
  expect_refused({"sweep", "s.toml", "--only", "N>1e12"}, {"'N>1e12': holds for none of the "});
  expect_refused({"sweep", "s.toml", "--only", "widht=3"}, {"did you mean 'width'?"});
  expect_refused({"sweep", "s.toml", "--budget", "1e3 FLOP"},
                 {"budget '1e3 FLOP': too small for the first cell of s"});
  expect_refused({"sweep", "s.toml", "--budget", "2 weeks"},
                 {"--budget '2 weeks': expected a number"});
  expect_refused({"sweep", "s.toml", "--have", "nowhere.csv"}, {"nowhere.csv"});
  for (const char* look : {"--quiet", "--status", "--print-config"})
    expect_refused({"sweep", "s.toml", "--launcher", "scrpt", look},
                   {"unknown launcher 'scrpt'; did you mean 'script'?"});
  const auto refused_by = [&](const std::string& launcher, const std::vector<std::string>& flags,
                              const std::vector<std::string>& parts) {
    std::vector<std::string> arguments{"sweep", "s.toml", "--launcher", launcher, "--quiet"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    expect_refused(arguments, parts);
  };
  refused_by("local", {"--ranks", "3"}, {"--ranks is for --launcher mpi, not local"});
  refused_by("mpi", {}, {"Say --ranks N"});
  refused_by("slurm", {"--time-limit", "soon"}, {"--time-limit", "soon"});
  refused_by("slurm", {"--time-limit", "1m", "--margin", "1m"}, {"--margin", "leaves nothing"});
  refused_by("slurm", {"--slurm-option", "-p short"}, {"--slurm-option '-p short'", "partition="});
  refused_by("slurm", {"--slurm-option", "time=1"}, {"is set by --time-limit"});
  refused_by("condor", {"--condor-option", "queue 7"}, {"--condor-option 'queue 7'"});
}

TEST_F(BadInput, Tables) {
  const auto refused = [&](const std::string& text, const std::vector<std::string>& parts) {
    write_text(in("bad.csv"), text);
    expect_refused({"fit", "bad.csv", "--law", "chinchilla"}, parts);
    expect_refused({"fit", "bad.csv", "--law", "chinchilla", "--out", "fit.json"}, parts);
  };
  const std::string two = "N,D,loss\n1e6,1e8,3.1\n2e6,";
  refused("", {"bad.csv", "empty"});
  refused("N,D,loss\n", {"bad.csv", "no row"});
  refused("N,D\n1,2\n", {"bad.csv", "loss"});
  refused(two + "1e8", {"line 3"});
  refused(two + "1e8,nan\n", {"line 3", "loss", "nan"});
  refused(two + "1e8,inf\n", {"line 3", "loss", "inf"});
  refused(two + "1e8,-2\n", {"line 3", "loss", "-2"});
  refused(two + "1e8,0\n", {"line 3", "loss"});
  refused(two + "0,2\n", {"line 3", "D"});
  refused(two + ",2\n", {"line 3", "D", "empty"});
  refused(two + "many,2\n", {"line 3", "D", "many"});
  refused(two + "\"1e8,2\n", {"line 3", "quoted"});
  refused("N,D,loss,N\n1,1,1,1\n", {"N", "twice"});
  refused("N,D,loss,P_w\n1e6,1e8,3.1,99\n", {"line 2", "P_w"});
  refused("N,D,loss,P_post\n1e6,1e8,3.1,3\n", {"line 2", "delta"});
  refused("N,D,loss,P_post,delta\n1e6,1e8,3.1,3,nan\n", {"line 2", "delta"});
  refused(std::string(300, '\0'), {"bad.csv"});
  refused("\x01\x02\x1b[2J,\xff\xfe\n1,2\n", {"bad.csv"});
  expect_refused({"fit", "nowhere.csv"}, {"nowhere.csv"});
  expect_refused({"compare", "nowhere.csv"}, {"nowhere.csv"});
  expect_refused({"fit", "table.csv", "--columns", "M=x"}, {"M", "known: N, D"});
  expect_refused({"fit", "table.csv", "--columns", "N=params"}, {"params"});
  expect_refused({"fit", "table.csv", "--law", "chinchila"}, {"chinchila"});
  expect_refused({"fit", "table.csv", "--law", "chinchilla", "--freeze", "alhpa=1"},
                 {"alhpa", "alpha"});
  expect_refused({"fit", "table.csv", "--objective", "hubber"}, {"hubber", "huber"});
  expect_refused({"fit", "table.csv", "--level", "2"}, {"level"});
  expect_refused({"compare", "table.csv", "--laws", "chinchila"}, {"chinchila"});
  expect_refused({"compare", "table.csv", "--hold-out", "larg"}, {"larg", "largest-N"});
}

TEST_F(BadInput, TablesOfOtherKinds) {
  const auto refused = [&](const std::string& name, const std::string& text,
                           const std::vector<std::string>& flags,
                           const std::vector<std::string>& parts) {
    write_text(in(name), text);
    for (const char* verb : {"fit", "compare"}) {
      std::vector<std::string> arguments{verb, name};
      arguments.insert(arguments.end(), flags.begin(), flags.end());
      expect_refused(arguments, parts);
    }
  };
  const std::string rows = "N,D,loss,set\n1e6,1e8,3.1,c4\n2e6,1e8,nan,c4\n";
  refused("t.csv", rows, {}, {"line 3", "loss", "--where 'loss!=nan'"});
  refused("t.csv", rows, {"--where", "set=c5"}, {"no row has c5", "c4"});
  refused("t.csv", rows, {"--where", "sett=c4"}, {"did you mean 'set'?"});
  refused("t.csv", rows, {"--where", "set"}, {"COLUMN=VALUE"});
  refused("t.csv", rows, {"--where", "set=c4", "--where", "N>1e9"}, {"N>1e9", "no row matches"});
  refused("t.csv", rows, {"--cluster", "seed"}, {"seed", "The columns are N, D, loss, set"});
  refused("t.csv", rows, {"--scale", "N=0"}, {"scale", "N=0"});
  refused("t.csv", rows, {"--scale", "M=1"}, {"scale", "M"});
  refused("t.csv", rows, {"--format", "jsom"}, {"jsom", "did you mean 'json'?"});
  refused("t.csv", rows, {"--format", "json"}, {"not valid JSON near line 1"});
  refused("t.csv", rows, {"--format", "quest"}, {"not valid JSON"});
  refused("t.csv", "N,D,val_loss,test_loss\n1e6,1e8,3,3\n", {},
          {"val_loss, test_loss could each be loss", "--columns loss=val_loss"});
  refused("t.csv", "N,D,loss,P\n1e6,1e8,3,4NOH\n", {}, {"line 2", "P", "4NOH", "not a number"});
  refused("t.json", "[{\"N\": 1e6, \"D\": 1e8, \"loss\": 3}, 7]", {}, {"entry 2", "object"});
  refused("t.json", "[{\"N\": 1e6, \"D\": 1e8, \"los\": 3}]", {},
          {"no column loss", "did you mean 'los'?"});
  refused("t.json", "[{\"N\": 1e6,\n", {}, {"not valid JSON near line 2"});
  refused("t.json", std::string(1 << 20, '['), {}, {"nested"});
  refused("t.jsonl",
          "{\"N\": 1e6, \"D\": 1e8, \"loss\": 3}\n{\"N\": 1e6, \"D\": 1e8, \"loss\": 0}\n", {},
          {"line 2", "loss", "must be positive"});
  refused("t.xlsx", "PK\x03\x04 and so on", {}, {"Excel", "CSV"});
  refused("t.csv", "N,D,loss\n1e6,1e8,3\n1e6,1e8,3.1\n1e6,1e8,3.2\n", {},
          {"all 3 rows have the same N, D and precision", "nothing to fit"});
}

TEST_F(BadInput, FewerPointsThanParameters) {
  std::string table = "N,D,loss\n";
  for (int rows = 1; rows < 5; ++rows) {  // of five constants
    table += fmt::format("{}e6,{}e8,{}\n", rows, rows * rows, 5.0 - 0.2 * rows);
    write_text(in("few.csv"), table);
    SCOPED_TRACE(rows);
    expect_refused({"fit", "few.csv", "--law", "chinchilla", "--out", "fit.json"},
                   {fmt::format("{} run", rows), "constants"});
  }
}

TEST_F(BadInput, FitsThatAreNone) {
  for (const char* text :
       {"", "{", "{}", "[]", "null", "3", "{\"law\": \"kumar\", \"parameters\": 3}"}) {
    write_text(in("fit.json"), text);
    SCOPED_TRACE(text);
    expect_refused({"plan", "--fit", "fit.json", "--compute", "1e20"}, {"fit"});
    expect_refused({"report", "runs", "--fit", "fit.json"}, {"fit"});
  }
  expect_refused({"plan", "--fit", "nowhere.json", "--compute", "1e20"}, {"nowhere.json"});
  expect_refused({"report", "runs", "--fit", "nowhere.json"}, {"nowhere.json"});
  // A constant that nobody published is not made up.
  expect_refused({"simulate", "--law", "quest", "--params", "1e8"}, {"eff[", "--constants"});
  expect_refused({"design", "table.csv", "--law", "chinchilla", "--budget", "-3"},
                 {"budget", "-3", "positive"});
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"fit", "table.csv", "--law", "kumer"},
        {"simulate", "--law", "kumer"},
        {"laws", "show", "kumer"}}) {
    expect_refused(verb, {"kumer", "did you mean 'kumar'?"});
  }
  expect_refused({"fit", "table.csv", "--freeze-from", "nowhere.json"}, {"nowhere.json"});
  expect_refused({"fit", "table.csv", "--out", "./table.csv"},
                 {"--out", "table.csv", "is the input"});
  run({"fit", "table.csv", "--law", "chinchilla", "--out", "good.json"});
  expect_refused({"fit", "table.csv", "--law", "chinchilla", "--freeze-from", "good.json:alfa"},
                 {"freeze-from", "alfa", "did you mean 'alpha'?"});
  expect_refused({"report", "nowhere"}, {"nowhere"});
  expect_refused({"report", "text"}, {"no runs"});
}

TEST_F(BadInput, PlansThatMakeNoSense) {
  expect_refused({"plan", "--law", "kumer", "--compute", "1e20"}, {"did you mean 'kumar'?"});
  expect_refused({"plan", "--free", "N,D,P"}, {"compute"});
  expect_refused({"plan", "--free", "N,X", "--compute", "1e21"}, {"X"});
  expect_refused({"plan", "--compute", "-3"}, {"compute"});
  expect_refused({"plan", "--critical-data"}, {"params"});
  expect_refused({"publish", "runs", "--to", "out", "--have", "nope.csv"},
                 {"--have nope.csv: there is no such table"});
  expect_refused({"plan", "--inference-budget", "8e10", "--params", "1e9"},
                 {"params", "inference-budget"});
  ASSERT_EQ(run({"fit", "table.csv", "--law", "chinchilla", "--out", "fit.json"}).status, 0);
  const std::vector<std::string> plan{"plan", "--fit", "fit.json", "--compute", "1e20"};
  const auto with = [&](const char* flag, const char* value) {
    std::vector<std::string> all = plan;
    all.insert(all.end(), {flag, value});
    return all;
  };
  expect_refused(with("--law", "kumar"), {"--law kumar", "fit.json is a fit of chinchilla"});
  expect_refused(with("--constants", "hoffmann"), {"--constants", "leave out"});
  EXPECT_EQ(run(with("--law", "chinchilla")).status, 0);
}

}  // namespace
}  // namespace bitlaw
