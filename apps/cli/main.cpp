// bitlaw: train fleets of small language models at chosen bits, quantize every checkpoint, fit the
// laws that relate loss to parameters, tokens and bits, and plan from them.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

#include "base/version.h"
#include "cli/verb.h"

int main(int argc, char** argv) {
  using namespace bitlaw;
  using namespace bitlaw::cli;
  CLI::App app{"Scaling laws for precision: train, quantize, fit, plan.", "bitlaw"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("bitlaw ") + kVersion);
  app.footer("`bitlaw VERB --help` explains a verb and shows an example.");
  for (auto add : {add_data, add_train, add_quantize, add_eval, add_sweep, add_runs, add_fit,
                   add_compare, add_plan, add_report}) {
    add(app);
  }
  try {
    app.parse(argc, argv);
    std::fflush(stdout);
    return exit_status;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "bitlaw: {}\n", error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    fmt::print(
        stderr,
        "bitlaw: not enough memory; `bitlaw train ... --dry-run` tells how much a run needs\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "bitlaw: {}\n", error.what());
  }
  return 1;
}
