// Equal losses over N and the bits of weights: where measured losses cross a level, and the contours of
// the fitted law (arXiv 2411.04330, figure 3).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "report/drawing_runs.h"

namespace bitlaw {
namespace {

// Measured means at one D, by bits and N.
using LossesByBits = std::map<double, std::map<double, Mean>>;

struct Contour {
  double level;
  std::vector<DrawnPoint> crossings = {};  // x: N, y: bits
  std::vector<DrawnPlace> curve = {};
};

// Where the measured losses of one precision cross the level, by linear interpolation in log N.
void add_crossings(const LossesByBits& losses, Contour& out) {
  for (const auto& [bits, by_size] : losses) {
    for (auto low = by_size.begin(); low != by_size.end(); ++low) {
      const auto high = std::next(low);
      if (high == by_size.end()) break;
      const double above = low->second.loss, below = high->second.loss;
      if (!(above >= out.level && below < out.level)) continue;
      const double share = (above - out.level) / (above - below);
      const double n = low->first * std::pow(high->first / low->first, share);
      out.crossings.push_back(
          {n, bits, kUnknown, kUnknown, "", {{"between N", low->first}, {"and N", high->first}}});
    }
  }
}

double params_at_loss(const DrawingData& data, double d, double bits, double level, double least,
                      double most) {
  const auto loss = [&](double log_n) {
    Observation run = data.model(std::exp(log_n), d);
    run.bits_weights = bits;
    return data.loss(run);
  };
  double low = std::log(least), high = std::log(most);
  if (!(loss(low) > level && loss(high) < level)) return kUnknown;
  while (high - low > 1e-4) {
    const double middle = 0.5 * (low + high);
    (loss(middle) > level ? low : high) = middle;
  }
  return std::exp(0.5 * (low + high));
}

}  // namespace

void add_contour_drawings(const DrawingData& data, const RunsByParts& by_parts,
                          std::vector<Drawing>& out) {
  const auto weights = by_parts.find("weights"), whole = by_parts.find("");
  if (weights == by_parts.end()) return;
  constexpr size_t kMostPanels = 4;
  constexpr int kLevels = 6;  // the same in all panels
  constexpr double kBeyond = 4;
  Drawing drawing{"iso-loss",
                  kBitsGroup,
                  "Equal losses over size and bits of weights",
                  "",
                  {"parameters N", true},
                  {"bits of weights in training"}};
  std::vector<double> ratios;
  struct Length {
    LossesByBits losses;
    double least = 1e300, most = 0;  // N
  };
  std::map<double, Length> lengths;
  double best = 1e300, worst = 0;
  for (const double d : commonest(tokens_of_rows(weights->second), kMostPanels)) {
    Length found;
    double lowest = 1e300, highest = 0;
    for (const auto& rows : {weights, whole}) {
      if (rows == by_parts.end()) continue;
      for (const DrawnRow* row : rows->second) {
        if (row->d != d || !row->flagged.empty()) continue;
        found.losses[row->parts.bits][row->n].add(row->loss);
        found.least = std::min(found.least, row->n), found.most = std::max(found.most, row->n);
        lowest = std::min(lowest, row->loss), highest = std::max(highest, row->loss);
      }
    }
    if (!(found.most > found.least) || found.losses.size() < 2) continue;
    best = std::min(best, lowest), worst = std::max(worst, highest);
    lengths.emplace(d, std::move(found));
  }
  for (const auto& [d, length] : lengths) {
    const LossesByBits& losses = length.losses;
    const double least = length.least, most = length.most;
    DrawnPanel panel{fmt::format("{} tokens", format_count(d))};
    for (int k = 1; k <= kLevels; ++k) {
      Contour contour{best + (worst - best) * k / (kLevels + 1)};
      add_crossings(losses, contour);
      if (data.has_bits()) {
        for (const double bits :
             even_places(fewest_drawn_bits(weights->second), kMostDrawnBits, 57)) {
          const double n =
              params_at_loss(data, d, bits, contour.level, least / kBeyond, most * kBeyond);
          if (std::isfinite(n)) contour.curve.push_back({n, bits});
        }
        for (const DrawnPoint& point : contour.crossings) {
          const double n =
              params_at_loss(data, d, point.y, contour.level, least / kBeyond, most * kBeyond);
          if (std::isfinite(n)) ratios.push_back(point.x / n);
        }
      }
      DrawnSeries& series = panel.named(fmt::format("loss {:.4g}", contour.level));
      series.points = std::move(contour.crossings), series.curve = std::move(contour.curve);
    }
    drawing.panels.push_back(std::move(panel));
  }
  if (drawing.panels.empty()) return;
  if (ratios.empty()) {
    drawing.says =
        data.has_bits()
            ? "No level of loss lies between two sizes of one D and one number of bits, so nothing "
              "measured stands beside the contours of the fitted law."
            : "Points: where the measured losses of one number of bits cross a level, between two "
              "sizes. " +
                  data.why_no_curve();
  } else {
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    drawing.says = fmt::format(
        "Where measured losses cross a level between two sizes (linear in log N), N is {:.2f} to "
        "{:.2f} times what the fitted law needs for that loss ({} crossings).",
        *low, *high, ratios.size());
  }
  out.push_back(std::move(drawing));
}

}  // namespace bitlaw
