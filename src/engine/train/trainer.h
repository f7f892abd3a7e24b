// Optimizer steps, in memory only: no files, no clock, no data set.
//
// The sequences of a step are split over lanes: sequence i of B belongs to lane floor(i lanes / B).
// A lane takes its sequences in order, each forward and backward through all layers, and sums their
// gradients in FP32. Then lanes are added in order, the gradient is clipped, and AdamW is applied
// over fixed chunks of the flat parameter vector. Threads take the next sequence of whichever lane
// is free, so that a thread on a busy core does less. The order of additions never depends on
// threads: the same bits for any number of threads.
//
// If the recipe has scales per batch, all sequences of a step go forward together first
// (Model::forward_batch), so the activations of all of them are in memory at once; then lanes and
// threads take them backward as above.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "base/float_mode.h"
#include "base/parallel.h"
#include "model/model.h"
#include "optim/optimizer.h"

namespace bitlaw {

struct TrainerOptions {
  ModelConfig model;  // resolved
  Recipe recipe;
  OptimizerConfig optimizer;
  int64_t batch_sequences;  // of one step
  int64_t lanes;            // 1 .. batch_sequences
  DType gradient_dtype = DType::kBF16;
  uint64_t seed = 1;  // of the initial weights
  int threads = 1;
  const Backend* backend = &kCpuBackend;
  Isa isa = best_isa();
  Profile* profile = nullptr;  // records the first thread's ops, unless null
};

// Writes the T + 1 tokens of sequence `index` of `step`. Called from many threads at once.
using SequenceSource = std::function<void(int64_t step, int64_t index, std::span<uint16_t> tokens)>;

struct StepResult {
  double loss_nats;      // mean over the tokens of the step, before the update
  double gradient_norm;  // of the mean gradient, before clipping
  bool updated;          // false if one of them is not finite; the weights were not changed
};

class Trainer {
 public:
  explicit Trainer(const TrainerOptions& options);

  StepResult step(const SequenceSource& source, double learning_rate);

  int64_t steps_done() const { return steps_done_; }
  Model& model() { return model_; }
  const Parameters& parameters() const { return parameters_; }
  const Tensor& first_moment() const { return first_moment_; }    // [total] F32
  const Tensor& second_moment() const { return second_moment_; }  // [total] F32
  ThreadPool& pool() { return pool_; }
  const TrainerOptions& options() const { return options_; }

  // Rounds and packs the current weights, for evaluation.
  void prepare(bool training);
  // Resumes after `steps_done` steps; the caller has written parameters() and both moments.
  void restore(int64_t steps_done) { steps_done_ = steps_done; }
  // Frees what only training needs: moments, gradients, activations. No step() after this.
  void release_training_memory();

 private:
  struct Lane {
    Parameters gradient;
    double loss_sum;           // nats
    int64_t begin, next, end;  // its sequences of the step, and the first that is not done;
                               // only its worker changes `next`, holding the mutex
    bool taken;                // by a worker, for one sequence
  };
  struct Worker {  // or, with scales per batch, one sequence of the step
    ActivationsPtr activations;
    Tensor losses;                 // [T]
    std::vector<uint16_t> tokens;  // [T + 1]
  };
  struct Chunk {  // of the flat vector, inside one tensor
    int64_t begin, count;
    bool decayed;
    size_t parameter;  // whose tensor it is
  };

  double accumulate(const SequenceSource& source);  // into the lanes; returns the mean loss
  // A free one: the last if it is not far ahead of the others, else that with most to do; or null.
  Lane* take_lane(std::unique_lock<std::mutex>& lock, Lane* last);
  void run_sequence(const SequenceSource& source, Lane& lane, int thread);  // the next one
  void make_worker(Worker& worker) const;               // by the thread that uses it
  void forward_together(const SequenceSource& source);  // all sequences of a step
  double add_lanes();                                   // into the first; returns the norm
  void update(double learning_rate, double gradient_scale);

  TrainerOptions options_;
  FlushSubnormals flush_;  // before the pool: its threads inherit the mode
  ThreadPool pool_;
  std::vector<Context> contexts_;     // one per thread
  std::vector<Worker> workers_;       // one per thread; one per sequence with scales per batch
  std::vector<BatchMember> members_;  // with scales per batch: the workers of the step
  Model model_;
  Parameters parameters_;
  Tensor first_moment_, second_moment_;
  std::vector<Lane> lanes_;
  std::mutex lanes_mutex_;
  std::condition_variable lane_free_;
  bool failed_ = false;  // a sequence of this step has thrown
  std::vector<Chunk> chunks_;
  std::vector<double> squares_;  // of the gradient, chunk by chunk
  int64_t steps_done_ = 0;
};

}  // namespace bitlaw
