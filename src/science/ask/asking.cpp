#include "ask/asking.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ask/answers.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/names.h"
#include "base/text.h"
#include "laws/registry.h"

namespace bitlaw {
Json part(const Json& question, const char* name) {
  const auto found = question.find(name);
  return found == question.end() ? Json() : *found;
}

std::string text_of(const Json& question, const char* name) {
  const Json value = part(question, name);
  if (value.is_null()) return "";
  if (!value.is_string()) throw Error(fmt::format("question: {} must be text", name));
  return value.get<std::string>();
}

void must_have_only(const Json& question, std::vector<std::string> names) {
  names.emplace_back("verb");
  for (const auto& [key, unused] : question.items()) {
    if (std::find(names.begin(), names.end(), key) == names.end())
      throw Error("question: " + unknown_name("key", key, names));
  }
}

bool names_option(const Json& question, const char* name) {
  const Json given = part(question, "options");
  return given.is_object() && given.contains(name);
}

IsGiven given_options(const Json& question) {
  return [&question](const std::string& key) { return names_option(question, key.c_str()); };
}

std::vector<std::string> know_laws(const Json& question, const char* key, KnownLaws& known) {
  const Json file = part(question, key);
  if (file.is_null()) return {};
  if (!file.is_object() || !file.contains("text"))
    throw Error(fmt::format(
        "question: {} must have the text of a file of laws, {{\"text\": \"...\"}}", key));
  std::string path = text_of(file, "name");
  if (path.empty()) path = key;
  std::vector<std::string> names;
  for (const BoundLaw& law : laws_of_file(text_of(file, "text"), path, key))
    names.emplace_back(known.add(law).name);
  return names;
}

std::vector<std::string> know_laws_of_file(const Json& question, KnownLaws& known) {
  return know_laws(question, "law_file", known);
}

Table AskedTable::read(const std::vector<const Law*>& laws) {
  Table out = table_for(laws, std::move(raw), name, words);
  out.hash = hash;
  return out;
}

AskedTable table_of_question(const Asking& asking) {
  Json given = part(asking.question, "table");
  if (asking.table && given.is_null()) given = Json::object();
  const bool has_text = given.is_object() && given.contains("text");
  if (asking.table && has_text) throw Error("question: the table is in memory; leave out its text");
  if (!given.is_object() || (!has_text && !asking.table))
    throw Error("question: table must have the text of a table, {\"text\": \"N,D,loss...\"}");
  AskedTable out;
  const std::string text = text_of(given, "text");
  out.name = text_of(given, "name");
  if (out.name.empty()) out.name = "table";
  given.erase("text");
  given.erase("name");
  const std::string hash = asking.table ? text_of(given, "hash") : "";
  if (asking.table) given.erase("hash");
  fill(out.words, given, "table");
  if (asking.table) {
    out.hash = hash;
    out.raw = std::move(*asking.table);
    asking.took_table = true;
  } else {
    out.raw = read_raw_table(text, out.name, out.words.format);
    out.hash = hash_hex(text);
  }
  return out;
}

std::vector<std::string> columns_of(const AskedTable& table) {
  std::vector<std::string> out = table.raw.columns();
  for (const std::string& assignment : table.words.set)
    out.push_back(trim(assignment.substr(0, assignment.find('='))));
  return out;
}

const Law& law_for(const Json& question, std::string& option, const AskedTable& table,
                   std::string& note, KnownLaws& known) {
  const std::vector<std::string> of_file = know_laws_of_file(question, known);
  const bool named = names_option(question, "law");
  if (const Law* own = law_of_formula(question, table, known)) {
    if (named)
      throw Error(
          fmt::format("formula: is a law of its own; leave out law {}, or formula", option));
    option = own->name;
  } else if (!named && of_file.size() > 1) {
    throw Error(fmt::format("law_file: has {} laws; law names one: {}", of_file.size(),
                            fmt::join(of_file, ", ")));
  } else if (!named && !of_file.empty()) {
    option = of_file[0];
  } else if (!named) {
    const UsualLaw usual = usual_law(table.raw, table.name, table.words);
    option = usual.name, note = usual.note;
  }
  return law_named(option);
}

Table read_with(AskedTable& asked, const Law& law, const std::string& note) {
  Table out = asked.read({&law});
  if (!note.empty()) out.notes.insert(out.notes.begin(), note);
  return out;
}

AskedFit::AskedFit(const Asking& asking)
    : asked(table_of_question(asking)), options(options_of<FitOptions>(asking.question)) {
  refuse_unused_of_fit(options, given_options(asking.question));
  law = &law_for(asking.question, options.law, asked, note, known);
  refuse_unused_of_fit(*law, given_options(asking.question));
}

Table AskedFit::table(const Json& question) {
  Table out = read_with(asked, *law, note);
  freeze_from_question(question, *law, out, options);
  return out;
}

}  // namespace bitlaw
