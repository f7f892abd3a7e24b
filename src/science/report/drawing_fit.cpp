// What the data identify: profiles of the constants, laws beside each other, isoFLOP curves; and
// learning curves.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "report/drawing_kinds.h"
#include "report/fields.h"

namespace bitlaw {
namespace {

constexpr const char* kIdentifyGroup = "What the data identify";

void add_isoflop(const DrawingData& data, std::vector<Drawing>& out) {
  const Json& figure = data.document()["figures"]["isoflop"];
  if (!figure.is_object()) return;
  Drawing drawing{
      "isoflop", kIdentifyGroup,         "isoFLOP curves: loss against N at equal training compute",
      "",        {"parameters N", true}, {"loss, nats per token"}};
  for (const Json& sentence : figure["sentences"])
    drawing.says += (drawing.says.empty() ? "" : " ") + sentence.get<std::string>();
  DrawnPanel parabolas{"parabolas"}, law{"fitted law"};
  DrawnSeries minima{"minima of the parabolas"};
  for (const Json& budget : figure["budgets"]) {
    const std::string name = fmt::format("{:.3g} FLOP", number(budget, "C"));
    DrawnSeries one{name};
    for (const Json& point : budget["points"])
      one.points.push_back({number(point, "x"),
                            number(point, "y"),
                            kUnknown,
                            kUnknown,
                            text(point, "run"),
                            {{"D", number(point, "D")}}});
    const auto curve = [&](const char* key) {
      std::vector<DrawnPlace> places;
      if (!budget.contains(key)) return places;
      for (const Json& point : budget[key])
        places.push_back({number(point, "x"), number(point, "y")});
      return places;
    };
    DrawnSeries other = one;
    one.curve = curve("parabola"), other.curve = curve("law");
    parabolas.series.push_back(std::move(one));
    if (!other.curve.empty()) law.series.push_back(std::move(other));
    if (!budget.contains("minimum")) continue;
    const Json& minimum = budget["minimum"];
    minima.points.push_back({number(minimum, "x"),
                             number(minimum, "y"),
                             kUnknown,
                             kUnknown,
                             "",
                             {{"C", number(budget, "C")},
                              {"N from", number(minimum, "low")},
                              {"N to", number(minimum, "high")}}});
  }
  parabolas.series.push_back(std::move(minima));
  drawing.panels = {std::move(parabolas), std::move(law)};
  out.push_back(std::move(drawing));
}

void add_profiles(const DrawingData& data, std::vector<Drawing>& out) {
  const Json& profiles = data.document()["figures"]["profiles"];
  if (!profiles.is_array() || profiles.empty()) return;
  Drawing drawing{"profiles",
                  kIdentifyGroup,
                  "Profiles of the constants",
                  "",
                  {"value of the constant"},
                  {"rise above the minimum, squared standard errors"}};
  constexpr double kMostRise = 12, kLine = 2.71;
  std::vector<std::string> closed, open;
  for (const Json& profile : profiles) {
    const std::string name = text(profile, "name");
    const double low = number(profile, "low"), high = number(profile, "high");
    const auto end = [](double value, const char* none) {
      return std::isfinite(value) ? fmt::format("{:.4g}", value) : std::string(none);
    };
    const std::string words =
        fmt::format("{} from {} to {}", name, end(low, "no lower end"), end(high, "no upper end"));
    (std::isfinite(low) && std::isfinite(high) ? closed : open).push_back(words);
    DrawnPanel panel{words};
    panel.lines.push_back({kUnknown, kLine, false, "90 %"});
    DrawnSeries series{"least objective"};
    for (const Json& point : profile["points"]) {
      if (number(point, "y") <= kMostRise)
        series.curve.push_back({number(point, "x"), number(point, "y")});
    }
    panel.series.push_back(std::move(series));
    drawing.panels.push_back(std::move(panel));
  }
  if (!closed.empty())
    drawing.says = fmt::format("Profiles with two ends: {}.", fmt::join(closed, ", "));
  if (!open.empty())
    drawing.says += fmt::format("{}Without an end, so not identified by these rows: {}.",
                                drawing.says.empty() ? "" : " ", fmt::join(open, ", "));
  out.push_back(std::move(drawing));
}

void add_comparison(const DrawingData& data, std::vector<Drawing>& out) {
  const Json& comparison = data.document()["comparison"];
  if (comparison.is_object()) out.push_back(comparison_drawing(comparison));
}

// ---- learning curves -------------------------------------------------------------------------------

constexpr int kLearningPlaces = 60;

// Means over steps of equal log tokens.
std::vector<DrawnPlace> thinned(const std::vector<LearningPoint>& points) {
  std::vector<DrawnPlace> out;
  double least = 1e300, most = 0;
  for (const LearningPoint& point : points) {
    if (!(point.tokens > 0)) continue;
    least = std::min(least, point.tokens), most = std::max(most, point.tokens);
  }
  if (!(most > least)) return out;
  struct Bin {
    double tokens = 0, loss = 0;
    int count = 0;
  };
  std::map<int, Bin> bins;
  for (const LearningPoint& point : points) {
    if (!(point.tokens > 0) || !std::isfinite(point.loss)) continue;
    const double share = std::log(point.tokens / least) / std::log(most / least);
    Bin& bin = bins[std::min(kLearningPlaces - 1, static_cast<int>(share * kLearningPlaces))];
    bin.tokens += point.tokens, bin.loss += point.loss, ++bin.count;
  }
  for (const auto& [place, bin] : bins)
    out.push_back({bin.tokens / bin.count, bin.loss / bin.count});
  return out;
}

void add_learning_curves(const DrawingData& data, std::vector<Drawing>& out) {
  if (!data.input().learning_curve) return;
  constexpr size_t kMostPanels = 4, kMostSeries = 8;
  Drawing drawing{"learning-curves",     kIdentifyGroup,
                  "Learning curves",     "",
                  {"tokens seen", true}, {"training loss, nats per token"}};
  std::vector<double> sizes;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() && row.n > 0 && row.parts.is_equal()) sizes.push_back(row.n);
  }
  for (const double n : commonest(sizes, kMostPanels)) {
    // The longest training of each precision, and of those the best.
    std::map<std::pair<std::string, double>, const DrawnRow*> longest;
    for (const DrawnRow& row : data.rows()) {
      if (!row.is_run() || row.n != n || !row.parts.is_equal() || row.tidy->is_along()) continue;
      const DrawnRow*& best = longest[{row.parts.name, row.parts.bits}];
      if (best == nullptr || row.d > best->d || (row.d == best->d && row.loss < best->loss))
        best = &row;
    }
    DrawnPanel panel{fmt::format("N = {}", format_count(n))};
    std::string ends;
    for (const auto& [key, row] : longest) {
      if (panel.series.size() == kMostSeries) break;
      std::vector<DrawnPlace> curve = thinned(data.input().learning_curve(row->tidy->run));
      if (curve.empty()) continue;
      const std::string name = key.first.empty()
                                   ? bits_words(16)
                                   : fmt::format("{} of {}", bits_words(key.second), key.first);
      ends += fmt::format("{}{:.3f} ({})", ends.empty() ? "" : ", ", curve.back().y, name);
      panel.named(name).curve = std::move(curve);
    }
    if (panel.series.empty()) continue;
    drawing.says +=
        fmt::format("{}{} at N = {}", drawing.says.empty() ? "" : "; ", ends, format_count(n));
    drawing.panels.push_back(std::move(panel));
  }
  if (drawing.panels.empty()) return;
  drawing.says = fmt::format(
      "The longest run of each precision; its training loss ends at {}. Lengths "
      "may differ, so ends are no comparison of precisions.",
      drawing.says);
  out.push_back(std::move(drawing));
}

}  // namespace

