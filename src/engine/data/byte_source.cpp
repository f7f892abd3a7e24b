#include "data/byte_source.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/input_file.h"

namespace bitlaw {
namespace {

class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path)
      : name_(path.string()), file_(open_regular_file(path)) {}

  size_t read(std::span<char> buffer) override {
    while (true) {
      const ssize_t n = ::read(file_.get(), buffer.data(), buffer.size());
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) fail();
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(fmt::format("{}: cannot be read: {}", name_, std::strerror(errno)));
  }
  std::string name_;
  Descriptor file_;
};

class ViewSource : public ByteSource {
 public:
  explicit ViewSource(std::string_view bytes) : rest_(bytes) {}
  size_t read(std::span<char> buffer) override {
    const size_t n = rest_.copy(buffer.data(), buffer.size());
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
};

// What both decompressors share: the compressed bytes that wait in a buffer.
class Decompressor : public ByteSource {
 protected:
  Decompressor(std::unique_ptr<ByteSource> source, const std::string& where)
      : source_(std::move(source)), where_(where), input_(kReadBytes) {}

  bool refill() {  // false at the end of the source
    size_ = source_->read(input_);
    position_ = 0;
    return size_ > 0;
  }
  [[noreturn]] void corrupt(const std::string& why) const {
    throw Error(fmt::format("{}: the compressed data is corrupt: {}; fetch or write the file again",
                            where_, why));
  }
  [[noreturn]] void cut_short() const {
    throw Error(
        fmt::format("{}: the compressed data is truncated; fetch or write the file again", where_));
  }

  std::unique_ptr<ByteSource> source_;
  std::string where_;
  std::vector<char> input_;
  size_t position_ = 0, size_ = 0;
  bool inside_ = false;  // a member (gzip) or frame (zstd) has begun and not ended
};

class GzipSource : public Decompressor {
 public:
  GzipSource(std::unique_ptr<ByteSource> source, const std::string& where)
      : Decompressor(std::move(source), where) {
    constexpr int kGzipOnly = 16;
    BITLAW_CHECK(inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK);
  }
  ~GzipSource() override { inflateEnd(&stream_); }

  size_t read(std::span<char> buffer) override {
    const size_t room = std::min<size_t>(buffer.size(), 1u << 30);
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(room);
    while (stream_.avail_out == room) {
      if (position_ == size_ && !refill()) {
        if (inside_) cut_short();
        return 0;
      }
      if (after_member_ && !inside_ && skip_zeros()) continue;
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data() + position_);
      stream_.avail_in = static_cast<uInt>(size_ - position_);
      const bool in_header = !inside_;
      inside_ = true;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      position_ = size_ - stream_.avail_in;
      if (status == Z_STREAM_END) {  // another member may follow
        inside_ = false;
        after_member_ = true;
        BITLAW_CHECK(inflateReset(&stream_) == Z_OK);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        if (after_member_ && in_header) {
          corrupt("a whole gzip stream is followed by bytes that are none");
        }
        corrupt(stream_.msg != nullptr ? stream_.msg : "not gzip");
      }
    }
    return room - stream_.avail_out;
  }

 private:
  // Zeros after a member; false at the first byte of another one.
  bool skip_zeros() {
    while (position_ < size_ && input_[position_] == '\0') ++position_;
    return position_ == size_;
  }

  z_stream stream_{};
  bool after_member_ = false;  // one or more members have ended
};

