#include "quantize/chance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hf/forward.h"
#include "quantize/checkpoint_pass.h"

namespace bitlaw {

double loss_at_a_glance(const hf::Architecture& architecture, const hf::Weights& weights,
                        const TextWindows& text, ThreadPool& pool) {
  const int64_t T = text.sequence, V = architecture.vocabulary;
  const int64_t windows = std::min(text.size(), std::max<int64_t>(1, kGlanceTokens / T));
  const PassText some{std::span(text.tokens).first(static_cast<size_t>(windows * (T + 1)))};
  hf::Forward forward(architecture, T, pool);
  Tensor states = forward.embed(weights, inputs_of(some, T));
  for (int64_t l = 0; l < architecture.layers; ++l)
    forward.run(l, load_layer(weights, l), {}, states);
  const hf::Head head = load_head(weights);
  std::vector<double> losses(static_cast<size_t>(windows));
  pool.parallel_for(windows, [&](int64_t w, int worker) {
    constexpr int64_t kRows = 64;  // of logits at once
    double sum = 0;
    for (int64_t begin = w * T; begin < (w + 1) * T; begin += kRows) {
      const int64_t end = std::min(begin + kRows, (w + 1) * T);
      const Tensor logits = forward.logits(head, states.rows(begin, end), worker);
      for (int64_t i = begin; i < end; ++i) {
        const std::span row(logits.f32() + (i - begin) * V, static_cast<size_t>(V));
        const double most = *std::max_element(row.begin(), row.end());
        double total = 0;
        for (const float x : row) total += std::exp(x - most);
        const int32_t target = text.window(w)[static_cast<size_t>(i - w * T + 1)];
        sum += most + std::log(total) - row[static_cast<size_t>(target)];
      }
    }
    losses[static_cast<size_t>(w)] = sum;
  });
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(windows * T);
}

std::string worse_than_chance(const std::string& where, double loss_nats, int64_t vocabulary) {
  const double chance = std::log(static_cast<double>(vocabulary));
  if (!(loss_nats > chance)) return "";
  return fmt::format(
      "{}: its loss on this text is {:.2f} nats per token, and a uniform guess among its {} tokens "
      "has {:.2f}: the tokenizer is not that of these weights, or the text is nothing like what "
      "the model was trained on; --worse-than-chance measures it all the same",
      where, loss_nats, vocabulary, chance);
}

}  // namespace bitlaw
