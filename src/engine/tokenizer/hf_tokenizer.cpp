#include "tokenizer/hf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json_fields.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/hf_model.h"
#include "tokenizer/piece_cache.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/text_normalizer.h"

namespace bitlaw {
namespace {

const Json& field(const Json& document, const char* key) {
  static const Json null;
  const auto found = document.find(key);
  return found == document.end() ? null : *found;
}

struct ReadAddedTokens {
  std::vector<AddedToken> before, after;  // found before and after normalization
  std::map<std::string, int32_t> ids;     // of all
  std::set<int32_t> special;
};

ReadAddedTokens read_added_tokens(const JsonFields& document, const HfBpe& model,
                                  const TextNormalizer& normalizer) {
  ReadAddedTokens read;
  if (!document.has("added_tokens")) return read;
  for (size_t i = 0; i < document.list("added_tokens").size(); ++i) {
    const JsonFields token = document.item("added_tokens", i);
    const std::string& content = token.text("content");
    const int64_t id = token.whole("id");
    const int32_t known = model.id_of(content);
    if (content.empty()) token.fail("content", "is empty");
    if (id < 0 || id > kLargestTokenId) token.fail("id", fmt::format("{} is not an id", id));
    if (known >= 0 && known != id) {
      token.fail("id", fmt::format("is {}, and '{}' is {} in the vocabulary", id, content, known));
    }
    if (!read.ids.emplace(content, static_cast<int32_t>(id)).second)
      token.fail("content", fmt::format("'{}' appears twice", content));
    const bool special = token.truth("special", false);
    if (special) read.special.insert(static_cast<int32_t>(id));
    const bool normalized = token.truth("normalized", !special);
    AddedToken added{static_cast<int32_t>(id), normalized ? normalizer(content) : content,
                     token.truth("single_word", false), token.truth("lstrip", false),
                     token.truth("rstrip", false)};
    if (!added.content.empty()) (normalized ? read.after : read.before).push_back(std::move(added));
  }
  return read;
}

// The bytes of every token, by id.
std::vector<std::string> pieces_of(const HfBpe& model, const ReadAddedTokens& added,
                                   const std::string& file) {
  std::map<int32_t, const std::string*> owners;
  const auto own = [&](const std::string& token, int32_t id) {
    const auto [owner, is_new] = owners.emplace(id, &token);
    if (!is_new && *owner->second != token) {
      throw Error(fmt::format("{}: id {} belongs to both '{}' and '{}'", file, id,
                              std::min(*owner->second, token), std::max(*owner->second, token)));
    }
  };
  for (const auto& [token, id] : model.ids()) own(token, id);
  for (const auto& [token, id] : added.ids) own(token, id);

  // A few vocabularies have free ids (o200k: 19 of 200019); more than one in a hundred is damage.
  const int64_t size = owners.rbegin()->first + 1;
  const int64_t free = size - static_cast<int64_t>(owners.size());
  if (free * 100 > size) {
    int32_t first = 0;
    while (owners.contains(first)) ++first;
    throw Error(
        fmt::format("{}: {} of {} ids have no token (the first is {}); the vocabulary is "
                    "damaged",
                    file, free, size, first));
  }
  std::vector<std::string> pieces(static_cast<size_t>(size));
  for (const auto& [id, token] : owners) {
    if (added.special.contains(id)) continue;
    pieces[static_cast<size_t>(id)] = added.ids.contains(*token) ? *token : model.bytes_of(*token);
  }
  return pieces;
}

// The token that a TemplateProcessing puts in front of a text; -1: none.
int32_t template_begin(const JsonFields& processor, int depth = 0) {
  const std::string& type = processor.type();
  if (type == "Sequence" && depth < 8) {
    for (size_t i = 0; i < processor.list("processors").size(); ++i) {
      const int32_t id = template_begin(processor.item("processors", i), depth + 1);
      if (id >= 0) return id;
    }
  }
  if (type != "TemplateProcessing" || processor.list("single").empty()) return -1;
  const JsonFields first = processor.item("single", 0);
  if (!first.has("SpecialToken")) return -1;
  const std::string& name = first.object("SpecialToken").text("id");
  const JsonFields token = processor.object("special_tokens").object(name);
  const Json& ids = token.list("ids");
  if (ids.size() != 1 || !ids[0].is_number_integer() || ids[0].get<int64_t>() < 0 ||
      ids[0].get<int64_t>() > kLargestTokenId) {
    token.fail("ids", "is not a single token id");
  }
  return ids[0].get<int32_t>();
}

class HfTokenizer : public TextTokenizer {
 public:
  HfTokenizer(const Json& json, const std::string& file, const SpecialTokenNames& names)
      : normalizer_(field(json, "normalizer"), file),
        pretokenizer_(field(json, "pre_tokenizer"), file),
        model_(field(json, "model"), file, pretokenizer_.byte_level()) {
    const JsonFields document(json, file);
    ReadAddedTokens added = read_added_tokens(document, model_, normalizer_);
    pieces_ = pieces_of(model_, added, file);
    before_ = AddedTokens(std::move(added.before));
    after_ = AddedTokens(std::move(added.after));
    const int32_t begin =
        document.has("post_processor") ? template_begin(document.object("post_processor")) : -1;
    set_special_tokens(names, begin, -1, begin >= 0, [&](const std::string& token) {
      const auto found = added.ids.find(token);
      return found == added.ids.end() ? model_.id_of(token) : found->second;
    });
    text_size_ = static_cast<int>(pieces_.size());
    std::set<int32_t> beside;  // special tokens that are not in the vocabulary itself
    for (const auto& [token, id] : added.ids) {
      if (added.special.contains(id) && model_.id_of(token) < 0) beside.insert(id);
    }
    beside.erase(begin_token());
    beside.erase(end_token());
    while (text_size_ > 0 && beside.contains(text_size_ - 1)) --text_size_;
  }

