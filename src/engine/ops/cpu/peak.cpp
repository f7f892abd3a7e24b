#include "ops/cpu/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "ops/cpu/onednn.h"
#include "tensor/tensor.h"

namespace bitlaw::cpu {
namespace {

struct ProductShape {
  int64_t M, N, K;
};
// Around the products of small models; all three matrices fit into one core's L2.
constexpr ProductShape kShapes[] = {
    {256, 256, 256}, {256, 512, 512}, {512, 512, 512}, {256, 1024, 256}};
constexpr int kRounds = 6;
constexpr double kRoundSeconds = 0.01;

double seconds_now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// FLOP/s of one thread in the best of a few rounds.
double best_rate(DType dtype, const ProductShape& shape) {
  const auto [M, N, K] = shape;
  const Tensor a = Tensor::zeros(dtype, {M, K}), b = Tensor::zeros(dtype, {K, N}),
               c = Tensor::empty(DType::kF32, {M, N});
  for (int64_t i = 0; i < a.elements(); ++i) a.set(i, static_cast<double>(i % 7) - 3);
  for (int64_t i = 0; i < b.elements(); ++i) b.set(i, static_cast<double>(i % 5) - 2);
  const auto elements = static_cast<int64_t>(onednn::packed_bytes(dtype, K, N) / size_of(dtype));
  const Tensor packed = Tensor::empty(dtype, {elements});
  onednn::pack(dtype, K, N, b.raw(), N, false, packed.raw());
  const onednn::Problem problem{.dtype = dtype,
                                .M = M,
                                .N = N,
                                .K = K,
                                .lda = K,
                                .ldb = 0,
                                .ldc = N,
                                .a_transposed = false,
                                .b_transposed = false,
                                .b_packed = true,
                                .accumulate = false};
  double best = 0;
  for (int round = 0; round <= kRounds; ++round) {  // the first one warms up
    const double begin = seconds_now();
    double end = begin;
    int64_t calls = 0;
    for (; end - begin < kRoundSeconds; end = seconds_now()) {
      for (int i = 0; i < 8; ++i, ++calls)
        onednn::multiply(problem, a.raw(), packed.raw(), c.f32());
    }
    const double flops = 2.0 * static_cast<double>(M * N * K) * static_cast<double>(calls);
    if (round > 0) best = std::max(best, flops / (end - begin));
  }
  return best;
}

// All threads at once on one shape, their rates added.
double combined_rate(DType dtype, const ProductShape& shape, int threads) {
  std::vector<double> rates(static_cast<size_t>(threads));
  std::atomic<int> waiting{threads};
  std::vector<std::thread> others;
  const auto run = [&](int thread) {
    --waiting;
    while (waiting > 0) std::this_thread::yield();
    rates[static_cast<size_t>(thread)] = best_rate(dtype, shape);
  };
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
  run(0);
  for (std::thread& other : others) other.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

double peak(DType dtype, int threads) {
  double best = 0;
  for (const ProductShape& shape : kShapes)
    best = std::max(best, combined_rate(dtype, shape, threads));
  return best;
}

}  // namespace

Peaks measure_peaks(int threads) {
  BITLAW_CHECK(threads >= 1);
  return {.bf16_flops = peak(DType::kBF16, threads), .fp32_flops = peak(DType::kF32, threads)};
}

}  // namespace bitlaw::cpu
