// Quantization after training: the loss and the difference that it adds, against D/N; the difference
// as predicted; and over the bits of training and those afterwards.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "plan/plan.h"
#include "report/drawing_kinds.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

constexpr const char* kPtqGroup = "Quantization after training";
constexpr size_t kMostPtqSizes = 8;
constexpr int kPtqPlaces = 41;

// Cells of one method, of runs of one schedule; and those runs.
struct PtqCells {
  std::string method, schedule;
  std::vector<const DrawnRow*> cells, runs;
};

// A method without options (gptq+clip), of which there may be any number, and without groups.
bool is_plain(const DrawnRow& row) {
  return row.tidy->method.find('+') == std::string::npos && !(whole(row.tidy->group) > 0);
}

std::vector<PtqCells> ptq_cells(const DrawingData& data) {
  std::map<std::pair<std::string, std::string>, PtqCells> found;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() || !row.parts.none() || !is_plain(row) || !(row.n > 0) || !(row.d > 0))
      continue;
    PtqCells& cells = found[{row.tidy->method, row.tidy->schedule}];
    cells.method = row.tidy->method, cells.schedule = row.tidy->schedule;
    cells.cells.push_back(&row);
  }
  std::set<std::string> schedules;
  std::vector<PtqCells> out;
  for (auto& [key, cells] : found) {
    schedules.insert(cells.schedule);
    for (const DrawnRow& row : data.rows()) {
      if (row.is_run() && row.parts.none() && row.n > 0 && row.d > 0 && row.flagged.empty() &&
          row.tidy->schedule == cells.schedule)
        cells.runs.push_back(&row);
    }
    out.push_back(std::move(cells));
  }
  if (schedules.size() == 1) {
    for (PtqCells& cells : out) cells.schedule.clear();
  }
  // What the fit is of comes first.
  std::stable_sort(out.begin(), out.end(), [&](const PtqCells& a, const PtqCells& b) {
    return (a.method == data.method()) > (b.method == data.method());
  });
  return out;
}

std::string title_of(const PtqCells& cells) {
  std::string name = cells.method;
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name + (cells.schedule.empty() ? "" : ", schedule " + cells.schedule);
}

std::string id_of(const std::string& what, const PtqCells& cells) {
  std::string out =
      what + "-" + cells.method + (cells.schedule.empty() ? "" : "-" + cells.schedule);
  for (char& c : out) {
    const bool is_fine = std::isalnum(static_cast<unsigned char>(c)) || c == '-';
    if (!is_fine) c = '-';
  }
  return out;
}

using BySize = std::map<double, std::map<double, std::vector<const DrawnRow*>>>;  // N, bits

BySize by_size(const std::vector<const DrawnRow*>& rows, bool runs) {
  BySize out;
  for (const DrawnRow* row : rows) out[row->n][runs ? 16 : row->tidy->P_post].push_back(row);
  return out;
}

std::vector<double> shown_sizes(const std::vector<const DrawnRow*>& cells) {
  std::vector<double> sizes;
  for (const DrawnRow* row : cells) sizes.push_back(row->n);
  return commonest(sizes, kMostPtqSizes);
}

std::vector<double> places_around(const std::vector<const DrawnRow*>& rows) {
  double low = 1e300, high = 0;
  for (const DrawnRow* row : rows)
    low = std::min(low, row->d / row->n), high = std::max(high, row->d / row->n);
  return log_places(low, high, kPtqPlaces, 0.15);
}

// Loss after quantization whose least measured value is not that of the longest training.
std::string rises_sentence(const PtqCells& cells) {
  size_t series = 0;
  std::vector<std::string> rising;
  for (const auto& [n, by_bits] : by_size(cells.cells, false)) {
    for (const auto& [bits, rows] : by_bits) {
      std::map<double, std::pair<double, int>> means;  // by D
      for (const DrawnRow* row : rows) {
        if (!std::isfinite(row->loss) || !row->flagged.empty()) continue;
        auto& [sum, count] = means[row->d];
        sum += row->loss, ++count;
      }
      if (means.size() < 3) continue;
      ++series;
      const auto loss = [](const auto& entry) { return entry.second.first / entry.second.second; };
      const auto least =
          std::min_element(means.begin(), means.end(),
                           [&](const auto& a, const auto& b) { return loss(a) < loss(b); });
      if (std::next(least) == means.end()) continue;
      rising.push_back(fmt::format("N = {} at {} (least at D/N = {:.3g}, {:+.4f} nats at {:.3g})",
                                   format_count(n), bits_words(bits), least->first / n,
                                   loss(*means.rbegin()) - loss(*least),
                                   means.rbegin()->first / n));
    }
  }
  if (series == 0)
    return "No size and number of bits is measured at three training lengths, so it is not "
           "measured "
           "whether more tokens help.";
  if (rising.empty())
    return fmt::format(
        "Of {} pairs of N and bits measured at three or more training lengths, none ends above its "
        "least loss: within these lengths more tokens still help after quantization.",
        series);
  constexpr size_t kMostNamed = 4;
  const size_t named = std::min(rising.size(), kMostNamed);
  return fmt::format(
      "In {} of {} pairs of N and bits measured at three or more training lengths, the longest "
      "training does not have the least loss after quantization: {}{}.",
      rising.size(), series, fmt::join(rising.begin(), rising.begin() + named, "; "),
      named < rising.size() ? "; and others" : "");
}

