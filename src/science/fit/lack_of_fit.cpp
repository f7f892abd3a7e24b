#include "fit/lack_of_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "solve/quantile.h"

namespace bitlaw {

std::optional<LackOfFit> lack_of_fit(double sse_of_logs, int rows, int constants,
                                     const PureError& error) {
  LackOfFit out;
  out.noise_freedom = error.all.freedom();
  out.freedom = rows - constants - out.noise_freedom;
  if (out.noise_freedom < PureError::kFewestFreedom || out.freedom < 1 ||
      !std::isfinite(sse_of_logs) || !(error.all.log_squares > 0))
    return std::nullopt;
  const double squares = error.all.log_squares;
  out.residual = std::sqrt(sse_of_logs / (rows - constants));
  out.noise = std::sqrt(squares / out.noise_freedom);
  out.f = std::max(0.0, sse_of_logs - squares) / out.freedom / (squares / out.noise_freedom);
  out.p = f_share_above(out.f, out.freedom, out.noise_freedom);
  return out;
}

std::string lack_of_fit_text(const LackOfFit& lack) {
  return fmt::format(
      "lack of fit: residuals of {:.3f} % against {:.3f} % between seeds, F({}, {}) = {:.3g}, "
      "p = {:.2g}: {}",
      100 * lack.residual, 100 * lack.noise, lack.freedom, lack.noise_freedom, lack.f, lack.p,
      lack.is_clear() ? "the law misses more than noise, so its constants describe these rows only "
                        "roughly"
                      : "nothing shows that the law misses more than noise");
}

Json lack_of_fit_json(const std::optional<LackOfFit>& lack) {
  if (!lack) return nullptr;
  return {{"residual", lack->residual},
          {"noise", lack->noise},
          {"f", lack->f},
          {"p", lack->p},
          {"freedom", lack->freedom},
          {"noise_freedom", lack->noise_freedom}};
}

}  // namespace bitlaw
