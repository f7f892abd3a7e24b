#include "hf/exportable.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "model/model.h"

namespace bitlaw::hf {

LoadedModel load_exportable(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer) {
  LoadedModel loaded = load_model(checkpoint);
  const auto fail = [&](const std::string& why) {
    throw Error(fmt::format("{}: {}", checkpoint.string(), why));
  };
  if (loaded.config.extra_norm) {
    fail(
        "a model with extra_norm has no counterpart in other programs and cannot be exported; "
        "train one without it");
  }
  if (loaded.config.vocabulary != tokenizer.vocabulary_size()) {
    fail(fmt::format("the model has a vocabulary of {} and its tokenizer one of {}",
                     loaded.config.vocabulary, tokenizer.vocabulary_size()));
  }
  for (const Tensor& tensor : loaded.parameters.tensors) {
    for (int64_t i = 0; i < tensor.elements(); ++i) {
      if (!std::isfinite(tensor.f32()[i]))
        fail(
            "a weight is not finite, so the file is damaged; move the run's directory away and "
            "repeat the `bitlaw train` that made it");
    }
  }
  return loaded;
}

}  // namespace bitlaw::hf
