// Which engines computed the steps of a run. Engines add in different orders, so a run that goes on
// with another one is a mixture: it is refused unless asked for, and recorded then.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "train/state.h"

namespace bitlaw {

// Another engine than the one here began the run.
class OtherEngine : public Error {
  using Error::Error;
};
inline constexpr int kOtherEngineExitCode = 76;  // of the program after OtherEngine

// Equal ones compute equal bits (ops/engine.h).
struct Engine {
  std::string name, library;
  bool operator==(const Engine&) const = default;
};
Engine engine_here();

class RunEngines {
 public:
  explicit RunEngines(Engine here = engine_here());

  const Engine& here() const { return here_; }
  // Those that computed steps, in order; the last one is here.
  const std::vector<std::string>& all() const { return all_; }

  // Goes on from the state in `file`. OtherEngine, with what to do, if another one computed its last
  // steps and that is not `allowed`.
  void resume(const std::filesystem::path& file, const StateHeader& state, bool allowed);

  // Whether the state has the bits that it would have had here.
  bool alone_computed(const StateHeader& state) const;

 private:
  Engine here_;
  std::vector<std::string> all_;
};

// The header of a state of the run in a directory. That of a file of version 1 gets the engine that
// its run.json names; with none but an instruction set there, that of here if it may be the one.
StateHeader engines_of_state(StateHeader state, const std::filesystem::path& run);

}  // namespace bitlaw
