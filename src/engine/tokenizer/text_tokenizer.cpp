#include "tokenizer/text_tokenizer.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/known_content.h"
#include "tokenizer/hf_tokenizer.h"
#include "tokenizer/sentencepiece_tokenizer.h"
#include "tokenizer/utf8.h"

namespace bitlaw {

namespace fs = std::filesystem;

std::vector<int32_t> TextTokenizer::encode(std::string_view text, bool with_begin) const {
  std::vector<int32_t> tokens;
  if (with_begin) {
    if (begin_ < 0) throw Error("this tokenizer has no begin token; encode without one");
    tokens.push_back(begin_);
  }
  int64_t invalid = 0;
  const std::string valid = valid_utf8(text, &invalid);
  append(invalid > 0 ? valid : text, tokens);
  return tokens;
}

const std::string& TextTokenizer::token_bytes(int32_t token) const {
  if (token < 0 || token >= vocabulary_size()) {
    throw Error(fmt::format(
        "token {} is beyond the vocabulary of {}; these tokens come from another tokenizer", token,
        vocabulary_size()));
  }
  return piece(token);
}

void TextTokenizer::set_special_tokens(const SpecialTokenNames& names, int32_t own_begin,
                                       int32_t own_end, bool own_adds_begin,
                                       const std::function<int32_t(const std::string&)>& id_of) {
  const auto choose = [&](const std::string& name, int32_t own, int32_t model_id) {
    const int32_t named = name.empty() ? -1 : id_of(name);
    for (const int32_t id : {named, own, model_id}) {
      if (id >= 0 && id < vocabulary_size()) return id;
    }
    return -1;
  };
  begin_ = choose(names.begin, own_begin, names.begin_id);
  end_ = choose(names.end, own_end, names.end_id);
  adds_begin_ = names.adds_begin.value_or(own_adds_begin) && begin_ >= 0;
}

std::unique_ptr<TextTokenizer> load_text_tokenizer(const fs::path& directory) {
  const SpecialTokenNames names = read_special_token_names(directory);
  const fs::path json = directory / "tokenizer.json", model = directory / "tokenizer.model";
  const auto read = [](const fs::path& file) {
    std::string bytes = read_file(file);
    const std::string known = known_content(bytes);
    if (!known.empty()) throw Error(fmt::format("{}: {}", file.string(), known));
    return bytes;
  };
  if (fs::exists(json)) return parse_hf_tokenizer(read(json), json.string(), names);
  if (fs::exists(model)) return parse_sentencepiece(read(model), model.string(), names);
  throw Error(
      fmt::format("{}: has no tokenizer.json or tokenizer.model; copy the checkpoint's "
                  "tokenizer into it",
                  directory.string()));
}

void require_vocabulary(const TextTokenizer& tokenizer, int64_t vocabulary) {
  const int64_t tokens = tokenizer.vocabulary_size(), of_text = tokenizer.text_vocabulary_size();
  if (of_text <= vocabulary && 2 * tokens >= vocabulary) return;
  throw Error(fmt::format(
      "the tokenizer has {} tokens but the model {}: they belong to different checkpoints{}; use "
      "the "
      "tokenizer that came with the model",
      tokens, vocabulary,
      tokens > vocabulary ? ", or tokens were added for which the model has no weights" : ""));
}

}  // namespace bitlaw
