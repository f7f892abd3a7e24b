// Nothing lost, nothing twice: processes of a study are killed and stopped at a few hundred random
// moments, and what it has made in the end is what the uninterrupted study makes, to the byte.
//
// BITLAW_FAULT_SEED=N repeats the same choices; the moments still depend on the machine.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "base/file.h"
#include "end_to_end/arrivals.h"
#include "end_to_end/fleet.h"
#include "end_to_end/small_study.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Two trunks with two branches each, and every run quantized: twelve jobs.
constexpr const char* kStudy = R"(
name = "faults"
[base]
data.path = "data"
model.width = 16
model.layers = 1
model.heads = 1
model.sequence = 32
train.batch_tokens = 512
train.validation_tokens = 16384
train.lr = 0.02
schedule.kind = "wsd"
schedule.warmup_steps = 4
schedule.decay = 0.25
optimizer.batch_power = 0
[[grid]]
"train.tokens" = [20480, 40960, 81920]
"train.seed" = [1, 2]
[ptq]
methods = ["rtn", "gptq"]
bits = [3, 4]
calibration_tokens = 2048
evaluation_tokens = 4096
)";
constexpr int kJobs = 12;
constexpr int kStrikes = 200;
constexpr auto kLease = milliseconds(1000);

void sleep(milliseconds duration) {
  std::this_thread::sleep_for(duration);
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : bits_(seed) {}
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(bits_); }
  bool one_in(size_t n) { return below(n) == 0; }
  // Most are short.
  milliseconds moment(double mean_ms) {
    return milliseconds(
        static_cast<int>(std::exponential_distribution<double>(1 / mean_ms)(bits_)));
  }

 private:
  std::mt19937_64 bits_;
};

