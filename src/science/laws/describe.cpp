#include "laws/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "laws/fitted_on.h"
#include "laws/formula_law.h"
#include "laws/published_formulas.h"
#include "laws/verdicts.h"

namespace bitlaw {
namespace {

std::string equation(const Law& law) {
  const std::string formula = law.formula;
  return formula.substr(0, formula.find(';'));
}

std::vector<std::string> definitions(const Law& law) {
  std::vector<std::string> lines;
  const std::string formula = law.formula;
  for (size_t from = 0; from < formula.size();) {
    const size_t end = std::min(formula.find("; ", from), formula.size());
    lines.push_back(formula.substr(from, end - from));
    from = end + 2;
  }
  return lines;
}

// What the law predicts of training.
const char* quantity(const Law& law) {
  return law.predicts == Predicts::kQatShare ? "qat share" : measured_name(law);
}

const char* scale_name(Scale scale) {
  switch (scale) {
    case Scale::kLog:
      return "log";
    case Scale::kLinear:
      return "linear";
    case Scale::kTimesLast:
      return "times the one before";
  }
  return "";
}

// What a table must contain to identify a parameter; "" for nothing.
std::string needs(const Parameter& parameter) {
  if (parameter.never) return parameter.never;
  const auto several = [&](const char* what) {
    return fmt::format("{} or more {}{}", parameter.needs.distinct, what,
                       parameter.needs.quantized ? " of quantized runs" : "");
  };
  switch (parameter.needs.of) {
    case Quantity::kNothing:
      return "";
    case Quantity::kSizes:
      return several("sizes N");
    case Quantity::kTokens:
      return several("token counts D");
    case Quantity::kTokensPerParam:
      return several("ratios D/N");
    case Quantity::kWeightBits:
      return several("weight precisions below 16");
    case Quantity::kActivationBits:
      return several("activation precisions below 16");
    case Quantity::kKvBits:
      return several("KV precisions below 16");
    case Quantity::kKeyBits:
      return several("precisions of keys below 16");
    case Quantity::kValueBits:
      return several("precisions of values below 16");
    case Quantity::kEmbeddingBits:
      return several("precisions of embeddings below 16");
    case Quantity::kHeadBits:
      return several("precisions of the head below 16");
    case Quantity::kAnyBits:
      return several("precisions below 16");
    case Quantity::kPostBits:
      return several("precisions after training");
    case Quantity::kRepetitions:
      return several("repetition counts");
    case Quantity::kGroups:
      return several("group sizes");
    case Quantity::kExponentBits:
      return several("numbers of exponent bits");
    case Quantity::kMantissaBits:
      return several("numbers of mantissa bits");
    case Quantity::kInput:
      return several((std::string("values of ") + parameter.needs.column).c_str());
  }
  return "";
}

Json parameter_json(const Parameter& parameter) {
  return {{"name", parameter.name},
          {"meaning", parameter.meaning},
          {"scale", scale_name(parameter.scale)},
          {"low", parameter.low},
          {"high", parameter.high},
          {"start_low", parameter.start_low},
          {"start_high", parameter.start_high},
          {"stage", parameter.stage == Stage::kPost ? "post-training" : "training"},
          {"linear", parameter.linear},
          {"needs", needs(parameter)}};
}

const char* axis_name(ClassAxis axis) {
  switch (axis) {
    case ClassAxis::kForward:
      return "forward";
    case ClassAxis::kBackward:
      return "backward";
    case ClassAxis::kOptimizer:
      return "optimizer";
    case ClassAxis::kForwardOfOptimizer:
      return "forward@optimizer";
  }
  return "";
}

// "E = 1.69, A = 406.4, eff[W4A4] = 0.69"
std::string shown(const Law& law, const ConstantSet& set) {
  std::string text;
  const auto add = [&](const std::string& name, double value) {
    text += fmt::format("{}{} = {:.12g}", text.empty() ? "" : ", ", name, value);
  };
  for (size_t i = 0; i < set.values.size(); ++i) add(law.parameters[i].name, set.values[i]);
  for (const ClassValue& each : set.classes)
    add(fmt::format("{}[{}]", each.parameter, each.name), each.value);
  return text;
}

// Vertical bars separate the cells of a table.
std::string cell(std::string text) {
  for (size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) text.insert(i, "\\");
  return text;
}

std::string range(const Parameter& parameter) {
  return fmt::format("{:g} to {:g}", parameter.low, parameter.high);
}

std::string starts(const Parameter& parameter) {
  return fmt::format("{:g} to {:g}", parameter.start_low, parameter.start_high);
}

std::string remarks(const Parameter& parameter) {
  std::string text;
  const auto add = [&](const std::string& words) {
    if (!words.empty()) text += (text.empty() ? "" : "; ") + words;
  };
  if (parameter.stage == Stage::kPost) add("post-training");
  if (parameter.linear) add("linear");
  if (parameter.scale == Scale::kTimesLast)
    add("ranges refer to its product with the constant above");
  add(parameter.never            ? parameter.never
      : needs(parameter).empty() ? ""
                                 : "needs " + needs(parameter));
  return text;
}

std::string markdown_row(const std::string& name, const Parameter& parameter) {
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", name, cell(parameter.meaning),
                     range(parameter), starts(parameter), cell(remarks(parameter)));
}

std::string wrapped(const std::string& text, size_t width, const std::string& indent) {
  std::string out = indent;
  size_t column = indent.size();
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find(' ', from), text.size());
    if (column > indent.size() && column + 1 + end - from > width) {
      out += "\n" + indent;
      column = indent.size();
    }
    if (column > indent.size()) out += ' ', ++column;
    out += text.substr(from, end - from);
    column += end - from;
    from = end + 1;
  }
  return out + "\n";
}

