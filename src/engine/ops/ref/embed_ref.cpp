// The embedding table. Its gradient is added one token after another in the table's own type, so
// that every backend gives the same bits.
#include "ops/ref/backend.h"

namespace bitlaw::ref {

void embed(Context&, std::span<const uint16_t> tokens, const Tensor& table, Tensor& y) {
  const int64_t d = table.extent(1);
  for (size_t t = 0; t < tokens.size(); ++t) {
    for (int64_t c = 0; c < d; ++c) {
      y.set(static_cast<int64_t>(t) * d + c, table.at(tokens[t] * d + c));
    }
  }
}

void embed_backward(Context&, std::span<const uint16_t> tokens, const Tensor& dy, Tensor& dtable) {
  const int64_t d = dtable.extent(1);
  for (size_t t = 0; t < tokens.size(); ++t) {
    for (int64_t c = 0; c < d; ++c) {
      const int64_t at = tokens[t] * d + c;
      dtable.set(at, dtable.at(at) + dy.at(static_cast<int64_t>(t) * d + c));
    }
  }
}

}  // namespace bitlaw::ref
