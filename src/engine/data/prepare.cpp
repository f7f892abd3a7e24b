#include "data/prepare.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_set>

#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/documents.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSplitRule =
    "whole documents, by the hash of their lower-case letters and digits: the smallest hashes are "
    "validation until they "
    "hold validation_fraction of the bytes; of equal documents the first is kept";

// What is remembered of a document between the two readings of the text.
struct Entry {
  std::string hash;   // of the text
  std::string group;  // of its letters and digits: documents of one group stay on one side
  int64_t bytes;
  bool duplicate = false;
  bool validation = false;
};

struct Plan {
  std::vector<Entry> entries;  // in reading order
  ReadCounts counts;
  std::string source_hash;
  int64_t duplicates = 0;
};

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
  demand(config.threads >= 0, fmt::format("threads {}: must be 0 (all) or more", config.threads));
}

// The validation side: groups in the order of their hashes, whole, until they reach the fraction of
// the bytes; at least one group on each side.
void choose_validation(Plan& plan, double fraction) {
  std::map<std::string, int64_t> group_bytes;
  int64_t total = 0;
  for (const Entry& entry : plan.entries) {
    if (entry.duplicate) continue;
    group_bytes[entry.group] += entry.bytes;
    total += entry.bytes;
  }
  if (group_bytes.size() < 2) {
    throw Error(fmt::format(
        "the text has {} distinct document{}, but training and validation need one each; add "
        "documents "
        "(a .txt file is one, a line of JSONL is one, a .txt above {} is cut at blank lines)",
        group_bytes.size(), group_bytes.size() == 1 ? "" : "s", format_bytes(kWholeTextBytes)));
  }
  std::unordered_set<std::string> chosen;
  double taken = 0;
  for (const auto& [group, bytes] : group_bytes) {
    if (chosen.size() + 1 == group_bytes.size()) break;
    if (!chosen.empty() && taken >= fraction * static_cast<double>(total)) break;
    chosen.insert(group);
    taken += static_cast<double>(bytes);
  }
  for (Entry& entry : plan.entries) entry.validation = chosen.contains(entry.group);
}

// First reading: hashes and duplicates; nothing of the text is kept.
Plan survey(const PrepareConfig& config, const PrepareProgress& progress) {
  Plan plan;
  std::unordered_set<std::string> seen;
  Hasher source;
  if (progress) progress("reading", 0);
  plan.counts = read_documents(config.from, [&](Document&& document) {
    Entry entry{hash_hex(document.text), hash_hex(letters_and_digits(document.text)),
                static_cast<int64_t>(document.text.size())};
    source.update(entry.hash);
    entry.duplicate = !seen.insert(entry.hash).second;
    plan.duplicates += entry.duplicate;
    plan.entries.push_back(std::move(entry));
  });
  plan.source_hash = source.hex();
  choose_validation(plan, config.validation_fraction);
  if (progress) progress("reading", 1);
  return plan;
}

// Reads the text again and hands on the documents that are kept, with their entries.
void reread(const PrepareConfig& config, const Plan& plan,
            const std::function<void(const Entry&, std::string&& text)>& callback) {
  size_t next = 0;
  const auto changed = [] {
    return Error("the text changed while it was being read; run the command again");
  };
  read_documents(config.from, [&](Document&& document) {
    if (next == plan.entries.size() || plan.entries[next].hash != hash_hex(document.text))
      throw changed();
    const Entry& entry = plan.entries[next++];
    if (!entry.duplicate) callback(entry, std::move(document.text));
  });
  if (next != plan.entries.size()) throw changed();
}

