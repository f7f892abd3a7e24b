// `bitlaw quantize` on third-party checkpoints: the files of a successful run, and for bad input
// the message, with every file unchanged.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <thread>

#include "base/file.h"
#include "base/source_folder.h"
#include "cli/cell_rows.h"
#include "cli/world.h"
#include "hf/fake_checkpoint_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

const fs::path kTokenizers = fs::path(kSourceFolder) / "tests/golden/tokenizers";

struct Safetensors {
  Json header;
  std::string data;

  static Safetensors read(const fs::path& file) {
    const std::string bytes = read_file(file);
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    return {parse_json(bytes.substr(8, length), "header"), bytes.substr(8 + length)};
  }
  void write(const fs::path& file) const { write(file, dump_json(header).size()); }
  void write(const fs::path& file, uint64_t claimed) const {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &claimed, 8);
    write_text(file, bytes + dump_json(header) + data);
  }
  void put(const std::string& tensor, size_t index, float value) {
    const size_t begin = header.at(tensor).at("data_offsets").at(0);
    std::memcpy(data.data() + begin + index * sizeof value, &value, sizeof value);
  }
};

// The world's trained run in third-party layout, with its tokenizer: without the record of its
// training it is a checkpoint like any.
class QuantizeCheckpoint : public World {
 protected:
  QuantizeCheckpoint() { fresh(); }

  fs::path in(const std::string& name) const { return around_.directory / name; }
  void fresh() {
    fs::remove_all(in("k"));
    copy_tree(in(run_) / "checkpoints/final", in("k"));
  }
  // A GPT-NeoX with a byte-level tokenizer.json, in shards.
  void make_neox(const std::string& name, int shards) {
    const hf::FakeCheckpoint fake(hf::fake_config("gpt_neox", {{"vocab_size", 672}}));
    fake.write(in(name), shards);
    fs::copy_file(kTokenizers / "neox/tokenizer.json", in(name) / "tokenizer.json");
  }
  // A small grid; what `further` says instead counts.
  std::vector<std::string> quantize(const std::vector<std::string>& further = {},
                                    const std::string& checkpoint = "k") const {
    std::vector<std::string> arguments{"quantize", checkpoint, "--quiet", "--json"};
    for (const auto& [flag, value] :
         std::vector<std::pair<std::string, std::string>>{{"--text", "text"},
                                                          {"--records", "records"},
                                                          {"--bits", "3,8"},
                                                          {"--calibration-tokens", "256"},
                                                          {"--evaluation-tokens", "512"},
                                                          {"--calibration-seeds", "1"}}) {
      if (std::find(further.begin(), further.end(), flag) == further.end())
        arguments.insert(arguments.end(), {flag, value});
    }
    arguments.insert(arguments.end(), further.begin(), further.end());
    return arguments;
  }
  void refused(const std::vector<std::string>& parts,
               const std::vector<std::string>& further = {}) {
    expect_refused(quantize(further), parts);
  }
  void change_header(const std::function<void(Safetensors&)>& change) {
    fresh();
    Safetensors file = Safetensors::read(in(kWeights));
    change(file);
    file.write(in(kWeights));
  }
  void change_config(const Json& patch) {
    fresh();
    Json config = parse_json(read_file(in("k/config.json")), "config.json");
    for (const auto& [key, value] : patch.items()) config[key] = value;
    write_text(in("k/config.json"), dump_json(config));
  }

  static constexpr const char* kWeights = "k/model.safetensors";
  static constexpr const char* kHead = "lm_head.weight";
};

TEST_F(QuantizeCheckpoint, GivesRowsATableAndNothingToDoAgain) {
  const Json rows = json_of(quantize({"--trained-tokens", "5120"})).at("rows");
  ASSERT_EQ(rows.size(), 4u);  // two methods at two numbers of bits
  for (const Json& row : rows) {
    EXPECT_TRUE(std::isfinite(row.at("delta").get<double>()));
    EXPECT_EQ(row.at("tokens"), 512);
  }
  EXPECT_LT(std::abs(rows[1].at("delta").get<double>()), 0.005) << "8 bits hardly change anything";
  EXPECT_GT(rows[0].at("delta").get<double>(), rows[1].at("delta").get<double>());

  const Json table = json_of({"runs", "records", "--json"}).at("rows");
  ASSERT_EQ(table.size(), 5u);  // the checkpoint itself, and its cells
  for (const Json& row : table) EXPECT_EQ(row.at("D"), 5120);

  const Snapshot before = snapshot_of(around_.directory);
  EXPECT_EQ(json_of(quantize()).at("rows"), rows) << "seconds too: nothing is computed again";
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");
}

