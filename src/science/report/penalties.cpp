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
  Mean loss;
  std::map<std::string, Mean> by_seed;
  bool unstable = false;
  Reference reference;
};

// A setting and its reference, on the seeds that both have if there are any.
struct Compared {
  Mean low, high;
  std::vector<double> differences;  // by seed; empty: means are compared

  bool paired() const { return !differences.empty(); }
};

Compared compare(const Measured& setting) {
  Compared out;
  for (const auto& [seed, low] : setting.by_seed) {
    const auto high = setting.reference.by_seed.find(seed);
    if (high == setting.reference.by_seed.end()) continue;
    out.low.add(low.loss), out.high.add(high->second.loss);
    out.differences.push_back(low.loss - high->second.loss);
  }
  if (!out.paired()) out.low = setting.loss, out.high = setting.reference;
  return out;
}

using Settings = std::map<Setting, Measured>;

// The spread of paired differences around their mean, as that of losses (table/pure_error.h).
PureError paired_error(const Settings& settings) {
  PureError out;
  for (const auto& [key, setting] : settings) {
    const Compared compared = compare(setting);
    if (compared.differences.size() < 2) continue;
    PureErrorPart part;
    part.params = std::get<0>(key), part.label = std::get<2>(key);
    part.cells = 1, part.runs = static_cast<int>(compared.differences.size());
    const double mean = compared.low.loss - compared.high.loss;
    for (const double each : compared.differences) part.squares += (each - mean) * (each - mean);
    const auto same = std::find_if(out.parts.begin(), out.parts.end(), [&](const auto& other) {
      return other.params == part.params && other.label == part.label;
    });
    for (PureErrorPart* total : {&out.all, same == out.parts.end() ? nullptr : &*same}) {
      if (total == nullptr) continue;
      total->cells += part.cells, total->runs += part.runs, total->squares += part.squares;
    }
    if (same == out.parts.end()) out.parts.push_back(std::move(part));
  }
  return out;
}

double deviation_of(const Compared& compared, double params, const std::string& label,
                    const PureError& noise, const PureError& of_pairs) {
  if (compared.paired() && of_pairs.all.freedom() >= PureError::kFewestFreedom)
    return of_pairs.deviation(params, label) / std::sqrt(compared.low.runs);
  const double low = noise.deviation(params, label), high = noise.deviation(params, "BF16");
  return std::sqrt(low * low / compared.low.runs + high * high / compared.high.runs);
}

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
  Settings settings;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto reference = references.of(i);
    if (!reference) continue;
    const FactorRow& row = references.rows()[i];
    Measured& setting = settings[{row.params, row.tokens, row.label, row.fixed_values()}];
    setting.name = name_of(row, telling);
    setting.reference = *reference;
    setting.unstable = rows[i].unstable == 1;
    setting.loss.add(row.loss);
    if (!row.seed.empty()) setting.by_seed[row.seed].add(row.loss);
  }
  const PureError of_pairs = paired_error(settings);
  Json out = Json::array();
  for (const auto& [key, setting] : settings) {
    const auto& [params, tokens, label, values] = key;
    const Compared compared = compare(setting);
    const double difference = compared.low.loss - compared.high.loss;
    const double deviation = deviation_of(compared, params, label, noise, of_pairs);
    const bool known = std::isfinite(deviation) && noise.all.freedom() >= PureError::kFewestFreedom;
    out.push_back({{"N", params},
                   {"D", tokens},
                   {"precision", setting.name},
                   {"runs", compared.low.runs},
                   {"references", compared.high.runs},
                   {"paired", compared.paired()},
                   {"loss", compared.low.loss},
                   {"reference", compared.high.loss},
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
