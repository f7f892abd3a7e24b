// Who works on a job. A claim is a file of RUNS/claims that one worker creates and nobody else
// writes. It needs no locks, no common clock and no server, so it works on shared disks.
//
//   RUNS/claims/KEY.1   who has the job KEY, with a number that counts up while it works: its beat
//   RUNS/claims/KEY.2   who took it over, because the first was gone; the highest number has the job
//
// A claimant is gone if its process has ended on this machine, or if its beat has stood still for its
// lease, as measured by the clock of whoever looks: it may be stopped, or the directory a copy. To
// take over is to create the next number, which succeeds for one. Whoever was only asleep sees the
// higher number at its next beat, and stops.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "work/process.h"

namespace bitlaw {

struct Claimant {
  ProcessIdentity process;
  int64_t beat = 0;
  double lease_seconds = 60;
  std::string since;

  template <class V>
  void visit(V& v) {
    process.visit(v);
    v("beat", beat);
    v("lease_seconds", lease_seconds);
    v("since", since);
  }
};

// A job that is this worker's.
class Claim {
 public:
  Claim(std::filesystem::path directory, std::string key, int64_t generation, int descriptor,
        Claimant claimant);
  ~Claim();  // keeps the file, unless release() was called
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;

  // Shows that the worker lives. False if another one has taken over: then the job is its.
  bool beat();

  // The job is anyone's again. Nothing happens if another worker has taken over.
  void release();

  // Whether the job is another worker's by now.
  bool lost() const;

  // How often the job was claimed and not released, with this time.
  int64_t generation() const { return generation_; }

 private:
  std::filesystem::path file() const;

  std::filesystem::path directory_;
  std::string key_;
  int64_t generation_ = 0;
  int descriptor_ = -1;
  Claimant claimant_;
};

class Claims {
 public:
  // Seconds of a clock that never goes back.
  using Clock = std::function<double()>;

  Claims(std::filesystem::path directory, double lease_seconds, Clock clock = {});

  // The job, unless somebody works on it. Error if the directory cannot be written.
  std::optional<Claim> take(const std::string& key);

  // The same, but only what a worker that is gone has left; empty if there is no claim.
  std::optional<Claim> take_over(const std::string& key);
  // The jobs that have a claim, of a worker that is there or gone.
  std::set<std::string> keys() const;

  // Who works on it; empty if nobody does.
  std::optional<Claimant> holder(const std::string& key);

 private:
  struct Seen {
    int64_t generation = 0;
    std::string bytes;
    double since = 0;
  };
  std::optional<Claim> take_after(const std::string& key, int64_t before);
  bool is_gone(const std::string& key, int64_t generation, std::optional<Claimant>& claimant);
  int64_t highest(const std::string& key) const;
  // Its descriptor; -1 if somebody else has it.
  int create(const std::filesystem::path& file, const std::string& bytes) const;

  std::filesystem::path directory_;
  double lease_seconds_;
  Clock clock_;
  std::map<std::string, Seen> seen_;
};

}  // namespace bitlaw
