// What blocks that share a scale lose of normal numbers, in closed form and exactly.
//
// A block has g independent normal entries, and its largest magnitude m sets the scale, up to an
// overhead rho that comes from rounding the scale:
//
//   crest   kappa = m / RMS of the block, between sqrt(3 g / (g + 2)) and sqrt(g)
//   scale   s = rho m / Q,   Q the format's largest code
//   noise   E sum (x - Q(x))^2 / E sum x^2 over blocks with this kappa and rho
//   QSNR    -10 log10 noise, in dB
//
// The other entries of such a block are normal and known to be smaller than m. Three versions:
//
//   printed_noise  as in Chen et al. 2025 ("INT v.s. FP"), arXiv 2510.25602, eqs. 13 and 14
//   closed_noise   the same model without its approximations (docs/decisions/0029-noise-of-blocks.md)
//   exact_noise    the integral over the cell of each code; nothing is approximated or sampled
//
// block_gaussian_error is the average of the exact noise over blocks: the GMSE of a block format,
// for laws that rate formats by it (laws/forms/panferov.h). Unlike least_gaussian_error it has the
// scale that a quantizer takes, rather than the best one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/format.h"
#include "formats/precision.h"
#include "formats/scale_rule.h"

namespace bitlaw {

double signal_to_noise_db(double noise);

// rho is ignored with E4M3 scales, where the paper sets it to 1, and g with E8M0 scales. FP32 scales
// are E8M0's with rho = 1. The paper averages rho to 1.5 for E8M0. Any crest > 0, also where no block
// has it.
double printed_noise(const Format& format, ScaleRule scales, int group, double crest, double rho);

// Uniform errors within cells, rho >= 1. The block's largest entry has no error if rho is 1. NaN for
// a crest that no block has.
double closed_noise(const Format& format, int group, double crest, double rho);

// Any rho > 0: below 1 the largest entries saturate. NaN for a crest that no block has.
double exact_noise(const Format& format, int group, double crest, double rho);

// exact_noise averaged over rho, as sigma moves through an octave: with E8M0, rho = (Q / 2^emax)
// 2^-v with v uniform, the largest power of two that is not above the block's (bitlaw's rule and the
// OCP specification's), or 2^v if `up` (the paper's); with E4M3 the rounding of the block's scale to
// four significant bits; with FP32, rho = 1.
double exact_noise(const Format& format, ScaleRule scales, int group, double crest,
                   bool up = false);

// m / sigma of a block of that crest; NaN if there is none.
double largest_at_crest(int group, double crest);

// The average over blocks of g entries, relative to sigma^2. Codes of up to 8 bits.
double block_gaussian_error(const Format& format, ScaleRule scales, int group);

// The crest factor up to which the integer format has less noise than the floating-point one, where
// their curves first cross in [low, high]; nothing if they do not.
template <class A, class B>
std::optional<double> crossover(const A& integer_noise, const B& float_noise, double low,
                                double high) {
  constexpr int kSteps = 400;
  const auto worse = [&](double crest) { return integer_noise(crest) > float_noise(crest); };
  const bool at_low = worse(low);
  for (int i = 1; i <= kSteps; ++i) {
    double a = low + (high - low) * (i - 1) / kSteps, b = low + (high - low) * i / kSteps;
    if (worse(b) == at_low) continue;
    while (b - a > 1e-9) (worse(0.5 * (a + b)) == at_low ? a : b) = 0.5 * (a + b);
    return a;
  }
  return std::nullopt;
}

// Where the error of a part's format on a unit Gaussian comes from, for tables and plans.
enum class GaussianErrorSource {
  kLeast,  // "least": at the best scale, one for all numbers (formats/gaussian_error.h)
  kBlock,  // "block": block_gaussian_error, where the precision says how many entries share a scale
  kPrinted,  // "printed": printed_noise at the mean largest entry of such blocks
};
// Error, with the names, for others.
GaussianErrorSource gaussian_error_source(std::string_view name);
std::string name_of(GaussianErrorSource source);

// The error of a part by that source; NaN if the precision does not say it: not quantized, no codes
// known, or, for kBlock and kPrinted, no group.
double gaussian_error_of(const PartPrecision& part, GaussianErrorSource source);

// The mean of m / sigma.
double mean_largest(int group);

}  // namespace bitlaw
