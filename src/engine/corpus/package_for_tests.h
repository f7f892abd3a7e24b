// Debian packages made by tests, in memory.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <map>
#include <string>

#include "base/error.h"

namespace bitlaw {

namespace package_for_tests {

inline void require(int status, archive* where) {
  if (status != ARCHIVE_OK) throw Error(archive_error_string(where));
}

// The files as an archive of one format and compression.
template <class Format, class Filter>
std::string packed(const std::map<std::string, std::string>& files, Format format, Filter filter) {
  std::string bytes(size_t{1} << 20, '\0');
  for (const auto& [name, content] : files) bytes.resize(bytes.size() + content.size() + 4096);
  size_t used = 0;
  archive* out = archive_write_new();
  require(format(out), out);
  require(filter(out), out);
  require(archive_write_open_memory(out, bytes.data(), bytes.size(), &used), out);
  for (const auto& [name, content] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    require(archive_write_header(out, entry), out);
    archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
  }
  require(archive_write_close(out), out);
  archive_write_free(out);
  bytes.resize(used);
  return bytes;
}

}  // namespace package_for_tests

inline std::string debian_package(const std::map<std::string, std::string>& files) {
  using package_for_tests::packed;
  const std::string data =
      packed(files, archive_write_set_format_gnutar, archive_write_add_filter_xz);
  return packed({{"debian-binary", "2.0\n"}, {"data.tar.xz", data}},
                archive_write_set_format_ar_svr4, archive_write_add_filter_none);
}

}  // namespace bitlaw
