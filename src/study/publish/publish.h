// The verb `publish`: the tables of studies as a folder that others can read, cite and check.
//
//   NAME.csv         the table of each directory of runs; NAME.parquet beside it where Python has
//                    pyarrow
//   NAME.runs.jsonl  the records of its runs, so that `bitlaw reproduce NAME.csv:ROW` makes a row
//                    again, and `bitlaw sweep --have NAME.csv` goes on with the study elsewhere
//   text.csv         the packages that the text was made of, with their licences
//   README.md        the data card: what it is, what it cost, every column
//   croissant.json   the same for machines (Croissant 1.0, mlcommons.org/croissant)
//   CITATION.cff     how to cite it
//   SHA256SUMS       of these files
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_struct.h"

namespace bitlaw {

struct PublishOptions {
  std::vector<std::string> runs;  // directories of runs
  // Earlier tables of the same studies, NAME.csv with NAME.runs.jsonl beside it: rows of runs that have
  // not ended in the directory of this name are kept.
  std::vector<std::string> have;
  std::string to;                     // the folder
  std::string name;                   // short; empty: that of the first directory
  std::string title, description;     // empty: a sentence is made
  std::vector<std::string> authors;   // "Family;Given", or one name
  std::string license = "CC-BY-4.0";  // of the tables, by its SPDX name
  std::string url;                    // where the folder will be
  std::string version = "1.0.0";      // of the tables
  std::string date;                   // of publication, YYYY-MM-DD; empty: today
  std::string text;                   // folder of the text, with its .corpus.json
  bool parquet = true;

  template <class V>
  void visit(V& v) {
    v("have", have,
      "earlier tables, whose rows of runs that are not here are kept: results/tuning.csv");
    v("to", to, "the folder");
    v("name", name, "short name; empty = that of the first directory");
    v("title", title, "one line; empty = one is made");
    v("description", description, "a few sentences; empty = one is made");
    v("authors", authors,
      "authors of the tables, with commas between them: Family;Given, or the name of a group");
    v("license", license, "of the tables, as an SPDX name");
    v("url", url, "where the folder will be");
    v("version", version, "of the tables");
    v("date", date, "of publication, YYYY-MM-DD; empty = today");
    v("text", text, "folder of the text that `bitlaw data corpus` made, for its licences");
    v("parquet", parquet, "write Parquet, too, where Python has pyarrow");
  }
};

struct PublishedFile {
  std::string name;
  int64_t bytes = 0;
  int64_t rows = -1;  // of a table
  std::string sha256;

  template <class V>
  void visit(V& v) {
    v("name", name);
    v("bytes", bytes);
    v("rows", rows);
    v("sha256", sha256);
  }
};

struct Published {
  std::vector<PublishedFile> files;
  std::vector<std::string> notes;
};

// Writes the folder; files that are there are replaced one by one. Others are left alone, with a note
// about those of an earlier publication; but a Parquet file that would be older than its table is
// removed. Runs that have not ended are left out, with a note. Error, before anything is written, if a
// run or a cell cannot be read, if there is no row, if two files would have the same name, or for an
// option that citations or metadata cannot hold.
Published publish(const PublishOptions& options);

}  // namespace bitlaw
