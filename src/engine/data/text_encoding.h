// Text in UTF-16 or UTF-32 becomes UTF-8, if it begins with a byte order mark:
//
//   EF BB BF      UTF-8 (passed on)        FF FE         UTF-16, little end first
//   FF FE 00 00   UTF-32, little end first FE FF         UTF-16, big end first
//   00 00 FE FF   UTF-32, big end first
#pragma once

#include <memory>
#include <string>

#include "data/byte_source.h"

namespace bitlaw {

// The bytes of `source` in UTF-8, without the mark if it was not UTF-8. What is no character, such
// as half of a pair, becomes a byte FF, which valid_utf8 counts and replaces. Error, naming `where`,
// if the beginning has zeros as UTF-16 has them, and no mark.
std::unique_ptr<ByteSource> as_utf8(std::unique_ptr<ByteSource> source, const std::string& where);

}  // namespace bitlaw
