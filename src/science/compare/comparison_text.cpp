// A comparison as tables for people.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compare/compare.h"
#include "laws/effective.h"

namespace bitlaw {
namespace {

std::string shown(double value, const char* format) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

std::string plus_minus(const std::string& value, const std::string& error) {
  return error == "-" ? value : value + " +- " + error;
}

bool has_penalties(const ComparePart& part) {
  return std::any_of(part.laws.begin(), part.laws.end(),
                     [](const ComparedLaw& law) { return std::isfinite(law.penalty_r2); });
}

std::string table_of(const ComparePart& part) {
  const bool post = part.in_standard_errors();
  size_t width = 4;
  for (const ComparedLaw& law : part.laws) width = std::max(width, law.name.size());
  // R^2 of what precision costs stands beside that of the loss.
  const bool penalties = has_penalties(part);
  const auto r2_of_penalty = [&](const std::string& text) {
    return penalties ? fmt::format(" {:>8}", text) : "";
  };
  std::string out =
      fmt::format("{:<{}} {:>3} {:>10} {:>9} {:>8}{} {:>9} {:>9} {:>20}\n", "law", width, "k",
                  post ? "SSE" : "SSE(log)", post ? "RMS" : "RMS(log)", "R^2",
                  r2_of_penalty("penalty"), "AICc", "starts", "held-out error");
  for (const ComparedLaw& law : part.laws) {
    if (!law.same_as.empty()) continue;
    const std::string error =
        post ? plus_minus(shown(law.held_out_rms, "{:.3f}"), shown(law.held_out_error, "{:.3f}"))
             : plus_minus(shown(100 * law.held_out_rms, "{:.3f} %"),
                          shown(100 * law.held_out_error, "{:.3f}"));
    out += fmt::format(
        "{:<{}} {:>3} {:>10} {:>9} {:>8}{} {:>9} {:>9} {:>20}{}\n", law.name, width, law.k,
        shown(law.sse, "{:.4g}"),
        post ? shown(std::sqrt(law.sse / part.points), "{:.4f}") : shown(law.rms_log, "{:.5f}"),
        shown(law.r2, "{:.4f}"), r2_of_penalty(shown(law.penalty_r2, "{:.4f}")),
        shown(law.aicc, "{:.1f}"), fmt::format("{}/{}", law.reached, law.starts), error,
        !law.note.empty() ? "  " + law.note
        : law.tied        ? "  ="
                          : "");
  }
  return out;
}

// A line for each law that was fitted.
std::string constants_of(const ComparePart& part) {
  std::string out;
  for (const ComparedLaw& law : part.laws) {
    if (!law.fitted || !law.same_as.empty()) continue;
    std::map<std::string, std::string> words;  // by name
    std::vector<std::string> open;
    for (size_t i = 0; i < law.values.size(); ++i) {
      const Parameter& p = law.bound.law().parameters[i];
      if (!law.frozen[i].empty()) continue;
      if (!law.identified[i]) {
        open.emplace_back(p.name);
        continue;
      }
      words[p.name] = fmt::format(
          "{} {}{}", p.name, shown(law.values[i], "{:.5g}"),
          std::count(law.at_edge.begin(), law.at_edge.end(), p.name) ? " (at the edge)" : "");
    }
    std::vector<std::string> list;
    for (const auto& [name, text] : words) list.push_back(text);
    if (!open.empty()) list.push_back(fmt::format("not identified: {}", fmt::join(open, " ")));
    out += fmt::format("  {}: {}\n", law.name, fmt::join(list, ", "));
  }
  return out;
}

// "chinchilla stands for kumar, quest, too: on these rows they are one law."
std::string coinciding(const ComparePart& part) {
  std::string out;
  for (const ComparedLaw& law : part.laws) {
    std::vector<std::string> same;
    for (const ComparedLaw& other : part.laws) {
      if (other.same_as == law.name) same.push_back(other.name);
    }
    if (same.empty()) continue;
    out += fmt::format("{} stands for {}, too: on these rows they are one law.\n", law.name,
                       fmt::join(same, ", "));
  }
  return out;
}

// "6.9", "5.6 to 6.9", that any number is as good, or that the search found an end alone: "none".
std::string range_text(const Range& range) {
  if (range.low <= kFewestBits && range.high >= kMostBits) return "(not identified)";
  const auto words = [](double bits) {
    return is_end_of_bits(bits) ? std::string("none") : fmt::format("{:.1f}", bits);
  };
  const std::string low = words(range.low), high = words(range.high);
  return low == high ? low : low + " to " + high;
}

// "Best precision of weights, KV: kumar 6.9, additive-exp 5.6 bits; 5.6 to 6.9 over the laws that tie."
std::string best_precisions(const ComparePart& part) {
  std::vector<std::string> words;
  for (const ComparedLaw& law : part.laws) {
    if (law.same_as.empty() && std::isfinite(law.best_bits))
      words.push_back(fmt::format("{} {}", law.name, range_text(law.best_bits_allowed)));
  }
  if (words.empty()) return "";
  std::string out = fmt::format("Best precision in bits, of {}, at {:.2g} FLOP: {}.\n",
                                part.best_bits_of, part.best_bits_compute, fmt::join(words, ", "));
  const Range tied = part.best_bits_of_tied();
  if (std::isfinite(tied.low)) {
    out += fmt::format("Over the laws that tie: {} bits", range_text(tied));
    out += fmt::format(
        " (a token costs 6 N P/16 FLOP; N {}; granularity and extra norm as in these rows).\n",
        words_for_count(part.params));
  }
  return out;
}

std::string part_text(const ComparePart& part) {
  std::string out = fmt::format("{} {} in {} clusters; held out: {}\n", part.points,
                                part.gaps ? "gaps (in standard errors, at least 10 % each)"
                                : part.stage == Stage::kPost
                                    ? "loss differences (in standard errors, at least 10 % each)"
                                    : "losses",
                                part.clusters, part.hold_out);
  out += table_of(part);
  out += coinciding(part);
  if (has_penalties(part)) {
    out += "(penalty: R^2 of L(P) - L(16), where a row has an unquantized one of its N and D)\n";
  }
  out += "(starts: reached the best minimum / run; = tied with the best on held-out rows)\n";
  if (part.shared > 0 && part.clusters < part.points) {
    out += fmt::format(
        "(AICc counts {:.1f} independent rows: those of a cluster have {:.0f} % of their variance "
        "in "
        "common)\n",
        part.independent, 100 * part.shared);
  }
  out += "Constants\n" + constants_of(part);
  return out + part.verdict() + "\n" + best_precisions(part);
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string out;
  if (comparison.training) out = part_text(*comparison.training);
  if (comparison.post) out += (out.empty() ? "" : "\n") + part_text(*comparison.post);
  for (const std::string& note : comparison.notes) out += note + "\n";
  return out;
}

}  // namespace bitlaw
