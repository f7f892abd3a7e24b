#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/checksum.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Version 1 had no sources, and its validation was in the order of the files, near-duplicates and
// all. It can be read.
constexpr int kDatasetVersion = 2;
constexpr int kOldestDatasetVersion = 1;

std::vector<fs::path> shard_paths(const fs::path& directory, const SplitInfo& split,
                                  const std::string& where) {
  std::vector<fs::path> paths;
  for (const std::string& name : split.shards) {
    if (name.empty() || fs::path(name).filename() != name) {
      throw Error(fmt::format(
          "{}: the shard name `{}` is not a plain file name; prepare the data set again", where,
          name));
    }
    paths.push_back(directory / name);
  }
  return paths;
}

// Here rather than where it is first used, at the end of a training run. By its hash: sentencepiece
// is not made for damaged files.
void check_tokenizer(const DatasetInfo& info, const fs::path& directory) {
  if (info.synthetic) return;  // has none
  const fs::path path = directory / "tokenizer.model";
  if (hash_hex(read_file(path)) == info.tokenizer_hash) return;
  throw Error(fmt::format(
      "{}: not the tokenizer that made this data set; copy or prepare the data set again",
      path.string()));
}

void check_split(const TokenSet& tokens, const SplitInfo& split, const char* name,
                 const fs::path& directory) {
  if (tokens.size() != split.tokens || tokens.hash() != split.hash) {
    throw Error(
        fmt::format("{}: the {} shards are not the ones that dataset.json describes ({} tokens "
                    "there, {} here); "
                    "copy or prepare the data set again",
                    directory.string(), name, split.tokens, tokens.size()));
  }
}

