// A comparison as tables for people.
#include <fmt/format.h>

#include <algorithm>

#include "compare/compare.h"

namespace bitlaw {
namespace {

std::string shown(const Json& value, const char* format, double scale = 1) {
  return value.is_number() ? fmt::format(fmt::runtime(format), scale * value.get<double>()) : "-";
}

std::string plus_minus(const std::string& value, const std::string& error) {
  return error == "-" ? value : value + " +- " + error;
}

std::string table_of(const Json& part, bool post) {
  size_t width = 4;
  for (const Json& law : part.at("laws")) {
    width = std::max(width, law.at("name").get<std::string>().size());
  }
  std::string out = fmt::format("{:<{}} {:>3} {:>10} {:>9} {:>8} {:>9} {:>9} {:>20}\n", "law",
                                width, "k", post ? "SSE" : "SSE(log)", post ? "RMS" : "RMS(log)",
                                "R^2", "AICc", "starts", post ? "unseen deltas" : "unseen rows");
  for (const Json& law : part.at("laws")) {
    const Json& held = law.at("held_out");
    const Json& starts = law.at("starts");
    const std::string error = post ? plus_minus(shown(held.at("rms"), "{:.3f}"),
                                                shown(held.at("standard_error"), "{:.3f}"))
                                   : plus_minus(shown(held.at("rms_log"), "{:.3f} %", 100),
                                                shown(held.at("standard_error"), "{:.3f}", 100));
    out += fmt::format(
        "{:<{}} {:>3} {:>10} {:>9} {:>8} {:>9} {:>9} {:>20}{}\n", law.at("name").get<std::string>(),
        width, law.at("k").get<int>(), shown(law.at("sse"), "{:.4g}"),
        post ? shown(law.at("rms"), "{:.4f}") : shown(law.at("rms_log"), "{:.5f}"),
        shown(law.at("r2"), "{:.4f}"), shown(law.at("aicc"), "{:.1f}"),
        fmt::format("{}/{}", starts.at("reached").get<int>(), starts.at("run").get<int>()), error,
        law.contains("note")                   ? "  " + law["note"].get<std::string>()
        : law.at("tied_with_best").get<bool>() ? "  ="
                                               : "");
  }
  return out;
}

// A line for each law that was fitted.
std::string constants_of(const Json& part) {
  std::string out;
  for (const Json& law : part.at("laws")) {
    if (!law.at("fitted").get<bool>()) continue;
    std::vector<std::string> words;
    for (const auto& [name, parameter] : law.at("parameters").items()) {
      if (parameter.contains("frozen")) continue;
      const Json& edge = law.at("at_edge");
      words.push_back(
          fmt::format("{} {}{}", name, shown(parameter.at("value"), "{:.5g}"),
                      std::count(edge.begin(), edge.end(), name) ? " (at the edge)" : ""));
    }
    out += fmt::format("  {}: {}\n", law.at("name").get<std::string>(), fmt::join(words, ", "));
  }
  return out;
}

std::string part_text(const Json& part, bool post) {
  std::string out =
      fmt::format("{} {} in {} clusters; held out: {}\n", part.at("points").get<int>(),
                  post ? "loss differences (in standard errors, at least 10 % each)" : "losses",
                  part.at("clusters").get<int>(), part.at("hold_out").get<std::string>());
  out += table_of(part, post);
  out += "(starts: reached the best minimum / run; = tied with the best on held-out rows)\n";
  out += "Constants\n" + constants_of(part);
  return out + part.at("verdict").get<std::string>() + "\n";
}

}  // namespace

std::string compare_text(const Json& comparison) {
  std::string out;
  if (comparison.at("points").get<int>() > 0) out = part_text(comparison, false);
  if (comparison.contains("post")) {
    out += (out.empty() ? "" : "\n") + part_text(comparison["post"], true);
  }
  for (const Json& note : comparison.at("notes")) out += note.get<std::string>() + "\n";
  return out;
}

}  // namespace bitlaw
