// What a training step costs, op by op: one sequence through all layers, forward and backward,
// every op timed where it stands (so with the caches as a real step leaves them), then prepared
// weights and optimizer, spread over the tokens of a step.
//
// Beside each op: nanoseconds per token, share of the step, and its rate: GFLOP/s against the
// machine's BF16 product peak measured in the same run for products, nanoseconds per element for
// passes. Processor time, so that a busy neighbour costs no more than its share of the caches.
// Usage: bench/run ops [A|B|C] [--json].
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "ops/attention.h"
#include "ops/cpu/peak.h"
#include "ops/embed.h"
#include "ops/loss.h"
#include "ops/norm.h"
#include "ops/swiglu.h"
#include "ops/update.h"

namespace bitlaw {
namespace {

struct ModelShape {
  const char* name;
  int64_t d, L, H, T, V;
  int64_t step_tokens;  // of one optimizer step
  int64_t F() const { return (8 * d / 3 + 15) / 16 * 16; }
  double flops_per_token()
      const {  // forward and backward, head and the causal half of attention included
    const double matrices = static_cast<double>(L * (4 * d * d + 3 * d * F()));
    return 6 * (matrices + static_cast<double>(V * d)) + 6.0 * static_cast<double>(L * T * d);
  }
};
constexpr ModelShape kShapes[] = {{"A", 128, 4, 4, 256, 4096, 16384},
                                  {"B", 256, 6, 4, 256, 4096, 8192},
                                  {"C", 512, 8, 8, 512, 8192, 4096}};

struct Recipe {
  const char* name;
  Rounding weights, activations, kv;
};
const Recipe kRecipes[] = {
    {"bf16", {}, {}, {}},
    {"w4a4kv4",
     {integer_format(4), ScaleAxis::kRow},
     {integer_format(4), ScaleAxis::kTensor},
     {integer_format(4), ScaleAxis::kTensor}},
};

double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Seconds, operations and elements per op family.
struct Entry {
  double seconds = 0, flops = 0, elements = 0;
};
class Ledger {
 public:
  template <class F>
  void time(const std::string& op, double flops, double elements, F f) {
    const double begin = now();
    f();
    Entry& entry = entries_[op];
    entry.seconds += now() - begin;
    entry.flops += flops;
    entry.elements += elements;
  }
  void clear() { entries_.clear(); }
  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry> entries_;
};

Tensor normal(Shape shape, double size, uint64_t stream) {
  const Tensor x = Tensor::empty(DType::kF32, shape);
  for (int64_t i = 0; i < x.elements(); ++i) {
    x.f32()[i] = static_cast<float>(size * random_normal(1, stream, static_cast<uint64_t>(i)));
  }
  return x;
}
Tensor f32(Shape shape) {
  return Tensor::zeros(DType::kF32, shape);
}

struct Projection {
  Tensor master, gradient, mean, square;
  Weight weight;
};

struct Layer {
  Projection qkv, output, gate_up, down;
  Tensor x_in, x_middle, rstd1, rstd2, gate_up_out, attention_out, lse;
  Operand normed, q, k, v, attended, normed2, gated;
};

// One worker's model and activations.
class Step {
 public:
  Step(const ModelShape& shape, const Recipe& recipe)
      : s_(shape), recipe_(recipe), heads_{s_.T, s_.H, s_.H, s_.d / s_.H} {
    const int64_t d = s_.d, T = s_.T, F = s_.F();
    uint64_t stream = 0;
    const auto projection = [&](int64_t N, int64_t K) {
      return Projection{normal({N, K}, 1 / std::sqrt(static_cast<double>(K)), ++stream),
                        f32({N, K}),
                        f32({N, K}),
                        f32({N, K}),
                        {}};
    };
    for (int64_t l = 0; l < s_.L; ++l) {
      Layer layer{.qkv = projection(3 * d, d),
                  .output = projection(d, d),
                  .gate_up = projection(2 * F, d),
                  .down = projection(d, F)};
      layer.x_in = f32({T, d}), layer.x_middle = f32({T, d});
      layer.rstd1 = f32({T}), layer.rstd2 = f32({T});
      layer.gate_up_out = f32({T, 2 * F}), layer.attention_out = f32({T, d}),
      layer.lse = f32({s_.H, T});
      layer.normed = make_operand(recipe_.activations, T, d);
      layer.normed2 = make_operand(recipe_.activations, T, d);
      layer.attended = make_operand(recipe_.activations, T, d);
      layer.gated = make_operand(recipe_.activations, T, F);
      layer.q = make_operand({}, s_.H * T, heads_.dim);
      layer.k = make_operand(recipe_.kv, s_.H * T, heads_.dim);
      layer.v = make_operand(recipe_.kv, s_.H * T, heads_.dim);
      layers_.push_back(layer);
    }
    head_ = projection(s_.V, d);
    embedding_ = projection(s_.V, d);
    final_operand_ = make_operand({}, T, d);
    norm_ = normal({d}, 1, 999), dnorm_ = f32({d});
    rope_ = rope_table(T, heads_.dim, 10000);
    x_ = f32({T, d}), final_in_ = f32({T, d}), rstd_ = f32({T}), losses_ = f32({T}),
    y_ = f32({T, d});
    // What lives at different times shares memory, so that it is found in the cache.
    const Tensor scratch = f32({T, std::max(F, 3 * d)});
    const auto at = [&](int64_t offset, Shape shape) {
      return Tensor::borrow(DType::kF32, shape, scratch.f32() + offset);
    };
    scratch_ = scratch, qkv_ = f32({T, 3 * d});
    wide_ = at(0, {T, F});
    q_ = at(0, {s_.H * T, heads_.dim}), k_ = at(T * d, {s_.H * T, heads_.dim}),
    v_ = at(2 * T * d, {s_.H * T, heads_.dim});
    for (int64_t t = 0; t < T; ++t) {
      tokens_.push_back(static_cast<uint16_t>(
          random_below(1, 77, static_cast<uint64_t>(t), static_cast<uint64_t>(s_.V))));
    }
  }

