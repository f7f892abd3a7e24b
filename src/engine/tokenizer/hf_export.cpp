#include "tokenizer/hf_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/piece_notation.h"
#include "tokenizer/sentencepiece_proto.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

Json special_token(int64_t id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

Json document_of(Json added, Json normalizer, Json pretokenizer, Json decoder, Json model) {
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    model[key] = nullptr;
  model["type"] = "BPE";
  model["ignore_merges"] = false;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", std::move(normalizer)},
          {"pre_tokenizer", std::move(pretokenizer)},
          {"post_processor", nullptr},
          {"decoder", std::move(decoder)},
          {"model", std::move(model)}};
}

Json byte_document() {
  Json vocabulary = Json::object();
  for (int byte = 0; byte < 256; ++byte)
    vocabulary[byte_level_characters()[static_cast<size_t>(byte)]] = byte;
  const Json byte_level{{"type", "ByteLevel"},
                        {"add_prefix_space", false},
                        {"trim_offsets", false},
                        {"use_regex", false}};
  return document_of({special_token(256, kByteEndToken)}, nullptr, byte_level, byte_level,
                     {{"unk_token", nullptr},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"vocab", vocabulary},
                      {"merges", Json::array()}});
}

// Pairs of pieces that make a piece, those that make the piece of the highest score first.
Json merges_of(const std::vector<SentencePiece>& pieces) {
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].type == PieceType::kNormal) ids.emplace(pieces[id].text, id);
  }
  struct Merge {
    float score;
    size_t merged;
    std::string_view left, right;
  };
  std::vector<Merge> merges;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].type != PieceType::kNormal) continue;
    const std::string_view text = pieces[id].text;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if ((text[cut] & 0xC0) == 0x80) continue;  // inside a character
      if (ids.contains(text.substr(0, cut)) && ids.contains(text.substr(cut)))
        merges.push_back({pieces[id].score, id, text.substr(0, cut), text.substr(cut)});
    }
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return a.score != b.score ? a.score > b.score : a.merged < b.merged;
  });
  Json list = Json::array();
  for (const Merge& merge : merges)
    list.push_back({std::string(merge.left), std::string(merge.right)});
  return list;
}

Json bpe_document(const SentencepieceModel& model) {
  Json vocabulary = Json::object(), added = Json::array();
  std::string unknown;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    vocabulary[piece.text] = id;
    if (piece.type == PieceType::kUnknown) unknown = piece.text;
    if (piece.type == PieceType::kUnknown || piece.type == PieceType::kControl)
      added.push_back(special_token(static_cast<int64_t>(id), piece.text));
  }
  const Json space{{"String", " "}}, mark{{"String", std::string(kSpaceMark)}};
  return document_of(
      added, {{"type", "Replace"}, {"pattern", space}, {"content", std::string(kSpaceMark)}},
      nullptr,
      {{"type", "Sequence"},
       {"decoders",
        {{{"type", "Replace"}, {"pattern", mark}, {"content", " "}},
         {{"type", "ByteFallback"}},
         {{"type", "Fuse"}}}}},
      {{"unk_token", unknown},
       {"fuse_unk", true},
       {"byte_fallback", true},
       {"vocab", vocabulary},
       {"merges", merges_of(model.pieces)}});
}

}  // namespace

SentencepieceModel exported_sentencepiece(const Tokenizer& tokenizer) {
  SentencepieceModel model = parse_sentencepiece_proto(tokenizer.bytes(), "the tokenizer");
  if (!model.is_bpe) {
    throw Error(
        "the tokenizer is a sentencepiece model of another kind than BPE, which cannot be "
        "exported; prepare data with tokenizer bpe or byte");
  }
  if (static_cast<int>(model.pieces.size()) != tokenizer.vocabulary_size())
    throw Error(
        "the tokenizer's file is damaged; move the run's directory away and repeat the `bitlaw "
        "train` that made it");
  for (const SentencePiece& piece : model.pieces) {
    if (piece.type == PieceType::kUserDefined || piece.type == PieceType::kUnused) {
      throw Error(
          fmt::format("the tokenizer's piece '{}' is user-defined or unused, which cannot "
                      "be exported; prepare data with tokenizer bpe or byte",
                      piece.text));
    }
  }
  return model;
}

std::string hf_tokenizer_json(const Tokenizer& tokenizer) {
  const bool bytes = tokenizer.kind() == "byte";
  return dump_json(bytes ? byte_document() : bpe_document(exported_sentencepiece(tokenizer)), 1) +
         "\n";
}

std::string hf_tokenizer_config(const Tokenizer& tokenizer, int64_t context) {
  // PreTrainedTokenizerFast would also give token_type_ids, which Llama's forward() refuses, and
  // llama.cpp's converter a space in front of every text.
  Json config{{"tokenizer_class", "PreTrainedTokenizerFast"},
              {"model_input_names", {"input_ids", "attention_mask"}},
              {"add_prefix_space", false},
              {"add_bos_token", false},
              {"add_eos_token", false},
              {"clean_up_tokenization_spaces", false},
              {"model_max_length", context}};
  if (tokenizer.kind() == "byte") {
    config["eos_token"] = kByteEndToken;
  } else {
    const SentencepieceModel model = exported_sentencepiece(tokenizer);
    config["eos_token"] = model.pieces[tokenizer.end_of_document()].text;
    for (const SentencePiece& piece : model.pieces) {
      if (piece.type == PieceType::kUnknown) config["unk_token"] = piece.text;
    }
  }
  // The token that ends a document also begins the next one and fills a batch.
  config["bos_token"] = config["pad_token"] = config["eos_token"];
  return dump_json(config, 2) + "\n";
}

}  // namespace bitlaw