TEST_F(QuantizeCheckpoint, ThreadsAndMemoryDoNotChangeAnything) {
  const Json one = without_seconds(json_of(quantize({"--threads", "1"})).at("rows"));
  for (const std::vector<std::string>& further :
       {std::vector<std::string>{"--threads", "2"}, {"--threads", "2", "--memory", "1e-6"}}) {
    fs::remove_all(in("records"));
    EXPECT_EQ(without_seconds(json_of(quantize(further)).at("rows")), one);
  }
}

TEST_F(QuantizeCheckpoint, ReadsShardsAndTokenizersOfOthers) {
  make_neox("n", 3);
  const Json rows =
      json_of(
          quantize({"--sequence", "16", "--method", "awq+asymmetric", "--worse-than-chance"}, "n"))
          .at("rows");
  ASSERT_EQ(rows.size(), 4u);  // including round-to-nearest
  for (const Json& row : rows) {
    // Random weights know nothing about text: the loss is not far from that of a uniform guess.
    EXPECT_NEAR(row.at("baseline_loss_nats").get<double>(), std::log(672.0), 1.0);
    EXPECT_GT(row.at("bits_per_byte").get<double>(), 0);
  }
}

TEST_F(QuantizeCheckpoint, ADryRunWritesNothing) {
  const Snapshot before = snapshot_of(around_.directory);
  EXPECT_EQ(json_of(quantize({"--dry-run"})).at("rows").size(), 4u);
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");
}

// Weights of a model and the tokenizer of another one with as many tokens.
TEST_F(QuantizeCheckpoint, RefusesWhatKnowsLessThanAGuess) {
  make_neox("n", 1);
  const std::vector<std::string> grid{"--sequence", "16", "--bits", "3"};
  const Snapshot before = snapshot_of(around_.directory);
  expect_refused(quantize(grid, "n"),
                 {"n: its loss on this text is ", "uniform guess among its 672 tokens has 6.51",
                  "--worse-than-chance"});
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");
  std::vector<std::string> all_the_same = grid;
  all_the_same.push_back("--worse-than-chance");
  EXPECT_EQ(json_of(quantize(all_the_same, "n")).at("rows").size(), 2u);
  // What that call has recorded counts.
  const Outcome again = run(quantize(grid, "n"));
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("uniform guess"), std::string::npos) << again.err;
}

TEST_F(QuantizeCheckpoint, CalibrationsOfAllTheTextAreOne) {
  const auto outcome = [&](const std::string& tokens) {
    return run(
        quantize({"--bits", "3", "--calibration-seeds", "1,2", "--calibration-tokens", tokens}));
  };
  const Outcome all = outcome("1000000");
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_NE(all.err.find("every calibration takes all of the "), std::string::npos) << all.err;
  const Json one = parse_json(all.out, "rows").at("rows");
  EXPECT_EQ(one.size(), 2u);  // round-to-nearest and one GPTQ
  for (const Json& row : one) EXPECT_FALSE(row.contains("spread"));
  const Outcome part = outcome("256");
  EXPECT_EQ(parse_json(part.out, "rows").at("rows").size(), 3u);
  EXPECT_EQ(part.err.find("every calibration"), std::string::npos) << part.err;
}

// The run's own validation text, given as text: the same model on the same documents.
TEST_F(QuantizeCheckpoint, LosesWhatTheRunLosesOnTheSameKindOfText) {
  const Json result = parse_json(read_file(in(run_) / "result.json"), "result.json");
  const double own = result.at("validation").at("loss_nats");
  const Json row = json_of(quantize({"--evaluation-tokens", "0", "--method", "rtn", "--bits", "8"}))
                       .at("rows")[0];
  // Twelve documents of one grammar, of which the run held one back: losses of documents differ by
  // a few per cent, and a model that reads wrong tokens or weights is far from there.
  EXPECT_NEAR(row.at("baseline_loss_nats").get<double>(), own, 0.1 * own);
  EXPECT_LT(std::abs(row.at("delta").get<double>()), 0.005);
}

