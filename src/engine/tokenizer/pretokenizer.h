// How tokenizer.json cuts text into the pieces that are merged one by one: splits by patterns,
// digits, GPT-2's rule with its space in front (ByteLevel), sentencepiece's spaces (Metaspace), or
// a sequence of these.
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

  // `value` of the key `pre_tokenizer` in the document `file`; null cuts nothing. Error for what is
  // not supported, and for a ByteLevel that is not the last of its sequence.
  PreTokenizer(const Json& value, const std::string& file);

  // Whether pieces are to be read as bytes (ByteLevel), not as characters.
  bool byte_level() const { return byte_level_; }

  // Gives the pieces of a valid UTF-8 text to `sink` from left to right; none is empty.
  // `at_start`: nothing comes before this text. Safe to call from several threads at once.
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
