// A directory of runs as viewers see it: its runs, cells by state, workers, and what is left. A look
// opens only what has changed since the last one, and writes nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "record/tidy_row.h"
#include "runs/run_table.h"
#include "work/claim.h"
#include "work/failure.h"
#include "work/jobs_file.h"
#include "work/pace.h"

namespace bitlaw {

class LiveStudy {
 public:
  // `key`: its name in links.
  LiveStudy(std::filesystem::path runs, std::string name, std::string key);

  struct Changes {
    // Of runs that are new or have changed, as JSON texts; ids of runs that are gone.
    std::vector<std::string> rows, gone;
    bool summary = false;  // something of summary() has changed
    bool results = false;  // there are other rows than before
  };
  // `now`: seconds of a clock that never goes back.
  Changes look(double now);

  const std::string& key() const { return key_; }
  const std::filesystem::path& runs() const { return runs_; }
  const std::string& name() const { return name_; }

  // .key .name .runs, .cells (count by state), .jobs (done, failed, total; null without a study),
  // .quantized, .workers[], .failures[], .problems[], .seconds_left (null: not known)
  const std::string& summary() const { return summary_; }
  // JSON texts of all runs by the names of their directories, each with its tidy row.
  struct Shown {
    std::string id, text;
    TidyRow row;
  };
  const std::map<std::string, Shown>& shown() const { return shown_; }
  // The rows of the table without models along the runs, of the last look that saw other ones.
  const std::shared_ptr<const std::vector<TidyRow>>& results() const { return results_; }
  // The directory of a run; empty if there is none of this id.
  std::optional<std::filesystem::path> directory_of(const std::string& id) const;

 private:
  void look_at_jobs();
  void look_at_claims();
  void look_at_failures();
  std::string status_of(const TableRun& run, const std::string& key);
  std::string row_text(const TableRun& run, const std::string& id, const std::string& status);
  std::string summary_text(double now);
  bool is_quantized(const Job& job);
  void sample(double now);

  std::filesystem::path runs_;
  std::string name_, key_;
  RunTable table_;
  std::map<std::string, Shown> shown_;
  // State and status that the text of a run was made of, by its directory.
  std::map<std::string, std::pair<std::string, std::string>> made_of_;
  std::map<std::string, std::string> directory_of_;  // by id
  std::shared_ptr<const std::vector<TidyRow>> results_ =
      std::make_shared<const std::vector<TidyRow>>();
  std::string summary_, trouble_;
  bool has_looked_ = false;

  std::string jobs_state_ = "none";
  std::optional<StudyJobs> jobs_;
  std::map<std::string, std::string> names_;     // of jobs, by key
  std::map<std::string, size_t> job_of_run_;     // index of the job that trains a run
  std::map<std::string, std::string> statuses_;  // of runs, by directory
  std::map<std::string, std::pair<std::string, bool>> quantized_;  // by run: its state, and whether

  Claims claims_;
  std::map<std::string, Claimant> held_;                         // by key of the job
  std::map<std::string, Pace> paces_;                            // of runs that train
  std::map<std::string, std::pair<int64_t, Failure>> failures_;  // by key: when, and what

  double cost_ = 0, cost_done_ = 0;
  std::deque<std::pair<double, double>> samples_;  // of the clock and cost_done_
};

}  // namespace bitlaw