Drawing comparison_drawing(const Json& comparison) {
  Drawing drawing{"laws",
                  kIdentifyGroup,
                  "Laws beside each other: held-out error",
                  "",
                  {"fitted constants of the law"},
                  {"held-out error, % of the loss"}};
  drawing.says = text(comparison, "verdict");
  const std::string hold_out = text(comparison, "hold_out");
  if (!hold_out.empty())
    drawing.says += fmt::format("{}Held out: {}.", drawing.says.empty() ? "" : " ", hold_out);
  DrawnPanel panel;
  for (const Json& law : comparison["laws"]) {
    const double error = 100 * number(law, "held_out"), by = 100 * number(law, "held_out_error");
    DrawnPoint point{number(law, "k"), error};
    point.low = std::max(0.0, error - kBarErrors * by), point.high = error + kBarErrors * by;
    if (!std::isfinite(by)) point.low = point.high = kUnknown;
    point.about = {{"law", text(law, "name")},
                   {"error in the fitted rows, %", 100 * number(law, "rms_log")},
                   {"AICc", number(law, "aicc")},
                   {"note", text(law, "note")}};
    panel.named(text(law, "name")).points.push_back(std::move(point));
  }
  drawing.panels.push_back(std::move(panel));
  return drawing;
}

void add_fit_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  add_isoflop(data, out);
  add_profiles(data, out);
  add_comparison(data, out);
  add_learning_curves(data, out);
}

}  // namespace bitlaw
