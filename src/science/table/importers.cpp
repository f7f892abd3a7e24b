#include "table/importers.h"

#include <fmt/format.h>

#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

constexpr const char* kFields[] = {
    "non_embedding_parameters", "tokens", "loss", "w_bits", "a_bits", "w_quant", "a_quant"};
constexpr std::string_view kNone = "NoQuantizer";

bool has(const std::string& name, std::string_view part) {
  return name.find(part) != std::string::npos;
}

std::string class_of(const std::string& weights, const std::string& activations,
                     const std::string& bits) {
  if (has(weights, "FourEight")) return "2.5";
  if (has(weights, "FP4")) return "fp4";
  if (weights == kNone && activations == kNone) return "16";
  const bool hadamard = has(weights, "Hadamard");
  if (weights == activations) return bits + (hadamard ? "" : "NOH");
  if (activations == kNone && hadamard) return bits + "WO";
  return fmt::format("{} {} {}", weights, activations, bits);
}

void copy_column(RawTable& table, const std::string& from, const std::string& to) {
  const auto source = table.find(from);
  if (!source || table.find(to)) return;
  const size_t column = table.column(to);
  for (RawRow& row : table.rows) {
    if (const RawField field = row.at(*source); !field.empty()) row.set(column, field);
  }
}

}  // namespace

bool is_quest(const RawTable& table) {
  for (const char* field : kFields) {
    if (!table.find(field)) return false;
  }
  return true;
}

void import_quest(RawTable& table, const std::string& where) {
  for (const char* field : kFields) {
    if (!table.find(field)) {
      throw Error(fmt::format("{}: is not QuEST's table of runs, it has no {}; try --format json",
                              where, field));
    }
  }
  table.kind = "quest";
  copy_column(table, "args.seed", "seed");
  copy_column(table, "args.scheduler", "schedule");
  if (table.find("precision")) return;
  const size_t weights = *table.find("w_quant"), activations = *table.find("a_quant"),
               bits = *table.find("w_bits"), precision = table.column("precision");
  for (RawRow& row : table.rows) {
    for (const char* field : {"w_quant", "a_quant", "w_bits"}) {
      if (row.at(*table.find(field)).empty()) {
        throw Error(fmt::format("{}: {} {} has no {}, which gives its precision class", where,
                                table.place_is, row.place, field));
      }
    }
    row.set(precision,
            class_of(row.at(weights).text(), row.at(activations).text(), row.at(bits).text()));
  }
}

}  // namespace bitlaw
