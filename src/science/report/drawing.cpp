#include "report/drawing.h"

#include <algorithm>
#include <cmath>

#include "report/drawing_kinds.h"
#include "report/drawing_runs.h"

namespace bitlaw {
namespace {

// Of one series: evenly many are left out, so that a page opens quickly.
constexpr size_t kMostDrawnPoints = 1500;

Json axis_json(const DrawnAxis& axis) {
  Json out{{"label", axis.label}};
  if (axis.log) out["log"] = true;
  if (!axis.ticks.empty()) out["ticks"] = axis.ticks;
  return out;
}

Json about_json(const DrawnAbout& about) {
  Json out = Json::object();
  for (const auto& [name, value] : about) {
    if (const std::string* text = std::get_if<std::string>(&value)) {
      if (!text->empty()) out[name] = *text;
    } else if (std::isfinite(std::get<double>(value))) {
      out[name] = std::get<double>(value);
    }
  }
  return out;
}

bool is_on(const DrawnAxis& axis, double value) {
  return std::isfinite(value) && (!axis.log || value > 0);
}

Json points_json(const std::vector<DrawnPoint>& points, const Drawing& drawing) {
  Json out = Json::array();
  const size_t stride = (points.size() + kMostDrawnPoints - 1) / kMostDrawnPoints;
  for (size_t i = 0; i < points.size(); i += stride) {
    const DrawnPoint& point = points[i];
    if (!is_on(drawing.x, point.x) || !is_on(drawing.y, point.y)) continue;
    Json& entry = out.emplace_back(Json{{"x", point.x}, {"y", point.y}});
    if (std::isfinite(point.low)) entry["low"] = point.low;
    if (std::isfinite(point.high)) entry["high"] = point.high;
    if (!point.run.empty()) entry["run"] = point.run;
    if (Json about = about_json(point.about); !about.empty()) entry["about"] = std::move(about);
    if (!point.flagged.empty()) entry["flagged"] = point.flagged;
  }
  return out;
}

Json curve_json(const std::vector<DrawnPlace>& curve, const Drawing& drawing) {
  Json out = Json::array();
  const auto add = [](Json& entry, const char* key, const std::optional<PredictedInterval>& of) {
    if (of && std::isfinite(of->low) && std::isfinite(of->high)) entry[key] = {of->low, of->high};
  };
  for (const DrawnPlace& place : curve) {
    if (!is_on(drawing.x, place.x) || !is_on(drawing.y, place.y)) continue;
    Json& entry = out.emplace_back(Json{{"x", place.x}, {"y", place.y}});
    add(entry, "mean", place.mean);
    add(entry, "run", place.run);
  }
  return out;
}

Json series_json(const DrawnSeries& series, const Drawing& drawing) {
  Json out{{"name", series.name}};
  if (std::isfinite(series.bits)) out["bits"] = series.bits;
  if (series.dashed) out["dashed"] = true;
  if (Json points = points_json(series.points, drawing); !points.empty())
    out["points"] = std::move(points);
  if (Json curve = curve_json(series.curve, drawing); !curve.empty())
    out["curve"] = std::move(curve);
  return out;
}

Json line_json(const DrawnLine& line) {
  Json out = Json::object();
  if (line.diagonal) out["diagonal"] = true;
  if (std::isfinite(line.x)) out["x"] = line.x;
  if (std::isfinite(line.y)) out["y"] = line.y;
  if (!line.label.empty()) out["label"] = line.label;
  return out;
}

// A panel that has nothing is null.
Json panel_json(const DrawnPanel& panel, const Drawing& drawing) {
  Json out = Json::object();
  if (!panel.title.empty()) out["title"] = panel.title;
  Json series = Json::array(), lines = Json::array(), cells = Json::array();
  for (const DrawnSeries& each : panel.series) {
    Json one = series_json(each, drawing);
    if (one.contains("points") || one.contains("curve")) series.push_back(std::move(one));
  }
  for (const DrawnCell& cell : panel.cells) {
    if (!is_on(drawing.x, cell.x) || !is_on(drawing.y, cell.y) || !is_on(drawing.value, cell.value))
      continue;
    Json& entry = cells.emplace_back(Json{{"x", cell.x}, {"y", cell.y}, {"value", cell.value}});
    if (Json about = about_json(cell.about); !about.empty()) entry["about"] = std::move(about);
  }
  if (series.empty() && cells.empty()) return nullptr;
  for (const DrawnLine& line : panel.lines) lines.push_back(line_json(line));
  if (!series.empty()) out["series"] = std::move(series);
  if (!lines.empty()) out["lines"] = std::move(lines);
  if (!cells.empty()) out["cells"] = std::move(cells);
  return out;
}

}  // namespace

DrawnSeries& DrawnPanel::named(const std::string& name, double bits) {
  for (DrawnSeries& each : series) {
    if (each.name == name) return each;
  }
  series.push_back({name, bits});
  return series.back();
}

Json drawing_json(const Drawing& drawing) {
  Json out{{"id", drawing.id},       {"group", drawing.group},    {"title", drawing.title},
           {"says", drawing.says},   {"x", axis_json(drawing.x)}, {"y", axis_json(drawing.y)},
           {"panels", Json::array()}};
  if (!drawing.value.label.empty()) out["value"] = axis_json(drawing.value);
  if (drawing.equal) out["equal"] = true;
  if (drawing.whole) out["whole"] = true;
  for (const DrawnPanel& panel : drawing.panels) {
    if (Json one = panel_json(panel, drawing); !one.is_null())
      out["panels"].push_back(std::move(one));
  }
  return out;
}

std::vector<Drawing> drawings_of(const DrawingData& data) {
  std::vector<Drawing> out;
  const auto between = [&] {
    if (data.input().between_figures) data.input().between_figures();
  };
  add_ptq_drawings(data, out);
  add_delta_drawings(data, out);
  between();
  const RunsByParts by_parts = runs_by_parts(data);
  add_bits_drawings(data, by_parts, out);
  add_share_drawings(data, by_parts, out);
  between();
  add_contour_drawings(data, by_parts, out);
  add_cost_drawings(data, by_parts, out);
  add_error_drawings(data, out);
  between();
  add_plan_drawings(data, out);
  between();
  add_format_drawings(data, out);
  add_fit_drawings(data, out);
  return out;
}

}  // namespace bitlaw
