// Times GPTQ of one layer from a ready Hessian: seconds to factor it and to round the weights with
// it, GFLOP/s compared with the machine's peak of fused multiply-adds in double, and the same layer
// by PyTorch.
//
// PyTorch (tools/gptq_pytorch.py: the published algorithm, blocks of 128 columns) gets the same
// weights, Hessian, damping, scales and threads: in float32 as is usual, and once in float64.
// Rounds alternate bitlaw, PyTorch, bitlaw. The ratio of a round is PyTorch's time over the
// geometric mean of bitlaw's before and after; the median of the rounds is printed, with the errors
// tr(E H E^T) of all results, each computed in double from the rounded weights.
//
//   bench/run gptq [--json] [--python PATH] [--rows 4096] [--columns 4096] [--bits 4] [--group 0]
//                  [--threads 2] [--rounds 3]
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/source_folder.h"
#include "base/statistics.h"
#include "child.h"
#include "fma_peak.h"
#include "linalg/product.h"
#include "program.h"
#include "ptq/gptq.h"
#include "ptq/hessian_error.h"
#include "ptq/rtn.h"
#include "ptq/statistics.h"

namespace bitlaw {
namespace {

using bench::now;

// The environment made by bench/peers, if it exists.
std::string usual_python() {
  const std::string peers = kSourceFolder + std::string("/build/peers/venv/bin/python");
  return std::filesystem::exists(peers) ? peers : "python3";
}

struct Options {
  std::string python = usual_python();
  std::string script = kSourceFolder + std::string("/tools/gptq_pytorch.py");
  int64_t rows = 4096, columns = 4096;
  int bits = 4, group = 0, threads = 2, rounds = 3;
  bool json = false;
};

constexpr double kDamping = 0.01;
constexpr uint64_t kSeed = 30;

Json spread(const std::vector<double>& values) {
  return {{"median", median(values)},
          {"lowest", *std::min_element(values.begin(), values.end())},
          {"highest", *std::max_element(values.begin(), values.end())}};
}

// Inputs that lean on a few common factors and are of uneven size, as activations are: twice as
// many tokens as inputs.
InputStatistics make_statistics(int64_t columns, ThreadPool& pool, double& gram_seconds) {
  const int64_t factors = 64, tokens = std::min<int64_t>(512, 2 * columns);
  std::vector<float> mix(static_cast<size_t>(factors * columns));
  for (size_t i = 0; i < mix.size(); ++i)
    mix[i] = static_cast<float>(random_normal(kSeed, 1, i) / std::sqrt(factors));
  StatisticsCollector collector(columns);
  std::vector<float> inputs(static_cast<size_t>(tokens * columns));
  gram_seconds = 0;
  for (int64_t first = 0; first < 2 * columns; first += tokens) {
    pool.parallel_for(tokens, [&](int64_t t, int) {
      const auto token = static_cast<uint64_t>(first + t);
      float* x = inputs.data() + t * columns;
      for (int64_t c = 0; c < columns; ++c)
        x[c] = static_cast<float>(0.5 * random_normal(kSeed, 2 + token, static_cast<uint64_t>(c)));
      for (int64_t f = 0; f < factors; ++f) {
        const auto common =
            static_cast<float>(random_normal(kSeed, 1'000'000 + token, static_cast<uint64_t>(f)));
        for (int64_t c = 0; c < columns; ++c)
          x[c] += common * mix[static_cast<size_t>(f * columns + c)];
      }
      for (int64_t c = 0; c < columns; ++c)
        x[c] *= static_cast<float>(0.25 + random_uniform(kSeed, 0, static_cast<uint64_t>(c)));
    });
    const double start = now();
    collector.add(inputs.data(), tokens, pool);
    gram_seconds += now() - start;
  }
  return std::move(collector).finish();
}

struct Layer {
  std::vector<float> weights;
  linalg::Matrix hessian;
};

struct Times {
  std::vector<double> factor, quantize, both;
};

class Bench {
 public:
  explicit Bench(const Options& options) : o_(options), pool_(options.threads) {
    double gram_seconds = 0;
    layer_.weights.resize(static_cast<size_t>(o_.rows * o_.columns));
    pool_.parallel_for(o_.rows, [&](int64_t r, int) {
      for (int64_t c = 0; c < o_.columns; ++c) {
        const auto at = static_cast<size_t>(r * o_.columns + c);
        layer_.weights[at] = static_cast<float>(0.02 * random_normal(kSeed + 1, 0, at));
      }
    });
    layer_.hessian = make_statistics(o_.columns, pool_, gram_seconds).hessian;
    const auto n = static_cast<double>(o_.columns);
    out_["gram"] = {{"seconds", gram_seconds}, {"gflops", 2 * n * n * n / gram_seconds * 1e-9}};
  }

