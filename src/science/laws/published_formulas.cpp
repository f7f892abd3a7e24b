#include "laws/published_formulas.h"

namespace bitlaw {
namespace {

LawConstant between(const char* name, double low, double high, double value) {
  return {.name = name, .low = low, .high = high, .value = value};
}
LawConstant between(const char* name, double low, double high) {
  return between(name, low, high, kUnknown);
}

// Clark et al. (2022), eq. 1, for three ways of routing. The logarithms have base 10: their dense law
// (N_c 3.568e13, alpha_N .078) is then the one expert of each, and 5 M parameters with 128 experts are
// worth 52 M (they say 55 M). D is theirs, 130 B tokens.
LawFormula clark(const char* name, const char* routing, double a, double b, double c, double d,
                 double start, double most) {
  return {.name = name,
          .title = std::string("Routed models: experts as effective parameters, ") + routing,
          .source =
              "Clark et al. 2022, arXiv 2202.01169, eq. 1 and table 3 (130 B tokens), quoted from "
              "public notes on it",
          .formula =
              "10^(a*log10(N) - b*log10(1/(experts - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max)"
              " - c*log10(N)*log10(1/(experts - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max) + d)",
          .delta = "",
          .constants = {between("a", -1, 0, a), between("b", -1, 1, b), between("c", -0.2, 0.2, c),
                        between("d", -3, 5, d), between("E_start", 0.5, 50, start),
                        between("E_max", 60, 1e5, most)},
          .inputs = {{"experts", "experts"}}};
}

std::vector<LawFormula> make() {
  std::vector<LawFormula> out;
  out.push_back(clark("clark", "S-BASE", -0.082, -0.108, 0.009, 1.104, 1.847, 314.478));
  out.push_back(clark("clark-rl", "RL-R", -0.083, -0.126, 0.012, 1.111, 1.880, 469.982));
  out.push_back(clark("clark-hash", "hash layers", -0.087, -0.136, 0.012, 1.157, 4.175, 477.741));

  // Dremov et al. (2025): Chinchilla's law of all tokens, a floor, what too few quantized tokens cost, and
  // what full-precision tokens add to that. S are tokens per byte of quantized weights, D 8 / (N P_w).
  out.push_back(
      {.name = "apple-qat",
       .title = "Full-precision training, then quantization-aware training",
       .source =
           "Dremov et al. 2025, arXiv 2509.22935: the form of its loss law, known from a summary "
           "alone; its constants were not at hand",
       .formula = "E + A/N^alpha + B/D^beta + theta*2^(-kappa*P_w) + "
                  "phi*2^(-chi*P_w)/(N^psi*(8*D_qat/(N*P_w))^omega) + "
                  "lambda*2^(-mu*P_w)/(N^nu*(8*max(D - D_qat, 1)/(N*P_w))^xi*"
                  "(8*D_qat/(N*P_w))^rho)",
       .delta = "",
       .constants = {between("theta", 1e-6, 10), between("kappa", 0.05, 5),
                     between("phi", 1e-6, 1e6), between("chi", 0.05, 5), between("psi", -1, 1),
                     between("omega", 0.01, 3), between("lambda", 1e-6, 1e6),
                     between("mu", 0.05, 5), between("nu", -1, 1), between("xi", -3, 3),
                     between("rho", 0.01, 3)},
       .inputs = {{"D_qat", "D_qat"}}});
  return out;
}

}  // namespace

const std::vector<LawFormula>& published_formulas() {
  static const std::vector<LawFormula> all = make();
  return all;
}

}  // namespace bitlaw