uint64_t seed_of_today() {
  const char* given = std::getenv("BITLAW_FAULT_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// Of a run, or of one of its cells.
bool is_result(const fs::path& path) {
  return path.filename() == "result.json" || path.parent_path().filename() == "ptq";
}

// The study as it comes out when nobody disturbs it.
struct Whole {
  std::map<std::string, std::string> made;
  std::map<std::string, size_t> metrics;  // lines, by run
  size_t results = 0;                     // of runs, and cells

  explicit Whole(const fs::path& runs) : made(made_in(runs)) {
    for (const auto& [path, content] : made) {
      const fs::path place(path);
      if (place.filename() == "metrics.jsonl" && place.begin()->string() != "trunks")
        metrics[place.parent_path().string()] =
            static_cast<size_t>(std::count(content.begin(), content.end(), '\n'));
      results += is_result(place);
    }
  }
};

// One directory of runs under fire.
class Target {
 public:
  Target(const fs::path& runs, const Whole& whole) : runs_(runs), whole_(whole) {
    for (const auto& [run, lines] : whole.metrics) {
      arrivals_.watch(runs / run, "result.json");
      arrivals_.watch(runs / run / "ptq");
    }
    for (const auto& [path, content] : whole.made) {
      if (!is_result(path) || !fs::exists(runs / path)) continue;
      ++there_before_;
      first_seen_[(runs / path).string()] = read_file(runs / path);
    }
  }

  bool is_done() { return results() >= whole_.results; }
  size_t results() { return there_before_ + arrivals_.counts().size(); }
  std::string doubled() { return arrivals_.doubled(); }

  // Notes what the results that are there say. To be called in between.
  void look() {
    for (const auto& [path, count] : arrivals_.counts()) {
      if (first_seen_.count(path) == 0) first_seen_[path] = read_file(path);
    }
  }
  // The results that do not say any more what they have said, one a line; "" if all do.
  std::string changed() const {
    std::string out;
    for (const auto& [path, text] : first_seen_) {
      if (!fs::exists(path) || read_file(path) != text) out += path + "\n";
    }
    return out;
  }

  // All steps are done, and the result is not there.
  bool validates() const {
    return std::any_of(whole_.metrics.begin(), whole_.metrics.end(), [&](const auto& run) {
      const fs::path place = runs_ / run.first;
      std::error_code none;
      if (fs::exists(place / "result.json", none) || !fs::exists(place / "metrics.jsonl", none))
        return false;
      const std::string lines = read_file(place / "metrics.jsonl");
      return static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n')) >= run.second;
    });
  }
  // A state or a checkpoint is being written, or was just before a kill.
  bool saves() const {
    return std::any_of(whole_.metrics.begin(), whole_.metrics.end(), [&](const auto& run) {
      std::error_code none;
      for (const auto& entry :
           fs::recursive_directory_iterator(runs_ / run.first / "checkpoints", none)) {
        if (entry.path().string().find(".tmp") != std::string::npos) return true;
      }
      return false;
    });
  }
  std::set<std::string> claims() const {
    std::set<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(runs_ / "claims", none))
      names.insert(entry.path().filename().string());
    return names;
  }

 private:
  fs::path runs_;
  const Whole& whole_;
  Arrivals arrivals_;
  size_t there_before_ = 0;
  std::map<std::string, std::string> first_seen_;
};

// Kills and stops processes of one fleet.
class Storm {
 public:
  Storm(Fleet& fleet, Target& target, Dice& dice, std::map<std::string, int>& tally)
      : fleet_(fleet), target_(target), dice_(dice), tally_(tally) {}

  // One strike, at a random moment.
  void strike() {
    wait_for_a_moment();
    if (target_.is_done()) return;
    const size_t member = dice_.below(fleet_.size());
    switch (dice_.below(8)) {
      case 0:
      case 1:
        fleet_.kill_all();
        return count("everything");
      case 2:
        if (fleet_.kill(0)) count("scheduler");
        return;
      case 3:
      case 4:
        if (fleet_.kill(member)) count("worker");
        return;
      case 5:
        if (!fleet_.kill(member)) return;
        sleep(dice_.moment(3));  // while they save what they were asked to
        if (fleet_.kill_job(dice_.below(8))) count("worker, then job");
        return;
      case 6:
        if (fleet_.kill_job(dice_.below(8))) count("job");
        return;
      default:
        if (dice_.one_in(2) && fleet_.stop(member, dice_.one_in(2), kLease + dice_.moment(500)))
          ++tally_["stops"];
    }
  }

 private:
  void count(const std::string& what) {
    ++tally_["kills"];
    ++tally_["of " + what];
  }

  // Half of the time any moment, else one in which something delicate is going on.
  void wait_for_a_moment() {
    constexpr double kMean = 100;  // milliseconds: a job takes about that long
    switch (dice_.below(8)) {
      case 0:
        return wait_until("at validation", [&] { return target_.validates(); });
      case 1:
        return wait_until("at saving", [&] { return target_.saves(); });
      case 2: {
        const std::set<std::string> before = target_.claims();
        return wait_until("at claiming", [&] { return target_.claims() != before; });
      }
      case 3: {
        const size_t before = target_.results();
        return wait_until("at a result", [&] { return target_.results() != before; });
      }
      default:
        wait(dice_.moment(kMean), [] { return false; });
    }
  }

  void wait_until(const std::string& what, const std::function<bool()>& reached) {
    if (!wait(milliseconds(300), reached)) return;
    ++tally_[what];
    if (dice_.one_in(2)) sleep(dice_.moment(4));
  }

  bool wait(milliseconds longest, const std::function<bool()>& reached) {
    for (const auto end = Clock::now() + longest; Clock::now() < end && !target_.is_done();) {
      fleet_.look();
      if (reached()) return true;
      sleep(milliseconds(1));
    }
    return false;
  }

  Fleet& fleet_;
  Target& target_;
  Dice& dice_;
  std::map<std::string, int>& tally_;
};

std::vector<std::string> sweep_of(const std::string& runs, int jobs) {
  return {"sweep",   "study.toml", "--runs", runs, "--jobs", std::to_string(jobs),
          "--lease", "1s",         "--quiet"};
}

std::vector<std::string> work_on(const std::string& runs) {
  return {"work", runs, "--jobs", "1", "--lease", "1s", "--stay", "--quiet"};
}

void let_it_end(Fleet& fleet) {
  const auto deadline = Clock::now() + std::chrono::seconds(100);
  while (fleet.anyone_runs() && Clock::now() < deadline) {
    fleet.look();
    sleep(milliseconds(5));
  }
  EXPECT_FALSE(fleet.anyone_runs()) << "somebody waits for ever";
}

// After it all: every job is done once, and all is as the whole study has it.
void expect_whole(const SmallStudy& study, const std::string& runs, Target& target,
                  const Whole& whole) {
  EXPECT_EQ(target.doubled(), "");
  EXPECT_EQ(target.changed(), "");
  const Json end = study.json_of({"sweep", "study.toml", "--runs", runs, "--quiet"});
  EXPECT_EQ(end.at("done"), kJobs) << end.dump();
  EXPECT_EQ(end.at("failed"), 0);
  EXPECT_EQ(what_differs(made_in(study.path(runs)), whole.made), "");
}

class SlowFaults : public testing::Test {
 protected:
  SlowFaults() : study_(kStudy) {
    study_.prepare();
    const auto start = Clock::now();
    const Json whole = study_.json_of(sweep_of("whole", 2));
    EXPECT_EQ(whole.at("done"), kJobs);
    whole_seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    std::cout << fmt::format("uninterrupted: {:.1f} s\n", whole_seconds_);
  }

  SmallStudy study_;
  double whole_seconds_ = 0;
};

TEST_F(SlowFaults, TwoHundredKillsChangeNothing) {
  const Whole whole(study_.path("whole"));
  ASSERT_EQ(whole.metrics.size(), 6u);
  ASSERT_EQ(whole.results, 6u + 6u * 6u);
  const uint64_t seed = seed_of_today();
  std::cout << "BITLAW_FAULT_SEED=" << seed << std::endl;
  Dice dice(seed);
  std::map<std::string, int> tally;
  for (int round = 0; tally["kills"] < kStrikes && !HasFailure(); ++round) {
    const std::string runs = fmt::format("struck-{}", round);
    Target target(study_.path(runs), whole);
    Fleet fleet(study_.around());
    fleet.add(sweep_of(runs, 2));
    fleet.add(round % 2 == 0 ? work_on(runs) : sweep_of(runs, 1));
    if (round % 3 == 2) fleet.add(work_on(runs));
    Storm storm(fleet, target, dice, tally);
    while (!target.is_done() && tally["kills"] < kStrikes && !HasFailure()) {
      fleet.look();
      target.look();
      if (!dice.one_in(4)) fleet.start_missing();
      storm.strike();
    }
    fleet.look();
    fleet.start_missing();
    let_it_end(fleet);
    expect_whole(study_, runs, target, whole);
    ++tally["studies"];
  }
  for (const auto& [what, times] : tally) std::cout << fmt::format("{:>5} {}\n", times, what);
}

// Until then it is looked at; a minute at most.
void wait_until(Fleet& fleet, const std::function<bool()>& reached) {
  for (const auto end = Clock::now() + std::chrono::minutes(1); !reached();) {
    ASSERT_LT(Clock::now(), end);
    fleet.look();
    sleep(milliseconds(2));
  }
}

TEST_F(SlowFaults, AStoppedWorkerLosesItsJobsAndLeavesThemAlone) {
  const Whole whole(study_.path("whole"));
  for (const bool with_jobs : {false, true}) {
    const std::string runs = with_jobs ? "stopped-with-jobs" : "stopped";
    Target target(study_.path(runs), whole);
    Fleet fleet(study_.around());
    fleet.add(sweep_of(runs, 1));
    fleet.start_missing();
    wait_until(fleet, [&] { return !target.claims().empty(); });
    sleep(milliseconds(20));
    ASSERT_TRUE(fleet.stop(0, with_jobs, std::chrono::minutes(2)));
    fleet.add(work_on(runs));
    fleet.start_missing();
    // A job that is stopped as well is waited for: its run is locked, and so is what needs it.
    if (with_jobs)
      wait_until(fleet, [&] { return target.results() >= whole.results / 2; });
    else
      wait_until(fleet, [&] { return !fleet.runs(1); });
    EXPECT_EQ(target.is_done(), !with_jobs);
    fleet.go_on();
    let_it_end(fleet);
    expect_whole(study_, runs, target, whole);
  }
}

// As if the rest of the study had been on another machine: the claims there mean nobody here.
void make_foreign(const fs::path& claim) {
  Json document = parse_json(read_file(claim), claim.string());
  document["boot"] = "of another machine";
  write_text(claim, dump_json(document));
}

TEST_F(SlowFaults, ADirectoryFromAnotherMachineGoesOnWithItsClaims) {
  const Whole whole(study_.path("whole"));
  Target original(study_.path("original"), whole);
  Fleet fleet(study_.around());
  fleet.add(sweep_of("original", 3));
  fleet.start_missing();
  wait_until(fleet, [&] { return original.results() >= 6 && !original.claims().empty(); });
  fleet.kill_all();
  original.look();
  const std::set<std::string> claims = original.claims();
  ASSERT_FALSE(claims.empty());
  for (const char* where : {"dead", "foreign", "torn"}) {
    copy_tree(study_.path("original"), study_.path(where));
    for (const std::string& claim : claims) {
      const fs::path file = study_.path(where) / "claims" / claim;
      if (std::string(where) == "foreign") make_foreign(file);
      if (std::string(where) == "torn") write_text(file, "");
    }
  }
  for (const char* where : {"original", "dead", "foreign", "torn"}) {
    Target copy(study_.path(where), whole);
    Fleet workers(study_.around());
    workers.add(sweep_of(where, 2));
    workers.add(work_on(where));
    workers.start_missing();
    let_it_end(workers);
    // Whether a worker of another machine is gone is not known before its lease has passed. Its claim
    // on a job that has ended may stay; nobody waits for it.
    if (std::string(where) == "foreign" || std::string(where) == "torn") {
      for (const std::string& claim : claims) fs::remove(study_.path(where) / "claims" / claim);
    }
    expect_whole(study_, where, copy, whole);
  }
  EXPECT_EQ(original.doubled(), "");
  EXPECT_EQ(original.changed(), "");
}

// The check of the checks.
TEST(Arrivals, CountsWhatComesTwice) {
  const Folder folder;
  Arrivals arrivals;
  arrivals.watch(folder.path() / "run", "result.json");
  arrivals.watch(folder.path() / "run/ptq");
  const auto arrive = [&](const std::string& name) {
    write_file_atomically(folder.path() / "run" / name, "done");
  };
  for (const char* name : {"result.json", "metrics.jsonl", "metrics.jsonl", "ptq/1.json"})
    arrive(name);
  EXPECT_EQ(arrivals.counts().size(), 2u);
  EXPECT_EQ(arrivals.doubled(), "");
  arrive("ptq/1.json");
  EXPECT_EQ(arrivals.doubled(), (folder.path() / "run/ptq/1.json").string() + " came 2 times\n");
}

}  // namespace
}  // namespace bitlaw
