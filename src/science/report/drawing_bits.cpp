// Loss against bits in training, for each N and D (arXiv 2411.04330, figure 4).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "report/drawing_runs.h"
#include "report/fields.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

constexpr size_t kMostSizes = 6, kMostLengths = 5;  // panels, and series in each

std::string file_name_of(std::string words) {
  for (char& c : words) {
    if (c == ' ') c = '-';
  }
  std::erase(words, ',');
  return words;
}

// What the runs lost against those that are not quantized, by bits.
std::map<double, std::vector<double>> measured_costs(const DrawingData& data,
                                                     const DrawnRows& rows) {
  std::map<double, std::vector<double>> out;
  for (const DrawnRow* row : rows) {
    const auto reference = data.references().of(row->place);
    const double gap = gap_of(*row->tidy);
    const double cost = std::isfinite(gap) ? gap
                        : reference        ? row->loss - reference->loss
                                           : kUnknown;
    if (std::isfinite(cost) && row->flagged.empty()) out[row->parts.bits].push_back(cost);
  }
  return out;
}

std::string costs_sentence(const DrawingData& data, const std::string& parts,
                           const DrawnRows& rows) {
  const auto is_flagged = [](const DrawnRow* row) { return !row->flagged.empty(); };
  if (std::all_of(rows.begin(), rows.end(), is_flagged))
    return fmt::format("Nothing is concluded from these runs: each is {}.", rows[0]->flagged);
  const auto costs = measured_costs(data, rows);
  if (costs.empty())
    return fmt::format(
        "No run with fewer bits of {} has a run of the same N, D and factors that is not "
        "quantized, "
        "so what the bits cost is not measured.",
        parts);
  constexpr size_t kMostNamed = 3;
  std::string out;
  for (const auto& [bits, differences] : costs) {
    if (out.empty()
            ? false
            : static_cast<size_t>(std::count(out.begin(), out.end(), ';')) + 1 == kMostNamed)
      break;
    const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
    const std::string range = differences.size() == 1
                                  ? fmt::format("{:+.4f}", *least)
                                  : fmt::format("{:+.4f} to {:+.4f}", *least, *most);
    out += fmt::format("{}at {} {} nats ({} run{})", out.empty() ? "" : "; ", bits_words(bits),
                       range, differences.size(), differences.size() == 1 ? "" : "s");
  }
  const bool are_gaps = std::isfinite(gap_of(*rows[0]->tidy));
  return fmt::format("Measured against {}, fewer bits of {} cost {}. {}",
                     are_gaps ? "their reference runs" : "runs that are not quantized", parts, out,
                     data.noise_words());
}

// Root mean square of log loss around the fitted law, in per cent.
std::string miss_sentence(const DrawingData& data, const DrawnRows& rows) {
  double squares = 0;
  size_t count = 0;
  for (const DrawnRow* row : rows) {
    const double predicted = data.loss(row->run);
    if (!row->flagged.empty() || !(predicted > 0)) continue;
    const double off = std::log(row->loss / predicted);
    squares += off * off, ++count;
  }
  if (count == 0) return "";
  return fmt::format(" The fitted law misses these {} losses by {} (root mean square).", count,
                     miss_words(std::sqrt(squares / static_cast<double>(count))));
}

Drawing loss_by_bits(const DrawingData& data, const std::string& parts, const DrawnRows& rows,
                     const DrawnRows& whole) {
  Drawing out{"loss-by-bits-" + file_name_of(parts), kBitsGroup,
              "Loss against bits of " + parts,       "",
              {"bits of " + parts + " in training"}, {"loss, nats per token"}};
  const std::vector<double> sizes = params_of_rows(rows);
  const std::vector<double> shown = commonest(sizes, kMostSizes);
  for (const double n : shown) {
    DrawnPanel panel{fmt::format("N = {}", format_count(n))};
    DrawnRows here;
    for (const DrawnRow* row : rows) {
      if (row->n == n) here.push_back(row);
    }
    for (const double d : commonest(tokens_of_rows(here), kMostLengths)) {
      DrawnSeries& series = panel.named(fmt::format("{} tokens", format_count(d)));
      for (const DrawnRows* from : {&rows, &whole}) {
        for (const DrawnRow* row : *from) {
          if (row->n == n && row->d == d)
            series.points.push_back(data.point(*row, row->parts.bits));
        }
      }
      if (!data.has_bits()) continue;
      const QuantizedParts lowered = rows[0]->parts;
      series.curve =
          data.curve(even_places(fewest_drawn_bits(rows), kMostDrawnBits, 57), [&](double bits) {
            Observation run = data.model(n, d);
            set_parts(run, lowered, bits);
            return run;
          });
    }
    out.panels.push_back(std::move(panel));
  }
  out.says =
      costs_sentence(data, parts, rows) + miss_sentence(data, rows) +
      left_out_words(shown.size(), std::set<double>(sizes.begin(), sizes.end()).size(), "sizes");
  if (!data.fit()) out.says += " " + data.why_no_curve();
  return out;
}

}  // namespace

void add_bits_drawings(const DrawingData& data, const RunsByParts& by_parts,
                       std::vector<Drawing>& out) {
  const auto whole = by_parts.find("");
  std::vector<QuantizedParts> order;  // one part alone before several, weights first
  for (const auto& [name, rows] : by_parts) {
    if (!name.empty()) order.push_back(rows[0]->parts);
  }
  const auto place = [](const QuantizedParts& parts) {
    return std::tuple(parts.w + parts.a + parts.kv, !parts.w, !parts.a);
  };
  std::sort(order.begin(), order.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const QuantizedParts& parts : order)
    out.push_back(loss_by_bits(data, parts.name, by_parts.at(parts.name),
                               whole == by_parts.end() ? DrawnRows{} : whole->second));
}

}  // namespace bitlaw
