// A comparison as a document, and its verdict in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compare/compare_entry.h"

namespace bitlaw {
namespace {

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

const CompareEntry* least_aicc(const ComparePart& part) {
  const CompareEntry* best = nullptr;
  for (const CompareEntry& entry : part.entries) {
    if (std::isfinite(entry.aicc) && (!best || entry.aicc < best->aicc)) best = &entry;
  }
  return best;
}

std::vector<std::string> names_where(const ComparePart& part,
                                     const std::function<bool(const CompareEntry&)>& wanted) {
  std::vector<std::string> out;
  for (const CompareEntry& entry : part.entries) {
    if (wanted(entry)) out.push_back(entry.name);
  }
  return out;
}

bool anyone_judged(const ComparePart& part) {
  return !part.entries.empty() && part.entries[0].judged;
}

// Of the best, not the best itself.
std::vector<std::string> tied_names(const ComparePart& part) {
  return names_where(part, [&](const CompareEntry& entry) {
    return entry.judged && entry.tied && &entry != &part.entries[0];
  });
}
std::vector<std::string> names_behind(const ComparePart& part) {
  return names_where(part, [](const CompareEntry& e) { return e.judged && !e.tied; });
}

Json entry_json(const ComparePart& part, const CompareEntry& entry, double least) {
  const Law& law = entry.bound.law();
  Json parameters = Json::object();
  for (size_t i = 0; i < entry.values.size(); ++i) {
    const Parameter& p = law.parameters[i];
    if (part.stage == Stage::kTraining && p.stage == Stage::kPost) continue;
    Json& out = parameters[p.name] = {{"value", number(entry.values[i])}};
    if (!entry.frozen[i].empty()) out["frozen"] = entry.frozen[i];
  }
  Json out{{"name", entry.name},
           {"fitted", entry.fitted},
           {"judged", entry.judged},
           {"k", entry.k},
           {"parameters", std::move(parameters)},
           {"at_edge", entry.at_edge},
           {"sse", number(entry.sse)},
           {"rms_log", number(entry.rms_log)},
           {"r2", number(entry.r2)},
           {"aicc", number(entry.aicc)},
           {"aicc_above_best", number(entry.aicc - least)},
           {"converged", entry.converged},
           {"starts",
            {{"run", entry.starts},
             {"reached", entry.reached},
             {"minima", entry.minima},
             {"most", part.most_starts}}},
           {"tied_with_best", entry.tied}};
  const char* unit = part.stage == Stage::kPost ? "rms" : "rms_log";
  out["held_out"] = {{"points", entry.predicted},
                     {unit, number(entry.held_out_rms)},
                     {"standard_error", number(entry.held_out_error)}};
  if (part.stage == Stage::kPost) out["rms"] = number(std::sqrt(entry.sse / part.points));
  if (entry.judged) {
    out["difference"] = {{"log_rms", number(entry.from_best.log_ratio)},
                         {"standard_error", number(entry.from_best.standard_error)},
                         {"allowed_errors", number(allowed_errors(entry.from_best.clusters))}};
  }
  if (!entry.note.empty()) out["note"] = entry.note;
  return out;
}

std::string is_or_are(const std::vector<std::string>& names) {
  return fmt::format("{} {}", fmt::join(names, ", "), names.size() == 1 ? "is" : "are");
}

// "0.52 %", or "1.3 standard errors" of deltas.
std::string error_words(const ComparePart& part, double rms) {
  return part.stage == Stage::kPost ? fmt::format("{:.2f} standard errors", rms)
                                    : fmt::format("{:.3f} %", 100 * rms);
}

}  // namespace

std::string part_verdict(const ComparePart& part) {
  std::string out;
  if (!anyone_judged(part)) {
    out = part.problem.empty() ? "No law could be judged on held-out rows."
                               : fmt::format("No law could be judged: {}.", part.problem);
  } else if (part.judged_clusters < 2) {
    out = fmt::format(
        "The {} held-out rows are one cluster, so differences cannot be told from chance: all laws "
        "count as tied.",
        part.judged);
  } else {
    const CompareEntry& best = part.entries[0];
    const std::vector<std::string> same = tied_names(part), behind = names_behind(part);
    out = fmt::format("{} predicts held-out rows with the smallest error, {}", best.name,
                      error_words(part, best.held_out_rms));
    if (!same.empty()) {
      out += fmt::format(", but {} within {:.2g} standard errors of that: a tie", is_or_are(same),
                         allowed_errors(part.judged_clusters));
    }
    if (!behind.empty()) out += fmt::format("; {} behind", is_or_are(behind));
    out += ".";
    if (part.judged < part.held_out) {
      out += fmt::format(" Judged on the {} of {} held-out rows that each of them predicts.",
                         part.judged, part.held_out);
    }
  }
  if (const CompareEntry* first = least_aicc(part)) {
    const std::vector<std::string> near = names_where(part, [&](const CompareEntry& entry) {
      return &entry != first && entry.aicc - first->aicc < 2;
    });
    out += fmt::format(" On the fitted rows, AICc puts {} first (k = {})", first->name, first->k);
    if (!near.empty()) out += fmt::format(", with {} within 2 of it", fmt::join(near, ", "));
    out += ".";
    if (first->judged && !first->tied && part.judged_clusters > 1) {
      out += " The held-out rows disagree.";
    }
  }
  return out;
}

Json part_json(const ComparePart& part) {
  const CompareEntry* first = least_aicc(part);
  Json out{{"points", part.points},
           {"clusters", part.clusters},
           {"hold_out", part.hold_out},
           {"held_out",
            {{"rows", part.held_out}, {"judged", part.judged}, {"clusters", part.judged_clusters}}},
           {"starts_rule",
            "batches of 16 starts, until Boender and Rinnooy Kan's rule expects less than half an "
            "unseen minimum, or the maximum is reached"},
           {"verdict", part_verdict(part)},
           {"best", anyone_judged(part) ? Json(part.entries[0].name) : Json(nullptr)},
           {"best_aicc", first ? Json(first->name) : Json(nullptr)},
           {"tied", anyone_judged(part) ? tied_names(part) : std::vector<std::string>()},
           {"behind", names_behind(part)},
           {"not_judged", names_where(part, [](const CompareEntry& e) { return !e.judged; })}};
  out["laws"] = Json::array();
  for (const CompareEntry& entry : part.entries) {
    out["laws"].push_back(entry_json(part, entry, first ? first->aicc : kUnknown));
  }
  return out;
}

}  // namespace bitlaw
