// Number formats and granularities beside each other: what runs lost against those that are not
// quantized, by which numbers share a scale and by the exponent and mantissa of their format.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/number.h"
#include "report/drawing_kinds.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

constexpr const char* kFormatsGroup = "Formats and granularity";

struct FloatFormat {
  double exponent, mantissa;
};

// "e4m3" as 4 and 3; none of an integer format.
std::optional<FloatFormat> float_format(const std::string& name) {
  const size_t m = name.find('m');
  if (name.size() < 4 || name[0] != 'e' || m == std::string::npos) return std::nullopt;
  const auto exponent = parse_whole(std::string_view(name).substr(1, m - 1));
  size_t end = m + 1;
  while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end]))) ++end;
  const auto mantissa = parse_whole(std::string_view(name).substr(m + 1, end - m - 1));
  if (!exponent || !mantissa) return std::nullopt;
  return FloatFormat{static_cast<double>(*exponent), static_cast<double>(*mantissa)};
}

std::optional<FloatFormat> float_format(const DrawnRow& row) {
  if (row.run.exponent_bits >= 0)
    return FloatFormat{row.run.exponent_bits, std::max(0.0, row.run.mantissa_bits)};
  return float_format(row.tidy->format_w);
}

// What a run lost against its reference; NaN if it has none.
DrawnPoint lost_point(const DrawingData& data, const DrawnRow& row, double x) {
  const auto reference = data.references().of(row.place);
  if (!reference) return {x};
  DrawnPoint out = data.point(row, x);
  out.y = row.loss - reference->loss;
  const double error = kBarErrors * data.deviation_from(row, reference->runs);
  out.low = out.y - error, out.high = out.y + error;
  return out;
}

struct PartOfRow {
  const char *name, *id;
  bool QuantizedParts::*is;
  std::string TidyRow::*granularity;
};
constexpr PartOfRow kPartsOfRow[] = {
    {"weights", "w", &QuantizedParts::w, &TidyRow::granularity_w},
    {"activations", "a", &QuantizedParts::a, &TidyRow::granularity_a},
    {"keys and values", "kv", &QuantizedParts::kv, &TidyRow::granularity_kv},
};

// The mean cost of each series at the fewest bits that all have.
std::string at_common_bits(const std::map<std::string, std::vector<DrawnPoint>>& series) {
  std::map<double, std::map<std::string, Mean>> means;
  for (const auto& [name, points] : series) {
    for (const DrawnPoint& point : points) {
      if (point.flagged.empty()) means[point.x][name].add(point.y);
    }
  }
  for (const auto& [bits, by_name] : means) {
    if (by_name.size() < series.size()) continue;
    std::string out;
    for (const auto& [name, mean] : by_name)
      out += fmt::format("{}{} {:+.4f} nats ({} run{})", out.empty() ? "" : ", ", name, mean.loss,
                         mean.runs, mean.runs == 1 ? "" : "s");
    return fmt::format("at {} {}", bits_words(bits), out);
  }
  return "";
}

void add_granularity(const DrawingData& data, std::vector<Drawing>& out) {
  Drawing drawing{"granularity",
                  kFormatsGroup,
                  "Cost of fewer bits by which numbers share a scale",
                  "",
                  {"bits in training"},
                  {"loss above that without quantization, nats per token"}};
  for (const PartOfRow& part : kPartsOfRow) {
    std::map<std::string, std::vector<DrawnPoint>> series;
    for (const DrawnRow& row : data.rows()) {
      const std::string& granularity = row.tidy->*part.granularity;
      if (!row.is_run() || row.parts.name != part.name || granularity.empty()) continue;
      DrawnPoint point = lost_point(data, row, row.parts.bits);
      if (std::isfinite(point.y)) series[granularity].push_back(std::move(point));
    }
    if (series.size() < 2) continue;
    const std::string common = at_common_bits(series);
    drawing.says +=
        fmt::format("{}{}: {}.", drawing.says.empty() ? "" : " ", part.name,
                    common.empty() ? "no number of bits was run with all of them" : common);
    DrawnPanel panel{part.name};
    for (auto& [name, points] : series) panel.named(name).points = std::move(points);
    drawing.panels.push_back(std::move(panel));
  }
  if (drawing.panels.empty()) return;
  drawing.says += " Means over runs of any N and D. " + data.noise_words();
  drawing.says[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(drawing.says[0])));
  out.push_back(std::move(drawing));
}

