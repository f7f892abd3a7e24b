#include "quantize/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"

namespace bitlaw {
namespace {

// The options, in the order of a method's name.
constexpr struct Option {
  const char* name;
  bool& (*flag)(MatrixCell&);
} kOptions[] = {
    {"act-order", [](MatrixCell& cell) -> bool& { return cell.act_order; }},
    {"asymmetric", [](MatrixCell& cell) -> bool& { return cell.scheme.asymmetric; }},
    {"clip", [](MatrixCell& cell) -> bool& { return cell.scheme.clip; }},
    {"gauss", [](MatrixCell& cell) -> bool& { return cell.scheme.gauss; }},
    {"hadamard", [](MatrixCell& cell) -> bool& { return cell.rotated; }},
};

// Names of the methods that `takes` is true of, as a list.
template <class Takes>
std::string methods_that(const Takes& takes) {
  std::vector<std::string> names;
  for (const PtqMethod& method : ptq_methods()) {
    if (takes(method)) names.emplace_back(method.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

template <class Table>
[[noreturn]] void unknown(const Table& table, const std::string& text, const std::string& part,
                          const char* what) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.push_back(entry.name);
  throw Error(fmt::format("methods: '{}': {}", text, unknown_name(what, part, names)));
}

// The suffix of a role that is rounded otherwise than in training.
std::string role_suffix(const char* role, const std::optional<Quantizer>& quantizer) {
  if (!quantizer) return "";
  const Format& format = quantizer->format;
  const bool is_plain =
      format.kind == FormatKind::kInteger && quantizer->scales == ScaleRule::kFloat32;
  const std::string bits = is_plain          ? std::to_string(format.bits)
                           : format.scaled() ? "-" + quantizer->format_name()
                                             : format.name();
  return "+" + std::string(role) + bits;
}

std::string granularity_name(const WeightScheme& scheme) {
  return scheme.group == 0 ? "channel" : fmt::format("group{}", scheme.group);
}

}  // namespace

std::string method_name(const MatrixCell& cell) {
  std::string out = cell.method->name;
  MatrixCell copy = cell;
  for (const Option& option : kOptions) {
    if (option.flag(copy)) out += std::string("+") + option.name;
  }
  return out;
}

MatrixCell parse_method(const std::string& text) {
  std::vector<std::string> parts = split(text, '+');
  if (parts.empty()) parts.emplace_back();  // of an empty text
  MatrixCell out;
  out.method = find_ptq_method(parts[0]);
  if (out.method == nullptr) unknown(ptq_methods(), text, parts[0], "method");
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto* const option =
        std::find_if(std::begin(kOptions), std::end(kOptions),
                     [&](const Option& known) { return parts[i] == known.name; });
    if (option == std::end(kOptions)) unknown(kOptions, text, parts[i], "option");
    option->flag(out) = true;
  }
  if (out.act_order && !out.method->orders_columns) {
    throw Error(
        fmt::format("methods: '{}': act-order applies to {} only; remove it", text,
                    methods_that([](const PtqMethod& method) { return method.orders_columns; })));
  }
  if (out.method->round == nullptr && parts.size() > 1) {
    throw Error(fmt::format("methods: '{}': {} keeps the weights as they are and has no options",
                            text, out.method->name));
  }
  return out;
}

std::string method_names() {
  return methods_that([](const PtqMethod&) { return true; });
}

std::string method_help() {
  std::vector<std::string> lines;
  for (const PtqMethod& method : ptq_methods()) {
    lines.push_back(*method.help == 0 ? method.name
                                      : fmt::format("{} ({})", method.name, method.help));
  }
  return fmt::format("{}, with options: ", fmt::join(lines, ", ")) +
         "gptq+act-order, rtn+asymmetric, awq+clip, gptq+hadamard";
}

std::string PtqCell::label() const {
  std::string out = method_name(weights);
  const WeightScheme& scheme = weights.scheme;
  if (rounds_weights()) {
    if (scheme.scales == ScaleRule::kE8M0) {
      out += "+mx";
    } else if (scheme.scales == ScaleRule::kE4M3) {
      out += "+nv";
    } else if (scheme.format.kind == FormatKind::kFloat) {
      out += "+float";
    }
  }
  return out + role_suffix("a", activations) + role_suffix("kv", kv);
}

std::string PtqCell::title() const {
  if (!rounds_weights()) return label();
  const WeightScheme& scheme = weights.scheme;
  return fmt::format("{} {} {}", label(), scheme.format.name(), granularity_name(scheme));
}

CellKey PtqCell::key() const {
  CellKey out;
  out.method = label();
  if (activations) out.activations = activations->name();
  if (kv) out.kv = kv->name();
  if (!rounds_weights()) return out;
  const WeightScheme& scheme = weights.scheme;
  out.format = scheme.format.name();
  out.scheme = scheme.name();
  out.granularity = granularity_name(scheme);
  out.bits = scheme.format.bits;
  out.group = scheme.group;
  if (weights.method->damps_hessian) out.first_damping = weights.first_damping;
  return out;
}

bool changes_nothing(const Recipe& trained, const PtqCell& cell) {
  const Format& format = trained.weights.format;
  const bool as_many_bits =
      !cell.rounds_weights() || cell.weights.scheme.format.bits >= format.bits;
  return format.scaled() && as_many_bits && !cell.activations && !cell.kv;
}

MatrixCell round_to_nearest_beside(const MatrixCell& cell) {
  if (cell.method->round == nullptr) return cell;
  MatrixCell out = cell;
  out.method = &ptq_method("rtn");
  out.act_order = false;
  return out;
}

}  // namespace bitlaw