  void prepare(Ledger& ledger) {
    const auto prepare_one = [&](const Rounding& rounding, Projection& p) {
      ledger.time("weights: round and pack", 0, static_cast<double>(p.master.elements()),
                  [&] { prepare_weight(c_, rounding, p.master, true, p.weight); });
    };
    for (Layer& layer : layers_) {
      for (Projection* p : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down})
        prepare_one(recipe_.weights, *p);
    }
    prepare_one({}, head_);
  }

  void update(Ledger& ledger) {
    const AdamW settings{1e-9, 0.9, 0.95, 1e-8, 0.1, 10, 1};
    const auto update_one = [&](Projection& p) {
      const auto elements = static_cast<double>(p.master.elements());
      ledger.time("optimizer: sum of squares", 0, elements,
                  [&] { sum_of_squares(c_, p.gradient); });
      ledger.time("optimizer: AdamW", 0, elements,
                  [&] { adamw_update(c_, settings, p.gradient, p.master, p.mean, p.square); });
      ledger.time("optimizer: clear gradient", 0, elements, [&] { p.gradient.fill_zero(); });
    };
    for (Layer& layer : layers_) {
      for (Projection* p : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) update_one(*p);
    }
    update_one(head_);
    update_one(embedding_);
  }

  void sequence(Ledger& ledger) {
    const int64_t d = s_.d, T = s_.T, F = s_.F(), V = s_.V;
    const double td = static_cast<double>(T * d), tf = static_cast<double>(T * F);
    const auto flops = [&](const Projection& p) {
      return 2.0 * static_cast<double>(T * p.master.elements());
    };
    const double attention_flops =
        2.0 * static_cast<double>(T * T * d);  // q k and p v, causal half
    const auto forward = [&](const char* name, const Operand& in, const Projection& p,
                             bool accumulate, Tensor& out) {
      ledger.time(std::string("forward: ") + name, flops(p), static_cast<double>(out.elements()),
                  [&] { linear_forward(c_, in, p.weight, accumulate, out); });
    };
    const auto round = [&](const Rounding& rounding, const Tensor& in, Operand& out) {
      ledger.time("forward: quantize", 0, static_cast<double>(in.elements()),
                  [&] { quantize(c_, rounding, in, out); });
    };
    const auto norm = [&](const Tensor& in, Tensor& rstd) {
      ledger.time("forward: norm", 0, td, [&] { rms_norm(c_, in, norm_, 1e-5, y_, rstd); });
    };

    ledger.time("forward: embed", 0, td, [&] { embed(c_, tokens_, embedding_.master, x_); });
    for (Layer& l : layers_) {
      ledger.time("forward: copy residual", 0, td, [&] { l.x_in.copy_from(x_); });
      norm(x_, l.rstd1);
      round(recipe_.activations, y_, l.normed);
      forward("qkv", l.normed, l.qkv, false, qkv_);
      ledger.time("forward: split heads", 0, 3 * td,
                  [&] { split_heads(c_, heads_, qkv_, rope_, q_, k_, v_); });
      round({}, q_, l.q);
      round(recipe_.kv, k_, l.k);
      round(recipe_.kv, v_, l.v);
      ledger.time("forward: attention", attention_flops, static_cast<double>(s_.H * T * T) / 2,
                  [&] { attention(c_, heads_, l.q, l.k, l.v, l.attention_out, l.lse); });
      round(recipe_.activations, l.attention_out, l.attended);
      forward("output", l.attended, l.output, true, x_);
      ledger.time("forward: copy residual", 0, td, [&] { l.x_middle.copy_from(x_); });
      norm(x_, l.rstd2);
      round(recipe_.activations, y_, l.normed2);
      forward("gate_up", l.normed2, l.gate_up, false, l.gate_up_out);
      ledger.time("forward: swiglu", 0, tf, [&] { swiglu(c_, l.gate_up_out, wide_); });
      round(recipe_.activations, wide_, l.gated);
      forward("down", l.gated, l.down, true, x_);
    }
    norm(x_, rstd_);
    round({}, y_, final_operand_);
    ledger.time("head and loss, both ways", 6.0 * static_cast<double>(T * V * d),
                static_cast<double>(T * V), [&] {
                  head_loss_backward(c_, final_operand_, head_.weight, tokens_, 1e-3, losses_, y_,
                                     &head_.gradient);
                });
    const auto norm_backward = [&](const Tensor& in, const Tensor& rstd, bool accumulate) {
      ledger.time("backward: norm", 0, td,
                  [&] { rms_norm_backward(c_, y_, in, norm_, rstd, accumulate, x_, dnorm_); });
    };
    const auto backward = [&](const char* name, const Tensor& dy, const Operand& in, Projection& p,
                              Tensor& dx) {
      ledger.time(std::string("backward: ") + name, 2 * flops(p),
                  static_cast<double>(dy.elements()),
                  [&] { linear_backward(c_, dy, in, p.weight, false, &dx, &p.gradient); });
    };
    norm_backward(final_in_, rstd_, false);
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
      Layer& l = *layer;
      backward("down", x_, l.gated, l.down, wide_);
      ledger.time("backward: swiglu", 0, tf,
                  [&] { swiglu_backward(c_, wide_, l.gate_up_out, l.gate_up_out); });
      backward("gate_up", l.gate_up_out, l.normed2, l.gate_up, y_);
      norm_backward(l.x_middle, l.rstd2, true);
      backward("output", x_, l.attended, l.output, y_);
      ledger.time(
          "backward: attention", 2 * attention_flops, static_cast<double>(s_.H * T * T) / 2, [&] {
            attention_backward(c_, heads_, l.q, l.k, l.v, l.attention_out, l.lse, y_, q_, k_, v_);
          });
      ledger.time("backward: merge heads", 0, 3 * td,
                  [&] { merge_heads(c_, heads_, q_, k_, v_, rope_, qkv_); });
      backward("qkv", qkv_, l.normed, l.qkv, y_);
      norm_backward(l.x_in, l.rstd1, true);
    }
    ledger.time("backward: embed", 0, td,
                [&] { embed_backward(c_, tokens_, x_, embedding_.gradient); });
  }

