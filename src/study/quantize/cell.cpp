#include "quantize/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

constexpr struct {
  const char* name;
  PtqMethod method;
} kMethods[] = {{"none", PtqMethod::kNone},
                {"rtn", PtqMethod::kRtn},
                {"gptq", PtqMethod::kGptq},
                {"awq", PtqMethod::kAwq}};

constexpr struct {
  const char* name;
  bool PtqMethodSpec::*flag;
} kOptions[] = {{"act-order", &PtqMethodSpec::act_order},
                {"asymmetric", &PtqMethodSpec::asymmetric},
                {"clip", &PtqMethodSpec::clip},
                {"hadamard", &PtqMethodSpec::rotated}};

template <class Table>
[[noreturn]] void unknown(const Table& table, const std::string& text, const std::string& part,
                          const char* what) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.push_back(entry.name);
  const std::string near = nearest_name(part, names);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  throw Error(fmt::format("methods: '{}': '{}' is not {}{}; known are {}", text, part, what,
                          near.empty() ? "" : fmt::format(" (is it '{}'?)", near), all));
}

// The suffix of a role that is rounded otherwise than in training.
std::string role_suffix(const char* role, const std::optional<Quantizer>& quantizer) {
  if (!quantizer) return "";
  const Format& format = quantizer->format;
  const std::string bits = format.kind == FormatKind::kInteger ? std::to_string(format.bits)
                           : format.scaled()                   ? "-" + format.name()
                                                               : format.name();
  return "+" + std::string(role) + bits;
}

}  // namespace

std::string PtqMethodSpec::name() const {
  std::string out;
  for (const auto& known : kMethods) {
    if (known.method == method) out = known.name;
  }
  for (const auto& option : kOptions) {
    if (this->*option.flag) out += std::string("+") + option.name;
  }
  return out;
}

PtqMethodSpec parse_ptq_method(const std::string& text) {
  std::vector<std::string> parts = split(text, '+');
  if (parts.empty()) parts.emplace_back();  // of an empty text
  PtqMethodSpec out;
  const auto method = std::find_if(std::begin(kMethods), std::end(kMethods),
                                   [&](const auto& known) { return parts[0] == known.name; });
  if (method == std::end(kMethods)) unknown(kMethods, text, parts[0], "a method");
  out.method = method->method;
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto option = std::find_if(std::begin(kOptions), std::end(kOptions),
                                     [&](const auto& known) { return parts[i] == known.name; });
    if (option == std::end(kOptions)) unknown(kOptions, text, parts[i], "an option");
    out.*(option->flag) = true;
  }
  if (out.act_order && out.method != PtqMethod::kGptq) {
    throw Error(fmt::format(
        "methods: '{}': only gptq takes columns in an order; leave act-order away", text));
  }
  if (out.method == PtqMethod::kNone && parts.size() > 1) {
    throw Error(fmt::format(
        "methods: '{}': none leaves the weights as they are and takes no options", text));
  }
  return out;
}

std::string PtqCell::label() const {
  std::string out = method.name();
  if (method.method != PtqMethod::kNone) {
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
  if (method.method == PtqMethod::kNone) return label();
  return fmt::format("{} {} {}", label(), scheme.format.name(),
                     scheme.group == 0 ? "channel" : fmt::format("group{}", scheme.group));
}

Json PtqCell::description() const {
  Json out{{"method", label()},
           {"activations", activations ? Json(activations->name()) : Json(nullptr)},
           {"kv", kv ? Json(kv->name()) : Json(nullptr)}};
  if (method.method == PtqMethod::kNone) {
    out.update({{"format", nullptr}, {"bits", 16}, {"group", 0}, {"granularity", nullptr}});
    return out;
  }
  out.update({{"format", scheme.format.name()},
              {"scheme", scheme.name()},
              {"bits", scheme.format.bits},
              {"group", scheme.group},
              {"granularity",
               scheme.group == 0 ? std::string("channel") : fmt::format("group{}", scheme.group)}});
  return out;
}

}  // namespace bitlaw
