#include "train/engines.h"

#include <fmt/format.h>

#include "ops/engine.h"
#include "record/run.h"

namespace bitlaw {
namespace {

// With the library only where that is all that differs.
std::string title(const Engine& engine, const std::string& beside) {
  return engine.name == beside ? fmt::format("{} ({})", engine.name, engine.library) : engine.name;
}

std::string way_back(const Engine& engine, const Engine& here) {
  if (engine.name == here.name) return "resume it where " + engine.library + " is installed";
  const std::string settings = engine_settings(engine.name);
  if (settings.empty()) return "resume it on a machine that has " + engine.name;
  return fmt::format("resume it with {}", settings);
}

}  // namespace

Engine engine_here() {
  const Context context;
  return {engine_name(context), engine_library(context)};
}

RunEngines::RunEngines(Engine here) : here_(std::move(here)), all_{here_.name} {}

void RunEngines::resume(const std::filesystem::path& file, const StateHeader& state, bool allowed) {
  if (state.engine.empty()) return;  // not known
  Engine before{state.engine, state.library};
  all_ = state.engines;
  if (before.library.empty()) before.library = here_.library;  // not known
  if (before == here_) return;
  const std::string was = title(before, here_.name), is = title(here_, before.name);
  if (!allowed) {
    throw OtherEngine(fmt::format(
        "{}: was computed by the engine {}, and this is {}, whose bits differ; {}, or add "
        "--other-engine to go on all the same, which the result records",
        file.string(), was, is, way_back(before, here_)));
  }
  all_.push_back(is);
}

bool RunEngines::alone_computed(const StateHeader& state) const {
  return Engine{state.engine, state.library} == here_ && state.engines.size() == 1;
}

StateHeader engines_of_state(StateHeader state, const std::filesystem::path& run) {
  if (!state.engine.empty() || !is_run(run)) return state;
  const RunBuild build = read_run_record(run).build.value_or(RunBuild{});
  state.engine = build.engine;
  if (build.engine.empty()) {
    const std::string here = engine_here().name;
    const bool may_be = here == build.isa || here.starts_with(build.isa + "+");
    state.engine = may_be ? here : build.isa;
  }
  state.engines = {state.engine};
  return state;
}

}  // namespace bitlaw
