#include "sweep/grid.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "sweep/paths.h"
#include "sweep/ranges.h"

namespace bitlaw {
namespace {

using Axis = std::pair<std::string, Json>;  // a key, and the list of its values

// The keys of a grid, with nested ones written out: lists to `axes`, ranges to `ranges`.
void collect_axes(const Json& grid, const std::string& prefix, const Json& variants,
                  const std::string& where, std::vector<Axis>& axes,
                  std::vector<GridRange>& ranges) {
  for (const auto& [name, value] : grid.items()) {
    const std::string key = prefix + name;
    if (is_range(value) && !variants.contains(key)) {
      ranges.push_back(parse_range(key, value, where));
    } else if (value.is_object() && !variants.contains(key)) {
      collect_axes(value, key + ".", variants, where, axes, ranges);
    } else {
      axes.emplace_back(key, value.is_array() ? value : Json::array({value}));
      if (axes.back().second.empty())
        throw Error(fmt::format("{}: grid key '{}' has an empty list; give it at least one value",
                                where, key));
    }
  }
}

const Json& variant_of(const Json& variants, const std::string& key, const std::string& choice,
                       const std::string& where) {
  const Json& options = variants[key];
  if (options.contains(choice)) return options[choice];
  std::vector<std::string> known;
  for (const auto& [name, unused] : options.items()) known.push_back(name);
  throw Error(
      fmt::format("{}: [variants.{}]: {}", where, key, unknown_name("variant", choice, known)));
}

// A bundle that sets a key of the grid would decide silently which of the two counts.
void require_one_setter(const std::vector<Axis>& axes, const std::vector<GridRange>& ranges,
                        const Json& variants, const std::string& where) {
  const auto is_of_grid = [&](const std::string& key) {
    const auto is_key = [&](const Axis& axis) { return axis.first == key; };
    const auto is_range_of = [&](const GridRange& range) { return range.key == key; };
    return std::any_of(axes.begin(), axes.end(), is_key) ||
           std::any_of(ranges.begin(), ranges.end(), is_range_of);
  };
  for (const auto& [name, choices] : axes) {
    if (!variants.contains(name)) continue;
    for (const Json& choice : choices) {
      std::vector<std::pair<std::string, Json>> keys;
      flatten(variant_of(variants, name, text_of(choice), where), "", keys);
      for (const auto& [key, unused] : keys) {
        if (!is_of_grid(key)) continue;
        throw Error(fmt::format(
            "{}: {} is set by the [[grid]] and by {} = {} of [variants.{}]; leave out one of them",
            where, key, name, text_of(choice), name));
      }
    }
  }
}

void require_few(const std::vector<Axis>& axes, int64_t points, size_t before, size_t most,
                 const std::string& where) {
  double count = static_cast<double>(points);
  for (const auto& [key, values] : axes) count *= static_cast<double>(values.size());
  if (count + static_cast<double>(before) <= static_cast<double>(most)) return;
  throw Error(fmt::format("{}: has {:.4g} cells, more than {}; shorten the lists of its [[grid]]s",
                          where, count + static_cast<double>(before), most));
}

void add_label(Cell& cell, const std::string& key, const Json& value) {
  cell.choices.emplace_back(key, text_of(value));
  cell.label += fmt::format("{}{}={}", cell.label.empty() ? "" : " ", key, text_of(value));
}

// A cell of the base, with the values at `place` of the lists.
Cell cell_at(const std::vector<Axis>& axes, const std::vector<size_t>& place, const Json& base,
             const Json& variants, const std::string& where) {
  Cell cell{base, "", false};
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    const auto& [key, values] = axes[axis];
    const Json& value = values[place[axis]];
    if (variants.contains(key))
      merge(cell.config, variant_of(variants, key, text_of(value), where));
    else
      set_path(cell.config, key, value);
    add_label(cell, key, value);
  }
  return cell;
}

// The cells of one combination of the lists.
void add_points(const Cell& cell, const Sampling& sampling, const std::vector<GridRange>& ranges,
                std::vector<Cell>& cells) {
  if (ranges.empty()) {
    cells.push_back(cell);
    return;
  }
  for (int64_t point = 0; point < sampling.points; ++point) {
    Cell& sampled = cells.emplace_back(cell);
    for (size_t d = 0; d < ranges.size(); ++d) {
      const Json value = ranges[d].at(sampling.share(point, d, ranges.size()));
      set_path(sampled.config, ranges[d].key, value);
      add_label(sampled, ranges[d].key, value);
    }
  }
}

}  // namespace

std::vector<GridRange> expand_grid(Json grid, const Json& base, const Json& variants,
                                   const std::string& where, size_t most_cells,
                                   std::vector<Cell>& cells) {
  if (!grid.is_object()) throw Error(fmt::format("{}: [[grid]] must be a section", where));
  const Sampling sampling = take_sampling(grid, where);
  grid.erase("require");
  std::vector<Axis> axes;
  std::vector<GridRange> ranges;
  collect_axes(grid, "", variants, where, axes, ranges);
  check_sampling(sampling, ranges.size(), where);
  require_one_setter(axes, ranges, variants, where);
  require_few(axes, std::max<int64_t>(1, sampling.points), cells.size(), most_cells, where);
  std::vector<size_t> place(axes.size(), 0);
  while (true) {
    add_points(cell_at(axes, place, base, variants, where), sampling, ranges, cells);
    size_t axis = axes.size();
    while (axis > 0 && ++place[axis - 1] == axes[axis - 1].second.size()) place[--axis] = 0;
    if (axis == 0) return ranges;
  }
}

}  // namespace bitlaw
