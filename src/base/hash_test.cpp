#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace bitlaw {
namespace {

// The published XXH3-128 of no bytes (seed 0).
TEST(Hash, OfNothingIsThePublishedValue) {
  EXPECT_EQ(hash_hex(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(Hasher().hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, InPiecesIsTheHashOfTheWhole) {
  std::string bytes(100000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i >> 3);
  for (const size_t size :
       {1, 16, 17, 128, 129, 240, 241, 1024, 100000}) {  // XXH3 changes its method at these
    const std::string_view whole = std::string_view(bytes).substr(0, size);
    Hasher hasher;
    for (size_t begin = 0; begin < size; begin += 37) hasher.update(whole.substr(begin, 37));
    EXPECT_EQ(hasher.hex(), hash_hex(whole)) << size;
  }
}

TEST(Hash, EveryByteCounts) {
  const std::string bytes(300, 'a');
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = 'b';
    EXPECT_NE(hash_hex(changed), hash_hex(bytes)) << i;
  }
}

}  // namespace
}  // namespace bitlaw
