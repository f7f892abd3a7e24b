// Documents of fits: any bytes give a fit that survives writing and reading, or an Error; a plan
// from it is a document or a sentence, never a crash.
#include <cstdint>

#include "base/error.h"
#include "base/json.h"
#include "fit/fit.h"
#include "plan/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  try {
    const Json document =
        parse_json(std::string(reinterpret_cast<const char*>(data), size), "input");
    PlanRequest request;
    request.compute = 1e18;
    BITLAW_CHECK(!plan_text(make_plan(request, document)).empty());
    const Fit fit = fit_from_json(document, "input");
    const Json again = fit_to_json(fit);
    BITLAW_CHECK(dump_json(fit_to_json(fit_from_json(again, "again"))) == dump_json(again));
    BITLAW_CHECK(!fit_text(fit).empty());
  } catch (const Error&) {
  }
  return 0;
}
