// The law of each study, fitted again as results arrive, in a thread of low priority: a line of
// constants soon (watch/law_so_far.h), and the document that `bitlaw fit` prints, for the planner and
// the report. The thread rests a hundred times as long as it worked for each of the two.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/json.h"
#include "serve/live_view.h"
#include "serve/message.h"
#include "watch/law_so_far.h"

namespace bitlaw {

struct RefitOptions {
  std::string law;  // empty: the default
  int64_t draws = 400;
  // How many times as long as it worked the thread rests, for each of the two.
  double rest_per_work = 100;
};

class Refit {
 public:
  // `changed` is called from the thread with event_of() a study.
  Refit(const LiveView& view, RefitOptions options, std::function<void(std::string)> changed);
  ~Refit();

  // There are other rows than before; the first call begins.
  void look();

  // .study .read (whether there was a look at rows) .so_far (LawSoFar, or null), .problem (why there is no fit, or null), .fitted (a document
  // of a fit is there), .fit (that document; only where `with_fit`)
  Json document(const std::string& study, bool with_fit) const;
  // event: law, data: that document without the fit.
  std::string event_of(const std::string& study) const;
  // Of `bitlaw fit`, or null.
  Json fit_of(const std::string& study) const;

 private:
  struct Study {
    std::shared_ptr<const std::vector<TidyRow>> seen, fitted;
    std::optional<LawSoFar> so_far;
    Json fit;
    std::string problem;
    uint64_t fits = 0;
  };

  void run();
  bool step(double now);
  void line_of(const StudyResults& study);
  void fit_of_rows(const StudyResults& study);
  void tell(const std::string& key);
  Study copy_of(const std::string& key) const;

  const LiveView& view_;
  const RefitOptions options_;
  const std::function<void(std::string)> changed_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, Study> studies_;  // by key
  bool asked_ = false;
  std::atomic<bool> stopping_ = false;
  // Of the thread alone: when the next work of each kind may begin, and whose turn it is.
  double line_from_ = 0, fit_from_ = 0;
  size_t turn_ = 0;
  std::thread thread_;
};

}  // namespace bitlaw
