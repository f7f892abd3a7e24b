// Which documents of a text are training and which are validation, decided in a first reading that
// keeps no text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/documents.h"
#include "data/prepare.h"

namespace bitlaw {

// All sources are represented in proportion, and the order of validation is that of the hashes, not
// of the files: any first part of it is a random sample.
inline constexpr const char* kSplitRule =
    "whole documents, by the hash of their lower-case letters and digits: the smallest hashes of "
    "each source are validation, in the order of these hashes, until they hold "
    "validation_fraction of the bytes; of equal documents the first is kept; validation text that "
    "training also has in strings of near_duplicate_tokens is dropped";

// In a text of few documents the rule above may take one that is much longer than all of validation
// should be. There, documents of all sources are taken by size as well.
inline constexpr const char* kFewDocumentsRule =
    "whole documents, few or long ones: in the order of the hashes of their lower-case letters and "
    "digits, those that still fit into validation_fraction of the bytes, and one more if that "
    "comes "
    "closer to it; of equal documents the first is kept; validation text that training also has in "
    "strings of near_duplicate_tokens is dropped";
// Which rule holds: validation is off by more than this share of validation_fraction by the first.
inline constexpr double kMostOff = 0.25;

// What is remembered of a document between the two readings of the text.
struct Entry {
  std::string hash;   // of the text
  std::string group;  // of its letters and digits: documents of one group stay on one side
  int64_t bytes = 0;
  size_t source = 0;  // index into SplitPlan::sources
  bool duplicate = false;
  bool validation = false;
};

struct SplitPlan {
  std::vector<Entry> entries;  // in reading order
  ReadCounts counts;
  std::string source_hash;
  int64_t duplicates = 0;
  std::string rule = kSplitRule;
  std::vector<std::string> sources;  // names by size, the smaller ones as kOtherSources
};

inline constexpr size_t kMostSources = 32;
inline constexpr const char* kOtherSources = "(others)";

// Error for text that cannot be read, and for fewer than two distinct documents.
SplitPlan plan_split(const PrepareConfig& config);

// Reads the text again and hands on the documents that are kept, with their entries. Error if the
// text has changed.
void reread(const PrepareConfig& config, const SplitPlan& plan,
            const std::function<void(const Entry&, std::string&& text)>& callback);

}  // namespace bitlaw
