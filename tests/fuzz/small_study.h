// A folder with a tiny data set, whose path is DATA in the inputs: data.path = "DATA".
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/test_folder.h"
#include "data/dataset.h"
#include "data/shards.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {

class SmallStudy {
 public:
  SmallStudy() {
    const std::vector<Token> tokens(4096, Token{7});
    const TokenSet set(tokens);
    SplitInfo split{.tokens = set.size(), .documents = 1, .bytes = set.size(), .hash = set.hash()};
    const auto tokenizer = byte_tokenizer();
    DatasetInfo info{.hash = "0123456789abcdef0123456789abcdef",
                     .tokenizer_kind = tokenizer->kind(),
                     .tokenizer_hash = tokenizer->hash(),
                     .vocabulary = 257,
                     .end_of_document = 256,
                     .train = split,
                     .validation = split};
    info.train.shards = {"train_000000.bin"};
    info.validation.shards = {"val_000000.bin"};
    folder_.write("data/dataset.json", dump_json(to_json(info)));
    write_shard(folder_ / "data/train_000000.bin", tokens);
    write_shard(folder_ / "data/val_000000.bin", tokens);
    tokenizer->save(folder_ / "data/tokenizer.model");
  }

  std::string with_path(std::string text) const {
    return with("DATA", (folder_ / "data").string(), std::move(text));
  }
  // Replaces every `name`, which `value` does not contain.
  static std::string with(const std::string& name, const std::string& value, std::string text) {
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size())
      text.replace(at, name.size(), value);
    return text;
  }
  const TestFolder& folder() const { return folder_; }

 private:
  TestFolder folder_;
};

}  // namespace bitlaw
