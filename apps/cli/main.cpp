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
#include "base/file_lock.h"
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
  Program program("bitlaw", "Scaling laws for precision: train, quantize, fit, plan.", kVersion);
  App& app = program.app();
  app.require_subcommand(1, 1);
  app.footer("`bitlaw VERB --help` explains a verb and shows an example.");
  for (auto add : {add_data, add_train, add_quantize, add_eval, add_export, add_sweep, add_work,
                   add_tune, add_runs, add_reproduce, add_laws, add_fit, add_compare, add_design,
                   add_simulate, add_plan, add_report}) {
    add(app);
  }
  try {
    const bool ran = program.run(argc, argv);
    flush_results();
    return ran ? exit_status : 0;
  } catch (const UsageError& error) {
    print_error(error.what());
    return 2;
  } catch (const Busy& error) {
    print_error(error.what());
    return kBusyExitCode;
  } catch (const std::bad_alloc&) {
    print_error("not enough memory; `bitlaw train ... --dry-run` shows how much a run needs");
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return 1;
}
