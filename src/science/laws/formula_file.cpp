// Definitions of laws as text and as documents: options, files of laws, and the fits that carry theirs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/ends.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "laws/formula_law.h"

namespace bitlaw {
namespace {

LawConstant read_range(const std::string& name, const std::string& text, const std::string& where) {
  LawConstant out{.name = name};
  const auto ends = split_ends(text);
  const auto number = [&](const std::string& part) {
    const auto value = parse_count(part);
    if (!value || !std::isfinite(*value)) {
      throw Error(fmt::format("{}: {}={} is no range; write {}=0..5, or {}=0.5 for a number", where,
                              printable(name), printable(text), printable(name), printable(name)));
    }
    return *value;
  };
  if (!ends) {
    out.low = out.high = out.value = number(text);
    return out;
  }
  out.low = number(ends->first);
  out.high = number(ends->second);
  if (!(out.low < out.high)) {
    throw Error(fmt::format("{}: {}={}: the range's lower end must be below the upper one", where,
                            printable(name), printable(text)));
  }
  return out;
}

std::string range_text(const LawConstant& constant) {
  return constant.low == constant.high ? fmt::format("{}", constant.low)
                                       : fmt::format("{}..{}", constant.low, constant.high);
}

}  // namespace

std::vector<LawConstant> parse_law_constants(const std::string& text, const std::string& option) {
  std::vector<LawConstant> out;
  for (const std::string& item : split(text, ',')) {
    const size_t sign = item.find('=');
    const std::string name = trim(item.substr(0, sign));
    if (name.empty() && trim(item).empty()) continue;
    if (sign == std::string::npos || name.empty())
      throw Error(fmt::format("{}: {} is not NAME=LOW..HIGH", option, printable(trim(item))));
    out.push_back(read_range(name, trim(item.substr(sign + 1)), option));
  }
  return out;
}

std::vector<LawInputName> parse_law_inputs(const std::string& text, const std::string& option) {
  std::vector<LawInputName> out;
  for (const std::string& item : split(text, ',')) {
    const size_t sign = item.find('=');
    const std::string name = trim(item.substr(0, sign));
    if (name.empty() && trim(item).empty()) continue;
    const std::string column = sign == std::string::npos ? name : trim(item.substr(sign + 1));
    if (name.empty() || column.empty())
      throw Error(fmt::format("{}: {} is not NAME=COLUMN", option, printable(trim(item))));
    out.push_back({name, column});
  }
  return out;
}

Json law_formula_json(const LawFormula& law) {
  Json out{{"name", law.name}, {"formula", law.formula}};
  if (!law.delta.empty()) out["delta"] = law.delta;
  if (!law.title.empty()) out["title"] = law.title;
  if (!law.source.empty()) out["source"] = law.source;
  for (const LawConstant& each : law.constants) {
    if (!std::isnan(each.low)) out["constants"][each.name] = range_text(each);
    if (std::isfinite(each.value) && each.low != each.high) out["values"][each.name] = each.value;
  }
  for (const LawInputName& each : law.inputs) out["inputs"][each.name] = each.column;
  return out;
}

LawFormula law_formula_from(const Json& document, const std::string& where) {
  const JsonFields fields(document, where);
  LawFormula out;
  out.name = fields.text("name");
  out.formula = fields.text("formula");
  out.delta = fields.text("delta", "");
  out.title = fields.text("title", "");
  out.source = fields.text("source", "");
  for (const auto& [key, unused] : document.items()) {
    const std::vector<std::string> known{"name",   "formula",   "delta",  "title",
                                         "source", "constants", "inputs", "values"};
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(fmt::format("{}: {}", where, unknown_name("key", key, known)));
  }
  // As text, "E=0..5, alpha=0..2", or as a table, {E = "0..5"}.
  if (fields.has("constants")) {
    const Json& constants = document["constants"];
    const std::string option = where + ": constants";
    if (constants.is_string()) {
      out.constants = parse_law_constants(constants.get<std::string>(), option);
    } else if (constants.is_object()) {
      for (const auto& [name, range] : constants.items()) {
        if (!range.is_string() && !range.is_number())
          fields.refuse("constants", "text such as \"E=0..5\", or a table of such ranges");
        out.constants.push_back(read_range(
            name,
            range.is_string() ? range.get<std::string>() : fmt::format("{}", range.get<double>()),
            option));
      }
    } else {
      fields.refuse("constants", "text such as \"E=0..5\", or a table of such ranges");
    }
  }
  if (fields.has("inputs")) {
    const Json& inputs = document["inputs"];
    if (inputs.is_string()) {
      out.inputs = parse_law_inputs(inputs.get<std::string>(), where + ": inputs");
    } else if (inputs.is_object()) {
      for (const auto& [name, column] : inputs.items()) {
        if (!column.is_string()) fields.refuse("inputs", "a table of names of columns");
        out.inputs.push_back({name, column.get<std::string>()});
      }
    } else {
      fields.refuse("inputs", "text such as \"experts=num_experts\", or a table");
    }
  }
  if (fields.has("values")) {
    if (!document["values"].is_object()) fields.refuse("values", "a table of numbers");
    for (const auto& [key, value] : document["values"].items()) {
      const std::string& name = key;  // lambdas cannot capture the parts of a binding
      if (!value.is_number() || !std::isfinite(value.get<double>()))
        fields.refuse("values", "a table of finite numbers");
      auto found = std::find_if(out.constants.begin(), out.constants.end(),
                                [&](const LawConstant& each) { return each.name == name; });
      if (found == out.constants.end())
        found = out.constants.insert(out.constants.end(), LawConstant{.name = name});
      found->value = value.get<double>();
    }
  }
  return out;
}

BoundLaw law_of_fit(const Json& fit, const std::string& where) {
  const auto name = fit.is_object() ? fit.find("law") : fit.end();
  if (!fit.is_object() || name == fit.end() || !name->is_string()) {
    throw Error(
        fmt::format("{}: names no .law; give the document that `bitlaw fit --json` prints", where));
  }
  if (const auto own = fit.find("formula"); own != fit.end() && own->is_object())
    return formula_law(law_formula_from(*own, where + ": formula"));
  const std::string& text = name->get_ref<const std::string&>();
  const Law* law = find_law(text);
  if (!law) {
    throw Error(fmt::format("{}: is a fit of {}, a law that this version does not know", where,
                            printable(text)));
  }
  // A registered law is owned until the program ends, as a compiled one is.
  return BoundLaw(std::shared_ptr<const Law>(std::shared_ptr<void>(), law));
}

}  // namespace bitlaw
