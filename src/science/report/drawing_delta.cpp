// What quantization after training adds: as predicted, and over the bits of training and those afterwards
// (arXiv 2411.04330, figures 7, 19, 21).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "report/drawing_cells.h"
#include "report/drawing_kinds.h"
#include "report/fields.h"
#include "report/fitted_law.h"

namespace bitlaw {
namespace {

void add_delta_predicted(const DrawingData& data, std::vector<Drawing>& out) {
  if (!data.has_delta()) return;
  Drawing drawing{"delta-predicted",
                  kPtqGroup,
                  "Loss added by quantization: predicted against measured",
                  "",
                  {"predicted, nats per token", true},
                  {"measured, nats per token", true}};
  drawing.equal = true;
  DrawnPanel panel;
  panel.lines.push_back({kUnknown, kUnknown, true, ""});
  std::map<double, std::vector<DrawnPoint>> by_bits;
  size_t hidden = 0;
  double sum = 0, squares = 0, misses = 0, count = 0;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() || row.tidy->method != data.method() || !is_plain(row)) continue;
    const double predicted = data.delta(row.run), measured = row.tidy->delta;
    if (!std::isfinite(predicted) || !std::isfinite(measured)) continue;
    if (!(predicted > 0) || !(measured > 0)) {
      ++hidden;
      continue;
    }
    by_bits[row.tidy->P_post].push_back(delta_point(row, predicted));
    if (!row.flagged.empty()) continue;
    const double log_measured = std::log(measured), off = log_measured - std::log(predicted);
    sum += log_measured, squares += log_measured * log_measured, misses += off * off, ++count;
  }
  for (auto& [bits, points] : by_bits)
    panel.named(bits_words(bits), bits).points = std::move(points);
  if (panel.series.empty()) return;
  drawing.panels.push_back(std::move(panel));
  const double spread = squares - sum * sum / count;
  if (count > 2 && spread > 0)
    drawing.says = fmt::format(
        "Of {:.0f} cells the fitted law explains R^2 {} of the logarithm of the loss added, and "
        "misses it by a factor of {:.2f} (root mean square). {}",
        count, r2_words(1 - misses / spread, 3), std::exp(std::sqrt(misses / count)),
        is_fit_of_others(data.input().fit, data.input().runs_hash)
            ? "The law was fitted to another table."
            : "These cells were fitted, so this is no test.");
  else
    drawing.says = "Too few cells for a measure of agreement.";
  if (hidden > 0)
    drawing.says += fmt::format(
        " {} more were measured or predicted to add no loss and cannot stand on these axes.",
        hidden);
  out.push_back(std::move(drawing));
}

void add_delta_map(const DrawingData& data, std::vector<Drawing>& out) {
  // Cells of models whose weights alone are quantized in training, or nothing is.
  struct Sum {
    double measured = 0, predicted = 0;
    int cells = 0;
  };
  std::map<std::pair<double, double>, std::map<std::pair<double, double>, Sum>> by_size;
  std::set<double> trained;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() || row.parts.a || row.parts.kv || !is_plain(row) || !row.flagged.empty() ||
        row.tidy->method != data.method() || !std::isfinite(row.tidy->delta))
      continue;
    Sum& sum = by_size[{row.n, row.d}][{row.tidy->P_w, row.tidy->P_post}];
    sum.measured += row.tidy->delta, ++sum.cells;
    sum.predicted += data.has_delta() ? data.delta(row.run) : kUnknown;
    trained.insert(row.tidy->P_w);
  }
  if (trained.size() < 2) return;
  const auto most = std::max_element(
      by_size.begin(), by_size.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  Drawing drawing{"delta-map",
                  kPtqGroup,
                  "Loss added over the bits in training and afterwards: " + data.method(),
                  "",
                  {"bits of weights in training"},
                  {"bits of weights after training"},
                  {"loss added, nats per token"}};
  const auto [n, d] = most->first;
  DrawnPanel measured{fmt::format("measured, N = {}, D = {}", format_count(n), format_count(d))};
  DrawnPanel predicted{"fitted law"};
  double least = 1e300, most_added = -1e300, squares = 0;
  int compared = 0;
  std::pair<double, double> worst;
  for (const auto& [bits, sum] : most->second) {
    const double value = sum.measured / sum.cells, law = sum.predicted / sum.cells;
    const DrawnAbout about{{"cells", static_cast<double>(sum.cells)}};
    measured.cells.push_back({bits.first, bits.second, value, about});
    if (std::isfinite(law)) {
      predicted.cells.push_back({bits.first, bits.second, law, {}});
      squares += (value - law) * (value - law), ++compared;
    }
    least = std::min(least, value);
    if (value > most_added) most_added = value, worst = bits;
  }
  drawing.says = fmt::format(
      "At N = {} and D = {}, {} pairs of bits were measured: from {:.4f} to {:.4f} nats, the most "
      "for "
      "weights trained at {:g} bits and stored at {:g}.",
      format_count(n), format_count(d), most->second.size(), least, most_added, worst.first,
      worst.second);
  drawing.panels.push_back(std::move(measured));
  if (compared > 0) {
    drawing.panels.push_back(std::move(predicted));
    drawing.says += fmt::format(" The fitted law differs by {:.4f} nats (root mean square).",
                                std::sqrt(squares / compared));
  }
  out.push_back(std::move(drawing));
}

}  // namespace

void add_delta_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  add_delta_predicted(data, out);
  add_delta_map(data, out);
}

}  // namespace bitlaw
