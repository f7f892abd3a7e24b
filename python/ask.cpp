// Questions and answers are JSON (src/science/ask), so that the package gets what the command line prints,
// to the bit.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arrow_interface.h"
#include "arrow_table.h"
#include "ask/ask.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/range.h"
#include "bindings.h"
#include "columns_table.h"
#include "runs/ended_runs.h"
#include "runs/index.h"
#include "table/tidy_table.h"
#include "tables.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

// Ends a question that nobody waits for any more: `ask` passes only Error on as a sentence.
struct Abandoned {};

// A question, answered by a thread of its own, while the thread that asked looks for Ctrl-C. It owns all
// that it needs, so the one that asked may leave.
class Answering {
 public:
  Answering(std::string question, std::optional<RawTable> table, int threads)
      : question_(std::move(question)), table_(std::move(table)), threads_(threads) {}

  void run() {
    std::string said;
    try {
      said = dump_json(answer());
    } catch (const Abandoned&) {
    } catch (const std::bad_alloc&) {
      said = error("there is not enough memory for it; give fewer rows, draws or starts");
    } catch (const std::exception& error_of_ours) {
      said = error(error_of_ours.what());
    }
    const std::lock_guard lock(mutex_);
    answer_ = std::move(said);
    done_ = true;
    changed_.notify_all();
  }

  // Whether it is answered by then.
  bool wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [&] { return done_; });
  }
  void abandon() { abandoned_ = true; }
  std::string take() { return std::move(answer_); }

 private:
  static std::string error(const std::string& sentence) {
    return dump_json(Json{{"error", sentence}});
  }

  Json answer() {
    std::string left_out;
    if (table_) {
      for (const std::string& note : table_->notes) left_out += "; " + note;
    }
    ThreadPool pool(threads_ > 0 ? threads_ : hardware_threads());
    const ParallelFor loops = [&](int64_t count, const std::function<void(int64_t)>& task) {
      pool.parallel_for(count, [&](int64_t index, int) {
        if (abandoned_) throw Abandoned();
        task(index);
      });
    };
    Json out;
    try {
      const Json asked = parse_json(question_, "question");
      out = table_ ? ask(asked, std::move(*table_), loops) : ask(asked, loops);
    } catch (const Error& error) {
      return Json{{"error", error.what()}};
    }
    // A column of another type may be what is missing.
    if (out.is_object() && out.contains("error") && !left_out.empty())
      out["error"] = out["error"].get<std::string>() + left_out;
    return out;
  }

  std::string question_;
  std::optional<RawTable> table_;
  int threads_;
  std::atomic<bool> abandoned_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::string answer_;
};

// Questions that nobody waits for, until they notice. Python waits for them before it ends.
std::mutex leaving_mutex;
std::vector<std::thread> leaving;

void wait_for_abandoned() {
  const nb::gil_scoped_release released;
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(leaving_mutex);
    threads.swap(leaving);
  }
  for (std::thread& thread : threads) thread.join();
}

// False: somebody pressed Ctrl-C, and Python's exception is set. Only the main thread hears of it.
bool wait_or_interrupt(Answering& answering) {
  constexpr std::chrono::milliseconds kLook(50);
  while (!answering.wait(kLook)) {
    const nb::gil_scoped_acquire held;
    if (PyErr_CheckSignals() != 0) return false;
  }
  return true;
}

std::string answer_of(const std::string& question, std::optional<RawTable> table, int threads) {
  require_range("threads", threads, 0, kMostThreads);
  const auto answering = std::make_shared<Answering>(question, std::move(table), threads);
  bool answered = false;
  {
    const nb::gil_scoped_release released;
    std::thread thread([answering] { answering->run(); });
    answered = wait_or_interrupt(*answering);
    if (answered) {
      thread.join();
    } else {
      answering->abandon();
      const std::lock_guard lock(leaving_mutex);
      leaving.push_back(std::move(thread));
    }
  }
  if (!answered) throw nb::python_error();
  return answering->take();
}

std::string ask_in_python(const std::string& question, const nb::object& frame, int threads) {
  std::optional<RawTable> table;
  try {
    table = table_from(frame);
  } catch (const Error& error) {
    return dump_json(Json{{"error", error.what()}});
  }
  return answer_of(question, std::move(table), threads);
}

// The same of a directory of runs.
std::string ask_about_runs(const std::string& question, const std::string& runs, int threads) {
  RunsTable read;
  std::string asked;
  try {
    const nb::gil_scoped_release released;
    read = table_of_runs(runs);
    Json document = parse_json(question, "question");
    document["table"]["hash"] = read.hash;
    asked = dump_json(document);
  } catch (const Error& error) {
    return dump_json(Json{{"error", error.what()}});
  }
  std::string answer = answer_of(asked, std::move(read.table), threads);
  warn_of(runs, read.problems);
  return answer;
}

}  // namespace

std::optional<RawTable> table_from(const nb::object& frame) {
  if (frame.is_none()) return std::nullopt;
  if (nb::isinstance<nb::list>(frame)) return table_of_columns(nb::borrow<nb::list>(frame));
  auto* const stream =
      static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(frame.ptr(), "arrow_array_stream"));
  if (!stream) throw nb::python_error();
  const nb::gil_scoped_release released;
  return table_of_stream(*stream);
}

RunsTable table_of_runs(const std::string& directory) {
  const RunIndex index(directory, Along::kInclude);
  const EndedRuns ended = ended_runs(directory, index);
  RunsTable out{tidy_table(ended.rows), ended.hash, index.problems()};
  for (const std::string& problem : out.problems) out.table.notes.push_back("left out: " + problem);
  return out;
}

void warn_of(const std::string& directory, const std::vector<std::string>& problems) {
  if (problems.empty()) return;
  const std::string sentence =
      fmt::format("{}: {} damaged file{} left out; the rest is complete: {}", directory,
                  problems.size(), problems.size() == 1 ? " was" : "s were", problems[0]);
  constexpr int kCallerOfVerb = 3;
  if (PyErr_WarnEx(PyExc_UserWarning, sentence.c_str(), kCallerOfVerb) != 0)
    throw nb::python_error();
}

void bind_ask(nb::module_& module) {
  module.def("ask_about_runs", &ask_about_runs, nb::arg("question"), nb::arg("runs"),
             nb::arg("threads") = 0, "The same of the runs of a directory that have ended.");
  module.def(
      "json_text",
      [](const std::string& text, int indent) {
        return dump_json(parse_json(text, "document"), indent);
      },
      nb::arg("text"), nb::arg("indent"), "JSON as the program writes it to files.");
  module.def("ask", &ask_in_python, nb::arg("question"), nb::arg("frame").none() = nb::none(),
             nb::arg("threads") = 0,
             "The answer to a question, both as JSON; {\"error\": ...} where it is wrong.");
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&wait_for_abandoned));
}

}  // namespace bitlaw