// "30 M", "1.5 B"; "?" for zero.
std::string size(double number) {
  if (number == 0) return "?";
  const auto in = [&](double unit, const char* name) {
    return fmt::format("{:.3g}{}", number / unit, name);
  };
  return number >= 1e9   ? in(1e9, " B")
         : number >= 1e6 ? in(1e6, " M")
                         : fmt::format("{:g}", number);
}

std::string extent(double low, double high, std::string (*shown)(double)) {
  if (low == 0 && high == 0) return "not said";
  if (low == high) return shown(low);
  return low == 0 ? "up to " + shown(high) : shown(low) + " to " + shown(high);
}

std::string or_not_said(const char* text) {
  return text[0] ? text : "not said";
}

// What the law's published constants were fitted to.
std::string fitted_on_of(const Law& law) {
  std::string text;
  for (const ConstantSet& set : law.constants) {
    const FittedOn* found = fitted_on(law.name, set.name);
    if (!found) continue;
    text +=
        fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", set.name, or_not_said(found->runs),
                    extent(found->least_params, found->most_params, size),
                    extent(found->least_tokens, found->most_tokens, size),
                    extent(found->least_bits, found->most_bits,
                           [](double bits) { return fmt::format("{:g}", bits); }),
                    or_not_said(found->data), cell(found->source));
  }
  if (text.empty()) return "\nNo constants were published for this law.\n";
  return "\n| fitted to | runs | N | D | bits | data | source |\n|---|---|---|---|---|---|---|\n" +
         text;
}

std::string held_out(const VerdictTable& table, const Verdict& verdict) {
  return table.deltas ? fmt::format("{:.2f} ± {:.2f} standard errors", verdict.held_out,
                                    verdict.standard_error)
                      : fmt::format("{:.2f} ± {:.2f} %", 100 * verdict.held_out,
                                    100 * verdict.standard_error);
}

std::string rank_of(const Verdict& verdict) {
  return fmt::format("{} of {}{}", verdict.rank, worst_rank(verdict.table),
                     verdict.rank == 1 ? ""
                     : verdict.tied    ? ", tied with the best"
                                       : "");
}

const VerdictTable& table_of_verdict(const Verdict& verdict) {
  const std::span<const VerdictTable> tables = verdict_tables();
  return *std::find_if(tables.begin(), tables.end(), [&](const VerdictTable& each) {
    return std::string_view(each.name) == verdict.table;
  });
}

std::string verdicts_markdown(const Law& law) {
  const std::vector<Verdict> found = verdicts_of(law.name);
  if (found.empty()) return "";
  std::string text =
      "\n| on [public tables](#verdicts-on-public-tables) | constants fitted | R² | held-out error "
      "| "
      "rank |\n|---|---|---|---|---|\n";
  for (const Verdict& each : found) {
    text += fmt::format("| {} | {} | {:.4f} | {} | {} |\n", each.table, each.free, each.r2,
                        held_out(table_of_verdict(each), each), rank_of(each));
  }
  return text;
}

