#include "cli/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <sstream>

#include "base/names.h"
#include "base/number.h"

namespace bitlaw::cli {
namespace {

// What to say where a list has blanks instead of commas, as in --pool lr batch: a word of it was not
// expected. "" if the words are those of no list.
std::string blank_in_list(const CLI::App& app, int argc, char** argv) {
  const auto verbs = app.get_subcommands();
  if (verbs.empty()) return "";
  const std::vector<std::string> unexpected = app.remaining(true);
  for (int i = 1; i + 2 < argc; ++i) {
    const CLI::Option* option = verbs[0]->get_option_no_throw(argv[i]);
    if (option == nullptr || option->get_delimiter() != ',') continue;
    for (int word = i + 2; word < argc && argv[word][0] != '-'; ++word) {
      if (std::find(unexpected.begin(), unexpected.end(), argv[word]) == unexpected.end()) continue;
      return fmt::format("{} was not expected; {} takes one list with commas, as in {} {},{}",
                         argv[word], argv[i], argv[i], argv[i + 1], argv[i + 2]);
    }
  }
  return "";
}

// CLI11 says that a word was not expected; people want to know which one was meant.
std::string mistyped(const CLI::App& app, int argc, char** argv) {
  const CLI::App* verb = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word(argv[i], std::strcspn(argv[i], "="));
    std::vector<std::string> known;
    const bool is_option = word.size() > 2 && word.starts_with("--");
    const auto& verbs = verb->get_subcommands(nullptr);
    if (is_option) {
      for (const CLI::Option* option : verb->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    } else if (!verbs.empty()) {
      for (const CLI::App* each : verbs) known.push_back(each->get_name());
    } else {
      continue;
    }
    const auto found = std::find(known.begin(), known.end(), word);
    if (found != known.end()) {
      const CLI::Option* option = is_option ? verb->get_option_no_throw(word) : nullptr;
      if (option != nullptr && option->get_items_expected_min() > 0 && word == argv[i]) ++i;
      if (!is_option) verb = verbs[static_cast<size_t>(found - known.begin())];
      continue;
    }
    return unknown_name(is_option ? "option" : "verb", word, known, "see --help");
  }
  return "";
}

std::string complaint_unless_positive(std::string& text) {
  const double value = parse_number(text).value_or(-1);
  if (value > 0 && value < 1e300) return "";
  return fmt::format("expected a number above 0, not {}", text);
}

}  // namespace

Option* Option::required() {
  option_->required();
  return this;
}

Option* Option::default_str(const std::string& text) {
  option_->default_str(text);
  return this;
}

Option* Option::positive() {
  option_->check(CLI::Validator(complaint_unless_positive, "ABOVE 0"));
  return this;
}

Option* Option::whole(int64_t least, int64_t largest) {
  const auto complaint = [=](std::string& text) -> std::string {
    const double value = parse_number(text).value_or(least - 0.5);
    if (value == std::floor(value) && value >= static_cast<double>(least) &&
        value <= static_cast<double>(largest))
      return "";
    return fmt::format("expected a whole number from {} to {}, not {}", least, largest, text);
  };
  option_->check(CLI::Validator(complaint, fmt::format("{} to {}", least, largest)));
  return this;
}

Option* Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return this;
}

Option* Option::delimiter(char between) {
  option_->delimiter(between);
  return this;
}

Option* Option::allow_extra_args(bool allow) {
  option_->allow_extra_args(allow);
  return this;
}

size_t Option::count() const {
  return option_->count();
}

App* App::add_subcommand(const std::string& name, const std::string& summary) {
  return &verbs_.emplace_back(app_->add_subcommand(name, summary));
}

void App::require_subcommand(size_t at_least, size_t at_most) {
  app_->require_subcommand(at_least, at_most);
}

bool App::has_subcommand() const {
  return !app_->get_subcommands().empty();
}

template <class T>
Option* App::add_option(const std::string& names, T& value, const std::string& help) {
  return &options_.emplace_back(app_->add_option(names, value, help));
}

template Option* App::add_option(const std::string&, std::string&, const std::string&);
template Option* App::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Option* App::add_option(const std::string&, int&, const std::string&);
template Option* App::add_option(const std::string&, int64_t&, const std::string&);
template Option* App::add_option(const std::string&, double&, const std::string&);

Option* App::add_flag(const std::string& names, bool& value, const std::string& help) {
  return &options_.emplace_back(app_->add_flag(names, value, help));
}

Option* App::add_flag(const std::string& names, std::string& value, const std::string& help) {
  return &options_.emplace_back(app_->add_flag(names, value, help));
}

void App::callback(std::function<void()> run) {
  app_->callback(std::move(run));
}

void App::first(std::function<void()> run) {
  app_->parse_complete_callback(std::move(run));
}

void App::footer(const std::string& text) {
  app_->footer(text);
}

std::string App::get_footer() const {
  return app_->get_footer();
}

Program::Program(const std::string& name, const std::string& summary, const std::string& version)
    : program_(std::make_unique<CLI::App>(summary, name)), app_(program_.get()) {
  program_->set_version_flag("--version", name + " " + version);
}

Program::~Program() = default;

bool Program::run(int argc, char** argv) {
  try {
    program_->parse(argc, argv);
    return true;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      // Not as CLI11 prints it, with std::cout: fmt::print throws if it cannot be written.
      std::ostringstream text;
      program_->exit(error, text, text);
      fmt::print("{}", text.str());
      return false;
    }
    std::string meant = mistyped(*program_, argc, argv);
    if (meant.empty()) meant = blank_in_list(*program_, argc, argv);
    throw UsageError(meant.empty() ? error.what() : meant);
  }
}

}  // namespace bitlaw::cli
