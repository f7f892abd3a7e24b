#include "report/residuals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/statistics.h"
#include "base/text.h"
#include "predict/reach.h"
#include "report/fields.h"
#include "report/fitted_law.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

constexpr size_t kMostColours = 7;
constexpr size_t kMostPoints = 3000;  // of a panel

struct Residual {
  double params, tokens, compute, bits;
  double per_cent;  // of the loss, measured above predicted
  double predicted, measured;
  std::string precision, run;
  std::string cluster;
};

std::string name_of(const Observation& row, size_t place) {
  return row.cluster.empty() ? fmt::format("row {}", place + 1) : row.cluster;
}

std::vector<Residual> residuals_of(const std::vector<Observation>& rows, const FittedLaw& law,
                                   const Json& fit) {
  std::vector<Residual> out;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Observation row = as_counted(rows[i], fit);
    if (row.is_post_training() || !(row.loss_nats > 0)) continue;
    const double predicted = predict(*law.law, law.values.data(), row);
    if (!(predicted > 0) || !std::isfinite(predicted)) continue;
    out.push_back({row.params, row.tokens, 6 * row.params * row.tokens, least_bits(row),
                   100 * std::log(row.loss_nats / predicted), predicted, row.loss_nats,
                   class_of(row), name_of(row, i),
                   row.cluster.empty() ? fmt::format("row {}", i) : row.cluster});
  }
  return out;
}

using Value = std::function<double(const Residual&)>;

const std::map<std::string, Value> kSizes{{"N", [](const Residual& each) { return each.params; }},
                                          {"D", [](const Residual& each) { return each.tokens; }},
                                          {"C", [](const Residual& each) { return each.compute; }},
                                          {"bits", [](const Residual& each) { return each.bits; }}};

std::string amount_words(double amount) {
  constexpr double kMostCount = 1e15;
  return amount < kMostCount ? format_count(amount) : fmt::format("{:.3g}", amount);
}

// The name of a group for each row: a value each where they are few, else parts with as many rows each.
std::vector<std::string> groups_by(const std::vector<Residual>& rows, const Value& value,
                                   size_t most) {
  std::set<double> different;
  std::vector<double> sorted;
  for (const Residual& row : rows) different.insert(value(row)), sorted.push_back(value(row));
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> out;
  for (const Residual& row : rows) {
    if (different.size() <= most) {
      out.push_back(amount_words(value(row)));
      continue;
    }
    const auto below = std::lower_bound(sorted.begin(), sorted.end(), value(row)) - sorted.begin();
    const size_t part = static_cast<size_t>(below) * most / sorted.size();
    const auto edge = [&](size_t k) {
      return sorted[std::min(sorted.size() - 1, (k * sorted.size() + most - 1) / most)];
    };
    out.push_back(fmt::format("{} to {}", amount_words(edge(part)), amount_words(edge(part + 1))));
  }
  return out;
}

std::vector<std::string> groups_by_precision(const std::vector<Residual>& rows) {
  std::map<std::string, int> counts;
  for (const Residual& row : rows) ++counts[row.precision];
  std::vector<std::pair<int, std::string>> order;
  order.reserve(counts.size());
  for (const auto& [name, count] : counts) order.emplace_back(-count, name);
  std::sort(order.begin(), order.end());
  std::set<std::string> shown;
  for (size_t i = 0; i < std::min(kMostColours, order.size()); ++i) shown.insert(order[i].second);
  std::vector<std::string> out;
  out.reserve(rows.size());
  for (const Residual& row : rows)
    out.push_back(shown.contains(row.precision) ? row.precision : "others");
  return out;
}

// The mean of a group and its error, by cluster.
struct GroupMean {
  double sum = 0;
  int rows = 0;
  std::map<std::string, std::pair<double, int>> clusters;  // sum, rows

  void add(const Residual& row) {
    sum += row.per_cent, ++rows;
    auto& [of_cluster, count] = clusters[row.cluster];
    of_cluster += row.per_cent, ++count;
  }
  double mean() const { return sum / rows; }
  double error() const {
    double squares = 0;
    for (const auto& [name, part] : clusters) {
      const double off = part.first - part.second * mean();
      squares += off * off;
    }
    const auto count = static_cast<double>(clusters.size());
    return std::sqrt(squares * count / (count - 1)) / rows;
  }
  bool is_off() const {
    constexpr double kErrors = 3;       // a dozen groups are looked at
    constexpr double kRounding = 1e-9;  // per cent
    return clusters.size() >= 5 && std::abs(mean()) > std::max(kErrors * error(), kRounding);
  }
};