TEST_F(QuantizeCheckpoint, AGroupLargerThanEveryRowIsTheRow) {
  const Json rows = json_of(quantize({"--groups", "0,100000", "--bits", "3"})).at("rows");
  ASSERT_EQ(rows.size(), 4u);
  for (const size_t i : {0, 2}) EXPECT_EQ(rows[i].at("delta"), rows[i + 1].at("delta"));
}

TEST_F(QuantizeCheckpoint, NoneIsTheBaseline) {
  const Json rows = json_of(quantize({"--method", "none"})).at("rows");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("delta"), 0);
  const Outcome table = run({"quantize", "k", "--text", "text", "--records", "records", "--method",
                             "none", "--evaluation-tokens", "512", "--quiet"});
  EXPECT_EQ(table.status, 0) << table.err;
}

TEST_F(QuantizeCheckpoint, RefusesDamagedWeights) {
  for (const uintmax_t bytes : {0, 4, 9, 5000}) {
    fresh();
    fs::resize_file(in(kWeights), bytes);
    refused({"model.safetensors", "damaged"});
  }
  fresh();
  write_text(in(kWeights), read_file(in(kWeights)) + "xx");
  refused({"model.safetensors", "its tensors end at byte"});
  for (const Json& lie : {Json{-8, 4}, Json{0, 18446744073709551615ull}, Json{0, 1e300},
                          Json{172928, 140032}, Json{"0", "4"}, Json::array(), Json{0, 4}}) {
    change_header([&](Safetensors& file) { file.header[kHead]["data_offsets"] = lie; });
    SCOPED_TRACE(dump_json(lie));
    refused({"model.safetensors", "damaged"});
  }
  for (const Json& lie : {Json{int64_t{1} << 62, 4}, Json{-257, -32}, Json{257, 31}, Json{"x"}}) {
    change_header([&](Safetensors& file) { file.header[kHead]["shape"] = lie; });
    SCOPED_TRACE(dump_json(lie));
    refused({"model.safetensors", kHead});
  }
  for (const uint64_t claimed : {uint64_t{10}, uint64_t{1} << 63, ~uint64_t{0}}) {
    fresh();
    Safetensors::read(in(kWeights)).write(in(kWeights), claimed);
    SCOPED_TRACE(claimed);
    refused({"model.safetensors", "header", "damaged"});
  }
  fresh();
  fs::remove(in(kWeights));
  refused({"k: has neither model.safetensors nor", "fetch"});
  write_text(in("k/pytorch_model.bin"), "x");
  refused({"pickled", "save it as safetensors"});
}

TEST_F(QuantizeCheckpoint, RefusesWeightsThatAreNotNumbers) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    change_header([&](Safetensors& file) { file.put(kHead, 77, value); });
    refused({"model.safetensors", kHead, "NaN or infinite", "fetch"});
  }
  // Numbers, all of them, until they are multiplied.
  change_header([&](Safetensors& file) {
    for (size_t i = 0; i < 257 * 32; ++i) file.put(kHead, i, i % 2 == 0 ? 3e38f : -3e38f);
  });
  refused({"k: its logits are not finite"});
  fs::create_directory(in("records"));
  refused({"k: its logits are not finite"});
}

TEST_F(QuantizeCheckpoint, RefusesOtherKindsOfWeights) {
  for (const char* dtype : {"I8", "F8_E4M3", "U8"}) {
    change_header([&](Safetensors& file) {  // four times the numbers in as many bytes
      file.header[kHead]["dtype"] = dtype;
      file.header[kHead]["shape"] = {257, 128};
    });
    SCOPED_TRACE(dtype);
    refused({"model.safetensors", kHead});
  }
  for (const char* dtype : {"I32", "Q4_0"}) {
    change_header([&](Safetensors& file) { file.header[kHead]["dtype"] = dtype; });
    SCOPED_TRACE(dtype);
    refused({"model.safetensors", kHead, dtype});
  }
  change_header([&](Safetensors& file) {
    const Json entry = file.header["model.layers.0.self_attn.q_proj.weight"];
    file.header.erase("model.layers.0.self_attn.q_proj.weight");
    file.header["model.layers.0.self_attn.q_proj.qweight"] = entry;
  });
  refused({"q_proj.qweight", "already quantized", "give the original checkpoint"});
  change_config({{"quantization_config", {{"quant_method", "gptq"}, {"bits", 4}}}});
  refused({"config.json: quantization_config", "already quantized"});
}

