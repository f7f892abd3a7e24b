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
  for (const char* name : kUsualFloats) names.emplace_back(name);
  for (const std::string& name : block_format_names()) names.push_back(name);
  return names;
}

[[noreturn]] void unknown_role(const std::string& text) {
  for (const char* ending : {"-clip", "-gauss"}) {
    if (text.ends_with(ending)) {
      throw Error(fmt::format("'{}': in a recipe that is an option: write +{} instead of {}", text,
                              ending + 1, ending));
    }
  }
  if (text.ends_with("-asym")) {
    throw Error(
        fmt::format("'{}': -asym is for weights after training; training rounds without it", text));
  }
  throw Error(unknown_name(
      "number format", text, role_names(),
      fmt::format("expected a number of bits, int2 .. int16 or eXmY, with -e8m0 or -e4m3 for "
                  "rounded scales; bf16, fp32, or {}",
                  fmt::join(block_format_names(), ", "))));
}

}  // namespace

RoleFormat role_format(const std::string& text) {
  const std::string name(without_options(text));
  const auto part = find_part_precision(name);
  if (!part) {
    require_in_range(name);
    unknown_role(name);
  }
  if (!part->format && (part->bits < 2 || part->bits > 16)) {
    throw Error(fmt::format(
        "'{}' is not a number of bits to round to; expected 2 to 16, for example 4, or a format "
        "such as e2m1 or mxfp4",
        text));
  }
  if (!part->format) {
    throw Error(
        fmt::format("'{}' gives bits but not the codes; write int4 or e2m1, for example", text));
  }
  const RoleOptions options = parse_role_options(std::string_view(text).substr(name.size()));
  if (!part->format->scaled() && (options.fits_range() || options.trust)) {
    throw Error(
        fmt::format("'{}': {} has no scale, so nothing is cut off; only +hadamard goes with it",
                    text, part->format->name()));
  }
  return {*part->format, part->scales, part->group, options};
}

Quantizer in_role(const RoleFormat& role, const Quantizer& shared) {
  Quantizer out = role.group == 0
                      ? make_quantizer(role.format, shared.granularity, shared.group, role.scales)
                      : make_quantizer(role.format, Granularity::kGroup, role.group, role.scales);
  out.options = role.options;
  return out;
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
