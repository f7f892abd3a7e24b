#include "publish/card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "base/time.h"

namespace bitlaw {
namespace {

size_t runs_of(const std::vector<PublishedTable>& tables) {
  size_t sum = 0;
  for (const PublishedTable& table : tables)
    sum += table.count("finished") + table.count("diverged");
  return sum;
}

size_t cells_of(const std::vector<PublishedTable>& tables) {
  size_t sum = 0;
  for (const PublishedTable& table : tables) sum += table.cells();
  return sum;
}

// Some column of the rows, as "27 k to 885 k".
template <class Get>
std::string range_of(const std::vector<PublishedTable>& tables, const Get& get) {
  double least = INFINITY, most = -INFINITY;
  for (const PublishedTable& table : tables) {
    for (const TidyRow& row : table.rows) {
      const std::optional<int64_t> value = get(row);
      if (!value) continue;
      least = std::min(least, static_cast<double>(*value));
      most = std::max(most, static_cast<double>(*value));
    }
  }
  if (least > most) return "unknown";
  const std::string from = format_count(least), to = format_count(most);
  return from == to ? from : from + " to " + to;
}

std::string joined(const std::set<std::string>& values) {
  return values.empty() ? "unknown" : fmt::format("{}", fmt::join(values, ", "));
}

std::string file_table(const std::vector<PublishedFile>& files) {
  std::string out = "| file | rows | size |\n|---|---|---|\n";
  for (const PublishedFile& file : files) {
    out += fmt::format("| `{}` | {} | {} |\n", file.name,
                       file.rows < 0 ? "" : std::to_string(file.rows),
                       format_bytes(static_cast<double>(file.bytes)));
  }
  return out;
}

std::string table_summary(const PublishedTable& table) {
  std::string out = fmt::format(
      "- `{}.csv`: {} runs finished, {} diverged (a run that diverged is a result), {} "
      "cells of quantization after training",
      table.name, table.count("finished"), table.count("diverged"), table.cells());
  if (table.started > 0)
    out += fmt::format("; {} runs have not ended and are left out", table.started);
  return out + ".\n";
}

std::string cost_section(const Totals& totals) {
  return fmt::format(
      "## What it cost\n\n"
      "Training {:.3g} FLOP in {:.3g} core-hours, quantization {:.3g} hours. Computed by {}, "
      "with bitlaw {}. Data sets: {}.\n\n",
      totals.flops, totals.training_core_seconds / 3600, totals.cell_seconds / 3600,
      joined(totals.engines), joined(totals.versions), joined(totals.data));
}

std::string text_section(const std::vector<CorpusPart>& text) {
  if (text.empty()) return "";
  int64_t bytes = 0;
  for (const CorpusPart& part : text) bytes += part.bytes;
  return fmt::format(
      "## The text\n\n"
      "{:.1f} MB of English prose from {} documentation packages of Debian, made by `bitlaw data "
      "corpus`. `text.csv` names each package, its version and its licences. The text itself is "
      "not here, because the licences are mixed: make it again with the same command.\n\n",
      static_cast<double>(bytes) / 1e6, text.size());
}

// Fits leave out runs of `bitlaw tune`.
bool can_be_fitted(const PublishedTable& table) {
  return std::any_of(table.rows.begin(), table.rows.end(), [](const TidyRow& row) {
    return row.is_run() && row.tuning.value_or(0) == 0;
  });
}

std::string use_section(const std::vector<PublishedTable>& tables) {
  std::string out = "## Using it\n\n```\n";
  const auto fitted = std::find_if(tables.begin(), tables.end(), can_be_fitted);
  if (fitted != tables.end()) {
    out += fmt::format(
        "bitlaw fit {0}.csv --law kumar                  # a law, with intervals\n"
        "bitlaw compare {0}.csv --laws all --hold-out largest-N\n",
        fitted->name);
  }
  return out +
         fmt::format(
             "bitlaw reproduce {0}.csv:1 --data DATA          # makes a row again, and compares "
             "every "
             "bit\n"
             "bitlaw sweep STUDY.toml --have {0}.csv          # goes on with the study elsewhere\n"
             "sha256sum -c SHA256SUMS                         # checks the files\n```\n\n",
             tables.front().name);
}

std::string column_section() {
  std::string out =
      "## Columns\n\n"
      "A row is a run (`method` is `none`) or a cell of its quantization after training. An empty "
      "field does not apply. Losses are in nats per token.\n\n"
      "| column | type | what |\n|---|---|---|\n";
  constexpr const char* kTypes[] = {"text", "whole number", "number"};
  for (const TidyColumn& column : tidy_columns())
    out += fmt::format("| `{}` | {} | {} |\n", column.name, kTypes[column.type], column.help);
  return out;
}

// A YAML string.
std::string quoted(const std::string& text) {
  return dump_json(Json(text));
}

// "Family;Given" has two parts, any other name one.
Json author_json(const std::string& author) {
  const auto parts = split(author, ';');
  Json out{{"@type", "sc:Person"}, {"name", author}};
  if (parts.size() == 2) {
    out["name"] = trim(parts[1]) + " " + trim(parts[0]);
    out["familyName"] = trim(parts[0]);
    out["givenName"] = trim(parts[1]);
  }
  return out;
}

Json file_object(const PublishedFile& file) {
  const auto encoding = [&] {
    if (file.name.ends_with(".csv")) return "text/csv";
    if (file.name.ends_with(".parquet")) return "application/x-parquet";
    return "application/jsonlines";
  };
  return Json{{"@type", "cr:FileObject"},
              {"@id", file.name},
              {"name", file.name},
              {"contentUrl", file.name},
              {"contentSize", fmt::format("{} B", file.bytes)},
              {"encodingFormat", encoding()},
              {"sha256", file.sha256}};
}

Json record_set(const PublishedTable& table) {
  constexpr const char* kTypes[] = {"sc:Text", "sc:Integer", "sc:Float"};
  Json fields = Json::array();
  for (const TidyColumn& column : tidy_columns()) {
    fields.push_back(Json{{"@type", "cr:Field"},
                          {"@id", table.name + "/" + column.name},
                          {"name", column.name},
                          {"description", column.help},
                          {"dataType", kTypes[column.type]},
                          {"source", Json{{"fileObject", Json{{"@id", table.name + ".csv"}}},
                                          {"extract", Json{{"column", column.name}}}}}});
  }
  return Json{{"@type", "cr:RecordSet"},
              {"@id", table.name},
              {"name", table.name},
              {"description", "A row for each run and for each cell of its quantization."},
              {"field", fields}};
}

// The terms of Croissant 1.0, as its specification lists them.
Json croissant_context() {
  Json context{{"@language", "en"}, {"@vocab", "https://schema.org/"}};
  const auto name = [&](const char* term, const char* meaning) { context[term] = meaning; };
  const auto typed = [&](const char* term, const char* id, const char* type) {
    context[term] = Json{{"@id", id}, {"@type", type}};
  };
  for (const char* term : {"column",        "extract",  "field",     "fileProperty",
                           "fileObject",    "fileSet",  "format",    "includes",
                           "isLiveDataset", "jsonPath", "key",       "md5",
                           "parentField",   "path",     "recordSet", "references",
                           "regex",         "repeated", "replace",   "separator",
                           "source",        "subField", "transform", "equivalentProperty",
                           "samplingRate"})
    context[term] = std::string("cr:") + term;
  typed("data", "cr:data", "@json");
  typed("dataType", "cr:dataType", "@vocab");
  typed("examples", "cr:examples", "@json");
  name("citeAs", "cr:citeAs");
  name("conformsTo", "dct:conformsTo");
  name("cr", "http://mlcommons.org/croissant/");
  name("dct", "http://purl.org/dc/terms/");
  name("rai", "http://mlcommons.org/croissant/RAI/");
  name("sc", "https://schema.org/");
  return context;
}

}  // namespace

Card card_of(const PublishOptions& options, const std::vector<PublishedTable>& tables) {
  Card card{.name = options.name,
            .title = options.title,
            .description = options.description,
            .license = options.license,
            .url = options.url,
            .version = options.version,
            .date = options.date,
            .authors = options.authors};
  if (card.name.empty()) card.name = tables.front().name;
  if (card.title.empty())
    card.title = card.name + ": losses of language models by size, tokens and bits";
  if (card.description.empty()) {
    card.description = fmt::format(
        "{} training runs of language models (N {}, D {}) at chosen bits of weights, activations, "
        "keys and values, and {} quantizations of them after training.",
        runs_of(tables), range_of(tables, [](const TidyRow& row) { return row.N; }),
        range_of(tables, [](const TidyRow& row) { return row.D; }), cells_of(tables));
  }
  if (card.date.empty()) card.date = now_iso().substr(0, 10);
  if (card.authors.empty()) card.authors = {"The authors of " + card.name};
  return card;
}

std::string readme(const Card& card, const std::vector<PublishedTable>& tables,
                   const std::vector<PublishedFile>& files, const std::vector<CorpusPart>& text,
                   const std::string& before) {
  const size_t place = before.find(kGeneratedFrom);
  std::string out =
      place == std::string::npos ? "# " + card.title + "\n\n" : before.substr(0, place);
  out += fmt::format("{}\n\n{}\n\n", kGeneratedFrom, card.description);
  out += fmt::format("Version {} of {}. Licence of the tables: {}.\n\n", card.version, card.date,
                     card.license);
  for (const PublishedTable& table : tables) out += table_summary(table);
  out += "\n" + file_table(files) + "\n";
  out +=
      use_section(tables) + cost_section(totals_of(tables)) + text_section(text) + column_section();
  return out;
}

Json croissant(const Card& card, const std::vector<PublishedTable>& tables,
               const std::vector<PublishedFile>& files) {
  Json distribution = Json::array(), record_sets = Json::array(), creators = Json::array();
  for (const PublishedFile& file : files) distribution.push_back(file_object(file));
  for (const PublishedTable& table : tables) record_sets.push_back(record_set(table));
  for (const std::string& author : card.authors) creators.push_back(author_json(author));
  Json out{{"@context", croissant_context()},
           {"@type", "sc:Dataset"},
           {"conformsTo", "http://mlcommons.org/croissant/1.0"},
           {"name", card.name},
           {"description", card.description},
           {"license", "https://spdx.org/licenses/" + card.license + ".html"},
           {"version", card.version},
           {"datePublished", card.date},
           {"creator", creators},
           {"citeAs", fmt::format("{}. Version {}, {}.", card.title, card.version, card.date)},
           {"distribution", distribution},
           {"recordSet", record_sets}};
  if (!card.url.empty()) out["url"] = card.url;
  return out;
}

std::string citation(const Card& card) {
  std::string out = fmt::format(
      "cff-version: 1.2.0\nmessage: Please cite these tables if you use them.\ntitle: {}\n"
      "type: dataset\nversion: {}\ndate-released: {}\nlicense: {}\n",
      quoted(card.title), quoted(card.version), card.date, card.license);
  if (!card.url.empty()) out += fmt::format("url: {}\n", quoted(card.url));
  out += fmt::format("abstract: {}\nauthors:\n", quoted(card.description));
  for (const std::string& author : card.authors) {
    const auto parts = split(author, ';');
    if (parts.size() == 2)
      out += fmt::format("  - family-names: {}\n    given-names: {}\n", quoted(trim(parts[0])),
                         quoted(trim(parts[1])));
    else
      out += fmt::format("  - name: {}\n", quoted(author));
  }
  return out;
}

}  // namespace bitlaw