TEST_F(QuantizeCheckpoint, RefusesShardsThatDoNotBelongTogether) {
  const auto refused_neox = [&](const std::vector<std::string>& parts) {
    expect_refused(quantize({"--sequence", "16"}, "n"), parts);
    fs::remove_all(in("n"));
    make_neox("n", 3);
  };
  const std::string second = hf::FakeCheckpoint::shard_name(1, 3);
  const fs::path index = in("n/model.safetensors.index.json");
  const auto change_index = [&](const std::function<void(Json&)>& change) {
    Json document = parse_json(read_file(index), "index");
    change(document);
    write_text(index, dump_json(document));
  };
  make_neox("n", 3);
  fs::remove(in("n") / second);
  refused_neox({"n: the shard " + second + " is missing", "fetch the whole checkpoint"});
  fs::resize_file(in("n") / second, 3000);
  refused_neox({second, "damaged"});
  change_index([&](Json& document) { document["weight_map"].begin().value() = second; });
  refused_neox({"index.json", "do not belong together"});
  change_index([&](Json& document) { document["weight_map"]["no.such.tensor"] = second; });
  refused_neox({"index.json", "no.such.tensor"});
  change_index([&](Json& document) { document["weight_map"].begin().value() = "../text/00.txt"; });
  refused_neox({"index.json", "not the name of a file beside"});
  change_index([&](Json& document) { document.erase("weight_map"); });
  refused_neox({"index.json", "weight_map"});
  write_text(index, "{");
  refused_neox({"index.json", "not valid JSON"});
}

TEST_F(QuantizeCheckpoint, RefusesConfigurationsItCannotFollow) {
  for (const char* text : {"", "{", "\xff\xfe", "PK\x03\x04"}) {
    fresh();
    write_text(in("k/config.json"), text);
    refused({"k/config.json: not valid JSON"});
  }
  for (const char* text : {"[]", "null", "3", "\"llama\""}) {
    fresh();
    write_text(in("k/config.json"), text);
    refused({"k/config.json", "must be an object"});
  }
  write_text(in("k/config.json"), "{}");
  refused({"config.json: model_type is missing", "llama, mistral, qwen2, olmo2, gpt_neox"});
  const std::vector<std::pair<Json, std::vector<std::string>>> changes{
      {{{"model_type", "mamba"}}, {"'mamba'", "llama, mistral, qwen2, olmo2, gpt_neox"}},
      {{{"architectures", {"LlamaForSequenceClassification"}}},
       {"architectures", "LlamaForCausalLM"}},
      {{{"num_hidden_layers", 3}}, {"tensor 'model.layers.2.", "is incomplete"}},
      {{{"num_hidden_layers", 1}}, {"'model.layers.1.", "is not part of the"}},
      {{{"num_hidden_layers", 0}}, {"num_hidden_layers must be 1..", "not 0"}},
      {{{"hidden_size", 64}}, {"has shape [257, 32]", "requires [257, 64]"}},
      {{{"hidden_size", 1e300}}, {"hidden_size", "whole number"}},
      {{{"vocab_size", 300}}, {"has shape [257, 32]", "requires [300, 32]"}},
      {{{"tie_word_embeddings", true}}, {"lm_head.weight", "tie_word_embeddings"}},
      {{{"rope_scaling", {{"rope_type", "su"}}}}, {"rope_type", "'su' is not supported", "yarn"}},
      {{{"eos_token_id", "x"}}, {"eos_token_id"}},
  };
  for (const auto& [patch, parts] : changes) {
    change_config(patch);
    SCOPED_TRACE(dump_json(patch));
    refused(parts);
  }
}