  Json run() {
    out_["layer"] = {{"rows", o_.rows},     {"columns", o_.columns}, {"bits", o_.bits},
                     {"group", o_.group},   {"threads", o_.threads}, {"isa", name_of(best_isa())},
                     {"damping", kDamping}, {"rounds", o_.rounds}};
    // Before and after: the machine may have company.
    double peak = peak_gflops();
    ours();
    times_ = {};
    ours();
    beside_pytorch();
    peak = std::max(peak, peak_gflops());
    out_["peak_gflops"] = peak;
    const auto rows = static_cast<double>(o_.rows), n = static_cast<double>(o_.columns);
    report("factor", times_.factor, n * n * n / 3, peak);
    report("quantize", times_.quantize, rows * n * n, peak);
    out_["seconds"] = spread(times_.both);
    out_["error"] = error_of(quantized_);
    out_["rtn_error"] =
        error_of(quantize_rtn(scheme(), layer_.weights.data(), o_.rows, o_.columns, pool_));
    return out_;
  }

 private:
  WeightScheme scheme() const { return {.format = integer_format(o_.bits), .group = o_.group}; }

  double peak_gflops() {
    std::vector<double> each(static_cast<size_t>(o_.threads));
    pool_.parallel_for(o_.threads, [&](int64_t, int worker) {
      each[static_cast<size_t>(worker)] += bench::measured_fma_peak(0.3);
    });
    double sum = 0;
    for (const double gflops : each) sum += gflops;
    return sum;
  }

  void ours() {
    const double start = now();
    const HessianFactor factor = factor_hessian(layer_.hessian, kDamping, pool_);
    const double factored = now();
    quantized_ = quantize_gptq(scheme(), layer_.weights.data(), o_.rows, o_.columns, factor, pool_);
    times_.factor.push_back(factored - start);
    times_.quantize.push_back(now() - factored);
    times_.both.push_back(now() - start);
  }

  double error_of(const QuantizedMatrix& quantized) {
    return hessian_error(quantized, layer_.weights.data(), layer_.hessian, pool_);
  }

  void report(const char* name, const std::vector<double>& seconds, double flops, double peak) {
    const double gflops = flops / median(seconds) * 1e-9;
    out_[name] = {
        {"seconds", spread(seconds)}, {"gflops", gflops}, {"share_of_peak", gflops / peak}};
  }

  void beside_pytorch() {
    out_["pytorch"] = nullptr;
    if (o_.group != 0) {
      out_["note"] = "PyTorch is compared only per channel (--group 0)";
      for (int round = 1; round < o_.rounds; ++round) ours();
      return;
    }
    bench::Child torch({o_.python, o_.script, "--serve", "--threads", std::to_string(o_.threads)},
                       o_.threads);
    const Json ready = torch.answer();
    if (ready.is_null()) {
      out_["note"] = fmt::format(
          "not compared with PyTorch: {} has none; `pip install torch numpy`, run bench/peers "
          "once, "
          "or give an interpreter that has both with --python",
          o_.python);
      for (int round = 1; round < o_.rounds; ++round) ours();
      return;
    }
    namespace fs = std::filesystem;
    const fs::path folder =
        fs::temp_directory_path() / fmt::format("bitlaw_gptq_{}", static_cast<long>(::getpid()));
    fs::create_directories(folder);
    write_raw(folder / "weights", layer_.weights.data(), layer_.weights.size() * sizeof(float));
    write_raw(folder / "hessian", layer_.hessian.row(0),
              static_cast<size_t>(o_.columns * o_.columns) * sizeof(double));
    out_["pytorch"] = {{"version", ready.at("torch")}};
    for (const char* dtype : {"float32", "float64"}) {
      Times theirs;
      std::vector<double> ratios;
      const int rounds = dtype == std::string("float32") ? o_.rounds : 1;
      for (int round = -1; round < rounds; ++round) {  // the first warms it up
        const Json answer = torch.ask(dump_json({{"weights", (folder / "weights").string()},
                                                 {"hessian", (folder / "hessian").string()},
                                                 {"rows", o_.rows},
                                                 {"columns", o_.columns},
                                                 {"bits", o_.bits},
                                                 {"damping", kDamping},
                                                 {"dtype", dtype},
                                                 {"out", (folder / "out").string()}},
                                                -1));
        if (answer.is_null()) throw Error("tools/gptq_pytorch.py ended early");
        const double before = times_.both.back();
        ours();
        if (round < 0) continue;
        theirs.factor.push_back(answer.at("factor_seconds"));
        theirs.quantize.push_back(answer.at("quantize_seconds"));
        theirs.both.push_back(answer.at("seconds"));
        ratios.push_back(theirs.both.back() / std::sqrt(before * times_.both.back()));
      }
      out_["pytorch"][dtype] = {{"factor_seconds", spread(theirs.factor)},
                                {"quantize_seconds", spread(theirs.quantize)},
                                {"seconds", spread(theirs.both)},
                                {"times", spread(ratios)},
                                {"error", their_error(folder / "out")}};
    }
    fs::remove_all(folder);
  }

