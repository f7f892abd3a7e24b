// The `normalizer` of tokenizer.json: Unicode normal forms, replacements, a prefix, or a sequence
// of these, applied before text is split. Each stretch between added tokens is normalized
// separately, as in the `tokenizers` library.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace bitlaw {

class TextNormalizer {
 public:
  TextNormalizer() = default;  // leaves text unchanged

  // `value` of the key `normalizer` in the document `file`; null leaves text unchanged. Error for
  // settings that are not supported.
  TextNormalizer(const Json& value, const std::string& file);

  bool identity() const { return steps_.empty(); }
  std::string operator()(std::string_view valid_text) const;

 private:
  void add(const Json& value, const std::string& file, const std::string& path, int depth);

  std::vector<std::function<std::string(std::string)>> steps_;
};

}  // namespace bitlaw