void add_float_formats(const DrawingData& data, std::vector<Drawing>& out) {
  std::map<std::string, std::vector<DrawnPoint>> kinds;  // integer, floating point
  std::map<double, std::vector<DrawnPoint>> by_bits;     // x: exponent bits
  for (const DrawnRow& row : data.rows()) {
    if (!row.is_run() || !row.parts.w || !row.parts.is_equal()) continue;
    const auto format = float_format(row);
    DrawnPoint point = lost_point(data, row, row.parts.bits);
    if (!std::isfinite(point.y)) continue;
    if (format) {
      point.about["format"] = fmt::format("E{:g}M{:g}", format->exponent, format->mantissa);
      DrawnPoint swept = point;
      swept.x = format->exponent;
      by_bits[row.parts.bits].push_back(std::move(swept));
    } else if (!row.tidy->format_w.empty()) {
      point.about["format"] = row.tidy->format_w;
    }
    kinds[format ? "floating point, " + row.parts.name : "others, " + row.parts.name].push_back(
        std::move(point));
  }
  if (by_bits.empty()) return;
  Drawing kind{
      "formats", kFormatsGroup,        "Cost of fewer bits: floating point beside other formats",
      "",        {"bits in training"}, {"loss above that without quantization, nats per token"}};
  const std::string common = at_common_bits(kinds);
  kind.says = common.empty() ? std::string("No number of bits was run in all of these formats.")
                             : fmt::format("Mean cost {}, over runs of any N and D.", common);
  DrawnPanel panel;
  for (auto& [name, points] : kinds) panel.named(name).points = std::move(points);
  kind.panels.push_back(std::move(panel));
  out.push_back(std::move(kind));

  Drawing sweep{"exponent-bits",
                kFormatsGroup,
                "Cost of floating-point formats by their exponent bits",
                "",
                {"exponent bits"},
                {"loss above that without quantization, nats per token"}};
  DrawnPanel swept;
  for (auto& [bits, points] : by_bits) {
    std::map<double, Mean> means;
    for (const DrawnPoint& point : points) {
      if (point.flagged.empty()) means[point.x].add(point.y);
    }
    if (means.size() > 1) {
      const auto best = std::min_element(
          means.begin(), means.end(),
          [](const auto& a, const auto& b) { return a.second.loss < b.second.loss; });
      sweep.says += fmt::format(
          "{}at {} the least mean cost is that of {:g} exponent bits ({:+.4f} "
          "nats, of {} that were run)",
          sweep.says.empty() ? "Of floating-point formats, " : "; ", bits_words(bits), best->first,
          best->second.loss, means.size());
    }
    swept.named(bits_words(bits), bits).points = std::move(points);
  }
  sweep.says = sweep.says.empty()
                   ? "At no number of bits were two exponents run, so nothing is compared."
                   : sweep.says + ". " + data.noise_words();
  sweep.panels.push_back(std::move(swept));
  out.push_back(std::move(sweep));
}

// Cells of one method, by how many weights share a scale.
void add_groups_after(const DrawingData& data, std::vector<Drawing>& out) {
  std::map<double, std::vector<DrawnPoint>> groups;
  for (const DrawnRow& row : data.rows()) {
    const double group = whole(row.tidy->group);
    if (row.is_run() || !row.parts.none() || row.tidy->method != data.method() ||
        !std::isfinite(group) || !(row.tidy->delta > 0))
      continue;
    DrawnPoint point{row.tidy->P_post, row.tidy->delta};
    if (const double error = row.tidy->standard_error; error > 0)
      point.low = point.y - kBarErrors * error, point.high = point.y + kBarErrors * error;
    point.run = row.tidy->run, point.about = about_row(row), point.flagged = row.flagged;
    groups[group].push_back(std::move(point));
  }
  if (groups.size() < 2) return;
  Drawing drawing{"groups-after-training",
                  kFormatsGroup,
                  "Loss added after training by how many weights share a scale: " + data.method(),
                  "",
                  {"bits of weights after training"},
                  {"loss added, nats per token", true}};
  std::map<std::string, std::vector<DrawnPoint>> series;
  DrawnPanel panel;
  for (auto& [group, points] : groups) {
    const std::string name = group > 0 ? fmt::format("groups of {:g}", group) : "output channel";
    panel.named(name).points = points;
    series[name] = std::move(points);
  }
  const std::string common = at_common_bits(series);
  drawing.says = common.empty()
                     ? "No number of bits was measured with all of them."
                     : fmt::format("Mean loss added {}, over models of any N and D.", common);
  drawing.panels.push_back(std::move(panel));
  out.push_back(std::move(drawing));
}

}  // namespace

void add_format_drawings(const DrawingData& data, std::vector<Drawing>& out) {
  add_granularity(data, out);
  add_float_formats(data, out);
  add_groups_after(data, out);
}

}  // namespace bitlaw
