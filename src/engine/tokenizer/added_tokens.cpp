#include "tokenizer/added_tokens.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/error.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

int32_t code_point(std::string_view character) {
  utf8proc_int32_t code = 0;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                   static_cast<utf8proc_ssize_t>(character.size()), &code);
  return code;
}

std::string_view first_character(std::string_view text) {
  return text.substr(0, static_cast<size_t>(std::max(1, utf8_length(text))));
}

std::string_view last_character(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
  return text.substr(begin);
}

// Unicode's White_Space.
bool is_space(std::string_view character) {
  const int32_t c = code_point(character);
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Letters, marks, digits, letter-like numbers and symbols, connectors and joiners: \w of UTS #18.
bool is_word(std::string_view character) {
  const int32_t c = code_point(character);
  if (c == 0x200C || c == 0x200D) return true;
  if ((c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
      (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189)) {
    return true;  // circled and squared letters: Other_Alphabetic symbols
  }
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) {
  for (AddedToken& token : tokens) {
    BITLAW_CHECK(!token.content.empty());
    by_first_byte_[static_cast<unsigned char>(token.content[0])].push_back(std::move(token));
    any_ = true;
  }
  for (auto& list : by_first_byte_) {
    std::stable_sort(list.begin(), list.end(), [](const AddedToken& a, const AddedToken& b) {
      return a.content.size() > b.content.size();
    });
  }
}

const AddedToken* AddedTokens::at(std::string_view rest) const {
  for (const AddedToken& token : by_first_byte_[static_cast<unsigned char>(rest[0])]) {
    if (rest.starts_with(token.content)) return &token;
  }
  return nullptr;
}

void AddedTokens::split(std::string_view text, const Visit& visit) const {
  size_t done = 0;
  for (size_t i = 0; any_ && i < text.size();) {
    const AddedToken* token = at(text.substr(i));
    if (token == nullptr) {
      ++i;
      continue;
    }
    size_t begin = i, end = i + token->content.size();
    i = end;  // a match that is not a separate word is skipped as a whole
    if (token->single_word && ((begin > 0 && is_word(last_character(text.substr(0, begin)))) ||
                               (end < text.size() && is_word(first_character(text.substr(end)))))) {
      continue;
    }
    while (token->left_strip && begin > done && is_space(last_character(text.substr(0, begin))))
      begin -= last_character(text.substr(0, begin)).size();
    while (token->right_strip && end < text.size() && is_space(first_character(text.substr(end))))
      end += first_character(text.substr(end)).size();
    if (begin > done) visit(text.substr(done, begin - done), -1);
    visit(text.substr(begin, end - begin), token->id);
    done = end;
  }
  if (done < text.size()) visit(text.substr(done), -1);
}

}  // namespace bitlaw
