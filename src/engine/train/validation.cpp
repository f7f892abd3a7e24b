#include "train/validation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "data/loader.h"

namespace bitlaw {

Validation summarize_losses(std::span<const float> losses, std::span<const int64_t> clusters) {
  BITLAW_CHECK(!losses.empty() && losses.size() == clusters.size());
  struct Cluster {
    double sum = 0;
    double tokens = 0;
  };
  std::map<int64_t, Cluster> sums;
  double total = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    Cluster& cluster = sums[clusters[i]];
    cluster.sum += losses[i];
    ++cluster.tokens;
    total += losses[i];
  }
  const auto n = static_cast<double>(losses.size());
  const auto G = static_cast<double>(sums.size());
  Validation out;
  out.loss_nats = total / n;
  out.tokens = static_cast<int64_t>(losses.size());
  out.clusters = static_cast<int64_t>(sums.size());
  double squares = 0;
  for (const auto& [name, cluster] : sums) {
    const double residual = cluster.sum - cluster.tokens * out.loss_nats;
    squares += residual * residual;
  }
  if (G > 1) out.standard_error = std::sqrt(G / (G - 1) * squares) / n;
  return out;
}

ValidationSet make_validation_set(const Dataset& dataset, int64_t T, int64_t tokens) {
  const ValidationWindows windows(dataset.validation(), static_cast<int>(T), (tokens + T - 1) / T);
  const DatasetInfo& info = dataset.info();
  std::vector<int64_t> starts;  // of documents; empty: clusters are windows
  if (info.end_of_document >= 0) {
    starts = dataset.validation().document_starts(static_cast<Token>(info.end_of_document));
  }
  ValidationSet out;
  out.bytes_per_token = dataset.bytes_per_token();
  out.available = windows.available();
  const auto row = static_cast<size_t>(T + 1);
  out.tokens.resize(static_cast<size_t>(windows.size()) * row);
  for (int64_t w = 0; w < windows.size(); ++w) {
    const std::span<uint16_t> window(out.tokens.data() + static_cast<size_t>(w) * row, row);
    windows.window(w, window);
    out.windows.push_back(window);
    for (int64_t t = 0; t < T; ++t) {
      const int64_t target = windows.position(w) + t + 1;
      out.clusters.push_back(
          starts.empty() ? w
                         : std::upper_bound(starts.begin(), starts.end(), target) - starts.begin());
    }
  }
  return out;
}

double sampling_error(std::span<const float> losses, int64_t windows, int64_t available) {
  BITLAW_CHECK(windows >= 1 && windows <= available && std::ssize(losses) % windows == 0);
  if (windows == available) return 0;
  if (windows == 1) return kNoNumber;
  const size_t T = losses.size() / static_cast<size_t>(windows);
  const auto w = static_cast<double>(windows);
  std::vector<double> means(static_cast<size_t>(windows), 0);
  double mean = 0;
  for (size_t i = 0; i < losses.size(); ++i) means[i / T] += losses[i] / static_cast<double>(T);
  for (const double one : means) mean += one / w;
  double squares = 0;
  for (const double one : means) squares += (one - mean) * (one - mean);
  return std::sqrt(squares / (w - 1) / w * (1 - w / static_cast<double>(available)));
}

Validation validate(const Model& model, const Parameters& parameters, const ValidationSet& set,
                    ThreadPool& pool, const Context& like) {
  const std::vector<float> losses = per_token_losses(model, parameters, set.windows, pool, like);
  Validation out = summarize_losses(losses, set.clusters);
  out.sampling_error = sampling_error(losses, std::ssize(set.windows), set.available);
  if (set.bytes_per_token > 0)
    out.bits_per_byte = out.loss_nats / std::numbers::ln2 / set.bytes_per_token;
  return out;
}

}  // namespace bitlaw
