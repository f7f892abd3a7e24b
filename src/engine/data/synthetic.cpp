#include "data/synthetic.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "base/checksum.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/range.h"
#include "data/new_directory.h"
#include "data/place.h"
#include "data/split_writer.h"

namespace bitlaw {
namespace {

// What random numbers are for.
constexpr uint64_t kGrammarStream = 0x6772616D6D6172;  // "grammar"
constexpr uint64_t kTrainStream = 0x747261696E;        // "train"
constexpr uint64_t kValidationStream = 0x76616C;       // "val"

constexpr int kMostLevels = 16;
constexpr int kMostSymbols = 4096;

void check_options(const SyntheticConfig& config) {
  require_range("symbols", config.symbols, 2, kMostSymbols);
  require_range("levels", config.levels, 1, kMostLevels);
  require_range("tokens", config.tokens, int64_t{1}, int64_t{1} << 40);
  require_range("validation_tokens", config.validation_tokens, int64_t{1}, int64_t{1} << 40);
  require_range("shard_tokens", config.shard_tokens, int64_t{1}, int64_t{INT32_MAX});
  // There are symbols^2 pairs, and each is a production of one symbol at most.
  require_range("rules", config.rules, 1, config.symbols);
  if (!(config.zipf >= 0 && config.zipf <= 100))
    throw Error(fmt::format("zipf {}: must be 0 (all productions alike) to 100", config.zipf));
}

std::vector<double> production_weights(const SyntheticConfig& config) {
  std::vector<double> weights;
  for (int r = 1; r <= config.rules; ++r) weights.push_back(std::pow(r, -config.zipf));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

struct Pair {
  Token left, right;
};

class Grammar {
 public:
  explicit Grammar(const SyntheticConfig& config)
      : config_(config), weights_(production_weights(config)) {
    for (int level = 0; level < config.levels; ++level) productions_.push_back(draw_level(level));
  }

  int64_t document_tokens() const { return int64_t{1} << config_.levels; }

  // Document `index` of a stream.
  void write(uint64_t stream, int64_t index, std::vector<Token>& tokens) const {
    const auto seed = static_cast<uint64_t>(config_.seed);
    uint64_t draw = static_cast<uint64_t>(index) << config_.levels;  // a document draws 2^levels
    const auto symbols = static_cast<uint64_t>(config_.symbols);
    tokens.assign(1, static_cast<Token>(random_below(seed, stream, draw++, symbols)));
    std::vector<Token> below;
    for (const std::vector<Pair>& productions : productions_) {
      below.clear();
      for (const Token symbol : tokens) {
        const Pair& pair = productions[size_t{symbol} * static_cast<size_t>(config_.rules) +
                                       production(random_uniform(seed, stream, draw++))];
        below.push_back(pair.left);
        below.push_back(pair.right);
      }
      tokens.swap(below);
    }
  }

 private:
  // The productions of all symbols of a level, `rules` of each: different pairs, in random order (the
  // first ones of a shuffle).
  std::vector<Pair> draw_level(int level) const {
    const auto symbols = static_cast<size_t>(config_.symbols);
    const size_t wanted = symbols * static_cast<size_t>(config_.rules);
    std::vector<uint32_t> pairs(symbols * symbols);
    std::iota(pairs.begin(), pairs.end(), 0U);
    std::vector<Pair> out;
    for (size_t i = 0; i < wanted; ++i) {
      const uint64_t other =
          i + random_below(static_cast<uint64_t>(config_.seed), kGrammarStream,
                           static_cast<uint64_t>(level) << 32 | i, pairs.size() - i);
      std::swap(pairs[i], pairs[other]);
      out.push_back(
          {static_cast<Token>(pairs[i] / symbols), static_cast<Token>(pairs[i] % symbols)});
    }
    return out;
  }

  size_t production(double uniform) const {
    size_t r = 0;
    for (; r + 1 < weights_.size() && uniform >= weights_[r]; ++r) uniform -= weights_[r];
    return r;
  }

  const SyntheticConfig& config_;
  std::vector<double> weights_;
  std::vector<std::vector<Pair>> productions_;  // from the root's level down
};

SplitInfo write_split(const Grammar& grammar, const SyntheticConfig& config,
                      const std::filesystem::path& directory, const std::string& name,
                      uint64_t stream, int64_t wanted, const PrepareProgress& progress) {
  SplitWriter writer(directory, name, config.shard_tokens);
  const int64_t size = grammar.document_tokens();
  const int64_t documents = (wanted + size - 1) / size;
  std::vector<Token> tokens, after;
  for (int64_t d = 0; d < documents; ++d) {
    grammar.write(stream, d, tokens);
    if (d + 1 == documents) {  // the last one has a token behind it to predict, as the others have
      grammar.write(stream, documents, after);
      tokens.push_back(after.front());
    }
    writer.add_document(tokens, 0);
    if (progress && d % 4096 == 0)
      progress("writing " + name, static_cast<double>(d) / static_cast<double>(documents));
  }
  return writer.finish();
}

Json lasting_options(const SyntheticConfig& config) {
  Json options = to_json(config);
  for (const char* passing : {"to", "overwrite"}) options.erase(passing);
  return options;
}

}  // namespace

double entropy_rate(const SyntheticConfig& config) {
  check_options(config);
  double production = 0;
  for (const double weight : production_weights(config)) {
    if (weight > 0) production -= weight * std::log(weight);
  }
  const double tokens = std::ldexp(1.0, config.levels);
  return (std::log(config.symbols) + (tokens - 1) * production) / tokens;
}

DatasetInfo make_synthetic_dataset(const SyntheticConfig& config, const PrepareProgress& progress) {
  check_options(config);
  if (config.to.empty()) throw Error("no directory given for the data set; set `to`");
  const std::filesystem::path place = dataset_place(config.to);
  const Json options = lasting_options(config);
  const auto difference = [&](const DatasetInfo& there) -> std::string {
    return there.options == options ? "" : "was made with other options";
  };
  if (auto there = dataset_there(place, config.overwrite, difference)) return *there;

  NewDirectory directory(place);
  const Grammar grammar(config);
  DatasetInfo info;
  info.tokenizer_kind = "unknown";
  info.vocabulary = config.symbols;
  info.train = write_split(grammar, config, directory.path(), "train", kTrainStream, config.tokens,
                           progress);
  info.validation = write_split(grammar, config, directory.path(), "val", kValidationStream,
                                config.validation_tokens, progress);
  info.hash = hash_hex(info.train.hash + info.validation.hash);
  info.split_rule = "independent documents";
  info.options = options;
  info.synthetic = SyntheticSource{entropy_rate(config), grammar.document_tokens()};
  write_file_atomically(directory.path() / "dataset.json",
                        dump_json(with_checksum(to_json(info)), 2) + "\n");
  directory.commit();
  return info;
}

}  // namespace bitlaw
