// What the live view answers to a request that was let in. Paths are these and no others; nothing of a
// request ever becomes a path of a file.
//
//   GET  /  /planner  /report           pages; ?study=KEY for one of several
//   GET  /api/studies  /api/runs        documents of LiveView; /api/runs?where=P_w=4&where=N>1e6
//   GET  /api/runs/ID/curve             a learning curve
//   GET  /api/fit  /api/report          ?study=KEY; documents of Refit and make_report
//   GET  /api/events                    server-sent events
//   POST /api/ask                       a question (ask/ask.h)
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "serve/live_view.h"
#include "serve/message.h"
#include "serve/refit.h"

namespace bitlaw {

// HTML that carries all it needs; the planner has a place for a fit (pages/pages.h).
struct LivePages {
  std::string_view live, planner;
};

class Routes {
 public:
  Routes(LiveView& view, const Refit& refit, LivePages pages);

  // Error for a request that cannot be answered.
  WebAnswer answer(const WebRequest& request);
  // Ends what takes long.
  void stop() { stopping_ = true; }

 private:
  struct Report {
    std::shared_ptr<const std::vector<TidyRow>> of;
    Json fit;
    Bytes document, page;
    double fresh_until = 0;
  };

  WebAnswer page(std::string_view html) const;
  WebAnswer planner(const WebRequest& request) const;
  WebAnswer curve(const WebRequest& request, const std::string& id);
  WebAnswer report(const WebRequest& request, bool as_page);
  WebAnswer ask(const WebRequest& request);
  StudyResults study_of(const WebRequest& request) const;

  LiveView& view_;
  const Refit& refit_;
  const LivePages pages_;
  std::atomic<bool> stopping_ = false;
  std::mutex asking_, reporting_;
  std::map<std::string, Report> reports_;  // by study
};

}  // namespace bitlaw
