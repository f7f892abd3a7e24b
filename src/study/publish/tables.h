// What a publication consists of, read before anything is written.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "corpus/corpus.h"
#include "publish/publish.h"
#include "record/tidy_row.h"

namespace bitlaw {

struct PublishedTable {
  std::string name;  // of its files
  std::vector<TidyRow> rows;
  std::string records;  // the lines of NAME.runs.jsonl
  int64_t started = 0;  // runs left out, because they have not ended
  double training_core_seconds = 0;
  std::map<std::string, std::string> data;        // where each data set was, by its hash
  size_t count(const std::string& status) const;  // of whole runs
  size_t cells() const;
};

// Sums over all tables.
struct Totals {
  double flops = 0, training_core_seconds = 0, cell_seconds = 0;
  std::set<std::string> engines, versions, data;
};
Totals totals_of(const std::vector<PublishedTable>& tables);

// Error as in publish().
std::vector<PublishedTable> read_tables(const std::vector<std::string>& runs,
                                        const std::vector<std::string>& have = {});

// The packages of `text` (made in `folder`) that the data sets of the tables have; the folder may have
// others, of larger data sets. All of them, with a note, if a data set is not where it was. Error if the
// data sets have none of them.
std::vector<CorpusPart> packages_of_data(const std::vector<CorpusPart>& text,
                                         const std::string& folder,
                                         const std::vector<PublishedTable>& tables,
                                         std::vector<std::string>& notes);

// The packages of the text as CSV; empty without any.
std::string text_csv(const std::vector<CorpusPart>& parts);

}  // namespace bitlaw