  static void write_raw(const std::filesystem::path& file, const void* data, size_t bytes) {
    write_file_atomically(file, std::string(static_cast<const char*>(data), bytes));
  }

  double their_error(const std::filesystem::path& file) {
    const std::string bytes = read_file(file);
    if (bytes.size() != layer_.weights.size() * sizeof(float))
      throw Error("tools/gptq_pytorch.py wrote a matrix of another size");
    const auto* values = reinterpret_cast<const float*>(bytes.data());
    std::vector<double> memory, errors(static_cast<size_t>(o_.rows));
    constexpr int64_t kRows = 192;
    double sum = 0;
    for (int64_t r = 0; r < o_.rows; r += kRows) {
      row_errors(values + r * o_.columns, layer_.weights.data() + r * o_.columns,
                 std::min(kRows, o_.rows - r), layer_.hessian, memory, errors.data() + r);
    }
    for (const double error : errors) sum += error;
    return sum;
  }

  Options o_;
  ThreadPool pool_;
  Layer layer_;
  QuantizedMatrix quantized_;
  Times times_;
  Json out_;
};

void print(const Json& out) {
  const Json& layer = out.at("layer");
  fmt::print("GPTQ, {} x {}, {} bits, group {}, {} threads, {}; peak {:.0f} GFLOP/s in double\n",
             layer.at("rows").get<int64_t>(), layer.at("columns").get<int64_t>(),
             layer.at("bits").get<int>(), layer.at("group").get<int>(),
             layer.at("threads").get<int>(), layer.at("isa").get<std::string>(),
             out.at("peak_gflops").get<double>());
  fmt::print("{:<28} {:>8.3f} s {:>8.1f} GFLOP/s\n", "Hessian of twice the columns",
             out.at("gram").at("seconds").get<double>(), out.at("gram").at("gflops").get<double>());
  for (const char* part : {"factor", "quantize"}) {
    const Json& p = out.at(part);
    fmt::print("{:<28} {:>8.3f} s {:>8.1f} GFLOP/s, {:.0f} % of the peak\n", part,
               p.at("seconds").at("median").get<double>(), p.at("gflops").get<double>(),
               100 * p.at("share_of_peak").get<double>());
  }
  const Json& seconds = out.at("seconds");
  fmt::print("{:<28} {:>8.3f} s ({:.3f} to {:.3f}); error {:.9g}, RTN {:.9g}\n", "both",
             seconds.at("median").get<double>(), seconds.at("lowest").get<double>(),
             seconds.at("highest").get<double>(), out.at("error").get<double>(),
             out.at("rtn_error").get<double>());
  if (out.at("pytorch").is_null()) {
    fmt::print("{}\n", out.at("note").get<std::string>());
    return;
  }
  for (const char* dtype : {"float32", "float64"}) {
    const Json& p = out.at("pytorch").at(dtype);
    const Json& times = p.at("times");
    fmt::print(
        "{:<28} {:>8.3f} s, of which factor {:.3f}; bitlaw is {:.2f} ({:.2f} to {:.2f}) times "
        "as fast; error {:.9g}\n",
        "PyTorch " + out.at("pytorch").at("version").get<std::string>() + " " + dtype,
        p.at("seconds").at("median").get<double>(),
        p.at("factor_seconds").at("median").get<double>(), times.at("median").get<double>(),
        times.at("lowest").get<double>(), times.at("highest").get<double>(),
        p.at("error").get<double>());
  }
}

void run(const Options& options) {
  const Json out = Bench(options).run();
  if (options.json) {
    fmt::print("{}\n", dump_json(out, 1));
  } else {
    print(out);
  }
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv, "Times GPTQ of one layer, and PyTorch on the same layer.",
      [](CLI::App& app, Options& o) {
        const auto& positive = bitlaw::bench::positive();
        app.add_option("--python", o.python, "interpreter that has torch and numpy");
        app.add_option("--script", o.script, "the program that PyTorch runs");
        app.add_option("--rows", o.rows, "outputs of the layer")->check(positive);
        app.add_option("--columns", o.columns, "inputs of the layer")->check(positive);
        app.add_option("--bits", o.bits, "bits of the integers")->check(CLI::Range(2, 8));
        app.add_option("--group", o.group,
                       "group size; 0: per channel. Others are not compared with PyTorch")
            ->check(CLI::NonNegativeNumber);
        app.add_option("--threads", o.threads)->check(positive);
        app.add_option("--rounds", o.rounds)->check(positive);
      },
      bitlaw::run);
}
