// Files to read. What is not a regular file is refused, or waited for, but never in silence: opening
// a FIFO that nobody writes to would wait for ever.
#pragma once

#include <filesystem>
#include <string>

#include "base/descriptor.h"

namespace bitlaw {

// Error if it is anything but a regular file.
Descriptor open_regular_file(const std::filesystem::path& path);

// The bytes of a file that somebody named, which is read once: a regular file, a pipe such as
// /dev/stdin or bash's <(command), a FIFO, or a terminal. Says on standard error that it waits where
// nobody writes. Error for directories and other devices.
std::string read_input_file(const std::filesystem::path& path);

}  // namespace bitlaw
