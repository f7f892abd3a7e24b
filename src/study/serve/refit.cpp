#include "serve/refit.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "ask/answers.h"
#include "ask/table_words.h"
#include "base/error.h"
#include "laws/registry.h"
#include "record/result.h"
#include "serve/clock.h"
#include "table/tidy_table.h"
#include "watch/quiet_thread.h"

namespace bitlaw {
namespace {

// Its rests bound what it takes; on a machine full of workers, the least priority would get nothing.
constexpr int kNice = 5;

// As `bitlaw fit RUNS` takes them.
std::vector<TidyRow> ended_rows(std::vector<TidyRow> rows) {
  std::erase_if(rows,
                [](const TidyRow& row) { return row.status == name_of(RunStatus::kStarted); });
  return rows;
}

}  // namespace

Refit::Refit(const LiveView& view, RefitOptions options, std::function<void(std::string)> changed)
    : view_(view), options_(std::move(options)), changed_(std::move(changed)) {
  thread_ = std::thread([this] { run(); });
}

Refit::~Refit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Refit::look() {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  wake_.notify_all();
}

void Refit::run() {
  lower_thread_priority(kNice);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait(lock, [&] { return stopping_ || asked_; });
    asked_ = false;
    while (!stopping_) {
      lock.unlock();
      const bool more = step(clock_seconds());
      lock.lock();
      if (!more) break;
      const double rest = std::max(0.0, std::min(line_from_, fit_from_) - clock_seconds());
      wake_.wait_for(lock, std::chrono::duration<double>(std::min(rest + 0.01, 60.0)),
                     [&] { return stopping_.load(); });
    }
  }
}

// One piece of work that is due, of the studies in turn. Whether there is more to do, now or after a rest.
bool Refit::step(double now) {
  const std::vector<StudyResults> studies = view_.results();
  const auto timed = [this](const auto& work) {
    const double start = thread_seconds();
    work();
    return clock_seconds() + options_.rest_per_work * (thread_seconds() - start);
  };
  bool later = false;
  for (size_t i = 0; i < studies.size(); ++i) {
    const StudyResults& study = studies[(turn_ + i) % studies.size()];
    if (stopping_) return false;
    if (study.rows->empty()) continue;
    const Study known = copy_of(study.key);
    const bool needs_line = known.seen != study.rows, needs_fit = known.fitted != study.rows;
    later = later || needs_line || needs_fit;
    const bool line = needs_line && now >= line_from_, fit = needs_fit && now >= fit_from_;
    if (line)
      line_from_ = timed([&] { line_of(study); });
    else if (fit)
      fit_from_ = timed([&] { fit_of_rows(study); });
    if (!line && !fit) continue;
    turn_ += i + 1;
    return true;
  }
  return later;
}

Refit::Study Refit::copy_of(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = studies_.find(key);
  return found == studies_.end() ? Study{} : found->second;
}

void Refit::line_of(const StudyResults& study) {
  const ParallelFor until_stopped = [this](int64_t count, const auto& task) {
    for (int64_t i = 0; i < count && !stopping_; ++i) task(i);
    if (stopping_) throw Error("stopped");
  };
  const std::string law = options_.law.empty() ? default_law().name : options_.law;
  std::optional<LawSoFar> now;
  try {
    now = law_so_far(*study.rows, law, until_stopped);
  } catch (const std::exception&) {  // the next rows may say more
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    Study& known = studies_[study.key];
    known.seen = study.rows;
    if (now && known.so_far && known.so_far->runs == now->runs) return;
    if (now && known.so_far) compare(*now, *known.so_far);
    known.so_far = now;
  }
  tell(study.key);
}

void Refit::fit_of_rows(const StudyResults& study) {
  const ParallelFor until_stopped = [this](int64_t count, const auto& task) {
    for (int64_t i = 0; i < count && !stopping_; ++i) task(i);
    if (stopping_) throw Error("stopped");
  };
  Json fit;
  std::string problem;
  try {
    const RawTable raw = tidy_table(ended_rows(*study.rows));
    const TableWords words;
    const std::string law =
        options_.law.empty() ? usual_law(raw, study.name, words).name : options_.law;
    FitOptions options;
    options.law = law;
    options.draws = options_.draws;
    const Table table = table_for({&law_named(law)}, raw, study.name, words);
    fit = fit_table(table, study.name, law_named(law), options, until_stopped).document;
  } catch (const std::exception& error) {
    problem = error.what();
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    Study& known = studies_[study.key];
    known.fitted = study.rows;
    known.fit = std::move(fit);
    known.problem = problem;
    ++known.fits;
  }
  tell(study.key);
}

std::string Refit::event_of(const std::string& study) const {
  return "event: law\ndata: " + dump_json(document(study, false)) + "\n\n";
}

void Refit::tell(const std::string& key) {
  changed_(event_of(key));
}

Json Refit::document(const std::string& study, bool with_fit) const {
  const Study known = copy_of(study);
  Json out{{"study", study},
           {"read", known.seen != nullptr},
           {"so_far", known.so_far ? struct_to_json(*known.so_far) : Json(nullptr)},
           {"problem", known.problem.empty() ? Json(nullptr) : Json(known.problem)},
           {"fitted", !known.fit.is_null()}};
  if (with_fit) out["fit"] = known.fit;
  return out;
}

Json Refit::fit_of(const std::string& study) const {
  return copy_of(study).fit;
}

}  // namespace bitlaw
