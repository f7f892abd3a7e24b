// .gz and .zst streams: any bytes decompress or give an Error, for every size of the reader's
// buffer.
#include <array>
#include <cstdint>

#include "base/error.h"
#include "data/byte_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  constexpr size_t kEnough = 4 << 20;  // a few bytes can expand to gigabytes
  constexpr int kWindowLog = 27;       // a few bytes can also ask for a window of 2 GiB
  std::array<char, 4096> buffer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    for (const size_t piece : {buffer.size(), size_t{7}}) {
      try {
        const auto source = decompress(view_bytes(bytes), compression, "input", kWindowLog);
        size_t total = 0, n = 0;
        do {
          n = source->read({buffer.data(), piece});
          BITLAW_CHECK(n <= piece);
          total += n;
        } while (n > 0 && total < kEnough);
      } catch (const Error&) {
      }
    }
  }
  return 0;
}
