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

// The level whose percentiles have coverage `level` with only `clusters` clusters: a bootstrap's
// spread is too small by sqrt((n - 1) / n), and ignores Student's t. This is the expanded
// percentile interval of Hesterberg (2015, "What teachers should know about the bootstrap", section
// 4.2).
//
// constants: of draws with fractional weights, whose spread lacks what the fit absorbed: n - constants
// takes the place of n - 1.
double expanded_level(double level, int clusters, int constants = 1);

// Share of Fisher's F with these degrees of freedom above f: the p-value of a ratio of variances.
double f_share_above(double f, double numerator, double denominator);

}  // namespace bitlaw
