// What the fitted law misses: predicted against measured losses, and residuals.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "report/drawing_kinds.h"
#include "report/fields.h"
#include "report/fitted_law.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

constexpr const char* kErrorsGroup = "What the law misses";
constexpr size_t kMostKinds = 8;

// What a row's colour says: the class of its precision if the law has classes, else its parts.
std::string kind_of(const DrawingData& data, const DrawnRow& row) {
  if (!row.is_run()) return "after " + row.tidy->method;
  if (!data.fit()->law->class_parameters.empty()) return class_of(row.run);
  if (row.parts.none()) return "not quantized";
  return row.parts.is_equal() ? row.parts.name : "parts at different bits";
}

std::string held_out_sentence(const DrawingData& data) {
  const Json& document = data.document();
  std::string out;
  for (const Json& split : document["held_out"]) {
    const double error = number(split, "rms_log"), rows = number(split, "points");
    if (text(split, "part") == "post" || !std::isfinite(error) || !(rows > 0)) continue;
    out += fmt::format("{}{}: {:.2f} % ({:.0f} rows)", out.empty() ? "" : ", ",
                       text(split, "split"), 100 * error, rows);
  }
  const bool is_of_others = is_fit_of_others(data.input().fit, data.input().runs_hash);
  if (out.empty())
    return is_of_others ? " The law was fitted to another table."
                        : " No rows were held out, so this is no test of the law.";
  return fmt::format(" {} held-out rows, root mean square: {}.",
                     is_of_others ? "The law was fitted to another table; it was tested there on"
                                  : "These rows were fitted; the test is of",
                     out);
}

// How much of the spread of losses a law explains.
struct Explained {
  double sum = 0, squares = 0, misses = 0, log_misses = 0, count = 0;

  void add(double measured, double predicted) {
    const double off = measured - predicted, log_off = std::log(measured / predicted);
    sum += measured, squares += measured * measured, ++count;
    misses += off * off, log_misses += log_off * log_off;
  }
  double r2() const { return 1 - misses / (squares - sum * sum / count); }
  bool is_known() const { return count > 2 && squares - sum * sum / count > 0; }
};

// "0.998", or "< 0".
std::string without_equals(const Explained& explained) {
  const std::string words = r2_words(explained.r2(), 3);
  return words.starts_with("= ") ? words.substr(2) : words;
}

// R^2 of each part that was quantized alone or with others, as published fits give it.
std::string by_kind_sentence(const std::map<std::string, Explained>& kinds) {
  constexpr double kFewest = 10;
  constexpr size_t kMostNamed = 6;
  std::vector<std::string> named;
  for (const auto& [name, explained] : kinds) {
    if (explained.count >= kFewest && explained.is_known())
      named.push_back(
          fmt::format("{} {} ({:.0f})", name, without_equals(explained), explained.count));
  }
  if (named.size() < 2 || named.size() > kMostNamed) return "";
  return fmt::format(" R^2 of each (runs): {}.", fmt::join(named, ", "));
}

