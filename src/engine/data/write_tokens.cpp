#include "data/write_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "data/near_duplicates.h"
#include "data/split_writer.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBatchBytes = 4 << 20;  // encoded at a time, on all threads
// A byte tells less than a token of a vocabulary: this many count as one.
constexpr int64_t kBytesForAToken = 4;

// Documents of validation, without end tokens.
struct HeldOut {
  std::vector<const Entry*> entries;
  std::vector<std::vector<Token>> tokens;
};

class TokenWriter {
 public:
  TokenWriter(const PrepareConfig& config, const SplitPlan& plan, const Tokenizer& tokenizer,
              const fs::path& directory, DatasetInfo& info, const PrepareProgress& progress)
      : config_(config),
        plan_(plan),
        tokenizer_(tokenizer),
        directory_(directory),
        info_(info),
        progress_(progress),
        pool_(config.threads > 0 ? config.threads : hardware_threads()) {
    for (const std::string& name : plan.sources) info_.sources.push_back({.name = name});
  }

  void run() {
    HeldOut held_out = write_training();
    sort_by_hash(held_out);
    drop_near_duplicates(held_out);
    write_validation(held_out);
  }

 private:
  SourceInfo& source_of(const Entry& entry) { return info_.sources[entry.source]; }

  // Encodes the text some megabytes at a time; writes training documents in their order and returns
  // the others.
  HeldOut write_training() {
    SplitWriter writer(directory_, "train", config_.shard_tokens);
    HeldOut held_out;
    int64_t total = 0, done = 0, waiting = 0;
    for (const Entry& entry : plan_.entries) total += entry.duplicate ? 0 : entry.bytes;
    std::vector<std::pair<const Entry*, std::string>> batch;
    const auto flush = [&] {
      std::vector<std::vector<Token>> tokens(batch.size());
      pool_.parallel_for(static_cast<int64_t>(batch.size()), [&](int64_t i, int) {
        tokens[static_cast<size_t>(i)] = tokenizer_.encode(batch[static_cast<size_t>(i)].second);
      });
      for (size_t i = 0; i < batch.size(); ++i) {
        const Entry& entry = *batch[i].first;
        if (entry.validation) {
          held_out.entries.push_back(&entry);
          held_out.tokens.push_back(std::move(tokens[i]));
          continue;
        }
        tokens[i].push_back(tokenizer_.end_of_document());
        writer.add_document(tokens[i], entry.bytes);
        ++source_of(entry).train_documents;
        source_of(entry).train_tokens += static_cast<int64_t>(tokens[i].size());
      }
      done += waiting;
      waiting = 0;
      batch.clear();
      if (progress_)
        progress_("writing tokens", static_cast<double>(done) / static_cast<double>(total));
    };
    reread(config_, plan_, [&](const Entry& entry, std::string&& text) {
      batch.emplace_back(&entry, std::move(text));
      waiting += entry.bytes;
      if (waiting >= kBatchBytes) flush();
    });
    flush();
    info_.train = writer.finish();
    return held_out;
  }

  // Documents of one group keep their reading order.
  static void sort_by_hash(HeldOut& held_out) {
    std::vector<size_t> order(held_out.entries.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return held_out.entries[a]->group < held_out.entries[b]->group;
    });
    HeldOut sorted;
    for (const size_t i : order) {
      sorted.entries.push_back(held_out.entries[i]);
      sorted.tokens.push_back(std::move(held_out.tokens[i]));
    }
    held_out = std::move(sorted);
  }

  void drop_near_duplicates(HeldOut& held_out) {
    NearDuplicates& found = info_.near_duplicates.emplace();
    found.string_tokens =
        config_.near_duplicate_tokens * (tokenizer_.kind() == "byte" ? kBytesForAToken : 1);
    if (found.string_tokens == 0) return;
    if (progress_) progress_("comparing validation with training", 0);
    std::vector<fs::path> shards;
    for (const std::string& name : info_.train.shards) shards.push_back(directory_ / name);
    const std::vector<Removal> removals = remove_near_duplicates(
        TokenSet::open(shards), tokenizer_, found.string_tokens, held_out.tokens, pool_);
    for (size_t d = 0; d < removals.size(); ++d) {
      if (removals[d].removed == 0) continue;
      ++found.documents;
      found.whole_documents += held_out.tokens[d].empty();
      found.shared_tokens += removals[d].shared;
      found.dropped_tokens += removals[d].removed;
      source_of(*held_out.entries[d]).dropped_tokens += removals[d].removed;
    }
    if (progress_) progress_("comparing validation with training", 1);
  }

  void write_validation(HeldOut& held_out) {
    SplitWriter writer(directory_, "val", config_.shard_tokens);
    for (size_t d = 0; d < held_out.entries.size(); ++d) {
      std::vector<Token>& tokens = held_out.tokens[d];
      if (tokens.empty()) continue;
      const auto bytes = static_cast<int64_t>(tokenizer_.decode(tokens).size());
      tokens.push_back(tokenizer_.end_of_document());
      writer.add_document(tokens, bytes);
      SourceInfo& source = source_of(*held_out.entries[d]);
      ++source.validation_documents;
      source.validation_tokens += static_cast<int64_t>(tokens.size());
    }
    info_.validation = writer.finish();
    if (info_.validation.documents == 0) {
      throw Error(fmt::format(
          "nothing is left of the validation text: every part of it stands in the training text, "
          "too, in strings of {} tokens; add other text, or keep it with near_duplicate_tokens = 0",
          info_.near_duplicates->string_tokens));
    }
  }

  const PrepareConfig& config_;
  const SplitPlan& plan_;
  const Tokenizer& tokenizer_;
  const fs::path& directory_;
  DatasetInfo& info_;
  const PrepareProgress& progress_;
  ThreadPool pool_;
};

}  // namespace

void write_tokens(const PrepareConfig& config, const SplitPlan& plan, const Tokenizer& tokenizer,
                  const fs::path& directory, DatasetInfo& info, const PrepareProgress& progress) {
  TokenWriter(config, plan, tokenizer, directory, info, progress).run();
}

}  // namespace bitlaw