TEST_F(QuantizeCheckpoint, RefusesTokenizersOfOtherModels) {
  fs::remove(in("k/tokenizer.model"));
  refused({"k: has no tokenizer.json or tokenizer.model", "copy the checkpoint's"});
  for (const char* text : {"", "garbage"}) {
    write_text(in("k/tokenizer.model"), text);
    refused({"k/tokenizer.model", "damaged"});
  }
  for (const char* text : {"", "{", "{}", "[]"}) {
    write_text(in("k/tokenizer.json"), text);
    refused({"k/tokenizer.json"});
  }
  fs::copy_file(kTokenizers / "gpt2/tokenizer.json", in("k/tokenizer.json"),
                fs::copy_options::overwrite_existing);
  refused({"k: the tokenizer has 641 tokens but the model 257", "came with the model"});
}

TEST_F(QuantizeCheckpoint, RefusesTextThatIsNone) {
  const auto with_text = [&](const std::string& text) {
    return std::vector<std::string>{"quantize", "k", "--text", text, "--records", "records"};
  };
  fs::create_directory(in("empty"));
  write_text(in("nothing.txt"), "");
  write_text(in("short.txt"), "A few words.");
  write_text(in("two/a.txt"), "A few words.");
  write_text(in("two/b.txt"), "And some other ones.");
  write_text(in("noise.bin"), "\x01\x02");
  expect_refused({"quantize", "k"}, {"k: is a third-party checkpoint", "--text"});
  expect_refused(with_text("nowhere"), {"nowhere: does not exist"});
  expect_refused(with_text("empty"), {"empty: contains no .txt or .jsonl file"});
  expect_refused(with_text("nothing.txt"), {"nothing.txt: has 0 distinct documents"});
  expect_refused(with_text("nothing.txt,short.txt"), {"short.txt: has 1 distinct document,"});
  expect_refused(with_text("two"), {"the text for evaluation has", "one window needs 33"});
  expect_refused(with_text("noise.bin"), {"noise.bin", "not a readable kind of text"});
}

TEST_F(QuantizeCheckpoint, RefusesOptionsOutOfRange) {
  refused({"k: windows of 64 tokens are longer than the checkpoint's 32"}, {"--sequence", "64"});
  refused({"--sequence", "from 1 to 1048576"}, {"--sequence", "9223372036854775807"});
  refused({"--sequence", "from 1 to 1048576"}, {"--sequence", "-3"});
  refused({"--trained-tokens", "above 0"}, {"--trained-tokens", "-3"});
  refused({"--trained-tokens", "1 to 1e18", "0.5"}, {"--trained-tokens", "0.5"});
  refused({"--trained-tokens", "1e+20"}, {"--trained-tokens", "1e20"});
  refused({"--memory"}, {"--memory", "nan"});
  refused({"--records is empty"}, {"--records", ""});
  refused({"text/00.txt", "cannot be created"}, {"--records", "text/00.txt"});
  refused({"--data", "use --text for Hugging Face checkpoints"}, {"--data", "data"});
  expect_refused({"quantize", "k", "--text", "text", "--calibration-tokens", "9e18"},
                 {"calibration_tokens", "up to 1e15"});
  expect_refused({"quantize", "k", "--text", "text", "--evaluation-tokens", "9223372036854775807"},
                 {"--evaluation-tokens must be a smaller number"});
}

TEST_F(QuantizeCheckpoint, RefusesToWriteWhatIsNotOneCheckpoint) {
  refused({"--write", "one way to round"}, {"--write", "out"});
  refused({"--write text: exists already"}, {"--write", "text", "--method", "rtn", "--bits", "3"});
  refused({"--write-type"}, {"--write", "out", "--write-type", "F8"});
  expect_refused({"quantize", run_, "--write", "out", "--method", "rtn", "--bits", "3"},
                 {"--write", "Hugging Face checkpoints only"});
  // Below a file: noticed before anything is computed.
  refused({"table.csv/out"}, {"--write", "table.csv/out", "--method", "rtn", "--bits", "3"});
}

