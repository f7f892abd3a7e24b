// The JSON files of a Hugging Face checkpoint. config.json: any bytes give a consistent
// architecture or an Error. model.safetensors.index.json: a map from tensors to files in the same
// directory, or an Error. tokenizer_config.json: names of special tokens, or an Error.
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "base/json.h"
#include "hf/layout.h"
#include "hf/rotary.h"
#include "hf/weights.h"
#include "input_folder.h"
#include "model/checkpoint.h"
#include "tokenizer/special_tokens.h"

namespace {

using namespace bitlaw;
using namespace bitlaw::hf;

void read_config(const std::string& text) {
  const Architecture a = parse_architecture(parse_json(text, "input"), "input");
  BITLAW_CHECK(a.width > 0 && a.hidden > 0 && a.vocabulary > 0 && a.context > 0);
  BITLAW_CHECK(a.kv_heads > 0 && a.heads % a.kv_heads == 0);
  BITLAW_CHECK(a.rotary.dim > 0 && a.rotary.dim % 2 == 0 && a.rotary.dim <= a.head_dim);
  BITLAW_CHECK(static_cast<int64_t>(a.window.size()) == a.layers);
  for (const int64_t T : {int64_t{1}, a.context, 2 * a.context}) {
    for (const double frequency : rotary_frequencies(a.rotary, T)) {
      BITLAW_CHECK(std::isfinite(frequency) && frequency >= 0);
    }
  }
  const Layout layout = layout_of(a);
  BITLAW_CHECK(static_cast<int64_t>(layout.layers.size()) == a.layers);
  BITLAW_CHECK(layout.matrix_parameters() > 0 &&
               layout.matrix_parameters() < layout.layer_parameters());
}

void read_index(const std::string& text) {
  const auto shard_of = parse_shard_index(text, "input");
  BITLAW_CHECK(!shard_of.empty());
  for (const auto& [tensor, shard] : shard_of) {
    BITLAW_CHECK(!shard.empty() && shard != ".." && shard.find('/') == std::string::npos);
  }
}

template <class Read>
void result_or_error(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

// There are no weights, and no memory is taken for them.
const InputFolder& folder() {
  static const InputFolder folder{"config.json", "tokenizer_config.json"};
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  folder().set(data, size);
  result_or_error([&] { read_config(text); });
  result_or_error([&] { read_index(text); });
  result_or_error([&] { read_special_token_names(folder().path()); });
  result_or_error([&] { load_model(folder().path()); });
  return 0;
}
