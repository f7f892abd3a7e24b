// The files of a run: any bytes give a record that survives writing and reading, or an Error. Of
// metrics.jsonl any lines may be damaged.
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "input_folder.h"
#include "record/cell.h"
#include "record/kept_model.h"
#include "record/result.h"
#include "record/run.h"
#include "train/run_directory.h"
#include "work/pace.h"

namespace {

using namespace bitlaw;

template <class Parse, class ToJson>
void read(const std::string& text, const Parse& parse, const ToJson& to_json) {
  try {
    const Json document = to_json(parse(text, "input"));
    BITLAW_CHECK(to_json(parse(dump_json(document), "again")) == document);
  } catch (const Error&) {
  }
}

// Two runs with the same metrics: `kept` with models along it, `ended` with a result, too.
const InputFolder& runs() {
  static const InputFolder runs{"kept/metrics.jsonl", "ended/metrics.jsonl"};
  static const bool made = [] {
    std::filesystem::create_directories(kept_checkpoint(runs / "kept", 1000));
    runs.folder().write("ended/result.json", "{}");
    return true;
  }();
  BITLAW_CHECK(made);
  return runs;
}

void read_metrics() {
  for (const char* name : {"kept", "ended"}) {
    std::vector<std::string> problems;
    int64_t last = -1;
    for (const KeptModel& model : kept_models(runs() / name, &problems)) {
      BITLAW_CHECK(last < model.tokens || last == -1);
      last = model.tokens;
    }
    BITLAW_CHECK(problems.size() <= 1);
  }
  for (const int64_t trunk_tokens : {0, 500}) {
    const Job job{.run = "kept", .tokens = 1000, .trunk_tokens = trunk_tokens};
    if (const auto pace = pace_of(job, runs().path()))
      BITLAW_CHECK(pace->share >= 0 && pace->share <= 1);
  }
}

// What a run that goes on does to its metrics: only whole lines up to a step stay.
void truncate_metrics(const std::string& text) {
  if (text.find("\"step\"") == std::string::npos) return;
  runs().folder().write("going/metrics.jsonl", text);
  RunDirectory going(runs().path(), "going");
  for (const bool without_records : {false, true}) going.truncate_metrics(20, without_records);
  for (const std::string& line : split(read_file(going.metrics_file()), '\n'))
    BITLAW_CHECK(line.empty() || parse_json(line, "line").contains("step"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(text, parse_run_record, [](const RunRecord& run) {
    run.settings();
    run.recipe_config();
    return struct_to_json(run);
  });
  read(text, parse_result, result_to_json);
  read(text, parse_cell, [](const CellRecord& cell) { return struct_to_json(cell); });
  runs().set(data, size);
  read_metrics();
  truncate_metrics(text);
  return 0;
}