// A sample of the training documents that depends on the documents alone, not on their order: those
// of largest hash, up to `sample_bytes` (the last one cut).
std::vector<std::string> sample_training_text(const PrepareConfig& config, const Plan& plan) {
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

std::unique_ptr<Tokenizer> make_tokenizer(const PrepareConfig& config, const Plan& plan,
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

// One split's shards, begun when the one before is full.
class SplitWriter {
 public:
  SplitWriter(fs::path directory, std::string name, int64_t shard_tokens)
      : directory_(std::move(directory)), name_(std::move(name)), shard_tokens_(shard_tokens) {}

  void add_document(std::span<const Token> tokens, int64_t bytes) {
    ++info_.documents;
    info_.bytes += bytes;
    info_.tokens += static_cast<int64_t>(tokens.size());
    hasher_.update({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()});
    while (!tokens.empty()) {
      if (shard_ == nullptr) {
        info_.shards.push_back(fmt::format("{}_{:06}.bin", name_, info_.shards.size()));
        shard_ = std::make_unique<ShardWriter>(directory_ / info_.shards.back());
      }
      const size_t n =
          std::min(tokens.size(), static_cast<size_t>(shard_tokens_ - shard_->tokens()));
      shard_->write(tokens.first(n));
      tokens = tokens.subspan(n);
      if (shard_->tokens() == shard_tokens_) close();
    }
  }

  SplitInfo finish() {
    if (shard_ != nullptr) close();
    info_.hash = hasher_.hex();
    return info_;
  }

 private:
  void close() {
    shard_->finish();
    shard_.reset();
  }

  fs::path directory_;
  std::string name_;
  int64_t shard_tokens_;
  SplitInfo info_;
  Hasher hasher_;
  std::unique_ptr<ShardWriter> shard_;
};

// Second reading: encodes some megabytes at a time on all threads and writes them in their order.
void write_tokens(const PrepareConfig& config, const Plan& plan, const Tokenizer& tokenizer,
                  const fs::path& directory, DatasetInfo& info, const PrepareProgress& progress) {
  constexpr int64_t kBatchBytes = 4 << 20;
  ThreadPool pool(config.threads > 0 ? config.threads : hardware_threads());
  SplitWriter train(directory, "train", config.shard_tokens),
      validation(directory, "val", config.shard_tokens);
  int64_t total = 0, done = 0, waiting = 0;
  for (const Entry& entry : plan.entries) total += entry.duplicate ? 0 : entry.bytes;

  std::vector<std::pair<const Entry*, std::string>> batch;
  auto flush = [&] {
    std::vector<std::vector<Token>> tokens(batch.size());
    pool.parallel_for(static_cast<int64_t>(batch.size()), [&](int64_t i, int) {
      tokens[static_cast<size_t>(i)] = tokenizer.encode(batch[static_cast<size_t>(i)].second);
      tokens[static_cast<size_t>(i)].push_back(tokenizer.end_of_document());
    });
    for (size_t i = 0; i < batch.size(); ++i) {
      (batch[i].first->validation ? validation : train)
          .add_document(tokens[i], batch[i].first->bytes);
    }
    done += waiting;
    waiting = 0;
    batch.clear();
    if (progress)
      progress("writing tokens", static_cast<double>(done) / static_cast<double>(total));
  };
  reread(config, plan, [&](const Entry& entry, std::string&& text) {
    batch.emplace_back(&entry, std::move(text));
    waiting += entry.bytes;
    if (waiting >= kBatchBytes) flush();
  });
  flush();
  info.train = train.finish();
  info.validation = validation.finish();
}

// A temporary directory next to `place`, renamed to it by commit() and removed otherwise.
class NewDirectory {
 public:
  explicit NewDirectory(const fs::path& place)
      : place_(place), temporary_(place.string() + fmt::format(".tmp{}", ::getpid())) {
    make_directories(temporary_);
  }
  ~NewDirectory() {
    std::error_code error;
    fs::remove_all(temporary_, error);
  }
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  const fs::path& path() const { return temporary_; }

  void commit() {
    const fs::path old = temporary_.string() + ".old";
    std::error_code error;
    const bool replaced = fs::exists(place_, error) && !fs::is_empty(place_, error);
    if (replaced) fs::rename(place_, old, error);
    if (!error) fs::rename(temporary_, place_, error);
    if (error) {
      const std::string why = error.message();
      if (replaced && !fs::exists(place_, error)) fs::rename(old, place_, error);
      throw Error(fmt::format("{}: the data set cannot be written there: {}; nothing was changed",
                              place_.string(), why));
    }
    fs::remove_all(old, error);
  }

 private:
  fs::path place_, temporary_;
};

// Options that affect the result: neither paths nor the number of threads.
Json lasting_options(const PrepareConfig& config) {
  Json options = to_json(config);
  for (const char* passing : {"from", "to", "threads", "overwrite"}) options.erase(passing);
  if (config.tokenizer != "byte" && config.tokenizer != "bpe") options["tokenizer"] = "file";
  return options;
}

// The data set that is already in `place`, if it was made from the same text with the same options.
// Throws Error where something else is there that may not be replaced.
bool already_there(const fs::path& place, const PrepareConfig& config, const Plan& plan,
                   DatasetInfo& info) {
  std::error_code error;
  if (!fs::exists(place, error) || (fs::is_directory(place, error) && fs::is_empty(place, error)))
    return false;
  if (!fs::exists(place / "dataset.json", error)) {
    throw Error(fmt::format(
        "{}: contains something other than a data set; choose another directory", place.string()));
  }
  std::string difference = "was made from different text or options";
  try {
    info = Dataset::open(place).info();
    const bool own_tokenizer = config.tokenizer == "byte" || config.tokenizer == "bpe" ||
                               load_tokenizer(config.tokenizer)->hash() == info.tokenizer_hash;
    if (info.source_hash == plan.source_hash && info.options == lasting_options(config) &&
        own_tokenizer)
      return true;
  } catch (const Error& trouble) {
    difference = fmt::format("is damaged ({})", trouble.what());
  }
  if (config.overwrite) return false;
  throw Error(fmt::format(
      "{}: the data set there {}; choose another directory, or give --overwrite to replace it",
      place.string(), difference));
}

}  // namespace

DatasetInfo prepare_dataset(const PrepareConfig& config, const PrepareProgress& progress) {
  check_options(config);
  const fs::path place =
      fs::path(config.to).has_filename() ? fs::path(config.to) : fs::path(config.to).parent_path();
  const Plan plan = survey(config, progress);
  DatasetInfo info;
  if (already_there(place, config, plan, info)) return info;

  NewDirectory directory(place);
  const auto tokenizer = make_tokenizer(config, plan, progress);
  info = DatasetInfo{};
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
  info.split_rule = kSplitRule;
  info.options = lasting_options(config);
  write_file_atomically(directory.path() / "dataset.json", dump_json(to_json(info), 2) + "\n");
  directory.commit();
  return info;
}

}  // namespace bitlaw