TEST_F(QuantizeCheckpoint, WhatIsWrittenIsTheRoundedCheckpoint) {
  const auto written = [&](const std::string& method, const std::string& to) {
    const Json rows = json_of(quantize({"--write", to, "--method", method, "--bits", "3",
                                        "--calibration-seeds", "1,2", "--memory", "1e-6"}))
                          .at("rows");
    return rows[method == "rtn" ? 0 : 1].at("loss_nats").get<double>();  // round to nearest first
  };
  for (const std::string method : {"rtn", "gptq+hadamard"}) {
    SCOPED_TRACE(method);
    const double loss = written(method, method);  // of the first seed
    const Json itself = json_of(quantize({"--method", "rtn", "--bits", "8"}, method)).at("rows")[0];
    EXPECT_DOUBLE_EQ(itself.at("baseline_loss_nats").get<double>(), loss);
    // Solved again for a cell that an earlier call has measured.
    EXPECT_EQ(written(method, method + "2"), loss);
    EXPECT_EQ(read_file(in(method) / "model.safetensors"),
              read_file(in(method + "2") / "model.safetensors"));
  }
}

TEST_F(QuantizeCheckpoint, RefusesWhatIsNoCheckpoint) {
  fs::create_directory(in("empty"));
  expect_refused(quantize({}, "empty"),
                 {"empty: is neither a run", "run.json", "config.json", "; give"});
  expect_refused(quantize({}, "nowhere"), {"nowhere: does not exist"});
  expect_refused(quantize({}, "table.csv"), {"table.csv: is not a directory"});
  expect_refused(quantize({}, ""), {"'': does not exist"});
  expect_refused(quantize({}, run_), {"--text", "runs use their own data set"});
  // One that does not exist is noticed before the first is computed.
  expect_refused(quantize({"nowhere"}), {"nowhere: does not exist"});
}

TEST_F(QuantizeCheckpoint, ABadOneAmongSeveralIsNamedAndTheOthersAreKept) {
  copy_tree(in("k"), in("bad"));
  fs::resize_file(in("bad/model.safetensors"), 5000);
  const Outcome outcome = run(quantize({"bad"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.err.starts_with("bitlaw: bad/model.safetensors: ")) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  const Snapshot before = snapshot_of(around_.directory);
  EXPECT_EQ(json_of(quantize()).at("rows").size(), 4u);
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "") << "all four were there";
}

TEST_F(QuantizeCheckpoint, HasNoBatchOfTrainingToShareAScale) {
  for (const char* role : {"activations", "kv"}) {
    const std::string flag = std::string("--") + role;
    refused(
        {"batch is as many sequences as a step of training had", "use sequence, token or a group"},
        {flag, "8", flag + "-granularity", "batch"});
  }
}

TEST_F(QuantizeCheckpoint, DamagedCellsAreNamed) {
  const Json rows = json_of(quantize({"--method", "rtn", "--bits", "3"})).at("rows");
  const fs::path cells = in("records") / rows[0].at("run").get<std::string>() / "ptq";
  const fs::path cell = fs::directory_iterator(cells)->path();
  for (const char* text : {"", "{", "{}", "[]", "3", "null"}) {
    write_text(cell, text);
    SCOPED_TRACE(text);
    refused({cell.filename().string(), "remove it to compute this cell again"},
            {"--method", "rtn", "--bits", "3"});
  }
  fs::remove(cell);
  EXPECT_EQ(without_seconds(json_of(quantize({"--method", "rtn", "--bits", "3"})).at("rows")),
            without_seconds(rows));
}

TEST_F(QuantizeCheckpoint, AFullDiskLeavesNoRecord) {
  for (const uint64_t bytes : {300, 900}) {  // too few for run.json; for a cell
    around_.largest_file = bytes;
    SCOPED_TRACE(bytes);
    refused({"cannot be written"});
  }
}

TEST_F(QuantizeCheckpoint, KilledInTheMiddleItGoesOn) {
  const std::vector<std::string> grid =
      quantize({"--memory", "1e-6", "--threads", "1", "--bits", "2..8"});  // a wave for every cell
  const pid_t pid = start_bitlaw(grid, around_);
  const auto cells = [&] {
    size_t count = 0;
    std::error_code none;  // they are made while this looks
    for (auto entry = fs::recursive_directory_iterator(in("records"), none);
         entry != fs::recursive_directory_iterator(); entry.increment(none))
      count += entry->path().parent_path().filename() == "ptq";
    return count;
  };
  while (!has_ended(pid) && cells() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill_with_children(pid);
  const Json rows = without_seconds(json_of(grid).at("rows"));
  fs::remove_all(in("records"));
  EXPECT_EQ(without_seconds(json_of(grid).at("rows")), rows);
}

}  // namespace
}  // namespace bitlaw
