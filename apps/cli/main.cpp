// bitlaw: train fleets of small language models at chosen bits, quantize every checkpoint, fit the
// laws that relate loss to parameters, tokens and bits, and plan from them.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/verb.h"

namespace bitlaw::cli {
namespace {

// One line, whatever a damaged file put into the sentence.
void print_error(std::string sentence) {
  for (char& c : sentence) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  std::fputs(fmt::format("bitlaw: {}\n", trim(sentence)).c_str(), stderr);
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
      if (!is_option) verb = verbs[static_cast<size_t>(found - known.begin())];
      continue;
    }
    return unknown_name(is_option ? "option" : "verb", word, known, "see --help");
  }
  return "";
}

// A full disk behind a redirection shows when the last bytes leave.
void flush_results() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Error(fmt::format("standard output cannot be written: {}", std::strerror(errno)));
}

}  // namespace
}  // namespace bitlaw::cli

int main(int argc, char** argv) {
  using namespace bitlaw;
  using namespace bitlaw::cli;
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(), like a full disk
  CLI::App app{"Scaling laws for precision: train, quantize, fit, plan.", "bitlaw"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("bitlaw ") + kVersion);
  app.footer("`bitlaw VERB --help` explains a verb and shows an example.");
  for (auto add :
       {add_data, add_train, add_quantize, add_eval, add_export, add_sweep, add_runs, add_laws,
        add_fit, add_compare, add_design, add_simulate, add_plan, add_report}) {
    add(app);
  }
  try {
    app.parse(argc, argv);
    flush_results();
    return exit_status;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const std::string meant = mistyped(app, argc, argv);
    print_error(meant.empty() ? error.what() : meant);
    return 2;
  } catch (const std::bad_alloc&) {
    print_error("not enough memory; `bitlaw train ... --dry-run` shows how much a run needs");
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return 1;
}
