// A question: its parts, its table and its laws, for the files that answer verbs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ask/ask.h"
#include "ask/formula_words.h"
#include "ask/table_words.h"
#include "ask/unused_options.h"
#include "base/config.h"
#include "base/json_struct.h"
#include "fit/fit.h"
#include "table/table.h"

namespace bitlaw {

// A question, and the table that came with it in memory; null: the question has its text.
struct Asking {
  const Json& question;
  RawTable* table;
  const ParallelFor& parallel_for;
  mutable bool took_table = false;
};

struct Verb {
  const char* name;
  Json (*answer)(const Asking& asking);
};

// What the module of the browser leaves out, so that it stays small (web/module): residuals, approaches, studies
// drawn from a law, formulas, files of laws, and constants kept from another fit.
std::span<const Verb> verbs_of_studies();
Json options_of_studies(const std::string& verb);  // null where it is none of these
std::vector<BoundLaw> laws_of_file(const std::string& text, const std::string& path,
                                   const std::string& key);

// "freeze_from": {"fit": FIT, "name": "fit.json", "constants": ["E"]}: its constants are kept fixed.
void freeze_from_question(const Json& question, const Law& law, const Table& table,
                          FitOptions& options);

// A part of the question; null if it is not there.
Json part(const Json& question, const char* name);
std::string text_of(const Json& question, const char* name);
void must_have_only(const Json& question, std::vector<std::string> names);

template <class Options>
Options options_of(const Json& question) {
  Options out;
  if (const Json given = part(question, "options"); !given.is_null()) fill(out, given, "options");
  return out;
}

template <class Options>
Json options_json() {
  Json out = Json::array();
  for (const ConfigKey& key : config_keys(Options{}))
    out.push_back({{"name", key.name}, {"help", key.help}, {"value", key.value}});
  return out;
}

bool names_option(const Json& question, const char* name);
IsGiven given_options(const Json& question);

// The laws of the file that stands under `key`, known until the question is answered; their names.
std::vector<std::string> know_laws(const Json& question, const char* key, KnownLaws& known);
// Those that the question is about.
std::vector<std::string> know_laws_of_file(const Json& question, KnownLaws& known);

struct AskedTable {
  RawTable raw;
  std::string name, hash;
  TableWords words;

  Table read(const std::vector<const Law*>& laws);
};

AskedTable table_of_question(const Asking& asking);
// What the table calls its columns, with computed ones.
std::vector<std::string> columns_of(const AskedTable& table);
// The law that the question has as a formula of its own; null if it has none.
const Law* law_of_formula(const Json& question, const AskedTable& table, KnownLaws& known);
// The law of a formula, or that the options name, or the only one of a file, or the usual one of the table.
const Law& law_for(const Json& question, std::string& option, const AskedTable& table,
                   std::string& note, KnownLaws& known);
Table read_with(AskedTable& asked, const Law& law, const std::string& note);

// A table, a law and options: what a fit is made of.
struct AskedFit {
  AskedTable asked;
  FitOptions options;
  KnownLaws known;
  std::string note;
  const Law* law;

  explicit AskedFit(const Asking& asking);
  Table table(const Json& question);
};

}  // namespace bitlaw
