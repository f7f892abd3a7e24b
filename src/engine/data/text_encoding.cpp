#include "data/text_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr size_t kEncodingBytes = 4096;  // looked at

struct Encoding {
  const char* name;
  std::string_view mark;
  size_t unit;  // bytes
  bool big_end_first;
};
using namespace std::string_view_literals;
// The longer marks first: that of UTF-16 begins that of UTF-32.
constexpr Encoding kEncodings[] = {
    {"UTF-32LE", "\xFF\xFE\x00\x00"sv, 4, false},
    {"UTF-32BE", "\x00\x00\xFE\xFF"sv, 4, true},
    {"UTF-16LE", "\xFF\xFE"sv, 2, false},
    {"UTF-16BE", "\xFE\xFF"sv, 2, true},
};

void append_utf8(uint32_t c, std::string& out) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

class DecodedSource : public ByteSource {
 public:
  DecodedSource(std::unique_ptr<ByteSource> source, const Encoding& encoding)
      : source_(std::move(source)), encoding_(encoding), input_(kReadBytes) {}

  size_t read(std::span<char> buffer) override {
    while (position_ == decoded_.size() && !ended_) refill();
    const size_t n = std::min(buffer.size(), decoded_.size() - position_);
    std::copy_n(decoded_.data() + position_, n, buffer.data());
    position_ += n;
    return n;
  }

 private:
  void refill() {
    decoded_.clear();
    position_ = 0;
    const size_t n = source_->read(input_);
    ended_ = n == 0;
    raw_.append(input_.data(), n);
    size_t at = 0;
    while (raw_.size() - at >= encoding_.unit) {
      const size_t used = decode(at);
      if (used == 0) break;
      at += used;
    }
    raw_.erase(0, at);
    if (ended_ && !raw_.empty()) decoded_.push_back(kNoCharacter);  // cut inside a character
  }

  uint32_t unit_at(size_t at) const {
    uint32_t value = 0;
    for (size_t i = 0; i < encoding_.unit; ++i) {
      const size_t byte = encoding_.big_end_first ? at + i : at + encoding_.unit - 1 - i;
      value = value << 8 | static_cast<unsigned char>(raw_[byte]);
    }
    return value;
  }

  // Decodes one character; returns the bytes it had, or 0 if more are needed.
  size_t decode(size_t at) {
    const uint32_t first = unit_at(at);
    const bool high = first >= 0xD800 && first < 0xDC00, low = first >= 0xDC00 && first < 0xE000;
    if (encoding_.unit == 2 && high) {
      if (raw_.size() - at < 4) {
        if (!ended_) return 0;
      } else if (const uint32_t second = unit_at(at + 2); second >= 0xDC00 && second < 0xE000) {
        append_utf8(0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00)), decoded_);
        return 4;
      }
    }
    if (high || low || first > 0x10FFFF)
      decoded_.push_back(kNoCharacter);
    else
      append_utf8(first, decoded_);
    return encoding_.unit;
  }

  static constexpr char kNoCharacter = '\xFF';
  std::unique_ptr<ByteSource> source_;
  const Encoding& encoding_;
  std::vector<char> input_;
  std::string raw_, decoded_;
  size_t position_ = 0;
  bool ended_ = false;
};

// Refuses UTF-16 without a mark, which would read as text with a zero between any two letters.
void refuse_unmarked(std::string_view head, const std::string& where) {
  constexpr size_t kLeast = 16;  // bytes
  if (head.size() < kLeast) return;
  std::array<size_t, 2> zeros{};
  for (size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0';
  for (const bool odd : {false, true}) {
    // Of letters below U+0100 the one byte is zero; of other scripts that of blanks and digits.
    constexpr size_t kFew = 8;
    const bool mostly =
        zeros[odd] * 10 >= head.size() / 2 * 6 && zeros[!odd] * 10 <= head.size() / 2;
    if (!mostly && !(zeros[odd] >= kFew && zeros[!odd] == 0)) continue;
    throw Error(
        fmt::format("{}: looks like UTF-16 without a byte order mark; convert it, for example with "
                    "`iconv -f {} -t UTF-8`",
                    where, odd ? "UTF-16LE" : "UTF-16BE"));
  }
}

}  // namespace

std::unique_ptr<ByteSource> as_utf8(std::unique_ptr<ByteSource> source, const std::string& where) {
  const std::string head = read_head(source, kEncodingBytes);
  for (const Encoding& encoding : kEncodings) {
    if (!head.starts_with(encoding.mark)) continue;
    std::array<char, 4> mark;
    size_t dropped = 0;
    while (dropped < encoding.mark.size())
      dropped += source->read({mark.data(), encoding.mark.size() - dropped});
    return std::make_unique<DecodedSource>(std::move(source), encoding);
  }
  refuse_unmarked(head, where);
  return source;
}

}  // namespace bitlaw
