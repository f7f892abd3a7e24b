// A tiny language for tests: a first-order Markov chain over V tokens in which each token is
// followed by one of four, so that a model can learn it from a few thousand tokens (its entropy is
// ln 4 = 1.386 nats).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/shards.h"

namespace bitlaw {

inline std::vector<Token> synthetic_text(int64_t tokens, int vocabulary, uint64_t seed) {
  std::vector<Token> text(static_cast<size_t>(tokens));
  uint64_t token = 0;
  for (int64_t i = 0; i < tokens; ++i) {
    text[static_cast<size_t>(i)] = static_cast<Token>(token);
    const uint64_t choice = random_below(seed, 1, static_cast<uint64_t>(i), 4);
    token = random_below(7, token, choice,
                         static_cast<uint64_t>(vocabulary));  // the same chain for every seed
  }
  return text;
}

inline constexpr int kSyntheticVocabulary = 61;

// A directory of two shards without dataset.json: 20,000 training and 3,000 validation tokens.
inline void write_synthetic_dataset(const std::filesystem::path& directory) {
  write_shard(directory / "train_000000.bin", synthetic_text(20'000, kSyntheticVocabulary, 1));
  write_shard(directory / "val_000000.bin", synthetic_text(3'000, kSyntheticVocabulary, 2));
}

// A new directory under the system's temporary one, removed with its contents.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "bitlaw-train-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace bitlaw
