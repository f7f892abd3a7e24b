// What tokenizer.json does to text before it is cut: Unicode normal forms, replacements, a prefix,
// or a sequence of these. Each stretch between added tokens is normalized by itself, as the
// `tokenizers` library does it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace bitlaw {

class TextNormalizer {
 public:
  TextNormalizer() = default;  // leaves text as it is

  // `value` of the key `normalizer` in the document `file`; null leaves text as it is. Error for
  // what is not supported.
  TextNormalizer(const Json& value, const std::string& file);

  bool identity() const { return steps_.empty(); }
  std::string operator()(std::string_view valid_text) const;

 private:
  void add(const Json& value, const std::string& file, const std::string& path, int depth);

  std::vector<std::function<std::string(std::string)>> steps_;
};

}  // namespace bitlaw