// Where more tokens begin to hurt by the fitted law, for the largest size.
std::string critical_sentence(const DrawingData& data, double n, const std::set<double>& bits) {
  PlanRequest request;
  request.critical_data = true, request.params = n;
  request.bits = {bits.begin(), bits.end()};
  const Plan plan = make_plan(request, data.input().fit);
  if (!plan.error.empty() || plan.critical_data.empty()) return "";
  std::string out, missing;
  size_t said = 0, beyond = 0;
  for (const CriticalData& row : plan.critical_data) {
    std::vector<std::string> depends_on;
    for (const auto& [name, sensitivity] : row.sensitivity) {
      if (sensitivity.per_percent && sensitivity.per_percent->log_tokens != 0)
        depends_on.push_back(name);
    }
    missing = data.not_identified(depends_on);
    if (!missing.empty()) break;
    if (!std::isfinite(row.tokens_per_param) || !row.interval) continue;
    const double longest = data.fit()->reach.tokens.high;
    ++said, beyond += longest > 0 && row.tokens > longest;
    out += fmt::format("{}{} [{}, {}] at {}", out.empty() ? "" : ", ",
                       format_count(row.tokens_per_param), format_count(row.interval->low / n),
                       format_count(row.interval->high / n), bits_words(row.bits));
  }
  if (!missing.empty())
    return fmt::format(" The fit does not identify from which D/N on more tokens hurt: {}.",
                       missing);
  if (out.empty()) return "";
  return fmt::format(
      " By the fitted law more tokens hurt a model of {} parameters from D/N = {} on (90 % "
      "intervals){}.",
      format_count(n), out,
      beyond == 0 ? ""
                  : fmt::format("; {} of these {} lie beyond the longest training of the fit",
                                beyond, said));
}

void add_loss_after(const DrawingData& data, const PtqCells& cells, std::vector<Drawing>& out) {
  if (std::none_of(cells.cells.begin(), cells.cells.end(),
                   [](const DrawnRow* row) { return std::isfinite(row->loss); }))
    return;
  const bool is_fitted = data.has_delta() && cells.method == data.method();
  Drawing drawing{id_of("loss-after", cells),
                  kPtqGroup,
                  "Loss after quantization against D/N: " + title_of(cells),
                  "",
                  {"tokens per parameter D/N", true},
                  {"loss, nats per token"}};
  const BySize quantized = by_size(cells.cells, false), trained = by_size(cells.runs, true);
  const std::vector<double> sizes = shown_sizes(cells.cells);
  std::set<double> all_bits;
  for (const double n : sizes) {
    DrawnPanel panel{fmt::format("N = {}", format_count(n))};
    const auto add = [&](double bits, const std::vector<const DrawnRow*>& rows) {
      DrawnSeries& series = panel.named(bits_words(bits), bits);
      for (const DrawnRow* row : rows) {
        if (std::isfinite(row->loss)) series.points.push_back(data.point(*row, row->d / n));
      }
      if (!(bits >= 16 ? data.fit() != nullptr : is_fitted)) return;
      series.curve = data.curve(places_around(rows), [&](double x) {
        Observation run = data.model(n, x * n);
        if (bits < 16) run.bits_post = bits, run.method = cells.method;
        return run;
      });
    };
    if (const auto found = trained.find(n); found != trained.end())
      add(16, found->second.begin()->second);
    for (const auto& [bits, rows] : quantized.at(n)) {
      if (bits < 16) add(bits, rows), all_bits.insert(bits);
    }
    drawing.panels.push_back(std::move(panel));
  }
  drawing.says = rises_sentence(cells);
  if (is_fitted && data.fit() && !sizes.empty())
    drawing.says += critical_sentence(data, sizes.back(), all_bits);
  if (!data.fit())
    drawing.says += " " + data.why_no_curve();
  else if (!is_fitted)
    drawing.says += data.has_delta()
                        ? fmt::format(" The fit is of {}, so it has no curves here.", data.method())
                        : std::string(" The fit is not of quantization after training.");
  drawing.says += left_out_words(sizes.size(), quantized.size(), "sizes");
  out.push_back(std::move(drawing));
}

