#include "corpus/package_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>

#include "corpus/licenses.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

bool is_document(const fs::path& path) {
  if (is_copyright(path.string())) return true;
  const fs::path suffix = path.extension();
  return suffix == ".html" || suffix == ".htm" || suffix == ".pod";
}

}  // namespace

// A package is an `ar` archive with a compressed `tar` archive in it, data.tar.*: the inner one reads
// through the outer one.
struct PackageReader::Archives {
  struct Close {
    void operator()(archive* opened) const { archive_read_free(opened); }
  };
  using Archive = std::unique_ptr<archive, Close>;

  fs::path package;
  Archive outer{archive_read_new()}, inner{archive_read_new()};
  std::array<char, 1 << 16> buffer{};
  bool ended = false;

  [[noreturn]] void refuse(archive* where) const {
    const char* reason = archive_error_string(where);
    throw DamagedPackage(
        fmt::format("{}: not a Debian package that can be read ({}); fetch it again",
                    package.string(), reason != nullptr ? reason : "its data are missing"));
  }

  static la_ssize_t read_outer(archive*, void* self, const void** bytes) {
    auto& archives = *static_cast<Archives*>(self);
    *bytes = archives.buffer.data();
    return archive_read_data(archives.outer.get(), archives.buffer.data(), archives.buffer.size());
  }

  void open() {
    archive_read_support_format_ar(outer.get());
    if (archive_read_open_filename(outer.get(), package.c_str(), 1 << 16) != ARCHIVE_OK)
      refuse(outer.get());
    archive_entry* entry = nullptr;
    int status = ARCHIVE_OK;
    while ((status = archive_read_next_header(outer.get(), &entry)) == ARCHIVE_OK) {
      const char* name = archive_entry_pathname(entry);
      if (name != nullptr && std::string_view(name).starts_with("data.tar")) break;
    }
    if (status != ARCHIVE_OK) refuse(outer.get());
    archive_read_support_format_tar(inner.get());
    archive_read_support_filter_all(inner.get());
    if (archive_read_open(inner.get(), this, nullptr, read_outer, nullptr) != ARCHIVE_OK)
      refuse(inner.get());
  }

  std::string content(size_t size) {
    std::string bytes(size, '\0');
    size_t done = 0;
    while (done < size) {
      const la_ssize_t taken = archive_read_data(inner.get(), bytes.data() + done, size - done);
      if (taken < 0) refuse(inner.get());
      if (taken == 0) break;
      done += static_cast<size_t>(taken);
    }
    bytes.resize(done);
    return bytes;
  }
};

void check_packages_can_be_read() {}

PackageReader::PackageReader(const fs::path& package) : archives_(std::make_unique<Archives>()) {
  archives_->package = package;
  archives_->open();
}

PackageReader::~PackageReader() = default;

bool PackageReader::next(PackedFile& file) {
  archive* inner = archives_->inner.get();
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while (!archives_->ended && (status = archive_read_next_header(inner, &entry)) >= ARCHIVE_WARN) {
    if (status == ARCHIVE_EOF) {
      archives_->ended = true;
      return false;
    }
    const char* name = archive_entry_pathname(entry);
    const int64_t size = archive_entry_size(entry);
    const bool wanted = name != nullptr && archive_entry_filetype(entry) == AE_IFREG &&
                        archive_entry_hardlink(entry) == nullptr && is_document(name);
    if (!wanted || size <= 0 || size > static_cast<int64_t>(kLargestPackedFile)) continue;
    file.path = std::string_view(name).starts_with("./") ? name + 2 : name;
    file.content = archives_->content(static_cast<size_t>(size));
    return true;
  }
  if (archives_->ended) return false;
  archives_->refuse(inner);
}

}  // namespace bitlaw
