// Do the error bars of paired comparisons hold on text that they were not computed from? Weights of
// a run are rounded to nearest, and the model is compared with the unrounded one on all validation
// text. Then the documents are split in two, and the difference of the two means is compared with
// the interval,
//
//   |a - b| <= 1.645 sqrt(SE_a^2 + SE_b^2),
//
// which should hold for 90 % of the splits, or somewhat less if a few documents make up much of the
// text.
//
//   halves       documents drawn into two halves, many times; errors over documents
//   by windows   the same halves; errors over windows, as if these were independent
//   neighbours   12 consecutive documents against the next 12: only a few pairs, and lower if the
//                text keeps documents of one source together
//
// Printed for the loss difference, KL, and the share of tokens with the same most likely token.
//
//   bench/run paired_coverage RUN... [--json] [--schemes int3,int4] [--splits 2000] [--threads 1]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "data/dataset.h"
#include "formats/block_grid.h"
#include "model/checkpoint.h"
#include "model/evaluate.h"
#include "program.h"
#include "quantize/paired.h"
#include "quantize/windows.h"
#include "record/run.h"

namespace bitlaw {
namespace {

constexpr double kZ = 1.645;
constexpr size_t kStretch = 12;

struct Options {
  std::vector<std::string> runs;
  std::string schemes = "int3,int4";
  int splits = 2000, threads = 1;
  bool json = false;
};

// Consecutive windows of one document, with their tokens.
struct Document {
  size_t begin, end;  // windows
};

std::vector<Document> documents_of(const std::vector<int64_t>& cluster) {
  std::vector<Document> out;
  for (size_t w = 0; w < cluster.size(); ++w) {
    if (w == 0 || cluster[w] != cluster[w - 1]) out.push_back({w, w});
    out.back().end = w + 1;
  }
  return out;
}

// Some documents of the text, as a separate text.
struct Part {
  std::vector<TokenComparison> tokens;
  std::vector<int64_t> document, window;

