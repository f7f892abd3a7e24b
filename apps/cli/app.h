// The program's verbs and their options. CLI11 does the work, behind app.cpp alone: its header costs
// every file that includes it six seconds to compile. The functions are called as in CLI11.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bitlaw::cli {

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option* required();
  Option* default_str(const std::string& text);   // as --help shows it
  Option* positive();                             // a number above 0
  Option* whole(int64_t least, int64_t largest);  // a whole number in this range
  Option* one_of(const std::vector<std::string>& words);
  Option* delimiter(char between);       // a list in one argument
  Option* allow_extra_args(bool allow);  // a list in several arguments
  size_t count() const;                  // how often it was given

 private:
  CLI::Option* option_;
};

// The program, or one of its verbs.
class App {
 public:
  explicit App(CLI::App* app) : app_(app) {}

  App* add_subcommand(const std::string& name, const std::string& summary);
  void require_subcommand(size_t at_least, size_t at_most);
  bool has_subcommand() const;  // on the command line

  // `value` (std::string, a number, or a list of text) must outlive the parsing.
  template <class T>
  Option* add_option(const std::string& names, T& value, const std::string& help);
  Option* add_flag(const std::string& names, bool& value, const std::string& help);
  // --name, or --name=false: the text that was given.
  Option* add_flag(const std::string& names, std::string& value, const std::string& help);

  void callback(std::function<void()> run);  // once the command line is read
  void first(std::function<void()> run);     // the same, before the callbacks of verbs
  void footer(const std::string& text);      // of --help
  std::string get_footer() const;

 private:
  CLI::App* app_;
  std::deque<App> verbs_;
  std::deque<Option> options_;
};

// The command line is wrong; what() is a sentence, with the word that was meant where one is near.
class UsageError : public Error {
 public:
  using Error::Error;
};

class Program {
 public:
  Program(const std::string& name, const std::string& summary, const std::string& version);
  ~Program();

  App& app() { return app_; }
  // Runs the verb that was asked for; false where --help or --version was, and is printed.
  bool run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> program_;
  App app_;
};

}  // namespace bitlaw::cli
