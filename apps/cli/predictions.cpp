#include "cli/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "laws/bind.h"
#include "laws/part_bits.h"
#include "table/write_table.h"

namespace bitlaw::cli {
namespace {

constexpr size_t kMostLines = 200;  // of a long table; --out and --json have all

std::string plain_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

void compare_with_measured(const Observation& run, RowPrediction& out) {
  const Prediction& prediction = out.prediction;
  const bool post = run.is_post_training();
  out.of_delta = post && std::isfinite(run.delta_nats) && std::isfinite(prediction.delta);
  const std::optional<PredictedInterval>& interval =
      out.of_delta ? prediction.run_delta : prediction.run;
  out.measured = out.of_delta ? run.delta_nats : measured(*out.by->constants.law, run);
  out.residual = out.measured - (out.of_delta ? prediction.delta : prediction.loss);
  if (!std::isfinite(out.residual) || !interval) return;
  out.has_interval = true;
  out.inside = interval->low <= out.measured && out.measured <= interval->high;
}

std::string run_text(const Observation& run) {
  std::string out;
  if (!run.stand_in_sizes)
    out = fmt::format("N = {}, D = {}", format_count(run.params), format_count(run.tokens));
  if (run.stand_in_sizes && run.inputs.empty()) out = fmt::format("C = {:.4g} FLOP", run.compute);
  const bool has_own_parts = run.precision.empty() && bits_label(run) != precision_class(run);
  const std::string name = has_own_parts ? bits_in_words(run) : precision_class(run);
  if (!name.empty()) out += ", " + name;
  if (!run.optimizer.empty()) out += ", " + run.optimizer;
  for (const NamedInput& input : run.inputs) {
    if (!run.stand_in_sizes && (input.column == "N" || input.column == "D")) continue;
    out += fmt::format("{}{} = {:g}", out.empty() ? "" : ", ", input.column, input.value);
  }
  if (run.is_post_training()) out += fmt::format(", P_post = {:g}", run.bits_post);
  return out;
}

struct Judged {
  int inside = 0, all = 0;
  double squares = 0;
};

std::string judgement(const std::string& name, const Judged& judged, const char* of, double level) {
  return fmt::format(
      "{}: {} of {} measured {} ({:.0f} %) lie inside the {:.0f} % interval of a run\n", name,
      judged.inside, judged.all, of, 100.0 * judged.inside / judged.all, 100 * level);
}

}  // namespace

std::vector<RowPrediction> predict_rows(const std::vector<Predicting>& by,
                                        const std::vector<Observation>& rows, double level) {
  std::vector<RowPrediction> out;
  for (size_t row = 0; row < rows.size(); ++row) {
    for (const Predicting& each : by) {
      RowPrediction& made = out.emplace_back(
          RowPrediction{row, &each, predict_run(each.constants, rows[row], level)});
      compare_with_measured(rows[row], made);
    }
  }
  return out;
}

std::string predictions_csv(const std::vector<Observation>& rows,
                            const std::vector<RowPrediction>& predictions) {
  std::vector<Observation> repeated;
  std::map<std::string, std::vector<std::string>> fields;
  const std::vector<std::string> order{
      "fit",      "predicted",       "mean_low",      "mean_high",      "run_low",
      "run_high", "predicted_delta", "run_delta_low", "run_delta_high", "residual",
      "inside",   "beyond",          "problem"};
  for (const RowPrediction& each : predictions) {
    const Prediction& made = each.prediction;
    repeated.push_back(rows[each.row]);
    const auto add = [&](const char* name, std::string field) {
      fields[name].push_back(std::move(field));
    };
    const auto ends = [&](const char* low, const char* high,
                          const std::optional<PredictedInterval>& interval) {
      add(low, interval ? plain_number(interval->low) : "");
      add(high, interval ? plain_number(interval->high) : "");
    };
    add("fit", each.by->name);
    add("predicted", plain_number(made.loss));
    ends("mean_low", "mean_high", made.mean);
    ends("run_low", "run_high", made.run);
    add("predicted_delta", plain_number(made.delta));
    ends("run_delta_low", "run_delta_high", made.run_delta);
    add("residual", plain_number(each.residual));
    add("inside", each.has_interval ? (each.inside ? "1" : "0") : "");
    add("beyond", fmt::format("{}", fmt::join(made.beyond, "; ")));
    add("problem", made.problem);
  }
  std::vector<ExtraColumn> extra;
  for (const std::string& name : order) {
    const std::vector<std::string>& column = fields[name];
    const bool used = std::any_of(column.begin(), column.end(),
                                  [](const std::string& field) { return !field.empty(); });
    if (used || name == "predicted") extra.push_back({name, column});
  }
  return table_to_csv(repeated, extra);
}

Json predictions_json(const std::vector<Observation>& rows,
                      const std::vector<RowPrediction>& predictions) {
  const Json runs = table_to_json(rows);
  Json out = Json::array();
  for (const RowPrediction& each : predictions) {
    Json entry = prediction_json(each.prediction);
    entry["fit"] = each.by->name;
    entry["of"] = runs[each.row];
    if (std::isfinite(each.residual)) {
      entry["residual"] = each.residual;
      entry["residual_of"] = each.of_delta ? "delta" : "loss";
      if (each.has_interval) entry["inside"] = each.inside;
    }
    out.push_back(std::move(entry));
  }
  return out;
}

std::string predictions_text(const std::vector<Observation>& rows,
                             const std::vector<RowPrediction>& predictions, double level) {
  std::string out;
  std::map<std::string, Judged> losses, deltas;
  size_t lines = 0;
  for (const RowPrediction& each : predictions) {
    if (each.has_interval) {
      Judged& judged = (each.of_delta ? deltas : losses)[each.by->name];
      ++judged.all, judged.inside += each.inside;
    }
    if (++lines > kMostLines) continue;
    const Prediction& made = each.prediction;
    out += fmt::format("{}; {}: {} {}", run_text(rows[each.row]), each.by->name,
                       measured_name(*each.by->constants.law), prediction_text(made));
    if (std::isfinite(made.delta)) {
      out += fmt::format("; delta {:.4f}", made.delta);
      if (made.mean_delta)
        out += fmt::format(" [{:.4f}, {:.4f}]", made.mean_delta->low, made.mean_delta->high);
      if (made.run_delta)
        out += fmt::format(", a run [{:.4f}, {:.4f}]", made.run_delta->low, made.run_delta->high);
    }
    if (std::isfinite(each.residual)) {
      out += fmt::format("; measured {:.4f}, {:+.4f}{}", each.measured, each.residual,
                         !each.has_interval ? ""
                         : each.inside      ? ", inside"
                                            : ", outside");
    }
    out += "\n";
    if (!made.beyond.empty())
      out += fmt::format("  beyond the fitted runs: {}\n", fmt::join(made.beyond, ", "));
    if (!made.problem.empty()) out += fmt::format("  {}\n", made.problem);
    if (!made.note.empty()) out += fmt::format("  {}\n", made.note);
  }
  const bool any = std::any_of(predictions.begin(), predictions.end(),
                               [](const RowPrediction& each) { return each.prediction.mean; });
  if (any) out += fmt::format("Intervals hold {:g} %.\n", 100 * level);
  if (predictions.size() > kMostLines)
    out += fmt::format("... and {} more; --out FILE writes all\n", predictions.size() - kMostLines);
  for (const auto& [name, judged] : losses) out += judgement(name, judged, "losses", level);
  for (const auto& [name, judged] : deltas) out += judgement(name, judged, "deltas", level);
  return out;
}

}  // namespace bitlaw::cli
