// A figure as data: points that were measured, curves of laws with their intervals, heat maps, and a
// sentence that says what it shows. Pages draw it (web/page/src/drawing.ts has the same fields), and
// its data download as they are.
//
//   .id        letters, digits and hyphens: the name of its files
//   .group     the heading that it stands under
//   .title
//   .says      a sentence computed from the data: what the figure shows, or that it shows nothing
//   .x, .y     label (with the unit), log (how the axis starts), ticks[]
//   .value     of the cells' colours: label, log
//   .equal     both axes have the same range
//   .whole     curves are shown to their ends, however far they lead
//   .panels[]  empty if there is nothing to draw
//     .title
//     .series[]  of one name have one colour in all panels
//       .name, .bits (a colour by bits), .dashed (constants of others)
//       .points[]  measured: x, y, low, high, run, about {name: text or number}, flagged (why it
//                  counts for nothing)
//       .curve[]   fitted: x, y, mean [low, high] of the mean, run [low, high] of a single run
//     .lines[]   x or y or diagonal, label
//     .cells[]   a heat map: x, y, value, about
//
// Bars and intervals are of 90 %. A figure that the data do not support has no panels, and `says` says
// what is missing. What a fit does not identify has no number in a sentence.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "predict/predict.h"

namespace bitlaw {

struct DrawnAxis {
  std::string label;
  bool log = false;
  std::vector<double> ticks = {};
};

using DrawnAbout = std::map<std::string, std::variant<double, std::string>>;

struct DrawnPoint {
  double x = kUnknown, y = kUnknown;
  double low = kUnknown, high = kUnknown;
  std::string run = {};
  DrawnAbout about = {};
  std::string flagged = {};
};

struct DrawnPlace {
  double x = kUnknown, y = kUnknown;
  std::optional<PredictedInterval> mean = {}, run = {};
};

struct DrawnSeries {
  std::string name;
  double bits = kUnknown;  // NaN = a colour by order
  bool dashed = false;
  std::vector<DrawnPoint> points = {};
  std::vector<DrawnPlace> curve = {};
};

struct DrawnLine {
  double x = kUnknown, y = kUnknown;
  bool diagonal = false;
  std::string label = {};
};

struct DrawnCell {
  double x, y, value;
  DrawnAbout about = {};
};

struct DrawnPanel {
  std::string title;
  std::vector<DrawnSeries> series = {};
  std::vector<DrawnLine> lines = {};
  std::vector<DrawnCell> cells = {};

  // The series of this name; a new one at the end if there is none.
  DrawnSeries& named(const std::string& name, double bits = kUnknown);
};

struct Drawing {
  std::string id, group, title, says;
  DrawnAxis x, y, value = {};
  bool equal = false, whole = false;
  std::vector<DrawnPanel> panels = {};
};

// Points and places that an axis cannot show, because they are not finite or not above 0 on a
// logarithmic axis, are left out.
Json drawing_json(const Drawing& drawing);

class DrawingData;

// The drawings of a report.
std::vector<Drawing> drawings_of(const DrawingData& data);

}  // namespace bitlaw