  void add(const std::vector<TokenComparison>& all, size_t T, const Document& one, size_t name) {
    tokens.insert(tokens.end(), all.begin() + static_cast<int64_t>(one.begin * T),
                  all.begin() + static_cast<int64_t>(one.end * T));
    for (size_t w = one.begin; w < one.end; ++w) {
      document.push_back(static_cast<int64_t>(name));
      window.push_back(static_cast<int64_t>(w));
    }
  }
};

// Of loss difference, KL and agreement.
using Shares = std::array<double, 3>;

void count(const PairedComparison& a, const PairedComparison& b, double weight, Shares& shares) {
  const auto covers = [](double a_mean, double a_error, double b_mean, double b_error) {
    return std::fabs(a_mean - b_mean) <= kZ * std::hypot(a_error, b_error) ? 1.0 : 0.0;
  };
  shares[0] +=
      weight * covers(a.loss.mean, a.loss.standard_error, b.loss.mean, b.loss.standard_error);
  shares[1] += weight * covers(a.kl.mean, a.kl.standard_error, b.kl.mean, b.kl.standard_error);
  shares[2] += weight * covers(a.same_top.mean, a.same_top.standard_error, b.same_top.mean,
                               b.same_top.standard_error);
}

Json measure(const std::vector<TokenComparison>& tokens, const TokenWindows& text, int splits) {
  const auto T = static_cast<size_t>(text.sequence);
  const std::vector<Document> documents = documents_of(text.cluster);
  Shares halves{}, by_windows{}, neighbours{};
  for (int split = 0; split < splits; ++split) {
    // A shuffle of the documents by Fisher and Yates, the first half of which is one half.
    std::vector<size_t> order(documents.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random_below(1, static_cast<uint64_t>(split), i, i)]);
    Part parts[2];
    for (size_t i = 0; i < order.size(); ++i)
      parts[i < order.size() / 2 ? 0 : 1].add(tokens, T, documents[order[i]], order[i]);
    const double weight = 1.0 / splits;
    count(paired_comparison(parts[0].tokens, parts[0].document, 0),
          paired_comparison(parts[1].tokens, parts[1].document, 0), weight, halves);
    count(paired_comparison(parts[0].tokens, parts[0].window, 0),
          paired_comparison(parts[1].tokens, parts[1].window, 0), weight, by_windows);
  }
  const size_t pairs = documents.size() / (2 * kStretch);
  for (size_t pair = 0; pair < pairs; ++pair) {
    Part parts[2];
    for (size_t i = 0; i < 2 * kStretch; ++i) {
      const size_t at = pair * 2 * kStretch + i;
      parts[i / kStretch].add(tokens, T, documents[at], at);
    }
    count(paired_comparison(parts[0].tokens, parts[0].document, 0),
          paired_comparison(parts[1].tokens, parts[1].document, 0),
          1.0 / static_cast<double>(pairs), neighbours);
  }
  return {{"documents", documents.size()}, {"windows", text.size()},   {"halves", halves},
          {"by_windows", by_windows},      {"neighbours", neighbours}, {"neighbour_pairs", pairs}};
}

// The run's projections rounded to nearest.
void round_weights(const WeightScheme& scheme, Context& context, const Parameters& parameters,
                   Model& model) {
  for (int64_t l = 0; l < model.config().layers; ++l) {
    for (int p = 0; p < kProjections; ++p) {
      const auto projection = static_cast<Projection>(p);
      const Tensor& w =
          parameters.tensors[static_cast<size_t>(model.parameter_index(l, projection))];
      const WeightReference rounded = quantize_reference(scheme, w.f32(), w.extent(0), w.extent(1));
      const Tensor values = Tensor::empty(DType::kF32, w.shape());
      std::copy(rounded.values.begin(), rounded.values.end(), values.f32());
      model.replace_weight(context, l, projection, {values, {}, 0});
    }
  }
}

std::vector<Json> measure_run(const std::filesystem::path& run, const Options& options,
                              ThreadPool& pool) {
  const RunRecord record = read_run_record(run);
  const LoadedModel loaded = load_model(final_checkpoint(run));
  Model model(loaded.config, record.trained_recipe());
  const Dataset dataset =
      Dataset::open(record.data.path, static_cast<int>(loaded.config.vocabulary));
  const TokenWindows text = evaluation_windows(dataset.validation(), loaded.config.sequence, 0,
                                               dataset.info().end_of_document);
  if (text.clustered_by != "document")
    throw Error(fmt::format("{}: its validation text is not split into documents", run.string()));
  Context context;
  model.prepare(context, loaded.parameters, false);
  const auto windows = text.spans();
  const Baseline baseline = evaluate_baseline(model, loaded.parameters, windows, pool);
  std::vector<Json> rows;
  for (const std::string& name : split(options.schemes, ',')) {
    round_weights(parse_weight_scheme(name), context, loaded.parameters, model);
    const std::vector<TokenComparison> tokens =
        compare_to_baseline(baseline, model, loaded.parameters, windows, pool);
    const PairedComparison all = paired_comparison(tokens, text.cluster, dataset.bytes_per_token());
    Json row = measure(tokens, text, options.splits);
    row["run"] = run.filename().string();
    row["scheme"] = name;
    row["delta"] = all.loss.mean;
    row["standard_error"] = all.loss.standard_error;
    row["kl"] = all.kl.mean;
    row["same_top"] = all.same_top.mean;
    rows.push_back(row);
  }
  return rows;
}

std::string shares_text(const Json& shares) {
  return fmt::format("{:>5.1f} {:>5.1f} {:>5.1f}", 100 * shares[0].get<double>(),
                     100 * shares[1].get<double>(), 100 * shares[2].get<double>());
}

void run(const Options& options) {
  ThreadPool pool(options.threads);
  Json rows = Json::array();
  if (!options.json) {
    fmt::print("{:<17} {:<10} {:>9} {:>8} {:>7} {:>6}  {:<17}  {:<17}  {:<17}\n", "run", "scheme",
               "delta", "error", "KL", "top", "halves: loss KL top", "by windows", "neighbours");
  }
  for (const std::string& directory : options.runs) {
    for (const Json& row : measure_run(directory, options, pool)) {
      rows.push_back(row);
      if (options.json) continue;
      fmt::print("{:<17} {:<10} {:>9.5f} {:>8.5f} {:>7.4f} {:>6.3f}  {}  {}  {}\n",
                 row["run"].get<std::string>(), row["scheme"].get<std::string>(),
                 row["delta"].get<double>(), row["standard_error"].get<double>(),
                 row["kl"].get<double>(), row["same_top"].get<double>(), shares_text(row["halves"]),
                 shares_text(row["by_windows"]), shares_text(row["neighbours"]));
      std::fflush(stdout);
    }
  }
  if (options.json) fmt::print("{}\n", dump_json({{"rows", rows}}, 1));
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  using bitlaw::Options;
  return bitlaw::bench::program<Options>(
      argc, argv,
      "Measures how often the error bars of a paired comparison hold on other documents.",
      [](CLI::App& app, Options& o) {
        app.add_option("runs", o.runs, "directories of finished runs")->required();
        app.add_option("--schemes", o.schemes, "formats that weights are rounded to");
        app.add_option("--splits", o.splits, "random splits of the documents")
            ->check(bitlaw::bench::positive());
        app.add_option("--threads", o.threads)->check(bitlaw::bench::positive());
      },
      bitlaw::run);
}
