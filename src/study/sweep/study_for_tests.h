// A study file and the small data set that it trains on, in a folder of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/test_folder.h"
#include "data/prepare.h"

namespace bitlaw {

class StudyFolder {
 public:
  // `rest`: grids and [ptq].
  explicit StudyFolder(const std::string& rest) {
    prepare_data();
    folder_.write("study.toml", "name = \"tiny\"\n[base]\ndata.path = \"" +
                                    (folder_ / "data").string() +
                                    "\"\nmodel.width = 32\nmodel.heads = 2\nmodel.sequence = 32\n"
                                    "train.batch_tokens = 256\n" +
                                    rest);
  }
  std::vector<std::string> study() const { return {(folder_ / "study.toml").string()}; }
  std::string runs() const { return (folder_ / "runs").string(); }
  const TestFolder& folder() const { return folder_; }

 private:
  // Bytes of random words.
  void prepare_data() const {
    std::string lines;
    for (uint64_t document = 0; document < 20; ++document) {
      std::string text;
      for (uint64_t letter = 0; letter < 1000; ++letter)
        text += "abcdefg "[random_below(5, document, letter, 8)];
      lines += dump_json(Json{{"text", text}}) + "\n";
    }
    folder_.write("text/documents.jsonl", lines);
    PrepareConfig prepare;
    prepare.from = {(folder_ / "text").string()};
    prepare.to = (folder_ / "data").string();
    prepare.tokenizer = "byte";
    prepare.validation_fraction = 0.2;
    prepare_dataset(prepare);
  }

  TestFolder folder_;
};

// Two runs; the first is quantized.
inline constexpr const char* kTwoRuns =
    "[[grid]]\n\"train.tokens\" = [25_600]\n\"recipe.weights\" = [\"16\", \"4\"]\n"
    "[ptq]\nwhere = { \"recipe.weights\" = \"16\" }\nmethods = [\"rtn\"]\nbits = [3, 4]\n"
    "calibration_tokens = 512\nevaluation_tokens = 512\n";

}  // namespace bitlaw