// The tables, and each with its laws, the best first.
std::string verdicts_page() {
  std::string text = R"(
## Verdicts on public tables

Every law that can be fitted to a table, fitted to its rows as `bitlaw compare` does, and judged by five
folds: the root mean square of the log errors of rows that the fit has not seen, with its standard error
over clusters (deltas: in standard errors of a row, each at least 10 % of its delta). Laws that are one form
on a table share a rank; "=" is tied with the best. `tools/measure_verdicts FOLDER` measures all of it with
the options below and writes `src/science/laws/verdicts.inc`, from which this page is made; a test
compares a fresh fit with it where the tables are at hand. They belong to their authors and are not part of
this repository. [fitting.md](fitting.md#comparing-laws) has more hold-outs of quest_qat, and says what such
a ranking is worth.

| table | rows | what | `bitlaw compare TABLE.csv ...` |
|---|---|---|---|
)";
  for (const VerdictTable& table : verdict_tables()) {
    text += fmt::format("| {} | {} | {} | {} |\n", table.name, table.points, cell(table.what),
                        table.options[0] ? "`" + cell(table.options) + "`" : "");
  }
  for (const VerdictTable& table : verdict_tables()) {
    text += fmt::format(
        "\n**{}**\n\n| rank | law | constants fitted | R² | held-out error |\n"
        "|---|---|---|---|---|\n",
        table.name);
    for (const Verdict& each : verdicts()) {
      if (std::string_view(each.table) != table.name) continue;
      text += fmt::format("| {}{} | [{}](#{}) | {} | {:.4f} | {} |\n", each.rank,
                          each.tied && each.rank > 1 ? " =" : "", each.law, each.law, each.free,
                          each.r2, held_out(table, each));
    }
  }
  return text;
}

std::string markdown_of(const Law& law) {
  std::string text = fmt::format("\n## {}\n\n{}.\n\n```\n", law.name, law.title);
  for (const std::string& line : definitions(law)) text += line + "\n";
  text += "```\n\n" + wrapped(fmt::format("Source: {}.", law.source), 100, "");
  if (law.notes[0]) text += "\n" + wrapped(law.notes, 100, "");
  text += "\n| constant | meaning | range | starts | remarks |\n|---|---|---|---|---|\n";
  for (const Parameter& parameter : law.parameters) text += markdown_row(parameter.name, parameter);
  for (const ClassParameter& each : law.class_parameters) {
    text += markdown_row(std::string(each.parameter.name) + "[class]", each.parameter);
  }
  text += "\n| constants | values | source |\n|---|---|---|\n";
  for (const ConstantSet& set : law.constants) {
    text += fmt::format("| `{}` | {} | {} |\n", set.name, cell(shown(law, set)), cell(set.source));
  }
  return text + fitted_on_of(law) + verdicts_markdown(law);
}

// null if the source says nothing; fields that it does not say are null.
Json fitted_on_json(const FittedOn* found) {
  if (!found) return nullptr;
  const auto number = [](double value) { return value == 0 ? Json(nullptr) : Json(value); };
  const auto words = [](const char* text) { return text[0] ? Json(text) : Json(nullptr); };
  return {{"runs", words(found->runs)},
          {"least_params", number(found->least_params)},
          {"most_params", number(found->most_params)},
          {"least_tokens", number(found->least_tokens)},
          {"most_tokens", number(found->most_tokens)},
          {"least_bits", number(found->least_bits)},
          {"most_bits", number(found->most_bits)},
          {"data", words(found->data)},
          {"source", found->source}};
}

// A name before "[class]" for parameters that a law has for each class.
std::string names_of(const Law& law) {
  std::string text;
  for (const Parameter& parameter : law.parameters) {
    text += (text.empty() ? "" : " ") + std::string(parameter.name);
  }
  for (const ClassParameter& each : law.class_parameters)
    text += fmt::format(" {}[class]", each.parameter.name);
  return text;
}

}  // namespace

Json law_json(const Law& law) {
  Json parameters = Json::array(), class_parameters = Json::array(), constants = Json::array();
  for (const Parameter& parameter : law.parameters) parameters.push_back(parameter_json(parameter));
  for (const ClassParameter& each : law.class_parameters) {
    Json described = parameter_json(each.parameter);
    described["class_of"] = axis_name(each.axis);
    described["unquantized"] = each.reference;
    class_parameters.push_back(described);
  }
  for (const ConstantSet& set : law.constants) {
    Json values = Json::object();
    for (size_t i = 0; i < set.values.size(); ++i) values[law.parameters[i].name] = set.values[i];
    for (const ClassValue& each : set.classes)
      values[fmt::format("{}[{}]", each.parameter, each.name)] = each.value;
    constants.push_back({{"name", set.name},
                         {"source", set.source},
                         {"values", values},
                         {"fitted_on", fitted_on_json(fitted_on(law.name, set.name))}});
  }
  Json judged = Json::array();
  for (const Verdict& each : verdicts_of(law.name)) {
    judged.push_back({{"table", each.table},
                      {"fitted_constants", each.free},
                      {"r2", each.r2},
                      {"held_out", each.held_out},
                      {"standard_error", each.standard_error},
                      {"rank", each.rank},
                      {"of", worst_rank(each.table)},
                      {"tied_with_best", each.tied}});
  }
  return {{"name", law.name},
          {"title", law.title},
          {"source", law.source},
          {"formula", law.formula},
          {"equation", equation(law)},
          {"notes", law.notes},
          {"quantity", quantity(law)},
          {"uses_bits", law.uses_bits},
          {"post_training", law.has_delta},
          {"parameters", parameters},
          {"class_parameters", class_parameters},
          {"constants", constants},
          {"verdicts", judged}};
}

