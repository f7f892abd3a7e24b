#include "formats/role_name.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "formats/precision.h"
#include "formats/role_options.h"

namespace bitlaw {

std::string role_name(const std::string& role, const std::string& text) {
  const std::string format(without_options(text));
  if (trim(format).empty() || find_part_precision(format)) return text;
  const auto named = named_precision(format);
  if (!named) return text;
  if (!named->ending.empty() || named->weights.group > 0)
    throw Error(fmt::format("'{}' says more than a format; write that of this part alone", text));
  const PartPrecision* wanted = nullptr;
  std::vector<std::string> others;
  for (const auto& [name, part] : {std::pair("weights", &named->weights),
                                   {"activations", &named->activations},
                                   {"kv", &named->kv},
                                   {"queries", &named->queries}}) {
    if (role == name) {
      wanted = part;
    } else if (part->quantized()) {
      others.push_back(fmt::format("recipe.{} = {:g}", name, part->bits));
    }
  }
  BITLAW_CHECK(wanted != nullptr);
  if (!others.empty() && !wanted->quantized()) {
    throw Error(fmt::format(
        "'{}' says nothing of this part, it is {}; expected bits or a format, for example 4, int4 "
        "or mxfp4",
        text, fmt::join(others, ", ")));
  }
  if (!others.empty()) {
    throw Error(fmt::format("'{}' is the precision of other parts, too; write {:g}, and {}", text,
                            wanted->bits, fmt::join(others, ", ")));
  }
  return wanted->format ? wanted->format->name() + text.substr(format.size()) : text;
}

}  // namespace bitlaw