  std::string kind() const override {
    return pretokenizer_.byte_level() ? "byte-level bpe" : "bpe";
  }
  int vocabulary_size() const override { return static_cast<int>(pieces_.size()); }
  int text_vocabulary_size() const override { return text_size_; }

 protected:
  const std::string& piece(int32_t token) const override {
    return pieces_[static_cast<size_t>(token)];
  }

  void append(std::string_view text, std::vector<int32_t>& tokens) const override {
    auto cache = caches_.take();
    PairMerges::Workspace workspace;
    const auto encode_new = [&](std::string_view piece, std::vector<int32_t>& out) {
      model_.encode(piece, out, workspace);
    };
    const PreTokenizer::Sink encode_piece = [&](std::string_view piece) {
      while (!piece.empty()) {
        const size_t length = model_.first_part(piece);
        cache->encode(piece.substr(0, length), tokens, encode_new);
        piece.remove_prefix(length);
      }
    };
    before_.split(text, [&](std::string_view stretch, int32_t id) {
      if (id >= 0) return tokens.push_back(id);
      const bool at_start = stretch.data() == text.data();
      std::string normalized;
      if (!normalizer_.identity()) stretch = normalized = normalizer_(stretch);
      after_.split(stretch, [&](std::string_view part, int32_t part_id) {
        if (part_id >= 0) return tokens.push_back(part_id);
        pretokenizer_.split(part, at_start && part.data() == stretch.data(), encode_piece);
      });
    });
    caches_.give_back(std::move(cache));
  }

 private:
  TextNormalizer normalizer_;
  PreTokenizer pretokenizer_;
  HfBpe model_;
  AddedTokens before_, after_;  // normalization
  std::vector<std::string> pieces_;
  int text_size_ = 0;
  mutable CachePool<int32_t> caches_;
};

}  // namespace

std::unique_ptr<TextTokenizer> parse_hf_tokenizer(const std::string& text, const std::string& file,
                                                  const SpecialTokenNames& names) {
  const Json document = parse_json(text, file);
  const JsonFields fields(document, file);
  fields.object("model");
  return std::make_unique<HfTokenizer>(document, file, names);
}

}  // namespace bitlaw
