// Tables of runs that others publish: `sweep --have TABLE` takes the cells that stand in it, and
// `reproduce TABLE:ROW` a row. Any bytes give an answer or an Error.
#include <cstdint>

#include "base/error.h"
#include "base/text.h"
#include "reproduce/subject.h"
#include "small_study.h"
#include "sweep/have.h"
#include "sweep/plan.h"

namespace {

using namespace bitlaw;

struct World {
  World() {
    const std::string study =
        "name = \"tiny\"\n[base]\ndata.path = \"DATA\"\nmodel.width = 32\n"
        "model.heads = 2\nmodel.sequence = 32\ntrain.batch_tokens = 256\n"
        "[[grid]]\n\"train.tokens\" = [25_600]\n"
        "\"recipe.weights\" = [\"16\", \"4\"]\n"
        "[ptq]\nwhere = { \"recipe.weights\" = \"16\" }\nmethods = [\"rtn\"]\n"
        "bits = [3]\n";
    small.folder().write("study.toml", small.with_path(study));
    plan = plan_sweep({(small.folder() / "study.toml").string()}, "runs");
  }
  SmallStudy small;
  SweepPlan plan;
};

template <class Read>
void result_or_error(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

// RUN0 and RUN1 stand for the names of the study's runs, which a seed cannot know.
std::string with_names(std::string text, const SweepPlan& plan) {
  for (size_t i = 0; i < plan.runs.size(); ++i)
    text = SmallStudy::with("RUN" + std::to_string(i), plan.runs[i].name, std::move(text));
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const World world;
  const std::string text(reinterpret_cast<const char*>(data), size);
  world.small.folder().write("table.csv", with_names(text, world.plan));
  const std::string table = (world.small.folder() / "table.csv").string();
  result_or_error([&] {
    SweepPlan plan = world.plan;
    take_from_tables(plan, {table});
    BITLAW_CHECK(plan.runs.size() == world.plan.runs.size() && !plan.notes.empty());
  });
  for (const char* row : {":1", ":2"}) result_or_error([&] { find_subject(table + row, "runs"); });
  return 0;
}
