#include "laws/fitted_on.h"

#include <algorithm>
#include <iterator>

namespace bitlaw {
namespace {

constexpr double M = 1e6, B = 1e9;
constexpr const char* kKumar =
    "arXiv 2411.04330, section 2 and appendix: N 30, 60, 110, 220 M; D 1.5 to 26.2 B; checks up to "
    "1.7 B parameters";
constexpr const char* kGadre =
    "arXiv 2403.08540 and its published runs: four sizes at 20 tokens a parameter, the smallest "
    "also "
    "at 320; 104 runs in all three training sets, to 6.9 B parameters and 640 tokens a parameter";
constexpr const char* kClark = "arXiv 2202.01169, known from public notes on it";

constexpr FittedOn kFittedOn[] = {
    {"chinchilla", "hoffmann", "over 400", 70 * M, 16 * B, 5 * B, 500 * B, 0, 0, "MassiveText",
     "arXiv 2203.15556, abstract: models trained; how many entered the parametric fit is not said "
     "there"},
    {"chinchilla", "besiroglu", "", 0, 0, 0, 0, 0, 0,
     "points read off the plots of Hoffmann et al.", "arXiv 2404.10102, introduction"},
    {"kumar", "published", "465", 30 * M, 220 * M, 1.5 * B, 26.2 * B, 3, 16, "Dolma v1.7", kKumar},
    {"kumar", "tied", "465", 30 * M, 220 * M, 1.5 * B, 26.2 * B, 3, 16, "Dolma v1.7", kKumar},
    {"kumar", "float-weights", "", 30 * M, 220 * M, 1.5 * B, 26.2 * B, 3, 16, "Dolma v1.7",
     "arXiv 2411.04330, appendix: weights in E2M0 to E5M6, 3 to 12 bits; A, B, E and alpha are "
     "those of "
     "integers"},
    {"kumar-no-offsets", "published", "465", 30 * M, 220 * M, 1.5 * B, 26.2 * B, 3, 16,
     "Dolma v1.7", kKumar},
    {"kumar-w-bracket", "published", "465", 30 * M, 220 * M, 1.5 * B, 26.2 * B, 3, 16, "Dolma v1.7",
     kKumar},
    {"quest", "published", "104", 30.5 * M, 822 * M, 0.75 * B, 80 * B, 1, 16, "C4",
     "arXiv 2502.05003: the runs published with it; nearly all have 100 tokens a parameter"},
    {"quest-optimizer", "start", "", 50 * M, 1500 * M, 1 * B, 30 * B, 4, 16, "ClimbMix",
     "arXiv 2509.23500, abstract and public notes on it, for rho alone: OLMo2's architecture, six "
     "optimizers (AdamW, Muon and Shampoo to 1.5 B), D = 20 N, W4A4 by QuEST's quantizer"},
    {"quartet", "published", "24 + 21 + 22", 30.5 * M, 822 * M, 0.75 * B, 80 * B, 4, 16, "C4",
     "arXiv 2505.14669: the runs published with it; BF16 first, then eff_N and eff_D on runs of up "
     "to 203 M with those constants kept"},
    {"panferov", "start", "", 0, 0, 0, 0, 0, 0, "",
     "arXiv 2506.01863, for F, C, alpha, beta and E: what they were fitted to was not at hand"},
    {"frantar-eff", "start", "", 0, 0, 0, 0, 0, 0, "",
     "arXiv 2502.16440, for eff alone: what it was fitted to was not at hand"},
    {"chen-qat", "published", "268", 74 * M, 595 * M, 10 * B, 100 * B, 4, 16, "OLMo2-Mix-1124",
     "arXiv 2505.14302, section 4.1: groups of 32 to a whole channel; the 268 have checks at 973 M "
     "and 200 B, too"},
    {"sun-fp", "published", "366", 41 * M, 679 * M, 10 * B, 100 * B, 0, 0, "Dolma v1.7",
     "arXiv 2501.02423, section 3.2: exponents, mantissas, blocks and targets varied; checks at "
     "1.2 B "
     "among the 366"},
    {"ouyang-qid", "published", "over 1500", 160 * M, 12 * B, 1 * B, 206 * B, 0, 0,
     "Pythia's checkpoints",
     "arXiv 2411.17691, abstract, and a public summary for the ranges: quantized checkpoints"},
    {"apple-qat-fraction", "published", "757", 86 * M, 2200 * M, 0, 0, 1, 6, "",
     "arXiv 2509.22935, abstract, and a public summary for the number of runs and the bits"},
    {"gadre", "c4", "5", 10.6 * M, 412 * M, 0.211 * B, 8.23 * B, 0, 0, "C4", kGadre},
    {"gadre", "redpajama", "5", 10.6 * M, 412 * M, 0.211 * B, 8.23 * B, 0, 0, "RedPajama", kGadre},
    {"gadre", "refinedweb", "5", 10.6 * M, 412 * M, 0.211 * B, 8.23 * B, 0, 0, "RefinedWeb",
     kGadre},
    {"muennighoff", "published", "182", 0, 9 * B, 0, 900 * B, 0, 0, "C4",
     "arXiv 2305.16264, abstract (the largest of all runs) and figure 3 (the number fitted)"},
    {"kaplan", "published", "", 768, 1.5 * B, 22 * M, 23 * B, 0, 0, "WebText2",
     "arXiv 2001.08361, section 3"},
    {"clark", "published", "", 0, 0, 130 * B, 130 * B, 0, 0, "", kClark},
    {"clark-rl", "published", "", 0, 0, 130 * B, 130 * B, 0, 0, "", kClark},
    {"clark-hash", "published", "", 0, 0, 130 * B, 130 * B, 0, 0, "", kClark},
};

}  // namespace

std::span<const FittedOn> fitted_on() {
  return kFittedOn;
}

const FittedOn* fitted_on(std::string_view law, std::string_view constants) {
  const auto place = std::find_if(
      std::begin(kFittedOn), std::end(kFittedOn),
      [&](const FittedOn& each) { return law == each.law && constants == each.constants; });
  return place == std::end(kFittedOn) ? nullptr : &*place;
}

}  // namespace bitlaw
