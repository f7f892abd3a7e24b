#include "base/config.h"

#include "base/names.h"

namespace bitlaw {
namespace {

void print_section(const Json& object, const std::string& prefix, std::string& out) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) out += fmt::format("{} = {}\n", key, dump_json(value));
  }
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) continue;
    out += fmt::format("\n[{}{}]\n", prefix, key);
    print_section(value, prefix + key + ".", out);
  }
}

}  // namespace

std::string dump_toml(const Json& document) {
  std::string out;
  print_section(document, "", out);
  return out;
}

namespace config_detail {

void wrong_type(const std::string& where, const std::string& key, const char* expected,
                const Json& value) {
  throw Error(fmt::format("{}: {} must be {}, not {}", where, key, expected, dump_json(value)));
}

void Fill::reject_unknown() const {
  for (const auto& [key, value] : document.items()) {
    bool known = false;
    for (const std::string& name : seen) known = known || name == key;
    if (known) continue;
    std::vector<std::string> all;
    for (const std::string& name : seen) all.push_back(prefix + name);
    throw Error(fmt::format("{}: {}", where, unknown_name("key", prefix + key, all)));
  }
}

}  // namespace config_detail
}  // namespace bitlaw
