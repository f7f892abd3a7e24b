// Directories of runs, as training leaves them, for the tests of this folder.
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.h"
#include "base/test_folder.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw {

class MadeUpRuns {
 public:
  explicit MadeUpRuns(std::string name = "study") : runs_(folder_ / name) {
    std::filesystem::create_directories(runs_);
  }

  std::filesystem::path runs() const { return runs_; }
  const TestFolder& folder() const { return folder_; }

  // A run of so many parameters, tokens and bits, which began; its name.
  std::string begin(int64_t params, int64_t tokens, const std::string& weights = "16") {
    RunRecord record = trained_run_record(tokens, weights);
    record.model = {params, params + 2000, 6.0 * static_cast<double>(params)};
    record.config["train"]["seed"] = params;  // so that it has another name
    record.name = name_of_configuration(record.config);
    write_run_record(runs_ / record.name, record);
    return record.name;
  }
  void log(const std::string& run, int step, double loss) const {
    append_line(runs_ / run / "metrics.jsonl",
                fmt::format("{{\"loss_nats\":{},\"seconds\":{},\"step\":{},\"tokens\":{}}}", loss,
                            0.1 * step, step, 256 * step));
  }
  void finish(const std::string& run, double loss, int64_t tokens) const {
    ResultRecord result;
    result.validation = Validation{loss, 0.01, kNoNumber, 100, 5};
    result.training = TrainingResult{.train_loss_nats = loss, .tokens = tokens, .seconds = 2.5};
    write_result(runs_ / run, result);
  }
  std::string add(int64_t params, int64_t tokens, const std::string& weights = "16") {
    const std::string run = begin(params, tokens, weights);
    for (int step = 1; step <= 20; ++step) log(run, step, 3 + 1.0 / step);
    finish(run, loss_of(params, tokens, std::stod(weights)), tokens);
    return run;
  }
  // Runs of several sizes, lengths and bits.
  void add_grid(int sizes, int lengths) {
    for (int i = 0; i < sizes; ++i) {
      for (int j = 0; j < lengths; ++j) {
        for (const char* weights : {"4", "6", "16"})
          add(static_cast<int64_t>(20'000 * std::pow(2.5, i)),
              static_cast<int64_t>(256 * 1000 * std::pow(3, j)), weights);
      }
    }
  }

  // What the tests make up.
  static double loss_of(int64_t params, int64_t tokens, double bits) {
    const double n = static_cast<double>(params) * std::pow(1 - std::exp(-bits / 2.3), 3);
    return 1.7 + 60 / std::pow(n, 0.4) + 300 / std::pow(static_cast<double>(tokens), 0.42);
  }

  // Every file with its size and the time of its last change.
  std::string state() const {
    std::string out;
    for (const std::string& name : folder_.names()) {
      struct stat status {};
      ::stat((folder_ / name).c_str(), &status);
      out += fmt::format("{} {} {} {}\n", name, status.st_size, status.st_mtim.tv_sec,
                         status.st_mtim.tv_nsec);
    }
    return out;
  }

 private:
  TestFolder folder_;
  std::filesystem::path runs_;
};

}  // namespace bitlaw
