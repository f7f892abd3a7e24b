// The `pre_tokenizer` of tokenizer.json, which cuts text into pieces that are merged separately:
// splits by patterns, digits, GPT-2's rule with its leading space (ByteLevel), sentencepiece's
// spaces (Metaspace), or a sequence of these.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace bitlaw {

class PreTokenizer {
 public:
  PreTokenizer() = default;  // one piece

  // `value` of the key `pre_tokenizer` in the document `file`; null does not split. Error for
  // settings that are not supported, and for a ByteLevel that is not the last of its sequence.
  PreTokenizer(const Json& value, const std::string& file);

  // Whether pieces are bytes (ByteLevel) instead of characters.
  bool byte_level() const { return byte_level_; }

  // Passes the pieces of a valid UTF-8 text to `sink` from left to right; none is empty. `at_start`
  // means that nothing precedes this text. Thread-safe.
  using Sink = std::function<void(std::string_view piece)>;
  void split(std::string_view text, bool at_start, const Sink& sink) const;

  // One step of the sequence.
  using Emit = std::function<void(std::string_view piece, bool at_start)>;
  using Step = std::function<void(std::string_view text, bool at_start, const Emit& emit)>;

 private:
  void add(const Json& value, const std::string& file, const std::string& path, int depth);
  void run(size_t step, std::string_view text, bool at_start, const Sink& sink) const;

  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace bitlaw
