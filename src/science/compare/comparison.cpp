// The verdict of a comparison, in words.
#include "compare/comparison.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

namespace bitlaw {
namespace {

std::string is_or_are(const std::vector<std::string>& names) {
  return fmt::format("{} {}", fmt::join(names, ", "), names.size() == 1 ? "is" : "are");
}

// "0.52 %", or "1.3 standard errors" of deltas.
std::string error_words(bool in_standard_errors, double rms) {
  return in_standard_errors ? fmt::format("{:.2f} standard errors", rms)
                            : fmt::format("{:.3f} %", 100 * rms);
}

std::vector<std::string> names_where(const std::vector<ComparedLaw>& laws,
                                     const std::function<bool(const ComparedLaw&)>& wanted) {
  std::vector<std::string> out;
  for (const ComparedLaw& law : laws) {
    if (wanted(law)) out.push_back(law.name);
  }
  return out;
}

}  // namespace

const ComparedLaw* ComparePart::best_by_aicc() const {
  const ComparedLaw* first = nullptr;
  for (const ComparedLaw& law : laws) {
    if (std::isfinite(law.aicc) && (!first || law.aicc < first->aicc)) first = &law;
  }
  return first;
}

std::vector<std::string> ComparePart::tied() const {
  return names_where(
      laws, [&](const ComparedLaw& law) { return law.judged && law.tied && &law != &laws[0]; });
}

Range ComparePart::best_bits_of_tied() const {
  Range out{kUnknown, kUnknown};
  for (const ComparedLaw& law : laws) {
    if (!law.judged || !law.tied || !std::isfinite(law.best_bits)) continue;
    out.low = std::fmin(out.low, law.best_bits_allowed.low);
    out.high = std::fmax(out.high, law.best_bits_allowed.high);
  }
  return out;
}

std::vector<std::string> ComparePart::behind() const {
  return names_where(laws, [](const ComparedLaw& law) { return law.judged && !law.tied; });
}

std::string ComparePart::verdict() const {
  std::string out;
  const ComparedLaw *best = this->best(), *first = best_by_aicc();
  if (!best) {
    out = problem.empty() ? "No law could be judged on held-out rows."
                          : fmt::format("No law could be judged: {}.", problem);
  } else if (judged_clusters < 2) {
    out = fmt::format(
        "The {} held-out rows belong to one cluster, so differences cannot be distinguished from "
        "chance: all laws count as tied.",
        judged);
  } else {
    const std::vector<std::string> same = tied(), worse = behind();
    out = fmt::format("{} has the smallest held-out error, {}", best->name,
                      error_words(in_standard_errors(), best->held_out_rms));
    if (!same.empty()) {
      out += fmt::format(", but {} within {:.2g} standard errors of it: a tie", is_or_are(same),
                         allowed_errors(judged_clusters));
    }
    if (!worse.empty()) out += fmt::format("; {} behind", is_or_are(worse));
    out += ".";
    if (judged < held_out) {
      out += fmt::format(" Errors are over the {} of {} held-out rows that all of them predict.",
                         judged, held_out);
    }
  }
  if (first) {
    const std::vector<std::string> near = names_where(
        laws, [&](const ComparedLaw& law) { return &law != first && law.aicc - first->aicc < 2; });
    out += fmt::format(" On the fitted rows, AICc puts {} first (k = {})", first->name, first->k);
    if (!near.empty()) out += fmt::format(", with {} within 2 of it", fmt::join(near, ", "));
    out += ".";
    if (first->judged && !first->tied && judged_clusters > 1) {
      out += " The held-out rows disagree.";
    }
  }
  return out;
}

}  // namespace bitlaw
