// Which configurations of a fleet are trained further.
#pragma once

#include <cstdint>
#include <vector>

namespace bitlaw {

// Of the losses of one fleet (infinite: diverged or failed), which ones go on: the better half, and at
// least eight. Equal losses stay in their order.
std::vector<bool> better_half(const std::vector<double>& losses);

// Indices of the `count` least finite losses, the least first.
std::vector<size_t> best_of(const std::vector<double>& losses, size_t count);

}  // namespace bitlaw
