#include "cli/verb.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/ends.h"
#include "base/error.h"
#include "base/input_file.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/say.h"
#include "base/text.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

std::string dashed(std::string name) {
  for (char& c : name) {
    if (c == '_' || c == '.') c = '-';
  }
  return name;
}

double number(const std::string& text, const std::string& flag) {
  const auto value = parse_number(text);
  if (!value) throw Error(fmt::format("{}: '{}' is not a number", flag, text));
  return *value;
}

bool is_number(const Json& sample) {
  return sample.is_number();
}

// "3,4,6", "2..8" or a mixture.
Json list_of(const std::string& text, bool numeric, const std::string& flag) {
  Json list = Json::array();
  for (const std::string& item : split(text, ',')) {
    const auto ends = numeric ? split_ends(item) : std::nullopt;
    if (ends) {
      const double first = number(ends->first, flag), last = number(ends->second, flag);
      if (!(first <= last) || last - first > 1000)
        throw Error(fmt::format("{}: '{}' is not a range such as 2..8", flag, item));
      for (double value = first; value <= last; value += 1) list.push_back(value);
    } else if (numeric) {
      list.push_back(number(item, flag));
    } else {
      list.push_back(item);
    }
  }
  return list;
}

}  // namespace

int exit_status = 0;

App* add_verb(App& app, const std::string& name, const std::string& summary,
              const std::string& example) {
  App* verb = app.add_subcommand(name, summary);
  verb->footer("Example:\n  " + example);
  return verb;
}

void require_other_file(const char* option, const std::string& out, const std::string& input) {
  std::error_code none;
  if (!fs::is_regular_file(out, none) || !fs::equivalent(out, input, none)) return;
  throw Error(
      fmt::format("{} {}: is the input, which it would replace; give another file", option, out));
}

void refuse_to_write(bool dry_run, const char* option, const std::string& out) {
  if (dry_run && !out.empty())
    throw Error(fmt::format("{0}: a dry run writes nothing; leave out {0} or --dry-run", option));
}

void print_json(const Json& document) {
  fmt::print("{}\n", dump_json(document, 2));  // throws if it cannot be written
}

void report_left_out(const std::vector<std::string>& problems) {
  if (problems.empty()) return;
  for (const std::string& problem : problems) say("left out: {}", problem);
  say("bitlaw: {} damaged file{} left out; the rest is complete", problems.size(),
      problems.size() == 1 ? " was" : "s were");
  exit_status = 1;
}

std::function<void(int64_t count, const std::function<void(int64_t)>& task)> on(ThreadPool& pool) {
  return [&pool](int64_t count, const std::function<void(int64_t)>& task) {
    pool.parallel_for(count, [&](int64_t index, int) { task(index); });
  };
}

Json read_fit(const std::string& path) {
  if (path.empty()) return nullptr;
  const std::string text = read_input_file(path);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || (text[first] != '{' && text[first] != '[')) {
    throw Error(
        fmt::format("{}: is no JSON object; --fit takes a document of `bitlaw fit --out`, which "
                    "makes one of a table",
                    path));
  }
  const Json fit = parse_json(text, path);
  for (const char* kind : {"by", "asked"}) {
    if (!fit.is_object() || !fit.contains(kind)) continue;
    throw Error(fmt::format("{}: is a document of `bitlaw fit --{}`, not of one fit; {}", path,
                            std::string_view(kind) == "by" ? "by" : "approach",
                            std::string_view(kind) == "by"
                                ? "fit one group: --where COLUMN=VALUE --out"
                                : "--approach parametric's law is `bitlaw fit --law chinchilla`"));
  }
  for (const char* part : {"law", "parameters"}) {
    if (!fit.is_object() || !fit.contains(part)) {
      throw Error(fmt::format(
          "{}: is not a fit, it has no .{}; give a document of `bitlaw fit --out`", path, part));
    }
  }
  return fit;
}

void StructFlags::add_keys(App* app, const std::vector<ConfigKey>& keys,
                           const std::vector<std::string>& without) {
  elsewhere_.insert(elsewhere_.end(), without.begin(), without.end());
  for (const ConfigKey& key : keys) {
    if (std::find(without.begin(), without.end(), key.name) != without.end()) continue;
    Flag flag{key};
    const std::string name = "--" + dashed(key.name);
    if (key.value.is_boolean()) {
      flag.option = app->add_flag(name + "{true}", *flag.text, key.help);
    } else {
      flag.option = app->add_option(name, *flag.text, key.help)->default_str(dump_json(key.value));
    }
    flags_.push_back(flag);
  }
}

