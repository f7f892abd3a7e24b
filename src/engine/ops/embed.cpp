#include "ops/embed.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {
namespace {

bool are_rows(std::span<const uint16_t> tokens, const Tensor& table, const Tensor& y) {
  return table.shape().rank() == 2 && all_below(tokens, table.extent(0)) && same_dtype(table, y) &&
         y.shape() == Shape{static_cast<int64_t>(tokens.size()), table.extent(1)};
}

}  // namespace

void embed(Context& c, std::span<const uint16_t> tokens, const Tensor& table, Tensor& y) {
  BITLAW_CHECK(is_real(c, table) && are_rows(tokens, table, y));
  const Timed timed(c.profile, "embed", 0, 2 * bytes_of(y));
  dispatch(c, op::embed, tokens, table, y);
}

void embed_backward(Context& c, std::span<const uint16_t> tokens, const Tensor& dy,
                    Tensor& dtable) {
  BITLAW_CHECK(is_real(c, dtable) && are_rows(tokens, dtable, dy));
  const Timed timed(c.profile, "embed, backward", 0, 3 * bytes_of(dy));
  dispatch(c, op::embed_backward, tokens, dy, dtable);
}

}  // namespace bitlaw