// By which power of D the measured differences grow, from the shortest to the longest training.
std::string growth_sentence(const PtqCells& cells) {
  std::vector<double> powers;
  for (const auto& [n, by_bits] : by_size(cells.cells, false)) {
    for (const auto& [bits, rows] : by_bits) {
      std::map<double, Mean> logs;  // of the differences, by D
      for (const DrawnRow* row : rows) {
        constexpr double kClear = 3;  // standard errors
        const double error = row->tidy->standard_error;
        if (!row->flagged.empty() || !(row->tidy->delta > 0) ||
            (std::isfinite(error) && row->tidy->delta < kClear * error))
          continue;
        logs[row->d].add(std::log(row->tidy->delta));
      }
      if (logs.empty() || !(logs.rbegin()->first > 1.5 * logs.begin()->first)) continue;
      powers.push_back((logs.rbegin()->second.loss - logs.begin()->second.loss) /
                       std::log(logs.rbegin()->first / logs.begin()->first));
    }
  }
  if (powers.empty())
    return "No size and number of bits has a clear difference (three standard errors) at two "
           "training lengths, so its growth with D is not measured.";
  std::sort(powers.begin(), powers.end());
  return fmt::format(
      "From the shortest to the longest training the measured difference grows as D^{:.2f} (median "
      "of {} pairs of N and bits; from {:.2f} to {:.2f}).",
      0.5 * (powers[(powers.size() - 1) / 2] + powers[powers.size() / 2]), powers.size(),
      powers.front(), powers.back());
}

DrawnPoint delta_point(const DrawnRow& row, double x) {
  DrawnPoint out{x, row.tidy->delta};
  if (const double error = row.tidy->standard_error; error > 0)
    out.low = out.y - kBarErrors * error, out.high = out.y + kBarErrors * error;
  out.run = row.tidy->run, out.about = about_row(row), out.flagged = row.flagged;
  return out;
}

void add_delta(const DrawingData& data, const PtqCells& cells, std::vector<Drawing>& out) {
  const auto positive = std::count_if(cells.cells.begin(), cells.cells.end(),
                                      [](const auto* row) { return row->tidy->delta > 0; });
  if (positive == 0) return;
  const bool is_fitted = data.has_delta() && cells.method == data.method();
  Drawing drawing{id_of("delta", cells),
                  kPtqGroup,
                  "Loss added by quantization against D/N: " + title_of(cells),
                  "",
                  {"tokens per parameter D/N", true},
                  {"loss added, nats per token", true}};
  const BySize quantized = by_size(cells.cells, false);
  const std::vector<double> sizes = shown_sizes(cells.cells);
  for (const double n : sizes) {
    DrawnPanel panel{fmt::format("N = {}", format_count(n))};
    for (const auto& [bits, rows] : quantized.at(n)) {
      if (bits >= 16) continue;
      DrawnSeries& series = panel.named(bits_words(bits), bits);
      for (const DrawnRow* row : rows) series.points.push_back(delta_point(*row, row->d / n));
      if (!is_fitted) continue;
      series.curve = data.curve(
          places_around(rows),
          [&, bits = bits](double x) {
            Observation run = data.model(n, x * n);
            run.bits_post = bits, run.method = cells.method;
            return run;
          },
          DrawingData::Of::kDelta);
    }
    drawing.panels.push_back(std::move(panel));
  }
  drawing.says = growth_sentence(cells);
  const size_t hidden = cells.cells.size() - static_cast<size_t>(positive);
  if (hidden > 0)
    drawing.says += fmt::format(" {} of {} cells added no loss and cannot stand on this axis.",
                                hidden, cells.cells.size());
  drawing.says += left_out_words(sizes.size(), quantized.size(), "sizes");
  out.push_back(std::move(drawing));
}

// ---- predicted against measured --------------------------------------------------------------------

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
        "Of {:.0f} cells the fitted law explains R^2 = {:.3f} of the logarithm of the loss added, "
        "and "
        "misses it by a factor of {:.2f} (root mean square). These cells were fitted, so this is "
        "no "
        "test.",
        count, 1 - misses / spread, std::exp(std::sqrt(misses / count)));
  else
    drawing.says = "Too few cells for a measure of agreement.";
  if (hidden > 0)
    drawing.says += fmt::format(
        " {} more were measured or predicted to add no loss and cannot stand on these axes.",
        hidden);
  out.push_back(std::move(drawing));
}

// ---- over the bits in training and after it --------------------------------------------------------

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

void add_ptq_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  const std::vector<PtqCells> all = ptq_cells(data);
  for (const PtqCells& cells : all) add_loss_after(data, cells, out);
  for (const PtqCells& cells : all) add_delta(data, cells, out);
  add_delta_predicted(data, out);
  add_delta_map(data, out);
}

}  // namespace bitlaw
