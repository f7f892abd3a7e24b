// A design as a JSON document and as text.
#include <fmt/format.h>

#include <cmath>

#include "base/json_fields.h"
#include "design/design.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

Json interval_json(const DesignInterval& interval) {
  return {{"standard_error", json_number(interval.standard_error)},
          {"low", json_number(interval.low)},
          {"high", json_number(interval.high)},
          {"width", json_number(interval.high - interval.low)}};
}

// "W4A16", or BF16.
std::string precision_name(const Observation& run) {
  const std::string name = precision_class(run);
  return name.empty() ? "BF16" : name;
}

std::string interval_text(const DesignInterval& interval) {
  if (!std::isfinite(interval.low)) return fmt::format("{:.4g}", interval.standard_error);
  return fmt::format("{:.4g} to {:.4g} (standard error {:.3g})", interval.low, interval.high,
                     interval.standard_error);
}

}  // namespace

Json design_json(const Design& design) {
  Json out{{"law", design.law},
           {"shrink", design.shrink},
           {"unit", design.unit},
           {"value", json_number(design.value)},
           {"level", design.level},
           {"budget", design.budget},
           {"spent", design.spent},
           {"points", design.points},
           {"candidates", design.candidates},
           {"before", interval_json(design.before)},
           {"after", interval_json(design.after)},
           {"random", interval_json(design.random)},
           {"notes", design.notes}};
  out["runs"] = Json::array();
  double before = design.before.standard_error;
  for (const ProposedRun& each : design.runs) {
    const Observation& run = each.run;
    Json row{{"N", run.params},
             {"D", run.tokens},
             {"P_w", run.bits_weights},
             {"P_a", run.bits_activations},
             {"P_kv", run.bits_kv},
             {"precision", precision_name(run)},
             {"flop", each.flop},
             {"standard_error_before", json_number(before)},
             {"standard_error_after", json_number(each.standard_error)}};
    for (const NamedInput& input : run.inputs)
      row["inputs"][input.column] = json_number(input.value);
    if (!each.post_bits.empty()) row["P_post"] = each.post_bits;
    if (!each.beyond.empty()) row["beyond"] = each.beyond;
    out["runs"].push_back(std::move(row));
    before = each.standard_error;
  }
  return out;
}

std::string design_text(const Design& design) {
  std::string out;
  if (design.shrink == "all") {
    out = fmt::format("All constants of {}, {} rows: mean standard error {:.4g} now\n", design.law,
                      design.points, design.before.standard_error);
  } else {
    out = fmt::format("{} of {} is {:.5g}{}{}, {} rows; {:g} % interval now {}\n", design.shrink,
                      design.law, design.value, design.unit.empty() ? "" : " ", design.unit,
                      design.points, 100 * design.level, interval_text(design.before));
  }
  out += fmt::format("{:>3} {:>10} {:>10} {:>12} {:>10} {:>16}\n", "run", "N", "D", "precision",
                     "FLOP", "standard error");
  int place = 0;
  for (const ProposedRun& each : design.runs) {
    out += fmt::format("{:>3} {:>10.4g} {:>10.4g} {:>12} {:>10.3g} {:>16.4g}{}", ++place,
                       each.run.params, each.run.tokens, precision_name(each.run), each.flop,
                       each.standard_error, each.beyond.empty() ? "" : " *");
    if (!each.post_bits.empty()) {
      out += fmt::format("  then to {} bits", fmt::join(each.post_bits, ", "));
    }
    for (const NamedInput& input : each.run.inputs)
      out += fmt::format("  {} = {:g}", input.column, input.value);
    out += "\n";
  }
  out += fmt::format("After these runs ({:.3g} of {:.3g} FLOP): {}\n", design.spent, design.budget,
                     interval_text(design.after));
  out +=
      fmt::format("After random runs within the same limits: {}\n", interval_text(design.random));
  out += fmt::format("Chosen from {} candidates, assuming that {} and its fit are right.\n",
                     design.candidates, design.law);
  for (const std::string& note : design.notes) out += note + "\n";
  return out;
}

}  // namespace bitlaw
