#include "data/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/checksum.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/range.h"
#include "data/new_directory.h"
#include "data/place.h"
#include "data/split_plan.h"
#include "data/text_files.h"
#include "data/write_tokens.h"
#include "tokenizer/bpe.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

void check_options(const PrepareConfig& config) {
  const auto demand = [](bool good, const std::string& sentence) {
    if (!good) throw Error(sentence);
  };
  demand(!config.to.empty(), "no directory given for the data set; set `to`");
  demand(config.validation_fraction > 0 && config.validation_fraction < 1,
         fmt::format("validation_fraction {}: must be above 0 and below 1, for example 0.05",
                     config.validation_fraction));
  demand(config.sample_bytes > 0,
         fmt::format("sample_bytes {}: must be positive", config.sample_bytes));
  demand(config.shard_tokens >= 1 && config.shard_tokens <= INT32_MAX,
         fmt::format("shard_tokens {}: must be 1 to {}", config.shard_tokens, INT32_MAX));
  demand(config.near_duplicate_tokens >= 0 && config.near_duplicate_tokens <= 1'000'000,
         fmt::format("near_duplicate_tokens {}: must be 0 (off) to 1000000",
                     config.near_duplicate_tokens));
  require_range("threads", config.threads, 0, kMostThreads);  // 0: all
}

// A sample of the training documents that depends on the documents alone, not on their order: those
// of largest hash, up to `sample_bytes` (the last one cut).
std::vector<std::string> sample_training_text(const PrepareConfig& config, const SplitPlan& plan) {
  std::vector<const Entry*> training;
  for (const Entry& entry : plan.entries) {
    if (!entry.duplicate && !entry.validation) training.push_back(&entry);
  }
  std::sort(training.begin(), training.end(),
            [](const Entry* a, const Entry* b) { return a->hash > b->hash; });
  std::map<std::string, int64_t> wanted;  // hash -> bytes to take; the map's order is the sample's
  int64_t left = config.sample_bytes;
  for (const Entry* entry : training) {
    if (left <= 0) break;
    wanted[entry->hash] = std::min(left, entry->bytes);
    left -= entry->bytes;
  }
  std::map<std::string, std::string> texts;
  reread(config, plan, [&](const Entry& entry, std::string&& text) {
    const auto found = wanted.find(entry.hash);
    if (found != wanted.end())
      texts[entry.hash] = text.substr(0, static_cast<size_t>(found->second));
  });
  std::vector<std::string> sample;
  for (auto& [hash, text] : texts) sample.push_back(std::move(text));
  return sample;
}

std::unique_ptr<Tokenizer> make_tokenizer(const PrepareConfig& config, const SplitPlan& plan,
                                          const PrepareProgress& progress) {
  if (config.tokenizer == "byte") return byte_tokenizer();
  if (config.tokenizer != "bpe") {
    std::error_code error;
    if (!fs::is_regular_file(config.tokenizer, error)) {
      throw Error(fmt::format("tokenizer {}: expected byte, bpe or the path of a tokenizer.model",
                              config.tokenizer));
    }
    return load_tokenizer(config.tokenizer);
  }
  if (progress) progress("training the tokenizer", 0);
  const std::vector<std::string> sample = sample_training_text(config, plan);
  size_t next = 0;
  auto tokenizer = train_bpe({.vocabulary = config.vocabulary}, [&](std::string& text) {
    if (next == sample.size()) return false;
    text = sample[next++];
    return true;
  });
  if (progress) progress("training the tokenizer", 1);
  return tokenizer;
}

// Options that affect the result: neither paths nor the number of threads.
Json lasting_options(const PrepareConfig& config) {
  Json options = to_json(config);
  for (const char* passing : {"from", "to", "threads", "overwrite"}) options.erase(passing);
  if (config.tokenizer != "byte" && config.tokenizer != "bpe") options["tokenizer"] = "file";
  if (config.text_key == PrepareConfig().text_key)
    options.erase("text_key");  // as before it existed
  return options;
}

// "" if `there` was made from this text with these options, or what is different about it.
std::string difference(const DatasetInfo& there, const PrepareConfig& config,
                       const SplitPlan& plan) {
  const bool known = there.split_rule == plan.rule || there.split_rule == kSplitRule;
  if (!known && !there.synthetic) return "was made by an earlier version";
  const bool own_tokenizer = config.tokenizer == "byte" || config.tokenizer == "bpe" ||
                             load_tokenizer(config.tokenizer)->hash() == there.tokenizer_hash;
  const bool same = there.source_hash == plan.source_hash &&
                    there.options == lasting_options(config) && own_tokenizer;
  return same ? "" : "was made from different text or options";
}

std::vector<std::string> notes_on(const SplitPlan& plan) {
  std::vector<std::string> notes;
  if (std::string others = left_out_sentence(plan.counts.other_files); !others.empty())
    notes.push_back(std::move(others));
  if (plan.rule != kFewDocumentsRule) return notes;
  int64_t validation = 0, total = 0;
  for (const Entry& entry : plan.entries) {
    if (entry.duplicate) continue;
    total += entry.bytes;
    validation += entry.validation ? entry.bytes : 0;
  }
  notes.push_back(fmt::format(
      "few or long documents: validation is not the first ones by their hashes but those whose "
      "bytes come close to validation_fraction, {:.1f} % of the text",
      100 * static_cast<double>(validation) / static_cast<double>(total)));
  return notes;
}

}  // namespace

void require_options(const PrepareConfig& config) {
  check_options(config);
  if (config.tokenizer == "bpe") require_bpe_vocabulary(config.vocabulary);
  dataset_there(dataset_place(config.to), config.overwrite, [](const DatasetInfo&) { return ""; });
}

DatasetInfo prepare_dataset(const PrepareConfig& config, const PrepareProgress& progress) {
  check_options(config);
  const fs::path place = dataset_place(config.to);
  if (progress) progress("reading", 0);
  const SplitPlan plan = plan_split(config);
  if (progress) progress("reading", 1);
  const auto differs = [&](const DatasetInfo& there) { return difference(there, config, plan); };
  const std::vector<std::string> notes = notes_on(plan);
  if (auto there = dataset_there(place, config.overwrite, differs)) {
    there->notes = notes;
    return *there;
  }

  NewDirectory directory(place);
  const auto tokenizer = make_tokenizer(config, plan, progress);
  DatasetInfo info;
  write_tokens(config, plan, *tokenizer, directory.path(), info, progress);
  tokenizer->save(directory.path() / "tokenizer.model");

  info.tokenizer_kind = tokenizer->kind();
  info.tokenizer_hash = tokenizer->hash();
  info.vocabulary = tokenizer->vocabulary_size();
  info.end_of_document = tokenizer->end_of_document();
  info.hash = hash_hex(info.tokenizer_hash + info.train.hash + info.validation.hash);
  info.source_hash = plan.source_hash;
  info.duplicates = plan.duplicates;
  info.invalid_bytes = plan.counts.invalid_bytes;
  info.split_rule = plan.rule;
  info.notes = notes;
  info.options = lasting_options(config);
  write_file_atomically(directory.path() / "dataset.json",
                        dump_json(with_checksum(to_json(info)), 2) + "\n");
  directory.commit();
  return info;
}

}  // namespace bitlaw
