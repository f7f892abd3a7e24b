#include "tokenizer/sentencepiece_tokenizer.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/hf_model.h"
#include "tokenizer/piece_cache.h"
#include "tokenizer/piece_notation.h"
#include "tokenizer/sentencepiece_load.h"
#include "tokenizer/tokenizer.h"

namespace bitlaw {
namespace {

class SentencepieceTokenizer : public TextTokenizer {
 public:
  SentencepieceTokenizer(const std::string& bytes, const std::string& file,
                         const SpecialTokenNames& names) {
    if (!load_sentencepiece(bytes, model_)) {
      throw Error(fmt::format(
          "{}: not a sentencepiece model, or damaged; copy the checkpoint's again", file));
    }
    pieces_.resize(static_cast<size_t>(model_.GetPieceSize()));
    for (int id = 0; id < model_.GetPieceSize(); ++id) {
      if (model_.IsControl(id) || model_.IsUnknown(id)) continue;
      const std::string& piece = model_.IdToPiece(id);
      const auto byte = model_.IsByte(id) ? byte_of_piece(piece) : std::nullopt;
      pieces_[static_cast<size_t>(id)] =
          byte ? std::string(1, static_cast<char>(*byte)) : without_marks(piece);
    }
    prepare_fast_way(bytes, file);
    set_special_tokens(names, model_.bos_id(), model_.eos_id(), false,
                       [&](const std::string& name) {
                         const int id = model_.PieceToId(name);
                         return model_.IsUnknown(id) && model_.IdToPiece(id) != name ? -1 : id;
                       });
  }

  std::string kind() const override { return "sentencepiece"; }
  int vocabulary_size() const override { return static_cast<int>(pieces_.size()); }

 protected:
  const std::string& piece(int32_t token) const override {
    return pieces_[static_cast<size_t>(token)];
  }
  void append(std::string_view text, std::vector<int32_t>& tokens) const override {
    if (fast_) return append_fast(text, tokens);
    const std::vector<int> ids = encode_sentencepiece(model_, text);
    tokens.insert(tokens.end(), ids.begin(), ids.end());
  }

 private:
  void prepare_fast_way(const std::string& bytes, const std::string& file) {
    const SentencepieceModel model = parse_sentencepiece_proto(bytes, file);
    if (model.changes_characters || !model.plain_spaces) return;
    dummy_prefix_ = model.dummy_prefix;
    std::vector<AddedToken> whole;
    for (size_t id = 0; id < model.pieces.size(); ++id) {
      const auto& [text, score, type] = model.pieces[id];
      if (type != PieceType::kUserDefined) continue;
      if (text.find(kSpaceMark) != std::string::npos || text.find(' ') != std::string::npos) return;
      whole.push_back({static_cast<int32_t>(id), text});
    }
    user_defined_ = AddedTokens(std::move(whole));
    fast_ = HfBpe::of_sentencepiece(model);
  }

  void append_fast(std::string_view text, std::vector<int32_t>& tokens) const {
    if (text.empty()) return;
    std::string marked(dummy_prefix_ ? kSpaceMark : "");
    for (const char c : text) c == ' ' ? marked += kSpaceMark : marked += c;
    auto cache = caches_.take();
    PairMerges::Workspace workspace;
    const auto encode_new = [&](std::string_view piece, std::vector<int32_t>& out) {
      fast_->encode(piece, out, workspace);
    };
    user_defined_.split(marked, [&](std::string_view rest, int32_t id) {
      if (id >= 0) return tokens.push_back(id);
      while (!rest.empty()) {
        const size_t length = fast_->first_part(rest);
        cache->encode(rest.substr(0, length), tokens, encode_new);
        rest.remove_prefix(length);
      }
    });
    caches_.give_back(std::move(cache));
  }

  sentencepiece::SentencePieceProcessor model_;
  std::vector<std::string> pieces_;  // the bytes of each token
  std::optional<HfBpe> fast_;        // if it gives the same tokens
  AddedTokens user_defined_;         // taken out of the text before
  bool dummy_prefix_ = false;
  mutable CachePool<int32_t> caches_;
};

class Bytes : public TextTokenizer {
 public:
  Bytes() : model_(byte_tokenizer()) {
    set_special_tokens({}, -1, model_->end_of_document(), false, [](const auto&) { return -1; });
  }
  std::string kind() const override { return "byte"; }
  int vocabulary_size() const override { return model_->vocabulary_size(); }

 protected:
  const std::string& piece(int32_t token) const override {
    return model_->token_bytes(static_cast<Token>(token));
  }
  void append(std::string_view text, std::vector<int32_t>& tokens) const override {
    for (const Token token : model_->encode(text)) tokens.push_back(token);
  }

 private:
  std::unique_ptr<Tokenizer> model_;
};

}  // namespace

std::unique_ptr<TextTokenizer> parse_sentencepiece(const std::string& bytes,
                                                   const std::string& file,
                                                   const SpecialTokenNames& names) {
  if (bytes == byte_tokenizer()->bytes()) return std::make_unique<Bytes>();
  return std::make_unique<SentencepieceTokenizer>(bytes, file, names);
}

}  // namespace bitlaw
