#include "train/repetition.h"

#include <fmt/format.h>

#include "base/text.h"
#include "data/loader.h"

namespace bitlaw {
namespace {

double usable_tokens(const ResolvedConfig& resolved, const DatasetInfo& data) {
  const int64_t T = resolved.config.model.sequence;
  return static_cast<double>(window_count(data.train.tokens, static_cast<int>(T)) * T);
}

}  // namespace

double epochs(const ResolvedConfig& resolved, const DatasetInfo& data) {
  return static_cast<double>(resolved.config.train.tokens) / usable_tokens(resolved, data);
}

std::string repetition_note(const ResolvedConfig& resolved, const DatasetInfo& data) {
  const double passes = epochs(resolved, data);
  if (!(passes > 1)) return "";
  return fmt::format(
      "D = {} is more than the {} training tokens of {}: text repeats, {:.3g} epochs",
      format_count(static_cast<double>(resolved.config.train.tokens)),
      format_count(usable_tokens(resolved, data)), resolved.config.data.path, passes);
}

std::string cut_documents_note(const ResolvedConfig& resolved, const DatasetInfo& data) {
  const int64_t T = resolved.config.model.sequence;
  if (!data.synthetic || T % data.synthetic->document_tokens == 0) return "";
  return fmt::format(
      "sequences of {} tokens cut the documents of {} tokens of {}: the least loss is above its "
      "entropy, {:.4f} nats; make model.sequence a multiple of {}",
      T, data.synthetic->document_tokens, resolved.config.data.path, data.synthetic->entropy_rate,
      data.synthetic->document_tokens);
}

}  // namespace bitlaw
