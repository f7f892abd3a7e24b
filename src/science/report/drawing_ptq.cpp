// Quantization after training: the loss and the difference that it adds, against D/N (arXiv 2411.04330,
// figures 1, 2, 10 to 12).
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
#include "report/drawing_cells.h"
#include "report/drawing_kinds.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

constexpr size_t kMostPtqSizes = 8;
constexpr int kPtqPlaces = 41;

// Cells of one method, of runs of one schedule; and those runs.
struct PtqCells {
  std::string method, schedule;
  bool says_method = false;  // a table may not say it; its cells then count as those of the fit
  std::vector<const DrawnRow*> cells, runs;
};

std::vector<PtqCells> ptq_cells(const DrawingData& data) {
  std::map<std::pair<std::string, std::string>, PtqCells> found;
  for (const DrawnRow& row : data.rows()) {
    if (row.is_run() || !row.parts.none() || !is_plain(row) || !(row.n > 0) || !(row.d > 0))
      continue;
    PtqCells& cells = found[{row.tidy->method, row.tidy->schedule}];
    cells.method = row.tidy->method, cells.schedule = row.tidy->schedule;
    cells.says_method |= !data.is_table() || !row.run.method.empty();
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
  std::string name = cells.says_method ? cells.method : "method not given";
  // Names that are abbreviations: gptq+clip is GPTQ+clip.
  for (const std::string_view known : {"gptq", "rtn", "awq"}) {
    if (!name.starts_with(known) || (name.size() > known.size() &&
                                     std::isalnum(static_cast<unsigned char>(name[known.size()]))))
      continue;
    for (size_t i = 0; i < known.size(); ++i)
      name[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[i])));
  }
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
  sizes.reserve(cells.size());
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
      "From the shortest to the longest training with a clear difference (three standard errors) "
      "it "
      "grows as D^{:.2f} (median "
      "of {} pairs of N and bits; from {:.2f} to {:.2f}).",
      0.5 * (powers[(powers.size() - 1) / 2] + powers[powers.size() / 2]), powers.size(),
      powers.front(), powers.back());
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

}  // namespace

void add_ptq_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  const std::vector<PtqCells> all = ptq_cells(data);
  for (const PtqCells& cells : all) add_loss_after(data, cells, out);
  for (const PtqCells& cells : all) add_delta(data, cells, out);
}

}  // namespace bitlaw
