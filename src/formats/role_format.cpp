#include "formats/role_format.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "formats/precision.h"
#include "formats/weight_scheme.h"

namespace bitlaw {
namespace {

std::vector<std::string> role_names() {
  std::vector<std::string> names{"bf16", "fp32"};
  for (int bits = 2; bits <= 16; ++bits) names.push_back(integer_format(bits).name());
  for (const char* name : {"e2m0", "e2m1", "e2m3", "e3m0", "e3m1", "e3m2", "e4m3", "e5m2"})
    names.emplace_back(name);
  for (const std::string& name : block_format_names()) names.push_back(name);
  return names;
}

[[noreturn]] void unknown_role(const std::string& text) {
  for (const char* ending : {"-asym", "-clip"}) {
    if (!text.ends_with(ending)) continue;
    throw Error(fmt::format("'{}': {} is for weights after training; training rounds without it",
                            text, ending));
  }
  throw Error(unknown_name(
      "number format", text, role_names(),
      fmt::format("expected a number of bits, int2 .. int16 or eXmY, with -e8m0 or -e4m3 for "
                  "rounded scales; bf16, fp32, or {}",
                  fmt::join(block_format_names(), ", "))));
}

}  // namespace

RoleFormat role_format(const std::string& text) {
  const auto part = find_part_precision(text);
  if (!part) {
    require_in_range(text);
    unknown_role(text);
  }
  if (!part->format) {
    throw Error(
        fmt::format("'{}' gives bits but not the codes; write int4 or e2m1, for example", text));
  }
  return {*part->format, part->scales, part->group};
}

Quantizer in_role(const RoleFormat& role, const Quantizer& shared) {
  if (role.group == 0)
    return make_quantizer(role.format, shared.granularity, shared.group, role.scales);
  return make_quantizer(role.format, Granularity::kGroup, role.group, role.scales);
}

void require_own_block(const RoleFormat& role, const Quantizer& shared) {
  if (role.group == 0) return;
  const Quantizer own = in_role(role, {});
  if (shared.granularity == own.granularity && shared.group == own.group) return;
  throw Error(fmt::format(
      "{} is defined with blocks of {}, not {}; leave the granularity out, or write {}{} for other "
      "blocks",
      own.format_name(), role.group, shared.granularity_name(), role.format.name(),
      ending_of(role.scales)));
}

}  // namespace bitlaw