 private:
  ModelShape s_;
  Recipe recipe_;
  HeadShape heads_;
  Context c_;
  std::vector<Layer> layers_;
  Projection head_, embedding_;
  Operand final_operand_;
  Tensor norm_, dnorm_, rope_, x_, final_in_, rstd_, losses_, y_, wide_, qkv_, scratch_, q_, k_, v_;
  std::vector<uint16_t> tokens_;
};

struct Row {
  std::string op;
  double ns_per_token, flops_per_second, ns_per_element;
};

struct Cost {
  std::string shape, recipe;
  std::vector<Row> rows;
  double ns_per_token = 0, flops_per_second = 0;
};

// The best fifth of a few sequences; weights and optimizer once a step, spread over its tokens.
Cost measure(const ModelShape& shape, const Recipe& recipe) {
  Step step(shape, recipe);
  constexpr int kSequences = 15;
  Ledger warm;
  step.prepare(warm);
  step.sequence(warm);
  std::map<std::string, std::vector<Entry>> samples;
  for (int i = 0; i < kSequences; ++i) {
    Ledger ledger;
    step.sequence(ledger);
    for (const auto& [op, entry] : ledger.entries()) samples[op].push_back(entry);
  }
  std::map<std::string, std::vector<Entry>> once;
  for (int i = 0; i < 3; ++i) {
    Ledger ledger;
    step.update(ledger);
    step.prepare(ledger);
    for (const auto& [op, entry] : ledger.entries()) once[op].push_back(entry);
  }
  Cost cost{.shape = shape.name, .recipe = recipe.name};
  const auto add = [&](const std::string& op, std::vector<Entry> entries, int64_t tokens) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.seconds < b.seconds; });
    const Entry& entry = entries[entries.size() / 5];
    const double ns_per_token = entry.seconds * 1e9 / static_cast<double>(tokens);
    cost.rows.push_back(
        {op, ns_per_token, entry.flops / entry.seconds, entry.seconds * 1e9 / entry.elements});
    cost.ns_per_token += ns_per_token;
  };
  for (const auto& [op, entries] : samples) add(op, entries, shape.T);
  for (const auto& [op, entries] : once) add(op, entries, shape.step_tokens);
  cost.flops_per_second = shape.flops_per_token() / cost.ns_per_token * 1e9;
  return cost;
}

