#include "ask/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "formats/block_noise.h"
#include "formats/precision.h"
#include "laws/bind.h"
#include "laws/effective.h"
#include "laws/part_bits.h"
#include "record/factor_names.h"
#include "table/columns.h"
#include "table/table_inputs.h"

namespace bitlaw {
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
                            const std::vector<RowPrediction>& predictions,
                            const std::vector<ExtraColumn>& more) {
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
  extra.insert(extra.end(), more.begin(), more.end());
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

namespace {

// A run has one error for all laws.
GaussianErrorSource source_of(const std::vector<Predicting>& by) {
  const Predicting* first = nullptr;
  for (const Predicting& each : by) {
    if (!feels_gaussian_error(*each.constants.law, each.constants.values.data())) continue;
    if (!first) first = &each;
    if (each.constants.gaussian_error != first->constants.gaussian_error) {
      throw Error(
          fmt::format("predict: {} rates formats by --gaussian-error {}, {} by {}; predict "
                      "with one of them at a time",
                      first->name, name_of(first->constants.gaussian_error), each.name,
                      name_of(each.constants.gaussian_error)));
    }
  }
  return first ? first->constants.gaussian_error : GaussianErrorSource::kLeast;
}

}  // namespace

Predicting predicting(const std::string& name, const std::string& law, const std::string& constants,
                      const Json& fit) {
  Predicting out{name, {}};
  const std::string wrong = read_constants(law, constants, fit, out.constants);
  if (!wrong.empty()) throw Error(fmt::format("{}: {}", name, wrong));
  if (out.constants.law->predicts == Predicts::kQatShare) {
    throw Error(
        fmt::format("{}: predicts a share of the tokens, not a loss; `bitlaw plan --law {}` "
                    "answers with it",
                    name, out.constants.law->name));
  }
  return out;
}

TableOptions options_for_predictions(const std::vector<Predicting>& by, const std::string& columns,
                                     const std::string& scale,
                                     const std::vector<std::string>& where) {
  std::vector<const Law*> laws;
  for (const Predicting& each : by) laws.push_back(each.constants.law);
  TableOptions out;
  out.inputs = inputs_of(laws);
  out.sizes_optional =
      std::none_of(laws.begin(), laws.end(), [](const Law* law) { return law->needs_sizes; });
  out.may_differ.modelled = factors_named({"all"});
  out.keep_3bit = true;
  out.columns = parse_columns(columns);
  out.scale = parse_scale(scale);
  out.where = where;
  out.may_be_planned = true;
  out.gaussian_error = source_of(by);
  return out;
}

void refuse_contradictions(const std::vector<Observation>& runs) {
  for (size_t i = 0; i < runs.size(); ++i) {
    const Observation& run = runs[i];
    const auto named = named_precision(run.precision);
    if (!named || !named->quantized()) continue;
    for (const auto& [name, said, given] :
         {std::tuple{"P_w", named->weights.law_bits(), run.bits_weights},
          {"P_a", named->activations.law_bits(), run.bits_activations},
          {"P_kv", named->says_kv ? named->kv.law_bits() : run.bits_kv, run.bits_kv}}) {
      if (said == given) continue;
      throw Error(
          fmt::format("predict: run {}: precision {} has {} = {:g}, and {:g} is given; leave "
                      "one of them out",
                      i + 1, run.precision, name, said, given));
    }
  }
}

Json predictions_document(const std::vector<Predicting>& by, const std::vector<Observation>& rows,
                          const std::vector<RowPrediction>& predictions, double level) {
  Json out{{"level", level}, {"predictions", predictions_json(rows, predictions)}};
  for (const Predicting& each : by) {
    out["laws"].push_back({{"name", each.name},
                           {"law", each.constants.law->name},
                           {"source", each.constants.source},
                           {"notes", each.constants.notes}});
  }
  return out;
}

}  // namespace bitlaw