class ZstdSource : public Decompressor {
 public:
  ZstdSource(std::unique_ptr<ByteSource> source, const std::string& where, int window_log)
      : Decompressor(std::move(source), where), stream_(ZSTD_createDStream()) {
    BITLAW_CHECK(stream_ != nullptr);
    const size_t status = ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, window_log);
    BITLAW_CHECK(!ZSTD_isError(status));
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  size_t read(std::span<char> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0) {
      // A frame that is inside_ may still hold output after its input is used up; ask before
      // refilling.
      if (position_ == size_ && !flush_ && !refill()) {
        if (inside_) cut_short();
        return 0;
      }
      ZSTD_inBuffer in{input_.data(), size_, position_};
      const size_t status = ZSTD_decompressStream(stream_, &out, &in);
      position_ = in.pos;
      if (ZSTD_isError(status)) refuse(status);
      inside_ = status != 0;
      flush_ = inside_ && out.pos == out.size;
    }
    return out.pos;
  }

 private:
  // Not every failure is damage.
  [[noreturn]] void refuse(size_t status) const {
    switch (ZSTD_getErrorCode(status)) {
      case ZSTD_error_frameParameter_windowTooLarge:
      case ZSTD_error_memory_allocation:
        throw Error(
            fmt::format("{}: was compressed with a window that is too long to read here ({}); "
                        "decompress it with `zstd -d --long=31 --memory=2048MB` or more first",
                        where_, ZSTD_getErrorName(status)));
      case ZSTD_error_dictionary_wrong:
        throw Error(fmt::format(
            "{}: was compressed with a dictionary; decompress it with `zstd -d -D DICTIONARY` "
            "first",
            where_));
      case ZSTD_error_version_unsupported:
        throw Error(fmt::format("{}: is of an old zstd format; decompress it with `zstd -d` first",
                                where_));
      default:
        corrupt(ZSTD_getErrorName(status));
    }
  }

  ZSTD_DStream* stream_;
  bool flush_ = false;  // the last output buffer was filled to the brim
};

}  // namespace

Compression compression_of(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".gz") return Compression::kGzip;
  if (suffix == ".zst") return Compression::kZstd;
  return Compression::kNone;
}

std::unique_ptr<ByteSource> open_file(const std::filesystem::path& path) {
  return std::make_unique<FileSource>(path);
}

std::unique_ptr<ByteSource> view_bytes(std::string_view bytes) {
  return std::make_unique<ViewSource>(bytes);
}

std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> source, Compression compression,
                                       const std::string& where, int zstd_window_log) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<GzipSource>(std::move(source), where);
    case Compression::kZstd:
      return std::make_unique<ZstdSource>(std::move(source), where, zstd_window_log);
    case Compression::kNone:
      break;
  }
  return source;
}

namespace {

class HeadSource : public ByteSource {
 public:
  HeadSource(std::string head, std::unique_ptr<ByteSource> rest)
      : head_(std::move(head)), rest_(std::move(rest)) {}
  size_t read(std::span<char> buffer) override {
    if (position_ == head_.size()) return rest_->read(buffer);
    const size_t n = head_.copy(buffer.data(), buffer.size(), position_);
    position_ += n;
    return n;
  }

 private:
  std::string head_;
  std::unique_ptr<ByteSource> rest_;
  size_t position_ = 0;
};

}  // namespace

Compression compression_shown_by(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1F\x8B"sv)) return Compression::kGzip;
  // A frame of today's format, or a skippable one (50 to 5F).
  if (head.starts_with("\x28\xB5\x2F\xFD"sv)) return Compression::kZstd;
  const bool skippable =
      head.size() >= 4 && (head[0] & 0xF0) == 0x50 && head.substr(1, 3) == "\x2A\x4D\x18"sv;
  return skippable ? Compression::kZstd : Compression::kNone;
}

std::string read_head(std::unique_ptr<ByteSource>& source, size_t most) {
  std::string head(most, '\0');
  size_t size = 0;
  while (size < most) {
    const size_t n = source->read({head.data() + size, most - size});
    if (n == 0) break;
    size += n;
  }
  head.resize(size);
  source = std::make_unique<HeadSource>(head, std::move(source));
  return head;
}

std::unique_ptr<ByteSource> decompress_by_content(std::unique_ptr<ByteSource> source,
                                                  Compression named, const std::string& where) {
  constexpr size_t kMagicBytes = 4;
  const std::string head = read_head(source, kMagicBytes);
  const Compression shown = compression_shown_by(head);
  const bool whole = head.size() == kMagicBytes;
  if (named != Compression::kNone && shown == Compression::kNone && whole) {
    throw Error(
        fmt::format("{}: is not compressed with {}, although its name says so; rename it, or fetch "
                    "it again",
                    where, named == Compression::kGzip ? "gzip" : "zstd"));
  }
  return decompress(std::move(source), shown == Compression::kNone ? named : shown, where);
}

}  // namespace bitlaw
