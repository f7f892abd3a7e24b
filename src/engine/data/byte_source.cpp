#include "data/byte_source.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/input_file.h"

namespace bitlaw {
namespace {

constexpr size_t kInputBytes = 1 << 16;

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
      : source_(std::move(source)), where_(where), input_(kInputBytes) {}

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
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data() + position_);
      stream_.avail_in = static_cast<uInt>(size_ - position_);
      inside_ = true;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      position_ = size_ - stream_.avail_in;
      if (status == Z_STREAM_END) {  // another member may follow
        inside_ = false;
        BITLAW_CHECK(inflateReset(&stream_) == Z_OK);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        corrupt(stream_.msg != nullptr ? stream_.msg : "not gzip");
      }
    }
    return room - stream_.avail_out;
  }

 private:
  z_stream stream_{};
};

class ZstdSource : public Decompressor {
 public:
  ZstdSource(std::unique_ptr<ByteSource> source, const std::string& where)
      : Decompressor(std::move(source), where), stream_(ZSTD_createDStream()) {
    BITLAW_CHECK(stream_ != nullptr);
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
      if (ZSTD_isError(status)) corrupt(ZSTD_getErrorName(status));
      inside_ = status != 0;
      flush_ = inside_ && out.pos == out.size;
    }
    return out.pos;
  }

 private:
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
                                       const std::string& where) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<GzipSource>(std::move(source), where);
    case Compression::kZstd:
      return std::make_unique<ZstdSource>(std::move(source), where);
    case Compression::kNone:
      break;
  }
  return source;
}

}  // namespace bitlaw