std::string means_sentence(const std::vector<Residual>& rows) {
  std::vector<std::string> off;
  const auto look = [&](const char* what, const std::vector<std::string>& groups) {
    std::map<std::string, GroupMean> means;
    for (size_t i = 0; i < rows.size(); ++i) means[groups[i]].add(rows[i]);
    if (means.size() < 2) return;
    for (const auto& [name, mean] : means) {
      if (mean.is_off())
        off.push_back(fmt::format("{} {} ({:+.2f} ± {:.2f} %, {} runs)", what, name, mean.mean(),
                                  mean.error(), mean.rows));
    }
  };
  for (const char* name : {"C", "D", "N"}) look(name, groups_by(rows, kSizes.at(name), 3));
  look("precision", groups_by_precision(rows));
  if (off.empty())
    return "By thirds of N, D and C, and by precision, no mean residual is more than three "
           "standard "
           "errors from zero.";
  return fmt::format(
      "Runs that are off in the mean, by more than three standard errors: {}. There the "
      "law has another shape than the data.",
      fmt::join(off, "; "));
}

// The mean residuals of the lowest and the highest third of the rows.
std::string ends_sentence(const std::vector<Residual>& rows, const char* what) {
  const Value& value = kSizes.at(what);
  const std::vector<std::string> groups = groups_by(rows, value, 3);
  std::map<std::string, GroupMean> means;
  std::map<double, std::string> order;
  for (size_t i = 0; i < rows.size(); ++i) {
    means[groups[i]].add(rows[i]);
    order.emplace(value(rows[i]), groups[i]);
  }
  if (means.size() < 2) return fmt::format("All rows have one {}.", what);
  const std::string &low = order.begin()->second, &high = order.rbegin()->second;
  if (low == high || means[low].clusters.size() < 5 || means[high].clusters.size() < 5)
    return fmt::format("Too few runs at either end of {} for a mean residual there.", what);
  const auto words = [&](const std::string& name) {
    return fmt::format("{:+.2f} ± {:.2f} % at {} {}", means[name].mean(), means[name].error(), what,
                       name);
  };
  return fmt::format("Mean residual (± standard error): {}, {}.{}", words(low), words(high),
                     means[low].is_off() || means[high].is_off()
                         ? " That is more than three standard errors: the law has another shape "
                           "than the data."
                         : " Neither is more than three standard errors from zero.");
}

std::string reach_sentence(const std::vector<Observation>& rows, const Json& fit) {
  const Reach reach = reach_from(fit.value("studied", Json()));
  if (!reach.is_known()) return "";
  int outside = 0;
  double most = 0;
  Observation farthest;
  for (const Observation& given : rows) {
    const Observation row = as_counted(given, fit);
    const Distance away = distance(reach, row);
    if (!away.is_outside()) continue;
    ++outside;
    if (away.size + away.bits > most) most = away.size + away.bits, farthest = row;
  }
  if (outside == 0) return "All runs lie within the ranges of N, D, C and bits of the fitted rows.";
  return fmt::format(
      "{} of {} rows lie beyond the ranges of the fitted rows, where the law extrapolates; "
      "of the farthest, {}.",
      outside, rows.size(), fmt::join(words_beyond(reach, farthest), ", "));
}

// The residuals of the fit against runs that differ in nothing but the seed (fit/lack_of_fit.h).
std::string replicates_sentence(const Json& fit) {
  const Json lack = fit.value("lack_of_fit", Json());
  if (!lack.is_object()) return "";
  constexpr double kClear = 0.01;
  const double p = number(lack, "p");
  return fmt::format(
      "Repeated runs differ by {:.2f} %, and the fit's residuals are {:.2f} %, F({:.0f}, {:.0f}) = "
      "{:.3g}, "
      "p = {:.1g}: {}.",
      100 * number(lack, "noise"), 100 * number(lack, "residual"), number(lack, "freedom"),
      number(lack, "noise_freedom"), number(lack, "f"), p,
      p < kClear ? "the law misses more than noise" : "no more than noise");
}

