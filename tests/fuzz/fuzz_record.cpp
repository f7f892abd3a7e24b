// The files of a run: any bytes give a record that survives writing and reading, or an Error.
#include <cstdint>

#include "base/error.h"
#include "record/cell.h"
#include "record/result.h"
#include "record/run.h"

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
  return 0;
}
