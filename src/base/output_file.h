// Files that somebody named to be written: --out, --csv, --gguf.
//
//   nothing there          a new file
//   a regular file         replaced as a whole, by a rename; it keeps its mode and, where that is
//                          permitted, its owner
//   a symbolic link        what it leads to is written; the link stays
//   a device or a FIFO     written through
//   /dev/stdout, /dev/fd/N, /proc/self/fd/N
//                          written through the open descriptor, from where it stands
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace bitlaw {

// Error if the file cannot be written; a regular file is untouched then.
void write_output_file(const std::filesystem::path& path, std::string_view bytes);
void write_output_file(const std::filesystem::path& path, std::span<const std::string_view> parts);

// The number of an open descriptor of this process that `path` names, as /dev/fd/3 and
// /proc/self/fd/3 do; -1 if it names none. Links are not followed.
int own_descriptor(const std::filesystem::path& path);

// Where `path` leads if it is a symbolic link, or a chain of them; the place need not exist.
std::filesystem::path follow_links(const std::filesystem::path& path);

}  // namespace bitlaw
