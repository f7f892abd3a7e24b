#include "tokenizer/special_tokens.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/known_content.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

std::string token_name(const JsonFields& config, const char* key) {
  if (!config.has(key)) return "";
  if (config.at(key).is_object()) return config.object(key).text("content");
  return config.text(key);
}

int32_t token_id(const JsonFields& config, const char* key) {
  if (!config.has(key)) return -1;
  const Json& value = config.at(key);
  const Json& id = value.is_array() && !value.empty() ? value[0] : value;
  if (!id.is_number_integer() || id.get<int64_t>() < -1 || id.get<int64_t>() > INT32_MAX)
    config.fail(key, "is not a token");
  return id.get<int32_t>();
}

}  // namespace

SpecialTokenNames read_special_token_names(const fs::path& directory) {
  SpecialTokenNames names;
  const fs::path tokenizer_config = directory / "tokenizer_config.json";
  if (fs::exists(tokenizer_config)) {
    const std::string text = read_file(tokenizer_config);
    if (const std::string known = known_content(text); !known.empty())
      throw Error(fmt::format("{}: {}", tokenizer_config.string(), known));
    const Json document = parse_json(text, tokenizer_config.string());
    const JsonFields config(document, tokenizer_config.string());
    names.begin = token_name(config, "bos_token");
    names.end = token_name(config, "eos_token");
    if (config.has("add_bos_token")) names.adds_begin = config.truth("add_bos_token", false);
  }
  const fs::path model_config = directory / "config.json";
  if (fs::exists(model_config)) {
    const Json document = parse_json(read_file(model_config), model_config.string());
    const JsonFields config(document, model_config.string());
    names.begin_id = token_id(config, "bos_token_id");
    names.end_id = token_id(config, "eos_token_id");
  }
  return names;
}

}  // namespace bitlaw