// Shards in a directory that bitlaw did not prepare: train.bin, train_000001.bin,
// fineweb_train_000001.bin.
std::vector<std::string> find_shards(const fs::path& directory, const std::string& split) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with(split) || name.find("_" + split) != std::string::npos;
    if (ours && name.ends_with(".bin")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Json to_json(const DatasetInfo& info) {
  Json document = struct_to_json(info);
  document["version"] = kDatasetVersion;
  return document;
}

DatasetInfo read_dataset_info(const Json& document, const std::string& where) {
  try {
    const JsonFields fields(document, where);
    require_checksum(document, where);
    const int64_t version = fields.whole("version");
    if (version < kOldestDatasetVersion || version > kDatasetVersion)
      fields.refuse("version", fmt::format("{} to {}", kOldestDatasetVersion, kDatasetVersion));
    const auto info = struct_from_json<DatasetInfo>(fields);
    for (const SplitInfo* split : {&info.train, &info.validation}) {
      if (std::min({split->tokens, split->documents, split->bytes}) < 0)
        throw Error(where + ": a count of tokens, documents or bytes is negative");
    }
    if (info.vocabulary < 1 || info.vocabulary > kLargestVocabulary || info.end_of_document < -1 ||
        info.end_of_document >= info.vocabulary) {
      throw Error(fmt::format("{}: a vocabulary of {} cannot have end token {}", where,
                              info.vocabulary, info.end_of_document));
    }
    return info;
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; prepare the data set again");
  }
}

namespace {

double percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// What each source gives, as a table.
std::string composition(const DatasetInfo& info) {
  size_t width = 6;
  for (const SourceInfo& source : info.sources) width = std::max(width, source.name.size());
  std::string text = fmt::format("\n{:<{}} {:>17} {:>17} {:>9}\n", "source", width,
                                 "training tokens", "validation tokens", "dropped");
  const auto tokens = [](int64_t part, int64_t whole) {
    return fmt::format("{} {:>6.1f} %", format_count(static_cast<double>(part)),
                       percent(part, whole));
  };
  for (const SourceInfo& source : info.sources) {
    text += fmt::format(
        "{:<{}} {:>17} {:>17} {:>7.1f} %\n", source.name, width,
        tokens(source.train_tokens, info.train.tokens),
        tokens(source.validation_tokens, info.validation.tokens),
        percent(source.dropped_tokens, source.validation_tokens + source.dropped_tokens));
  }
  return text;
}

std::string describe(const NearDuplicates& found, int64_t validation_tokens) {
  if (found.string_tokens == 0) return "near-duplicates of training text were not looked for";
  const int64_t before = validation_tokens + found.dropped_tokens;
  return fmt::format(
      "{:.1f} % of validation: lines in {} documents ({} whole) with strings of {} tokens that "
      "training also has, {:.1f} % by themselves",
      percent(found.dropped_tokens, before), found.documents, found.whole_documents,
      found.string_tokens, percent(found.shared_tokens, before));
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// "" if the source gives to validation about what it gives to training, or little to both.
std::string unequal_shares(const SourceInfo& source, const DatasetInfo& info) {
  constexpr double kLittle = 0.01, kTimes = 5;
  const double train = share(source.train_tokens, info.train.tokens);
  const double validation = share(source.validation_tokens, info.validation.tokens);
  if (std::max(train, validation) < kLittle ||
      (train <= kTimes * validation && validation <= kTimes * train))
    return "";
  return fmt::format(
      "{} is {:.1f} % of training and {:.1f} % of validation: validation losses {}; documents are "
      "split as a whole, so a source needs many of them",
      source.name, 100 * train, 100 * validation,
      train > validation ? "hardly see it" : "are much about it");
}

// "" if validation has about the share of the text that was asked for.
std::string missed_share(const DatasetInfo& info) {
  constexpr double kFactor = 1.5;
  if (!info.options.is_object() || !info.options.contains("validation_fraction")) return "";
  const Json& fraction = info.options.at("validation_fraction");
  if (!fraction.is_number()) return "";
  const auto asked = fraction.get<double>();
  const int64_t dropped = info.near_duplicates ? info.near_duplicates->dropped_tokens : 0;
  const int64_t validation = info.validation.tokens + dropped;
  const double share_given = share(validation, info.train.tokens + validation);
  if (share_given <= kFactor * asked && asked <= kFactor * share_given) return "";
  return fmt::format(
      "validation has {:.1f} % of the text where {:.1f} % was asked for: documents are split as a "
      "whole, and there are {}; cut long ones into several, or add others",
      100 * share_given, 100 * asked, info.train.documents + info.validation.documents);
}

}  // namespace

std::vector<std::string> warnings(const DatasetInfo& info) {
  constexpr double kMuchDropped = 0.5, kMuchInvalid = 1e-3;
  std::vector<std::string> out = info.notes;
  if (std::string sentence = missed_share(info); !sentence.empty())
    out.push_back(std::move(sentence));
  constexpr size_t kMostUnequal = 2;  // named one by one
  std::vector<std::string> unequal;
  for (const SourceInfo& source : info.sources) {
    if (std::string sentence = unequal_shares(source, info); !sentence.empty())
      unequal.push_back(std::move(sentence));
  }
  if (unequal.size() > kMostUnequal) {
    unequal.front() += fmt::format(" ({} other sources are as unequal)", unequal.size() - 1);
    unequal.resize(1);
  }
  std::move(unequal.begin(), unequal.end(), std::back_inserter(out));
  for (const SourceInfo& source : info.sources) {
    const double dropped =
        share(source.dropped_tokens, source.validation_tokens + source.dropped_tokens);
    if (dropped >= kMuchDropped) {
      out.push_back(fmt::format("{} lost {:.1f} % of its validation text, which training also has",
                                source.name, 100 * dropped));
    }
  }
  const double invalid = share(info.invalid_bytes, info.train.bytes + info.validation.bytes);
  if (invalid >= kMuchInvalid) {
    out.push_back(fmt::format(
        "{:.2g} % of the bytes are no UTF-8 and were replaced: is there a binary file among the "
        "text, or another encoding?",
        100 * invalid));
  }
  return out;
}

std::string describe(const DatasetInfo& info) {
  const auto line = [](const char* name, const SplitInfo& split) {
    std::string text =
        fmt::format("{:<11} {} tokens", name, format_count(static_cast<double>(split.tokens)));
    if (split.bytes > 0) {
      text += fmt::format(", {} documents, {}, {:.3f} bytes per token", split.documents,
                          format_bytes(static_cast<double>(split.bytes)),
                          static_cast<double>(split.bytes) / static_cast<double>(split.tokens));
    }
    return text + "\n";
  };
  std::string text = line("train", info.train) + line("validation", info.validation);
  text +=
      fmt::format("{:<11} {}, vocabulary {}\n", "tokenizer", info.tokenizer_kind, info.vocabulary);
  if (info.duplicates > 0)
    text += fmt::format("{:<11} {} duplicate documents\n", "left out", info.duplicates);
  if (info.invalid_bytes > 0)
    text += fmt::format("{:<11} {} bytes of invalid UTF-8\n", "replaced", info.invalid_bytes);
  if (info.near_duplicates) {
    text += fmt::format("{:<11} {}\n", "dropped",
                        describe(*info.near_duplicates, info.validation.tokens));
  } else if (info.synthetic) {
    text += fmt::format(
        "{:<11} {:.6f} nats per token, the least loss of sequences of whole documents ({} tokens "
        "each)\n",
        "entropy", info.synthetic->entropy_rate, info.synthetic->document_tokens);
  } else if (info.train.documents > 0) {
    text += fmt::format(
        "{:<11} an earlier version prepared it: validation is in the order of its "
        "files, with near-duplicates of training text\n",
        "note");
  }
  text += fmt::format("{:<11} {}\n", "hash", info.hash);
  return info.sources.empty() ? text : text + composition(info);
}

Dataset Dataset::open(const fs::path& directory, int expected_vocabulary) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    throw Error(fmt::format("{}: no data set there; prepare one with `bitlaw data prepare`",
                            directory.string()));
  }
  Dataset set;
  set.directory_ = directory;
  DatasetInfo& info = set.info_;
  const fs::path description = directory / "dataset.json";
  const std::string where = description.string();
  const bool described = fs::exists(description, error);
  if (described) {
    info = read_dataset_info(parse_json(read_file(description), where), where);
    if (expected_vocabulary != 0 && expected_vocabulary != info.vocabulary) {
      throw Error(
          fmt::format("{}: the vocabulary is {} but the model has {}; set the vocabulary of a new "
                      "model to {}, or give the data set that this one was trained on, with {}",
                      directory.string(), info.vocabulary, expected_vocabulary, info.vocabulary,
                      expected_vocabulary));
    }
  } else {
    info.tokenizer_kind = "unknown";
    info.vocabulary = expected_vocabulary;
    info.train.shards = find_shards(directory, "train");
    info.validation.shards = find_shards(directory, "val");
    if (info.train.shards.empty() || info.validation.shards.empty()) {
      throw Error(
          fmt::format("{}: no dataset.json and no {} shard (*.bin) there; prepare one with `bitlaw "
                      "data prepare`",
                      directory.string(), info.train.shards.empty() ? "train" : "val"));
    }
    if (expected_vocabulary < 1 || expected_vocabulary > kLargestVocabulary) {
      throw Error(fmt::format("{}: without dataset.json the vocabulary must be given, 1 to {}",
                              directory.string(), kLargestVocabulary));
    }
  }

  set.train_ = TokenSet::open(shard_paths(directory, info.train, where));
  set.validation_ = TokenSet::open(shard_paths(directory, info.validation, where));
  if (described) {
    check_split(set.train_, info.train, "training", directory);
    check_split(set.validation_, info.validation, "validation", directory);
    check_tokenizer(info, directory);
  } else {
    info.train.tokens = set.train_.size();
    info.validation.tokens = set.validation_.size();
    info.train.hash = set.train_.hash();
    info.validation.hash = set.validation_.hash();
    info.hash = hash_hex(info.train.hash + info.validation.hash);
  }
  set.train_.check_vocabulary(info.vocabulary);
  set.validation_.check_vocabulary(info.vocabulary);
  return set;
}

double Dataset::bytes_per_token() const {
  if (info_.validation.tokens == 0) return 0;
  return static_cast<double>(info_.validation.bytes) / static_cast<double>(info_.validation.tokens);
}

std::unique_ptr<Tokenizer> Dataset::tokenizer() const {
  const fs::path path = directory_ / "tokenizer.model";
  return load_tokenizer(path);
}

}  // namespace bitlaw