Json laws_json() {
  Json list = Json::array();
  for (const Law& law : laws()) list.push_back(law_json(law));
  for (const Law* law : registered_laws()) list.push_back(law_json(*law));
  return {{"laws", list}};
}

std::string laws_text() {
  size_t width = 0;
  for (const Law& law : laws()) width = std::max(width, std::string(law.name).size());
  std::string text;
  for (const Law& law : laws()) {
    text += fmt::format("{:<{}}  {}\n{:<{}}  {}\n", law.name, width, law.title, "", width,
                        equation(law));
  }
  for (const Law* law : registered_laws())
    text += fmt::format("{:<{}}  {}\n{:<{}}  {}\n", law->name, width, law->title, "", width,
                        equation(*law));
  return text;
}

std::string law_text(const Law& law) {
  std::string text = fmt::format("{}: {}\n\n", law.name, law.title);
  for (const std::string& line : definitions(law)) text += "  " + line + "\n";
  text += "\n" + wrapped(std::string("Source: ") + law.source + ".", 100, "");
  if (law.notes[0]) text += wrapped(law.notes, 100, "");
  text += "\nConstants:\n";
  const auto add = [&](const std::string& name, const Parameter& parameter) {
    const std::string more = remarks(parameter);
    text += fmt::format("  {:<16} {}; {}{}\n", name, parameter.meaning, range(parameter),
                        more.empty() ? "" : " (" + more + ")");
  };
  for (const Parameter& parameter : law.parameters) add(parameter.name, parameter);
  for (const ClassParameter& each : law.class_parameters)
    add(std::string(each.parameter.name) + "[class]", each.parameter);
  for (const ConstantSet& set : law.constants) {
    text += fmt::format("\n{}:\n", set.name) + wrapped(set.source, 100, "  ") +
            wrapped(shown(law, set), 100, "  ");
  }
  return text;
}

std::string laws_markdown() {
  std::string text = R"(# The laws

`bitlaw laws --markdown` prints this page from the headers in `src/science/laws/forms`, one per law,
and from the formulas in `src/science/laws/published_formulas.cpp`; a test compares the two. `bitlaw laws show NAME` prints one law, and `bitlaw laws --json` prints all
laws as data.

- N is the number of model parameters, without embeddings unless a table says otherwise; D is the
  number of training tokens.
- P_w, P_a and P_kv are the bits of weights, activations, and keys and values during training.
  P_post is the bits of the weights after post-training quantization. 16 bits means BF16.
- Losses are in nats per token. Logarithms are natural unless a base is shown.
- A law that is registered as a formula (`clark`, `apple-qat`) takes inputs of its own: columns of the
  table by these names, `--inputs experts=8` of a plan, `experts=8` of a prediction.
- A class is the precision of a run as a whole: W4A4, W4A16, W4A4KV4, FP4, or a label of the table.

A fit keeps each constant within its range and draws starting points from the starts column. It
solves for constants marked linear instead of drawing them. A set of constants called `start` is
only a starting point for fits, because nothing was published; it is not used for predictions.

"Fitted to" says which runs published constants come from, as their source says it. On public tables
every law was fitted again: [verdicts](#verdicts-on-public-tables).

| law | predicts | depends on bits | after training | constants |
|---|---|---|---|---|
)";
  std::vector<const Law*> all;
  for (const Law& law : laws()) all.push_back(&law);
  for (const LawFormula& each : published_formulas()) all.push_back(find_law(each.name));
  for (const Law* law : all) {
    text +=
        fmt::format("| [{0}](#{0}) | {1} | {2} | {3} | {4} |\n", law->name, quantity(*law),
                    law->uses_bits ? "yes" : "no", law->has_delta ? "yes" : "no", names_of(*law));
  }
  for (const Law* law : all) text += markdown_of(*law);
  return text + verdicts_page();
}

}  // namespace bitlaw