void print(const Cost& cost, const cpu::Peaks& peaks) {
  fmt::print(
      "\nshape {}, {}: {:.1f} us of one core per token, {:.0f} tokens/s, {:.0f} GFLOP/s, {:.1f} % "
      "of the peak\n",
      cost.shape, cost.recipe, cost.ns_per_token / 1e3, 1e9 / cost.ns_per_token,
      cost.flops_per_second / 1e9, 100 * cost.flops_per_second / peaks.bf16_flops);
  fmt::print("  {:<28}{:>10}{:>8}{:>14}{:>10}\n", "op", "ns/token", "share", "GFLOP/s",
             "ns/element");
  for (const Row& row : cost.rows) {
    const std::string rate = row.flops_per_second == 0
                                 ? ""
                                 : fmt::format("{:.0f} ({:.0f} %)", row.flops_per_second / 1e9,
                                               100 * row.flops_per_second / peaks.bf16_flops);
    fmt::print("  {:<28}{:>10.0f}{:>7.1f}%{:>14}{:>10.3f}\n", row.op, row.ns_per_token,
               100 * row.ns_per_token / cost.ns_per_token, rate, row.ns_per_element);
  }
}

nlohmann::json document(const Cost& cost, const cpu::Peaks& peaks) {
  nlohmann::json ops = nlohmann::json::array();
  for (const Row& row : cost.rows) {
    ops.push_back({{"op", row.op},
                   {"ns_per_token", row.ns_per_token},
                   {"flops_per_second", row.flops_per_second},
                   {"ns_per_element", row.ns_per_element}});
  }
  return {{"shape", cost.shape},
          {"recipe", cost.recipe},
          {"ns_per_token", cost.ns_per_token},
          {"flops_per_second", cost.flops_per_second},
          {"share_of_peak", cost.flops_per_second / peaks.bf16_flops},
          {"ops", ops}};
}

int run(int argc, char** argv) {
  bool json = false;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) {
      json = true;
    } else {
      only = argv[i];
    }
  }
  const cpu::Peaks peaks = cpu::measure_peaks(1);
  nlohmann::json rows = nlohmann::json::array();
  if (!json) {
    fmt::print("one core: BF16 products {:.0f} GFLOP/s, FP32 products {:.0f} GFLOP/s\n",
               peaks.bf16_flops / 1e9, peaks.fp32_flops / 1e9);
  }
  for (const ModelShape& shape : kShapes) {
    if (!only.empty() && only != shape.name) continue;
    for (const Recipe& recipe : kRecipes) {
      const Cost cost = measure(shape, recipe);
      json ? rows.push_back(document(cost, peaks)) : print(cost, peaks);
    }
  }
  if (json) {
    const nlohmann::json all{
        {"peaks", {{"bf16_flops", peaks.bf16_flops}, {"fp32_flops", peaks.fp32_flops}}},
        {"rows", rows}};
    fmt::print("{}\n", all.dump(2));
  }
  return 0;
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  return bitlaw::run(argc, argv);
}