void add_predicted(const DrawingData& data, std::vector<Drawing>& out) {
  if (!data.fit()) return;
  Drawing drawing{"predicted-measured",
                  kErrorsGroup,
                  "Predicted against measured loss",
                  "",
                  {"predicted, nats per token"},
                  {"measured, nats per token"}};
  drawing.equal = true;
  std::map<std::string, std::vector<DrawnPoint>> kinds;
  Explained all;
  std::map<std::string, Explained> explained;
  size_t without = 0;
  for (const DrawnRow& row : data.rows()) {
    if (!std::isfinite(row.loss)) continue;
    if (!row.is_run() && !(data.has_delta() && row.tidy->method == data.method())) continue;
    const double predicted = data.loss(row.run);
    if (!(predicted > 0) || !std::isfinite(predicted)) {
      ++without;
      continue;
    }
    DrawnPoint point = data.point(row, predicted);
    kinds[kind_of(data, row)].push_back(std::move(point));
    if (!row.flagged.empty() || !row.is_run()) continue;
    all.add(row.loss, predicted);
    explained[kind_of(data, row)].add(row.loss, predicted);
  }
  if (kinds.empty()) return;
  std::vector<std::pair<size_t, std::string>> order;
  order.reserve(kinds.size());
  for (const auto& [name, points] : kinds) order.emplace_back(points.size(), name);
  std::sort(order.rbegin(), order.rend());
  DrawnPanel panel;
  panel.lines.push_back({kUnknown, kUnknown, true, ""});
  for (size_t i = 0; i < order.size(); ++i) {
    const bool is_named = order.size() <= kMostKinds || i + 1 < kMostKinds;
    std::vector<DrawnPoint>& to = panel.named(is_named ? order[i].second : "others").points;
    const std::vector<DrawnPoint>& from = kinds[order[i].second];
    to.insert(to.end(), from.begin(), from.end());
  }
  drawing.panels.push_back(std::move(panel));
  drawing.says = all.is_known() ? fmt::format(
                                      "The fitted law explains R^2 {} of the losses of {:.0f} "
                                      "runs, and misses them by {} "
                                      "(root mean square).",
                                      r2_words(all.r2(), 4), all.count,
                                      miss_words(std::sqrt(all.log_misses / all.count)))
                                : std::string("Too few runs for a measure of agreement.");
  drawing.says += by_kind_sentence(explained) + held_out_sentence(data);
  if (without > 0)
    drawing.says +=
        fmt::format(" {} rows have no prediction by this fit and are not drawn.", without);
  out.push_back(std::move(drawing));
}

// Whether the points of a panel are at more than one place.
bool varies(const Json& panel) {
  std::set<double> places;
  for (const Json& series : panel["series"]) {
    for (const Json& point : series["points"]) places.insert(number(point, "x"));
  }
  return places.size() > 1;
}

void add_residuals(const DrawingData& data, std::vector<Drawing>& out) {
  const Json& figure = data.document()["figures"]["residuals"];
  if (!figure.is_object()) return;
  const std::map<std::string, std::string> words{{"N", "parameters N"},
                                                 {"D", "training tokens D"},
                                                 {"C", "training compute 6 N D, FLOP"},
                                                 {"bits", "fewest bits in training"}};
  for (const Json& from : figure["panels"]) {
    const std::string x = text(from, "x"), by = text(from, "by");
    const auto label = words.find(x);
    if (label == words.end() || !varies(from)) continue;
    std::string id = "residuals-" + x;
    for (char& c : id) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    Drawing drawing{id,
                    kErrorsGroup,
                    "Residuals against " + label->second,
                    text(from, "sentence"),
                    {label->second, x != "bits"},
                    {"measured above predicted, % of the loss"}};
    if (out.empty() || !out.back().id.starts_with("residuals"))
      drawing.says = figure["sentences"][0].get<std::string>() + " " + drawing.says;
    DrawnPanel panel;
    panel.lines.push_back({kUnknown, 0, false, ""});
    for (const Json& series : from["series"]) {
      const std::string name = text(series, "name");
      DrawnSeries& one = panel.named(by == "precision" ? name : fmt::format("{} {}", by, name));
      for (const Json& point : series["points"]) {
        one.points.push_back({number(point, "x"),
                              number(point, "y"),
                              kUnknown,
                              kUnknown,
                              text(point, "run"),
                              {{"N", number(point, "N")}, {"D", number(point, "D")}}});
      }
    }
    drawing.panels.push_back(std::move(panel));
    out.push_back(std::move(drawing));
  }
  // What no single axis shows: means by precision, lack of fit, how far rows lie outside.
  const Json& sentences = figure["sentences"];
  for (size_t i = 1; i < sentences.size(); ++i) {
    if (!out.empty() && out.back().id.starts_with("residuals"))
      out.back().says += " " + sentences[i].get<std::string>();
  }
}

}  // namespace

void add_error_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  add_predicted(data, out);
  add_residuals(data, out);
}

}  // namespace bitlaw
