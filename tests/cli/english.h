// Simple English from a grammar, so that tests need no corpus: subject, verb, object, place, with
// words drawn unevenly and one topic per document. The same text on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/random.h"

namespace bitlaw {

class English {
 public:
  explicit English(uint64_t document) : document_(document), topic_(draw(kNouns.size())) {}

  std::string document(int sentences) {
    std::string text;
    for (int i = 0; i < sentences; ++i) {
      text += sentence();
      text += i % 6 == 5 ? "\n\n" : i % 2 == 1 ? "\n" : " ";
    }
    return text;
  }

 private:
  static constexpr std::array kNouns{"river",  "teacher", "ship",   "garden", "letter", "winter",
                                     "engine", "child",   "market", "window", "road",   "horse",
                                     "island", "doctor",  "stone",  "song"};
  static constexpr std::array kVerbs{"finds",  "carries", "remembers", "leaves",
                                     "paints", "follows", "sells",     "hears"};
  static constexpr std::array kKinds{"old",    "quiet",  "small",  "red",
                                     "broken", "bright", "second", "heavy"};
  static constexpr std::array kPlaces{"at night",       "near the harbour", "in the morning",
                                      "without a word", "after the rain",   "behind the house",
                                      "every summer",   "for a while"};

  size_t draw(size_t count) {  // the smaller of two draws: early words are more frequent
    const uint64_t a = random_below(3, document_, 2 * place_, count),
                   b = random_below(3, document_, 2 * place_ + 1, count);
    ++place_;
    return static_cast<size_t>(a < b ? a : b);
  }

  std::string noun() {
    const std::string kind = draw(3) == 2 ? std::string(kKinds[draw(kKinds.size())]) + " " : "";
    return "the " + kind + (draw(3) == 0 ? kNouns[topic_] : kNouns[draw(kNouns.size())]);
  }

  std::string sentence() {
    std::string text = noun() + " " + kVerbs[draw(kVerbs.size())] + " " + noun();
    if (draw(2) == 0) text += std::string(" ") + kPlaces[draw(kPlaces.size())];
    text[0] = 'T';
    return text + ".";
  }

  uint64_t document_, place_ = 0;
  size_t topic_;
};

}  // namespace bitlaw
