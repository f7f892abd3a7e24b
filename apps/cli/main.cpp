// bitlaw: train fleets of small language models at chosen bits, quantize every checkpoint, fit the
// laws that relate loss to parameters, tokens and bits, and plan from them.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/home.h"
#include "base/number.h"
#include "base/progress.h"
#include "base/say.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/verb.h"
#include "train/engines.h"
#include "train/interrupt.h"

namespace bitlaw::cli {
namespace {

// One line, whatever a damaged file put into the sentence.
void print_error(std::string sentence) {
  for (char& c : sentence) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  say("bitlaw: {}", trim(sentence));
}

// Where a standard stream is closed, the next file to be opened would get its number, and what is
// printed would end up in that file. What goes to a closed standard output is an error, as on a full
// disk; what goes to a closed standard error is lost.
void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      ::open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// A full disk behind a redirection shows when the last bytes leave.
void flush_results() {
  if (std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "standard output");
}

// A reader of standard output that has left, as in `| head -1`, wants no sentence.
void end_quietly() {
  ::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
}

void print_system_error(const std::system_error& error) {
  if (std::ferror(stdout) == 0) return print_error(error.what());
  if (error.code() == std::errc::broken_pipe) end_quietly();
  print_error(fmt::format("standard output cannot be written: {}", error.code().message()));
}

// "json" or "json:3"; "": for people.
void set_progress(const std::string& how) {
  if (how.empty()) return;
  const std::string number = how.starts_with("json:") ? how.substr(5) : how == "json" ? "2" : "";
  const std::optional<double> descriptor = parse_number(number);
  if (!descriptor || *descriptor < 1 || *descriptor > 65535 ||
      *descriptor != std::floor(*descriptor)) {
    throw UsageError(
        fmt::format("--progress {}: expected json, or json:3 for the descriptor 3", how));
  }
  send_progress_as_json(static_cast<int>(*descriptor));
}

// A path in quotes, as programs and careful people write it, is no shell's: "~/runs" is still in the
// home.
std::vector<char*> with_home(std::vector<std::string>& arguments) {
  std::vector<char*> out;
  for (std::string& argument : arguments) {
    if (argument.starts_with("~/")) argument = expand_home(argument);
    out.push_back(argument.data());
  }
  out.push_back(nullptr);
  return out;
}

}  // namespace
}  // namespace bitlaw::cli

int main(int argc, char** argv) {
  using namespace bitlaw;
  using namespace bitlaw::cli;
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(), like a full disk
  ::signal(SIGPIPE, SIG_IGN);  // and so is a reader that has left
  open_standard_streams();
  Program program("bitlaw", "Scaling laws for precision: train, quantize, fit, plan.", kVersion);
  App& app = program.app();
  app.require_subcommand(1, 1);
  std::string progress;
  app.add_option(
      "--progress", progress,
      "before the verb: json writes progress to standard error as lines of JSON, json:3 to "
      "descriptor 3 (docs/progress.md)");
  app.first([&] { set_progress(progress); });
  app.footer("`bitlaw VERB --help` explains a verb and shows an example.");
  for (auto add :
       {add_data,   add_train,    add_quantize,  add_eval,    add_export, add_sweep, add_work,
        add_tune,   add_runs,     add_reproduce, add_publish, add_laws,   add_fit,   add_compare,
        add_design, add_simulate, add_predict,   add_plan,    add_report, add_serve, add_planner}) {
    add(app);
  }
  try {
    std::vector<std::string> arguments(argv, argv + argc);
    const bool ran = program.run(argc, with_home(arguments).data());
    flush_results();
    return ran ? exit_status : 0;
  } catch (const UsageError& error) {
    print_error(error.what());
    return 2;
  } catch (const Busy& error) {
    print_error(error.what());
    return kBusyExitCode;
  } catch (const OtherEngine& error) {
    print_error(error.what());
    return kOtherEngineExitCode;
  } catch (const Stopped& error) {  // in the middle of what cannot be resumed
    print_error(error.what());
    return kInterruptedExitCode;
  } catch (const std::bad_alloc&) {
    print_error("not enough memory; `bitlaw train ... --dry-run` shows how much a run needs");
  } catch (const std::system_error& error) {
    print_system_error(error);
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return 1;
}
