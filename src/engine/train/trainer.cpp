#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>

#include "ops/update.h"

namespace bitlaw {
namespace {

// 256 KiB of each vector: weights, moments and gradient of a chunk stay in a core's L2 while it is
// updated.
constexpr int64_t kChunkElements = 1 << 16;
static_assert(kChunkElements % Model::kFinishedTogether == 0);

// 16 KiB of a chunk: what lanes are added into stays in the nearest cache meanwhile.
constexpr int64_t kPieceElements = 1 << 12;

// A thread leaves its lane for one that is this many sequences behind.
constexpr int64_t kFallenBehind = 3;

Recipe with_batch(Recipe recipe, int64_t sequences) {
  if (recipe.has_batch_scales()) recipe.batch_sequences = sequences;
  return recipe;
}

Tensor slice(const Tensor& flat, int64_t begin, int64_t count) {
  return flat.rows(begin, begin + count);
}

}  // namespace

Trainer::Trainer(const TrainerOptions& options)
    : options_(options),
      pool_(options.threads),
      model_(options.model, with_batch(options.recipe, options.batch_sequences)) {
  BITLAW_CHECK(1 <= options.lanes && options.lanes <= options.batch_sequences);
  parameters_ = model_.make_parameters();
  model_.initialize(parameters_, options.seed);
  const int64_t total = parameters_.flat.elements();
  first_moment_ = Tensor::zeros(DType::kF32, {total});
  second_moment_ = Tensor::zeros(DType::kF32, {total});

  lanes_.resize(static_cast<size_t>(options.lanes));
  for (Lane& lane : lanes_) lane.gradient = model_.make_parameters();
  for (int worker = 0; worker < options.threads; ++worker) {
    Context& context = contexts_.emplace_back();
    context.backend = options.backend;
    context.isa = options.isa;
    context.gradient_dtype = options.gradient_dtype;
    if (worker == 0) context.profile = options.profile;
  }
  workers_.resize(model_.recipe().has_batch_scales() ? static_cast<size_t>(options.batch_sequences)
                                                     : contexts_.size());
  for (const ParameterInfo& info : model_.infos()) {
    const int64_t end = info.offset + info.shape.elements();
    const auto parameter = static_cast<size_t>(&info - model_.infos().data());
    for (int64_t begin = info.offset; begin < end; begin += kChunkElements) {
      chunks_.push_back({begin, std::min(kChunkElements, end - begin), info.decayed, parameter});
    }
  }
  squares_.resize(chunks_.size());
}

StepResult Trainer::step(const SequenceSource& source, double learning_rate) {
  prepare(true);
  StepResult result{};
  result.loss_nats = accumulate(source);
  result.gradient_norm = add_lanes();
  result.updated = std::isfinite(result.loss_nats) && std::isfinite(result.gradient_norm);
  if (!result.updated) return result;
  ++steps_done_;
  update(learning_rate, clip_factor(result.gradient_norm, options_.optimizer.clip));
  return result;
}

void Trainer::prepare(bool training) {
  model_.prepare(contexts_[0], parameters_, training, &pool_, &contexts_);
}

double Trainer::accumulate(const SequenceSource& source) {
  const int64_t B = options_.batch_sequences, lanes = options_.lanes;
  for (int64_t number = 0; number < lanes; ++number) {
    Lane& lane = lanes_[static_cast<size_t>(number)];
    // The sequences i with floor(i lanes / B) == number.
    lane.begin = lane.next = (number * B + lanes - 1) / lanes;
    lane.end = ((number + 1) * B + lanes - 1) / lanes;
    lane.loss_sum = 0;
    lane.taken = false;
  }
  failed_ = false;
  if (model_.recipe().has_batch_scales()) forward_together(source);
  const auto work = [&](int64_t, int thread) {
    std::unique_lock lock(lanes_mutex_);
    Lane* lane = nullptr;
    while ((lane = take_lane(lock, lane)) != nullptr) {
      lock.unlock();
      std::exception_ptr failure;
      try {
        run_sequence(source, *lane, thread);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      lane->taken = false;
      ++lane->next;
      failed_ |= failure != nullptr;  // all threads stop
      lane_free_.notify_all();
      if (failure) std::rethrow_exception(failure);
    }
  };
  pool_.parallel_for(options_.threads, std::ref(work));
  double sum = 0;
  for (const Lane& lane : lanes_) sum += lane.loss_sum;
  return sum / static_cast<double>(B * options_.model.sequence);
}

Trainer::Lane* Trainer::take_lane(std::unique_lock<std::mutex>& lock, Lane* last) {
  const int64_t behind = options_.threads == 1 ? options_.batch_sequences : kFallenBehind;
  for (;;) {
    Lane* best = nullptr;
    bool waiting = false;
    for (Lane& lane : lanes_) {
      if (lane.taken) {
        waiting |= lane.end - lane.next > 1;
      } else if (lane.next == lane.end) {
        continue;
      } else if (best == nullptr || lane.end - lane.next > best->end - best->next) {
        best = &lane;
      }
    }
    if (best != nullptr && !failed_) {
      // The last lane's gradient is near.
      const bool goes_on = last != nullptr && !last->taken && last->next < last->end &&
                           best->end - best->next < last->end - last->next + behind;
      if (goes_on) best = last;
      best->taken = true;
      return best;
    }
    if (!waiting || failed_) return nullptr;
    lane_free_.wait(lock);
  }
}

void Trainer::make_worker(Worker& worker) const {
  if (worker.activations) return;
  const int64_t T = options_.model.sequence;
  worker.activations = make_activations(model_, true, options_.gradient_dtype);
  worker.losses = Tensor::empty(DType::kF32, {T});
  worker.tokens.resize(static_cast<size_t>(T + 1));
}

void Trainer::forward_together(const SequenceSource& source) {
  const auto T = static_cast<size_t>(options_.model.sequence);
  members_.resize(workers_.size());
  const auto begin = [&](int64_t number, int) {
    Worker& worker = workers_[static_cast<size_t>(number)];
    make_worker(worker);
    source(steps_done_, number, worker.tokens);
    members_[static_cast<size_t>(number)] = {std::span(worker.tokens).first(T),
                                             worker.activations.get()};
  };
  pool_.parallel_for(static_cast<int64_t>(members_.size()), std::ref(begin));
  model_.forward_batch(parameters_, members_, pool_, contexts_);
}

void Trainer::run_sequence(const SequenceSource& source, Lane& lane, int thread) {
  const int64_t B = options_.batch_sequences, T = options_.model.sequence;
  const bool is_forward_done = model_.recipe().has_batch_scales();
  Worker& worker = workers_[static_cast<size_t>(is_forward_done ? lane.next : thread)];
  if (!is_forward_done) {
    make_worker(worker);
    source(steps_done_, lane.next, worker.tokens);
  }
  const std::span<const uint16_t> tokens = worker.tokens;
  const auto pass = is_forward_done ? &Model::backward : &Model::forward_backward;
  (model_.*pass)(contexts_[static_cast<size_t>(thread)], parameters_,
                 tokens.first(static_cast<size_t>(T)), tokens.subspan(1),
                 1 / static_cast<double>(B * T), *worker.activations, worker.losses, lane.gradient,
                 /*fresh=*/lane.next == lane.begin);
  for (int64_t t = 0; t < T; ++t) lane.loss_sum += worker.losses.f32()[t];
}

double Trainer::add_lanes() {
  const auto add = [&](int64_t index, int thread) {
    Context& context = contexts_[static_cast<size_t>(thread)];
    const Chunk& chunk = chunks_[static_cast<size_t>(index)];
    for (int64_t done = 0; done < chunk.count; done += kPieceElements) {
      const int64_t begin = chunk.begin + done,
                    count = std::min(kPieceElements, chunk.count - done);
      Tensor sum = slice(lanes_[0].gradient.flat, begin, count);
      for (size_t lane = 1; lane < lanes_.size(); ++lane)
        add_in_place(context, slice(lanes_[lane].gradient.flat, begin, count), sum);
    }
    Tensor sum = slice(lanes_[0].gradient.flat, chunk.begin, chunk.count);
    model_.finish_gradient(context, chunk.parameter,
                           chunk.begin - model_.infos()[chunk.parameter].offset, sum);
    squares_[static_cast<size_t>(index)] = sum_of_squares(context, sum);
  };
  pool_.parallel_for(static_cast<int64_t>(chunks_.size()), std::ref(add));
  double total = 0;
  for (double square : squares_) total += square;
  return std::sqrt(total);
}

void Trainer::update(double learning_rate, double gradient_scale) {
  const OptimizerConfig& config = options_.optimizer;
  const auto update_chunk = [&](int64_t index, int thread) {
    const Chunk& chunk = chunks_[static_cast<size_t>(index)];
    const AdamW settings{.learning_rate = learning_rate,
                         .beta1 = config.beta1,
                         .beta2 = config.beta2,
                         .epsilon = config.epsilon,
                         .weight_decay = chunk.decayed ? config.weight_decay : 0,
                         .step = steps_done_,
                         .gradient_scale = gradient_scale};
    Tensor weights = slice(parameters_.flat, chunk.begin, chunk.count);
    Tensor first = slice(first_moment_, chunk.begin, chunk.count);
    Tensor second = slice(second_moment_, chunk.begin, chunk.count);
    adamw_update(contexts_[static_cast<size_t>(thread)], settings,
                 slice(lanes_[0].gradient.flat, chunk.begin, chunk.count), weights, first, second);
  };
  pool_.parallel_for(static_cast<int64_t>(chunks_.size()), std::ref(update_chunk));
}

void Trainer::release_training_memory() {
  lanes_.clear();
  first_moment_ = second_moment_ = Tensor();
  members_.clear();
  workers_.clear();
  for (Context& context : contexts_) context.workspace = Workspace();
}

}  // namespace bitlaw
