#include "table/several_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bitlaw {

RawTable join_tables(std::vector<NamedTable> tables) {
  if (tables.size() == 1) return std::move(tables[0].table);
  RawTable out;
  const bool named = std::any_of(tables.begin(), tables.end(), [](const NamedTable& each) {
    return each.table.find("file").has_value();
  });
  for (NamedTable& each : tables) {
    RawTable& table = each.table;
    out.kind = out.kind.empty() || out.kind == table.kind ? table.kind : "several";
    for (const std::string& note : table.notes)
      out.notes.push_back(fmt::format("{}: {}", each.name, note));
    const int source = static_cast<int>(out.sources.size());
    out.sources.push_back(fmt::format("{}, {}", each.name, table.place_is));
    std::vector<size_t> places;
    for (const std::string& column : table.columns()) places.push_back(out.column(column));
    const size_t file = named ? 0 : out.column("file");
    for (RawRow& row : table.rows) {
      RawRow& moved = out.rows.emplace_back();
      moved.place = row.place;
      moved.source = source;
      for (auto& [column, field] : row.fields) moved.set(places[column], std::move(field));
      if (!named) moved.set(file, each.name);
    }
  }
  return out;
}

}  // namespace bitlaw
