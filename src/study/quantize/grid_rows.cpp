#include "quantize/grid_rows.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace bitlaw {
namespace {

constexpr int kCellVersion = 3;  // of the resolved document: a new one computes every cell again

// Everything that finish() adds; what was not a number is null.
bool is_complete(const Json& row) {
  if (!row.is_object() || !row.contains("flags") || !row["flags"].is_array()) return false;
  for (const char* key :
       {"loss_nats", "baseline_loss_nats", "delta", "measured_delta", "tokens", "seconds"}) {
    if (!row.contains(key) || !(row[key].is_number() || row[key].is_null())) return false;
  }
  return true;
}

Json read_row(const std::filesystem::path& file) {
  try {
    const Json row = parse_json(read_file(file), file.string());
    if (!is_complete(row)) throw Error(file.string() + ": is not the row of a cell");
    return row;
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; remove it to have this cell computed again");
  }
}

}  // namespace

GridRows::GridRows(std::filesystem::path directory, std::string run)
    : directory_(std::move(directory)), run_(std::move(run)) {}

void GridRows::add(const PtqCell& cell, Json resolved) {
  resolved["version"] = kCellVersion;
  const std::string name = hash_hex(dump_json(resolved)).substr(0, 16) + ".json";
  Row row{cell, std::move(resolved), directory_ / "ptq" / name, false};
  if (std::filesystem::exists(row.file)) {
    row.document = read_row(row.file);
    row.there = true;
  }
  row.document["run"] = run_;  // the directory may have been renamed
  rows_.push_back(std::move(row));
}

std::vector<size_t> GridRows::missing() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].there) out.push_back(i);
  }
  return out;
}

// The row of round to nearest that a cell is held against; null where it is one itself.
Json GridRows::rtn_of(const PtqCell& cell) const {
  PtqCell rtn = cell;
  rtn.weights = round_to_nearest_beside(cell.weights);
  if (rtn.weights == cell.weights) return nullptr;
  const Json wanted = rtn.description();
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) {
    return other.there && other.cell.description() == wanted;
  });
  BITLAW_CHECK(found != rows_.end());
  return found->document;
}

void GridRows::finish(size_t index, const std::vector<MatrixReport>& matrices,
                      const PairedComparison& paired, const std::string& clustered_by,
                      bool no_difference_by_definition, double seconds) {
  Row& row = rows_[index];
  add_matrices(row.document, matrices);
  add_comparison(row.document, paired, clustered_by, no_difference_by_definition);
  compare_with_rtn(row.document, rtn_of(row.cell));
  row.document["seconds"] = seconds;
  write_file_atomically(row.file, dump_json(row.document, 1) + "\n");
  row.there = true;
}

Json GridRows::answer() const {
  Json documents = Json::array();
  for (const Row& row : rows_) {
    BITLAW_CHECK(row.there);
    documents.push_back(row.document);
  }
  add_spreads(documents);
  return documents;
}

}  // namespace bitlaw