Json panel(const std::vector<Residual>& rows, const char* x, const char* by,
           const std::vector<std::string>& groups) {
  std::vector<std::string> order;  // as they come by ascending size, or by name
  std::map<std::string, Json> series;
  std::vector<size_t> places(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) places[i] = i;
  const auto by_value = kSizes.find(by);
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
    return by_value == kSizes.end() ? groups[a] < groups[b]
                                    : by_value->second(rows[a]) < by_value->second(rows[b]);
  });
  const Value& value = kSizes.at(x);
  const size_t stride = (rows.size() + kMostPoints - 1) / kMostPoints;
  for (const size_t i : places) {
    if (i % stride != 0) continue;
    if (!series.contains(groups[i])) order.push_back(groups[i]), series[groups[i]] = Json::array();
    series[groups[i]].push_back({{"x", value(rows[i])},
                                 {"y", rows[i].per_cent},
                                 {"N", rows[i].params},
                                 {"D", rows[i].tokens},
                                 {"run", rows[i].run}});
  }
  Json out{{"x", x}, {"by", by}, {"sentence", ends_sentence(rows, x)}, {"series", Json::array()}};
  for (const std::string& name : order)
    out["series"].push_back({{"name", name}, {"points", std::move(series[name])}});
  return out;
}

}  // namespace

Json residual_figure(const std::vector<Observation>& rows, const Json& fit) {
  const FittedLaw law = fitted_law(fit);
  if (!law || law.law->predicts != Predicts::kLoss) return nullptr;
  const std::vector<Residual> residuals = residuals_of(rows, law, fit);
  if (residuals.empty() || rows[0].stand_in_sizes) return nullptr;
  double squares = 0;
  const Residual* worst = &residuals[0];
  for (const Residual& each : residuals) {
    squares += each.per_cent * each.per_cent;
    if (std::abs(each.per_cent) > std::abs(worst->per_cent)) worst = &each;
  }
  Json sentences = Json::array();
  sentences.push_back(fmt::format(
      "The law misses the losses of {} runs by {} (root mean square); the largest miss is "
      "{:+.2f} % "
      "({}, N {}, D {}).",
      residuals.size(),
      miss_words(std::sqrt(squares / static_cast<double>(residuals.size())) / 100), worst->per_cent,
      worst->run, format_count(worst->params), format_count(worst->tokens)));
  const auto runs = std::count_if(rows.begin(), rows.end(), [](const Observation& row) {
    return !row.is_post_training() && row.loss_nats > 0;
  });
  if (static_cast<size_t>(runs) > residuals.size())
    sentences.push_back(
        fmt::format("{} more have a precision or another input that this fit has no constant for; "
                    "they are not shown "
                    "here.",
                    static_cast<size_t>(runs) - residuals.size()));
  if (residuals.size() >= 10) sentences.push_back(means_sentence(residuals));
  if (const std::string lack = replicates_sentence(fit); !lack.empty()) sentences.push_back(lack);
  if (const std::string beyond = reach_sentence(rows, fit); !beyond.empty())
    sentences.push_back(beyond);
  if (residuals.size() > kMostPoints)
    sentences.push_back(fmt::format("Drawn: one run of every {}.",
                                    (residuals.size() + kMostPoints - 1) / kMostPoints));
  Json panels = Json::array();
  const std::vector<std::string> by_n = groups_by(residuals, kSizes.at("N"), kMostColours),
                                 by_d = groups_by(residuals, kSizes.at("D"), kMostColours),
                                 by_p = groups_by_precision(residuals);
  const bool several = std::any_of(by_p.begin(), by_p.end(),
                                   [&](const std::string& name) { return name != by_p[0]; });
  panels.push_back(panel(residuals, "N", "D", by_d));
  panels.push_back(panel(residuals, "D", "N", by_n));
  panels.push_back(several ? panel(residuals, "C", "precision", by_p)
                           : panel(residuals, "C", "N", by_n));
  if (several) panels.push_back(panel(residuals, "bits", "N", by_n));
  return {{"sentences", std::move(sentences)}, {"panels", std::move(panels)}};
}

Json predicted_of_table(const std::vector<Observation>& rows, const Json& fit) {
  const FittedLaw law = fitted_law(fit);
  if (!law || law.law->predicts != Predicts::kLoss) return nullptr;
  const std::vector<Residual> residuals = residuals_of(rows, law, fit);
  const std::vector<std::string> kinds = groups_by_precision(residuals);
  Json points = Json::array();
  for (size_t i = 0; i < residuals.size(); ++i) {
    const Residual& each = residuals[i];
    points.push_back({{"x", each.predicted},
                      {"y", each.measured},
                      {"kind", kinds[i]},
                      {"run", each.run},
                      {"N", each.params},
                      {"D", each.tokens}});
  }
  return {{"points", std::move(points)}};
}

}  // namespace bitlaw
