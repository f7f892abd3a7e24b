// Begin and end tokens according to the configuration files next to a tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace bitlaw {

struct SpecialTokenNames {
  // tokenizer_config.json: bos_token, eos_token (text, or an object with `content`), add_bos_token.
  std::string begin, end;  // "": not given
  std::optional<bool> adds_begin;
  // config.json: bos_token_id, eos_token_id (the first if it is a list).
  int32_t begin_id = -1, end_id = -1;
};

// Missing files give nothing. Error for a file that is not JSON or has such a key of the wrong
// type.
SpecialTokenNames read_special_token_names(const std::filesystem::path& directory);

}  // namespace bitlaw
