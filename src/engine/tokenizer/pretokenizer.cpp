#include "tokenizer/pretokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json_fields.h"
#include "tokenizer/split_pattern.h"

namespace bitlaw {
namespace {

// GPT-2's: contractions, words, numbers, the rest, white space but its last character.
constexpr std::string_view kGpt2 =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

Behavior read_behavior(const JsonFields& fields) {
  constexpr std::array<std::pair<const char*, Behavior>, 5> known{
      {{"Removed", Behavior::kRemoved},
       {"Isolated", Behavior::kIsolated},
       {"MergedWithPrevious", Behavior::kMergedWithPrevious},
       {"MergedWithNext", Behavior::kMergedWithNext},
       {"Contiguous", Behavior::kContiguous}}};
  for (const auto& [name, behavior] : known) {
    if (fields.text("behavior") == name) return behavior;
  }
  fields.fail("behavior", fmt::format("'{}' is not supported", fields.text("behavior")));
}

struct Span {
  size_t begin, end;
  bool match;
};

// Visits matches and the text between them; `invert` exchanges the two.
template <class Visit>
void for_each_span(const SplitPattern& pattern, std::string_view text, bool invert,
                   const Visit& visit) {
  SplitPattern::Matches matches(pattern, text);
  size_t done = 0;
  while (const auto match = matches.next()) {
    if (match->first > done) visit(Span{done, match->first, invert});
    visit(Span{match->first, match->second, !invert});
    done = match->second;
  }
  if (done < text.size()) visit(Span{done, text.size(), invert});
}

// Spans joined as MergedWithPrevious, MergedWithNext and Contiguous say.
std::vector<Span> merged_spans(std::vector<Span> spans, Behavior behavior) {
  const bool backward = behavior == Behavior::kMergedWithNext;
  if (backward) std::reverse(spans.begin(), spans.end());
  std::vector<Span> merged;
  bool previous_match = false;
  for (const Span& span : spans) {
    const bool join = behavior == Behavior::kContiguous ? span.match == previous_match
                                                        : span.match && !previous_match;
    if (join && !merged.empty() && backward) {
      merged.back().begin = span.begin;
    } else if (join && !merged.empty()) {
      merged.back().end = span.end;
    } else {
      merged.push_back(span);
    }
    previous_match = span.match;
  }
  if (backward) std::reverse(merged.begin(), merged.end());
  return merged;
}

void split_by(const SplitPattern& pattern, Behavior behavior, bool invert, std::string_view text,
              bool at_start, const PreTokenizer::Emit& emit) {
  const auto give = [&](const Span& span) {
    if (span.end > span.begin)
      emit(text.substr(span.begin, span.end - span.begin), at_start && span.begin == 0);
  };
  if (behavior == Behavior::kIsolated || behavior == Behavior::kRemoved) {
    for_each_span(pattern, text, invert, [&](const Span& span) {
      if (behavior == Behavior::kIsolated || !span.match) give(span);
    });
    return;
  }
  std::vector<Span> spans;
  for_each_span(pattern, text, invert, [&](const Span& span) { spans.push_back(span); });
  for (const Span& span : merged_spans(std::move(spans), behavior)) give(span);
}

PreTokenizer::Step split_step(SplitPattern pattern, Behavior behavior, bool invert) {
  return [pattern = std::make_shared<SplitPattern>(std::move(pattern)), behavior, invert](
             std::string_view text, bool at_start, const PreTokenizer::Emit& emit) {
    split_by(*pattern, behavior, invert, text, at_start, emit);
  };
}

PreTokenizer::Step prefix_space_step() {
  return [](std::string_view text, bool at_start, const PreTokenizer::Emit& emit) {
    if (text.starts_with(' ')) return emit(text, at_start);
    const std::string prefixed = ' ' + std::string(text);
    emit(prefixed, at_start);
  };
}

// sentencepiece's way with spaces: each becomes `mark`, and a text gets one in front.
PreTokenizer::Step metaspace_step(const std::string& mark, const std::string& prefix, bool split) {
  return [mark, prefix, pattern = std::make_shared<SplitPattern>(SplitPattern::of_text(mark)),
          split](std::string_view text, bool at_start, const PreTokenizer::Emit& emit) {
    std::string marked;
    for (const char c : text) c == ' ' ? marked += mark : marked += c;
    if ((prefix == "always" || (prefix == "first" && at_start)) && !marked.starts_with(mark))
      marked.insert(0, mark);
    if (!split) return emit(marked, at_start);
    split_by(*pattern, Behavior::kMergedWithNext, false, marked, at_start, emit);
  };
}

}  // namespace

PreTokenizer::PreTokenizer(const Json& value, const std::string& file) {
  if (!value.is_null()) add(value, file, "pre_tokenizer", 0);
}

void PreTokenizer::add(const Json& value, const std::string& file, const std::string& path,
                       int depth) {
  const JsonFields fields(value, file, path);
  const std::string& type = fields.type();
  if (byte_level_) fields.fail("comes after ByteLevel, which is not supported");
  if (type == "Split") {
    steps_.push_back(split_step(read_split_pattern(fields), read_behavior(fields),
                                fields.truth("invert", false)));
  } else if (type == "Digits") {
    const bool each = fields.truth("individual_digits", false);
    steps_.push_back(split_step(SplitPattern("\\p{N}", fields.place()),
                                each ? Behavior::kIsolated : Behavior::kContiguous, false));
  } else if (type == "ByteLevel") {
    if (fields.truth("add_prefix_space", true)) steps_.push_back(prefix_space_step());
    if (fields.truth("use_regex", true))
      steps_.push_back(split_step(SplitPattern(kGpt2, fields.place()), Behavior::kIsolated, false));
    byte_level_ = true;
  } else if (type == "Metaspace") {
    const std::string mark = fields.text("replacement");
    const std::string prefix =
        fields.text("prepend_scheme", fields.truth("add_prefix_space", true) ? "always" : "never");
    if (mark.empty()) fields.fail("replacement", "is empty");
    if (prefix != "always" && prefix != "first" && prefix != "never")
      fields.fail("prepend_scheme", fmt::format("'{}' is not supported", prefix));
    steps_.push_back(metaspace_step(mark, prefix, fields.truth("split", true)));
  } else if (type == "Sequence" && depth < 8) {
    const Json& list = fields.list("pretokenizers");
    for (size_t i = 0; i < list.size(); ++i)
      add(list[i], file, fmt::format("{}.pretokenizers[{}]", path, i), depth + 1);
  } else {
    fields.fail(
        fmt::format("'{}' is not supported; bitlaw reads Split, ByteLevel, Digits, Metaspace and a "
                    "Sequence of these",
                    type));
  }
}

void PreTokenizer::run(size_t step, std::string_view text, bool at_start, const Sink& sink) const {
  if (step == steps_.size()) return sink(text);
  const struct {  // behind one pointer: no allocation for each piece
    const PreTokenizer* self;
    size_t step;
    const Sink& sink;
  } rest{this, step + 1, sink};
  steps_[step](text, at_start, [&rest](std::string_view piece, bool piece_at_start) {
    rest.self->run(rest.step, piece, piece_at_start, rest.sink);
  });
}

void PreTokenizer::split(std::string_view text, bool at_start, const Sink& sink) const {
  if (!text.empty()) run(0, text, at_start, sink);
}

}  // namespace bitlaw
