// Quantiles of the distributions used for intervals.
#pragma once

namespace bitlaw {

// Share of a standard normal below z.
double normal_share(double z);

// Share of Student's t with `freedom` > 0 degrees of freedom below t. Infinite freedom is the
// normal. From the continued fraction of the incomplete beta function (Numerical Recipes 6.4).
double t_share(double t, double freedom);

// The t below which the given share, in (0, 1), lies.
double t_quantile(double share, double freedom);

}  // namespace bitlaw
