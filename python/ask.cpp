// Questions and answers are JSON (src/science/ask), so that the package gets what the command line prints,
// to the bit.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arrow_interface.h"
#include "arrow_table.h"
#include "ask/ask.h"
#include "base/error.h"
#include "base/parallel.h"
#include "bindings.h"
#include "runs/ended_runs.h"
#include "runs/index.h"
#include "table/tidy_table.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

// Ends a long question where somebody presses Ctrl-C: `ask` passes only Error on as a sentence.
struct Interrupted {};

// Loops on the pool's threads. The calling thread looks for Ctrl-C now and then; that of another
// Python thread does so in vain, since Python gives signals to the main thread.
ParallelFor loops_on(ThreadPool& pool) {
  return [&pool, caller = std::this_thread::get_id(),
          looked = std::chrono::steady_clock::time_point()](
             int64_t count, const std::function<void(int64_t)>& task) mutable {
    const auto look = [&] {
      const auto now = std::chrono::steady_clock::now();
      if (now - looked < std::chrono::milliseconds(50)) return;
      looked = now;
      const nb::gil_scoped_acquire held;
      if (PyErr_CheckSignals() != 0) throw Interrupted();
    };
    pool.parallel_for(count, [&](int64_t index, int) {
      if (std::this_thread::get_id() == caller) look();
      task(index);
    });
  };
}

Json answer_to(const std::string& question, RawTable* table, int threads) {
  ThreadPool pool(threads > 0 ? threads : hardware_threads());
  const Json asked = parse_json(question, "question");
  return table ? ask(asked, std::move(*table), loops_on(pool)) : ask(asked, loops_on(pool));
}

struct ReadDirectory {
  RawTable table;
  std::string hash;
  std::vector<std::string> problems;
};

// As `bitlaw fit` reads a directory of runs.
ReadDirectory table_of_runs(const std::string& directory) {
  const RunIndex index(directory, Along::kInclude);
  const EndedRuns ended = ended_runs(directory, index);
  ReadDirectory out{tidy_table(ended.rows), ended.hash, index.problems()};
  for (const std::string& problem : out.problems) out.table.notes.push_back("left out: " + problem);
  return out;
}

// Where the notes of a table are easily overlooked.
void warn_of(const std::string& directory, const std::vector<std::string>& problems) {
  if (problems.empty()) return;
  const std::string sentence =
      fmt::format("{}: {} damaged file{} left out; the rest is complete: {}", directory,
                  problems.size(), problems.size() == 1 ? " was" : "s were", problems[0]);
  constexpr int kCallerOfVerb = 3;
  if (PyErr_WarnEx(PyExc_UserWarning, sentence.c_str(), kCallerOfVerb) != 0)
    throw nb::python_error();
}

// The same of a directory of runs.
std::string ask_about_runs(const std::string& question, const std::string& runs, int threads) {
  try {
    std::vector<std::string> problems;
    std::string answer;
    {
      const nb::gil_scoped_release released;
      ReadDirectory read = table_of_runs(runs);
      problems = read.problems;
      Json asked = parse_json(question, "question");
      asked["table"]["hash"] = read.hash;
      answer = dump_json(answer_to(dump_json(asked), &read.table, threads));
    }
    warn_of(runs, problems);
    return answer;
  } catch (const Interrupted&) {
    throw nb::python_error();
  }
}

// `frame`: what __arrow_c_stream__() of a data frame gave, or None.
std::string ask_in_python(const std::string& question, const nb::object& frame, int threads) {
  ArrowArrayStream* stream = nullptr;
  if (!frame.is_none()) {
    stream =
        static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(frame.ptr(), "arrow_array_stream"));
    if (!stream) throw nb::python_error();
  }
  try {
    const nb::gil_scoped_release released;
    try {
      if (!stream) return dump_json(answer_to(question, nullptr, threads));
      RawTable table = table_of_stream(*stream);
      return dump_json(answer_to(question, &table, threads));
    } catch (const Error& error) {
      return dump_json(Json{{"error", error.what()}});
    }
  } catch (const Interrupted&) {
    throw nb::python_error();
  }
}

}  // namespace

void bind_ask(nb::module_& module) {
  module.def("ask_about_runs", &ask_about_runs, nb::arg("question"), nb::arg("runs"),
             nb::arg("threads") = 0, "The same of the runs of a directory that have ended.");
  module.def("ask", &ask_in_python, nb::arg("question"), nb::arg("frame").none() = nb::none(),
             nb::arg("threads") = 0,
             "The answer to a question, both as JSON; {\"error\": ...} where it is wrong.");
}

}  // namespace bitlaw
