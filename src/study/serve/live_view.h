// All studies as viewers see them: documents that are ready to send, and events of what has changed.
// One thread looks (about once a second, while somebody is there); any number of others take what is
// ready. Nothing is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "record/tidy_row.h"
#include "serve/curve.h"
#include "serve/live_study.h"
#include "serve/message.h"

namespace bitlaw {

// The rows of a study, as fits and reports take them.
struct StudyResults {
  std::string key, name;
  std::filesystem::path runs;
  std::shared_ptr<const std::vector<TidyRow>> rows;
};

class LiveView {
 public:
  // Directories of runs, or folders of such. Error if one of them is no directory.
  explicit LiveView(std::vector<std::filesystem::path> directories);

  // Looks at all of them. The event of what has changed, "" if nothing has:
  //   event: look, data: {"version", "studies"[] if one changed, "rows"[], "gone"[] ids}
  std::string look();
  // The event that a viewer begins with: event: hello, data: {"version", "program"}.
  std::string hello() const;

  // {"version", "studies"[]: LiveStudy::summary()}
  Bytes studies() const;
  // {"version", "rows"[]}; with conditions (base/condition.h) those rows alone. Error if one of them
  // does not parse.
  Bytes runs(const std::vector<std::string>& conditions) const;
  // Of Curve::document(), with the id; null if there is no such run.
  Bytes curve(const std::string& id);

  std::vector<StudyResults> results() const;
  // Empty if there is none of this key; "" is the first that has rows.
  std::optional<StudyResults> results_of(const std::string& key) const;

 private:
  struct OpenCurve {
    explicit OpenCurve(std::filesystem::path metrics) : curve(std::move(metrics)) {}
    std::mutex mutex;
    Curve curve;
    Bytes document;
  };

  void find_studies();
  Bytes all_rows() const;

  const std::vector<std::filesystem::path> directories_;
  std::mutex look_mutex_;

  // What a look changes; held for moments alone.
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<LiveStudy>> studies_;
  uint64_t version_ = 0;
  mutable Bytes rows_;  // of this version; null: not made yet

  std::mutex curves_mutex_;
  std::map<std::string, std::shared_ptr<OpenCurve>> curves_;
};

}  // namespace bitlaw
