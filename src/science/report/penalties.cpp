#include "report/penalties.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "base/json_fields.h"

namespace bitlaw {
namespace {

constexpr double kNoiseDeviations = 2;  // a smaller difference may be chance

// Runs that differ in nothing but the seed.
using Setting = std::tuple<double, double, std::string, std::vector<std::string>>;

struct Measured {
  std::string name;
  double loss = 0;  // mean
  int runs = 0;
  bool unstable = false;
  Reference reference;
};

// The factors of precision in which low-precision runs differ though their bits are the same.
std::vector<const Factor*> telling_factors(const References& references) {
  std::map<std::pair<std::string, const Factor*>, std::set<std::string>> values;
  for (size_t i = 0; i < references.rows().size(); ++i) {
    const FactorRow& row = references.rows()[i];
    if (!references.is_low(i)) continue;
    for (const Factor& factor : factors()) {
      if (factor.varies == Varies::kByPrecision)
        values[{row.label, &factor}].insert(row.value(factor));
    }
  }
  std::vector<const Factor*> out;
  for (const Factor& factor : factors()) {
    const bool tells = std::any_of(values.begin(), values.end(), [&](const auto& entry) {
      return entry.first.second == &factor && entry.second.size() > 1;
    });
    if (tells) out.push_back(&factor);
  }
  return out;
}

std::string name_of(const FactorRow& row, const std::vector<const Factor*>& telling) {
  std::string name = row.label;
  for (const Factor* factor : telling) {
    if (const std::string& value = row.value(*factor); !value.empty())
      name += fmt::format(" {}={}", factor->name, value);
  }
  return name;
}

// The end of a sentence that gives the deviation.
std::string verdict(const Json& penalties, const PureError& noise) {
  const int missing = PureError::kFewestFreedom - noise.all.freedom();
  if (missing > 0) {
    return fmt::format(
        ": too few to say which differences from BF16 are noise. {} more run{} with other seeds "
        "would do.",
        missing, missing == 1 ? "" : "s");
  }
  const auto count = std::count_if(penalties.begin(), penalties.end(),
                                   [](const Json& entry) { return entry["noise"] == true; });
  return fmt::format(": {} of {} differences from BF16 are below two deviations, which is noise.",
                     count, penalties.size());
}

}  // namespace

Json penalties(const std::vector<TidyRow>& rows, const References& references,
               const PureError& noise) {
  const std::vector<const Factor*> telling = telling_factors(references);
  std::map<Setting, Measured> settings;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto reference = references.of(i);
    if (!reference) continue;
    const FactorRow& row = references.rows()[i];
    Measured& setting = settings[{row.params, row.tokens, row.label, row.fixed_values()}];
    setting.name = name_of(row, telling);
    setting.reference = *reference;
    setting.unstable = rows[i].unstable == 1;
    ++setting.runs;
    setting.loss += (row.loss - setting.loss) / setting.runs;
  }
  Json out = Json::array();
  for (const auto& [key, setting] : settings) {
    const auto& [params, tokens, label, values] = key;
    const double difference = setting.loss - setting.reference.loss;
    const double low = noise.deviation(params, label), high = noise.deviation(params, "BF16");
    const double deviation =
        std::sqrt(low * low / setting.runs + high * high / setting.reference.runs);
    const bool known = std::isfinite(deviation) && noise.all.freedom() >= PureError::kFewestFreedom;
    out.push_back({{"N", params},
                   {"D", tokens},
                   {"precision", setting.name},
                   {"runs", setting.runs},
                   {"references", setting.reference.runs},
                   {"loss", setting.loss},
                   {"reference", setting.reference.loss},
                   {"difference", difference},
                   {"deviation", json_number(deviation)},
                   {"noise", known ? Json(std::abs(difference) < kNoiseDeviations * deviation)
                                   : Json(nullptr)},
                   {"unstable", setting.unstable}});
  }
  return out;
}

std::string noise_sentence(const Json& penalties, const PureError& noise, int unmatched) {
  std::string out;
  if (!penalties.empty() && noise.all.freedom() > 0) {
    out = fmt::format("Losses deviate by {:.2g} nats {} ({})", noise.all.deviation(),
                      noise.all.between(), degrees_of_freedom(noise.all.freedom()));
    out += verdict(penalties, noise);
  } else if (!penalties.empty()) {
    out =
        "No run is known to be repeated with another seed, so it is not known which differences "
        "from BF16 are "
        "noise.";
  }
  if (unmatched > 0) {
    out += fmt::format(
        "{}{} of lower precision {} no BF16 run of the same N, D and factors, and {} not compared.",
        out.empty() ? "" : " ", unmatched == 1 ? "1 run" : fmt::format("{} runs", unmatched),
        unmatched == 1 ? "has" : "have", unmatched == 1 ? "is" : "are");
  }
  return out;
}

}  // namespace bitlaw
