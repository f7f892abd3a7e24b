// A comparison as a document.
#include <cmath>

#include "base/json_fields.h"
#include "compare/compare.h"
#include "laws/effective.h"

namespace bitlaw {
namespace {

// An end of the search is no best precision.
Json bits_or_null(double bits) {
  return is_end_of_bits(bits) ? Json(nullptr) : json_number(bits);
}

Json law_json(const ComparePart& part, const ComparedLaw& entry, double least) {
  const Law& law = entry.bound.law();
  Json parameters = Json::object();
  for (size_t i = 0; i < entry.values.size(); ++i) {
    const Parameter& p = law.parameters[i];
    if (part.stage == Stage::kTraining && p.stage == Stage::kPost) continue;
    const bool told = entry.identified.empty() || entry.identified[i];
    Json& out = parameters[p.name] = {{"value", json_number(told ? entry.values[i] : kUnknown)}};
    if (!told) out["identified"] = false;
    if (!entry.frozen[i].empty()) out["frozen"] = entry.frozen[i];
  }
  Json out{
      {"name", entry.name},
      {"fitted", entry.fitted},
      {"judged", entry.judged},
      {"k", entry.k},
      {"parameters", std::move(parameters)},
      {"at_edge", entry.at_edge},
      {"sse", json_number(entry.sse)},
      {"rms_log", json_number(entry.rms_log)},
      {"r2", json_number(entry.r2)},
      {"aicc", json_number(entry.aicc)},
      {"penalty_r2", json_number(entry.penalty_r2)},
      {"best_bits", bits_or_null(entry.best_bits)},
      {"best_bits_allowed",
       {bits_or_null(entry.best_bits_allowed.low), bits_or_null(entry.best_bits_allowed.high)}},
      {"threshold", json_number(entry.threshold)},
      {"aicc_above_best", json_number(entry.aicc - least)},
      {"converged", entry.converged},
      {"starts",
       {{"run", entry.starts},
        {"reached", entry.reached},
        {"minima", entry.minima},
        {"most", part.most_starts}}},
      {"tied_with_best", entry.tied}};
  const char* unit = part.in_standard_errors() ? "rms" : "rms_log";
  out["held_out"] = {{"points", entry.predicted},
                     {unit, json_number(entry.held_out_rms)},
                     {"standard_error", json_number(entry.held_out_error)}};
  if (part.in_standard_errors()) out["rms"] = json_number(std::sqrt(entry.sse / part.points));
  if (entry.judged) {
    out["difference"] = {{"log_rms", json_number(entry.from_best.log_ratio)},
                         {"standard_error", json_number(entry.from_best.standard_error)},
                         {"allowed_errors", json_number(allowed_errors(entry.from_best.clusters))}};
  }
  if (!entry.note.empty()) out["note"] = entry.note;
  if (!entry.same_as.empty()) out["same_as"] = entry.same_as;
  return out;
}

Json part_json(const ComparePart& part) {
  const ComparedLaw *best = part.best(), *first = part.best_by_aicc();
  Json out{{"points", part.points},
           {"clusters", part.clusters},
           {"shared_variance", json_number(part.shared)},
           {"independent_rows", json_number(part.independent)},
           {"best_bits", part.best_bits_of.empty()
                             ? Json(nullptr)
                             : Json{{"of", part.best_bits_of},
                                    {"compute", part.best_bits_compute},
                                    {"tied",
                                     {bits_or_null(part.best_bits_of_tied().low),
                                      bits_or_null(part.best_bits_of_tied().high)}}}},
           {"hold_out", part.hold_out},
           {"held_out",
            {{"rows", part.held_out}, {"judged", part.judged}, {"clusters", part.judged_clusters}}},
           {"starts_rule",
            "batches of 16 starts, until Boender and Rinnooy Kan's rule expects less than half an "
            "unseen minimum, or the maximum is reached"},
           {"verdict", part.verdict()},
           {"best", best ? Json(best->name) : Json(nullptr)},
           {"best_aicc", first ? Json(first->name) : Json(nullptr)},
           {"tied", part.tied()},
           {"behind", part.behind()},
           {"not_judged", Json::array()},
           {"laws", Json::array()}};
  for (const ComparedLaw& law : part.laws) {
    if (!law.judged) out["not_judged"].push_back(law.name);
    out["laws"].push_back(law_json(part, law, first ? first->aicc : kUnknown));
  }
  return out;
}

}  // namespace

Json comparison_json(const Comparison& comparison) {
  Json out;
  if (comparison.training) {
    out = part_json(*comparison.training);
  } else {
    out = {{"points", 0},
           {"hold_out", comparison.post ? comparison.post->hold_out : ""},
           {"laws", Json::array()},
           {"verdict", "The table has no training loss."}};
  }
  if (comparison.post) out["post"] = part_json(*comparison.post);
  out["notes"] = comparison.notes;
  return out;
}

}  // namespace bitlaw
