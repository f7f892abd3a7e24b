// Reads the results of a study while its jobs run, in a thread of its own: the law so far, and which
// jobs would tell most about it. It must cost nothing that anybody notices: the thread has the least
// priority, and rests a hundred times as long as it worked, so it takes at most 1 % of one core. What
// goes wrong in it is not said; the jobs are what counts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "record/tidy_row.h"
#include "watch/law_so_far.h"
#include "work/advisor.h"

namespace bitlaw {

struct WatchOptions {
  // For an order of the jobs (watch/informative.h); otherwise only the law is fitted.
  bool order = false;
  std::string law;  // empty: the default
};

class Watch : public Advisor {
 public:
  explicit Watch(WatchOptions options);
  ~Watch() override;

  void begin(const std::vector<Job>& jobs, const std::filesystem::path& runs,
             const std::filesystem::path& directory) override;
  void ended(size_t jobs) override;
  std::string line() override;
  std::vector<size_t> first() override;
  void finish() override;

  // The law at the last look; empty if the results say nothing yet.
  std::optional<LawSoFar> law();

 private:
  struct Reading;

  void read_results();
  void look(Reading& reading);
  void stop();

  const WatchOptions options_;
  std::vector<Job> jobs_;
  std::filesystem::path runs_, directory_;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable wake_;
  size_t ended_ = 0;  // of the jobs
  bool last_ = false, finished_ = false, has_looked_ = false;
  std::atomic<bool> stopping_ = false;  // ends a look, too
  std::optional<LawSoFar> law_;         // what is shown
  std::vector<size_t> first_;
};

}  // namespace bitlaw
