// Tables of runs in any format: any bytes give rows with numbers that can be fitted, or an Error,
// and warnings can be computed for any such rows. Candidates are such tables without losses.
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/expression.h"
#include "laws/formula_law.h"
#include "table/candidates.h"
#include "table/raw_table.h"
#include "table/table.h"
#include "table/warnings.h"

namespace {

using namespace bitlaw;

void read(const std::string& text, const TableOptions& options) {
  try {
    Table table = read_table(text, "input", options);
    BITLAW_CHECK(!table.runs.empty());
    for (const Observation& run : table.runs) {
      BITLAW_CHECK(run.params > 0 && std::isfinite(run.params));
      BITLAW_CHECK(run.tokens > 0 && std::isfinite(run.tokens));
      BITLAW_CHECK(run.is_post_training() ? std::isfinite(run.delta_nats)
                                          : run.loss_nats > 0 || run.qat_share >= 0);
      BITLAW_CHECK(std::isnan(run.loss_nats) ||
                   (run.loss_nats > 0 && std::isfinite(run.loss_nats)));
      for (const double bits : {run.bits_weights, run.bits_activations, run.bits_kv})
        BITLAW_CHECK(bits >= 1 && bits <= kUnquantizedBits);
      BITLAW_CHECK(!(run.unique_tokens > run.tokens));
    }
    table_warnings(table.runs);
    nothing_to_fit(table.runs);
  } catch (const Error&) {
  }
}

void read_without_losses(const std::string& text) {
  try {
    for (const Observation& run : read_candidates(text, "input"))
      BITLAW_CHECK(run.params > 0 && run.tokens > 0);
  } catch (const Error&) {
  }
}

// Any text is a formula with a value, or an Error.
void evaluate(const std::string& text) {
  try {
    const Expression formula(text.substr(0, text.find('\n')));
    const std::vector<double> inputs(formula.names().size(), 2.0);
    formula.value(std::span<const double>(inputs));
  } catch (const Error&) {
  }
}

// Any text is a law that can be evaluated and survives writing and reading, or an Error: its first
// line is the formula, the second its constants, the third its inputs.
void make_law(const std::string& text) {
  const size_t first = text.find('\n'), second = text.find('\n', first + 1);
  if (second == std::string::npos) return;
  try {
    const BoundLaw bound = formula_law(
        {.formula = text.substr(0, first),
         .constants = parse_law_constants(text.substr(first + 1, second - first - 1), "constants"),
         .inputs = parse_law_inputs(text.substr(second + 1), "inputs")});
    const Law& law = bound.law();
    Observation run;
    run.params = 1e8, run.tokens = 1e10, run.bits_weights = 4;
    for (const LawInput& input : law.inputs) run.inputs.push_back({input.column, 3});
    const std::span<const double> p = law.constants[0].values;
    const Rows rows(law, std::vector{run});
    std::vector<double> values(rows.stride()), jacobian(rows.stride() * law.training_parameters);
    evaluate_loss(law, p.data(), rows, values.data(), jacobian.data());
    predict(law, p.data(), run);
    for (const Parameter& each : law.parameters)
      BITLAW_CHECK(each.low <= each.high && each.start_low <= each.start_high);
    const Json document = law_formula_json(*definition_of(law));
    BITLAW_CHECK(law_formula_json(law_formula_from(document, "again")) == document);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(text, {});
  read_without_losses(text);
  TableOptions options;
  options.where = {"loss!=nan,", "N>0"};
  options.drop_duplicates = true;
  read(text, options);
  options.replicates = "best";
  options.set = {"half=N/2", "D=max(D, half)"};
  read(text, options);
  options.set.clear();
  options.replicates = "mean";
  options.last_row_per_run = true;
  read(text, options);
  evaluate(text);
  make_law(text);
  for (const std::string& format : table_formats()) {
    options.format = format;
    read(text, options);
  }
  return 0;
}