std::string StructFlags::option_of(const std::string& key) {
  return "--" + dashed(key);
}

bool StructFlags::has(const std::string& key) const {
  return std::any_of(flags_.begin(), flags_.end(), [&](const Flag& flag) {
    return flag.key.name == key && flag.option->count() > 0;
  });
}

std::string StructFlags::as_typed(const std::string& section, const std::string& error) const {
  for (const Flag& flag : flags_) {
    const std::string key = section + "." + flag.key.name;
    if (flag.option->count() > 0 && error.starts_with(key) &&
        (error[key.size()] == ':' || error[key.size()] == ' '))
      return "--" + dashed(flag.key.name) + error.substr(key.size());
  }
  return error;
}

std::string StructFlags::with_flag(const std::string& error) const {
  for (const Flag& flag : flags_) {
    const std::string key = fmt::format("{}: {} ", kHere, flag.key.name);
    if (error.starts_with(key))
      return fmt::format("--{} {}", dashed(flag.key.name), error.substr(key.size()));
  }
  return error;
}

void StructFlags::refuse(std::initializer_list<const char*> keys, const std::string& why) const {
  for (const char* key : keys) {
    if (has(key)) throw Error(fmt::format("{}: {}; leave it out", option_of(key), why));
  }
}

std::string StructFlags::in_options(const std::string& sentence) const {
  const auto is_letter = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  const auto is_key = [&](const std::string& word) {
    return std::any_of(flags_.begin(), flags_.end(),
                       [&](const Flag& flag) { return flag.key.name == word; }) ||
           std::find(elsewhere_.begin(), elsewhere_.end(), word) != elsewhere_.end();
  };
  std::string out, before;
  bool after_key = false;  // "layers and kv_width": both are flags
  for (size_t at = 0; at < sentence.size();) {
    if (!is_letter(sentence[at])) {
      if (sentence[at] != ' ' && sentence[at] != ',') after_key = false;
      out += sentence[at++];
      continue;
    }
    size_t end = at;
    while (end < sentence.size() && is_letter(sentence[end])) ++end;
    const std::string word = sentence.substr(at, end - at);
    const bool leads = at == 0 && end < sentence.size() && sentence[end] == ':';
    const bool is_named = before == "give" || before == "out" || before == "option" ||
                          ((before == "and" || before == "or") && after_key);
    const bool of_its_own = at == 0 || sentence[at - 1] == ' ';
    if (of_its_own && is_key(word) && (leads || is_named || word.find('_') != std::string::npos)) {
      out += option_of(word), after_key = true;
    } else {
      out += word;
      after_key = after_key && (word == "and" || word == "or");
    }
    before = word, at = end;
  }
  return out;
}

Json StructFlags::given() const {
  Json document = Json::object();
  for (const Flag& flag : flags_) {
    if (flag.option->count() == 0) continue;
    const std::string name = "--" + dashed(flag.key.name);
    const Json& sample = flag.key.value;
    Json value;
    if (sample.is_boolean())
      value = *flag.text != "false";
    else if (sample.is_array()) {
      // An empty default does not tell the type: numbers where every item is one.
      bool numeric = !sample.empty() && is_number(sample[0]);
      if (sample.empty()) {
        numeric = true;
        for (const std::string& item : split(*flag.text, ',')) {
          numeric = numeric && item.find_first_not_of("0123456789.eE+-") == std::string::npos &&
                    item.find_first_of("0123456789") != std::string::npos;
        }
      }
      value = list_of(*flag.text, numeric, name);
    } else if (sample.is_number()) {
      value = number(*flag.text, name);
    } else {
      value = *flag.text;
    }
    Json* place = &document;
    for (const std::string& part : split(flag.key.name, '.')) place = &(*place)[part];
    *place = value;
  }
  return document;
}

ConfigItem read_config_item(const std::string& file_or_override) {
  std::error_code too_long;
  if (file_or_override.find('=') == std::string::npos || fs::exists(file_or_override, too_long))
    return {read_toml(file_or_override), file_or_override};
  Json document = Json::object();
  apply_override(document, file_or_override);
  return {document, "the command line"};
}

void stop_on_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

std::string own_path() {
  return fs::read_symlink("/proc/self/exe").string();
}

}  // namespace bitlaw::cli
