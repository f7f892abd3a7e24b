#include "quantize/checkpoint_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "data/documents.h"
#include "data/loader.h"
#include "data/text_files.h"

namespace bitlaw {
namespace {

// A smaller share of the text is said; half is meant.
constexpr double kLeastPart = 0.25;

struct Parts {
  std::vector<std::string> evaluation, calibration;  // texts in the order of their groups
  std::vector<std::string> notes;
};

// Equal documents once; whole groups of documents with the same letters and digits to one part.
Parts split_documents(const std::vector<std::string>& roots, const std::string& key) {
  struct Text {
    std::string text, group;
  };
  std::vector<Text> texts;
  std::unordered_set<std::string> seen;
  std::map<std::string, size_t> group_bytes;  // in the order of hashes
  size_t total = 0;
  const DocumentCallback take = [&](Document&& document) {
    if (!seen.insert(hash_hex(document.text)).second) return;
    Text text{std::move(document.text), {}};
    text.group = hash_hex(letters_and_digits(text.text));
    group_bytes[text.group] += text.text.size();
    total += text.text.size();
    texts.push_back(std::move(text));
  };
  const ReadCounts counts = read_documents(roots, take, key);
  if (group_bytes.size() < 2) {
    throw Error(fmt::format(
        "{}: has {} distinct document{}, but calibration and evaluation need one each; give "
        "more (a .txt file is one, a line of JSONL is one)",
        fmt::join(roots, ", "), group_bytes.size(), group_bytes.size() == 1 ? "" : "s"));
  }
  std::unordered_set<std::string> evaluated;
  size_t taken = 0;
  for (const auto& [group, bytes] : group_bytes) {
    if (evaluated.size() + 1 == group_bytes.size() || 2 * taken >= total) break;
    evaluated.insert(group);
    taken += bytes;
  }
  std::stable_sort(texts.begin(), texts.end(),
                   [](const Text& a, const Text& b) { return a.group < b.group; });
  Parts parts;
  if (std::string others = left_out_sentence(counts.other_files); !others.empty())
    parts.notes.push_back(std::move(others));
  const double share = static_cast<double>(taken) / static_cast<double>(total);
  if (share < kLeastPart || share > 1 - kLeastPart) {
    parts.notes.push_back(fmt::format(
        "evaluation has {:.0f} % of the text and calibration the rest: documents are split as a "
        "whole, and there are {}; cut long ones into several, or add others",
        100 * share, group_bytes.size()));
  }
  for (Text& text : texts) {
    (evaluated.contains(text.group) ? parts.evaluation : parts.calibration)
        .push_back(std::move(text.text));
  }
  return parts;
}

// A fixed sample of windows, `count` tokens of the first `most` (0: all).
TextWindows cut(const std::vector<std::string>& texts, const TextTokenizer& tokenizer,
                int64_t sequence, int64_t most, int64_t count, const char* part) {
  const int32_t between =
      tokenizer.end_token() >= 0 ? tokenizer.end_token() : tokenizer.begin_token();
  const int64_t most_windows = most == 0 ? INT64_MAX : (most + sequence - 1) / sequence;
  const auto enough = [&](size_t tokens) {
    return static_cast<int64_t>(tokens - 1) / sequence >= most_windows;
  };
  std::vector<int32_t> tokens;
  std::vector<int64_t> starts;  // of documents
  for (const std::string& text : texts) {
    if (!tokens.empty()) {
      if (enough(tokens.size())) break;
      if (between >= 0) tokens.push_back(between);
    }
    starts.push_back(static_cast<int64_t>(tokens.size()));
    const std::vector<int32_t> encoded =
        tokenizer.encode(text, tokenizer.adds_begin() && tokenizer.begin_token() != between);
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  }
  const int64_t windows =
      std::min(most_windows, (static_cast<int64_t>(tokens.size()) - 1) / sequence);
  if (tokens.empty() || windows < 1) {
    throw Error(fmt::format(
        "the text for {} has {} tokens, but one window needs {}; give more text or a shorter "
        "--sequence",
        part, tokens.size(), sequence + 1));
  }
  TextWindows out;
  out.sequence = sequence;
  double bytes = 0;
  for (const int64_t w : fixed_sample(windows, (count + sequence - 1) / sequence)) {
    const int64_t begin = w * sequence;
    out.tokens.insert(out.tokens.end(), tokens.begin() + begin,
                      tokens.begin() + begin + sequence + 1);
    out.cluster.push_back(std::upper_bound(starts.begin(), starts.end(), begin) - starts.begin());
    for (int64_t t = 1; t <= sequence; ++t) {
      bytes +=
          static_cast<double>(tokenizer.token_bytes(tokens[static_cast<size_t>(begin + t)]).size());
    }
  }
  out.bytes_per_token = bytes / static_cast<double>(out.targets());
  out.clustered_by = "document";
  if (out.cluster.front() == out.cluster.back()) {
    std::iota(out.cluster.begin(), out.cluster.end(), 0);
    out.clustered_by = "window";
  }
  return out;
}

}  // namespace

std::string TextWindows::hash() const {
  Hasher hasher;
  hasher.update(std::to_string(sequence) + ":");
  hasher.update({reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(int32_t)});
  hasher.update({reinterpret_cast<const char*>(cluster.data()), cluster.size() * sizeof(int64_t)});
  hasher.update({reinterpret_cast<const char*>(&bytes_per_token), sizeof bytes_per_token});
  return hasher.hex();
}

TextWindows CheckpointText::calibration_windows(int64_t tokens, uint64_t seed) const {
  BITLAW_CHECK(tokens > 0);
  const int64_t T = calibration.sequence;
  const int64_t wanted = std::min(calibration.size(), (tokens + T - 1) / T);
  TextWindows out;
  out.sequence = T;
  out.clustered_by = calibration.clustered_by;
  out.bytes_per_token = calibration.bytes_per_token;
  for (int64_t i = 0; i < wanted; ++i) {
    const int64_t from = permuted(seed, 0, i, calibration.size());
    const std::span<const int32_t> window = calibration.window(from);
    out.tokens.insert(out.tokens.end(), window.begin(), window.end());
    out.cluster.push_back(calibration.cluster[static_cast<size_t>(from)]);
  }
  return out;
}

double CheckpointText::calibration_share(int64_t tokens) const {
  const int64_t T = calibration.sequence;
  const auto wanted = static_cast<double>((tokens + T - 1) / T);
  return std::min(1.0, wanted / static_cast<double>(calibration.size()));
}

CheckpointText read_checkpoint_text(const CheckpointTextOptions& options,
                                    const TextTokenizer& tokenizer) {
  BITLAW_CHECK(options.sequence > 0 && options.calibration_tokens > 0);
  const Parts parts = split_documents(options.roots, options.key);
  // At most 1e15 tokens are asked for (config.cpp), so these products do not overflow.
  return {cut(parts.evaluation, tokenizer, options.sequence, kTextPool * options.evaluation_tokens,
              options.evaluation_tokens, "evaluation"),
          cut(parts.calibration, tokenizer, options.sequence,
              kTextPool * options.calibration_tokens, 0, "calibration"),
          parts.notes};
}

}  // namespace bitlaw
