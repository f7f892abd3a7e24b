#include "plan/unused.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "plan/problem.h"

namespace bitlaw {
namespace {

const PlanRequest kPlain;  // what nobody asked for

struct Given {
  const char* option;
  bool given;
};

std::string first_given(std::initializer_list<Given> options, const std::string& why) {
  for (const Given& each : options) {
    if (each.given) return fmt::format("{}: {}", each.option, why);
  }
  return "";
}

std::string first_of(std::initializer_list<std::string> sentences) {
  for (const std::string& each : sentences) {
    if (!each.empty()) return each;
  }
  return "";
}

bool frees(const PlanRequest& request, std::initializer_list<const char*> names) {
  for (const std::string& list : request.free) {
    for (const std::string& item : split(list, ',')) {
      for (const char* name : names) {
        if (trim(item) == name) return true;
      }
    }
  }
  return false;
}

std::string unused_of_file(const PlanRequest& r, bool total) {
  const Given of_codes[] = {{"entropy_coded", !r.entropy_coded.empty()},
                            {"storage", !r.storage.empty()},
                            {"scale_group", r.scale_group > 0},
                            {"scale_bits", r.scale_bits != kPlain.scale_bits},
                            {"zero_bits", r.zero_bits > 0},
                            {"embedding_format", r.embedding_format != kPlain.embedding_format},
                            {"head_format", !r.head_format.empty()}};
  const Given of_shape[] = {
      {"vocabulary", r.vocabulary > 0}, {"width", r.width > 0}, {"tied_head", r.tied_head}};
  const bool memory = r.memory_bytes > 0, file = r.memory_counts == "file";
  for (const auto& list : {std::pair{std::begin(of_codes), std::end(of_codes)},
                           {std::begin(of_shape), std::end(of_shape)}}) {
    if (list.first == of_shape && total) continue;
    for (const Given* each = list.first; each != list.second; ++each) {
      if (!each->given || (memory && file)) continue;
      return memory ? fmt::format("{0}: memory_counts weights has no use for it; leave out {0}",
                                  each->option)
                    : fmt::format("{}: this is for the bytes of a file; give memory_bytes",
                                  each->option);
    }
  }
  if (r.tied_head && !r.head_format.empty())
    return "head_format: the head is the embedding table; leave out head_format or tied_head";
  if (!memory && !file) return "memory_counts: this is for a memory limit; give memory_bytes";
  return "";
}

std::string unused_of_cache(const PlanRequest& r) {
  const bool cache = r.context > 0 && r.memory_bytes > 0;
  return first_of({first_given({{"layers", r.layers > 0 && !cache},
                                {"batch", r.batch != kPlain.batch && !cache},
                                {"kv_share", r.kv_share != kPlain.kv_share && !cache}},
                               "this is for the KV cache; give memory_bytes and context"),
                   first_given({{"kv_share", r.kv_share != kPlain.kv_share && r.layers > 0}},
                               "kv_width says the width of the keys; leave out kv_share")});
}

std::string unused_of_budgets(const PlanRequest& r) {
  return first_of(
      {first_given({{"utilisation", r.utilisation != kPlain.utilisation && !(r.gpu_hours > 0)}},
                   "this is for a device; give gpu_hours and device"),
       first_given({{"cost", r.cost != kPlain.cost && r.gpu_hours > 0 && !(r.compute > 0)}},
                   "the device has speeds of its own; leave out cost")});
}

std::string unused_of_lists(const PlanRequest& r) {
  if (r.integer_bits && !r.available_bits.empty())
    return "integer_bits: available_bits lists the bits; leave out one of the two";
  const bool post = frees(r, {"P_post"}) || r.inference_budget > 0;
  const bool training = frees(r, {"P", "P_w", "P_a", "P_kv"});
  const std::string why = "no precision is free here; leave it out, or make P free";
  return first_of(
      {first_given({{"formats", !r.formats.empty() && !training},
                    {"available_bits", !r.available_bits.empty() && !training && !post},
                    {"integer_bits", r.integer_bits && !training && !post},
                    {"tied", !r.tied && !frees(r, {"P"})}},
                   why),
       first_given({{"available_bits", !r.available_bits.empty() && !r.formats.empty() && !post},
                    {"integer_bits", r.integer_bits && !r.formats.empty() && !post}},
                   "formats lists the precisions; leave out one of the two")});
}

// Critical data and an inference budget are of models trained at 16 bits.
std::string unused_of_parts(const PlanRequest& r) {
  return first_given({{"key_bits", r.key_bits != 0},
                      {"value_bits", r.value_bits != 0},
                      {"embedding_bits", r.embedding_bits != 0},
                      {"head_bits", r.head_bits != 0}},
                     "the answer is of models trained at 16 bits; leave it out");
}

std::string unused_of_tables(const PlanRequest& r) {
  const std::initializer_list<Given> given{{"compute", r.compute > 0},
                                           {"gpu_hours", r.gpu_hours > 0},
                                           {"memory_bytes", r.memory_bytes > 0},
                                           {"serve_tokens", r.serve_tokens > 0},
                                           {"inference_budget", r.inference_budget > 0},
                                           {"tokens", r.tokens > 0},
                                           {"tokens_per_param", r.tokens_per_param > 0},
                                           {"unique_tokens", r.unique_tokens > 0},
                                           {"precision", !r.precision.empty()},
                                           {"post_bits", r.post_bits > 0},
                                           {"formats", !r.formats.empty()},
                                           {"available_bits", !r.available_bits.empty()},
                                           {"integer_bits", r.integer_bits},
                                           {"cost", r.cost != kPlain.cost}};
  return first_given(given,
                     "critical_data depends on params and bits alone; leave out one of the two");
}

std::string unused_of_shares(const PlanRequest& r, const Law& law) {
  return first_given(
      {{"compute", r.compute > 0},
       {"gpu_hours", r.gpu_hours > 0},
       {"memory_bytes", r.memory_bytes > 0},
       {"formats", !r.formats.empty()},
       {"available_bits", !r.available_bits.empty()},
       {"integer_bits", r.integer_bits},
       {"cost", r.cost != kPlain.cost}},
      fmt::format("{} answers for a given N, D and precision; leave it out", law.name));
}

// The bits that weights may have in the file; none if they come from a continuum.
std::set<double> bits_in_file(const PlanProblem& problem) {
  std::set<double> out;
  const bool free_weights =
      problem.free_tied || std::find(problem.free_bits.begin(), problem.free_bits.end(),
                                     &Bits::weights) != problem.free_bits.end();
  if (problem.free_post) {
    if (problem.post.empty()) return {};
    out.insert(problem.post.begin(), problem.post.end());
  } else if (problem.post_bits > 0) {
    out.insert(problem.post_bits);
  }
  if (!free_weights) {
    out.insert(problem.precision.bits.weights);
  } else if (!problem.formats.empty()) {
    for (const PrecisionChoice& each : problem.formats) out.insert(each.bits.weights);
  } else if (problem.available.empty()) {
    return {};
  } else {
    out.insert(problem.available.begin(), problem.available.end());
  }
  return out;
}

std::string unused_of_bits(const char* option, const std::map<double, double>& given,
                           const std::set<double>& possible) {
  for (const auto& [bits, value] : given) {
    if (possible.contains(bits)) continue;
    if (possible.empty()) {
      return fmt::format(
          "{}: P may be any number here, so that no weight has exactly {:g} bits; list what there "
          "is to choose from: available_bits {:g},16 or integer_bits",
          option, bits, bits);
    }
    return fmt::format("{}: no weight here has {:g} bits; leave that out, or let P be {:g}", option,
                       bits, bits);
  }
  return "";
}

// Whether a change of one number, at several sizes, changes what the law predicts.
bool feels(const Constants& constants, double Observation::*what, double one, double other) {
  for (const double params : {1e7, 1e9, 1e11}) {
    Observation run{.params = params, .tokens = 100 * params};
    run.group = 128, run.bits_weights = run.bits_activations = run.bits_kv = 6;
    run.precision =
        constants.law->classes.empty() ? "" : std::string(constants.law->classes[0].name);
    for (const LawInput& input : constants.law->inputs) run.inputs.push_back({input.column, 1});
    Observation changed = run;
    run.*what = one * params, changed.*what = other * params;
    if (what == &Observation::group) run.group = one, changed.group = other;
    const double* const values = constants.values.data();
    if (predict(*constants.law, values, run) != predict(*constants.law, values, changed))
      return true;
  }
  return false;
}

}  // namespace

std::string check_used(const PlanRequest& request, const Law& law, bool total) {
  if (law.predicts == Predicts::kQatShare) return unused_of_shares(request, law);
  if (request.critical_data || request.inference_budget > 0) {
    if (const std::string parts = unused_of_parts(request); !parts.empty()) return parts;
  }
  // What is missing is said first.
  if (request.critical_data)
    return request.params > 0 && !request.bits.empty() ? unused_of_tables(request) : "";
  return first_of({unused_of_file(request, total), unused_of_cache(request),
                   unused_of_budgets(request), unused_of_lists(request)});
}

std::string check_surroundings(const PlanRequest& request, const Json& fit) {
  Constants constants;
  if (!(request.unique_tokens > 0 || request.group > 0) ||
      !read_constants(request.law, request.constants, fit, constants).empty())
    return "";
  const char* const name = constants.law->name;
  if (request.unique_tokens > 0 && !feels(constants, &Observation::unique_tokens, 100, 10))
    return fmt::format("unique_tokens: {} does not depend on them; leave them out", name);
  if (request.group > 0 && !feels(constants, &Observation::group, 32, 256))
    return fmt::format("group: {} does not depend on it; leave it out", name);
  return "";
}

std::string check_used(const PlanRequest& request, const PlanProblem& problem) {
  if (request.critical_data) return "";
  const std::set<double> possible = bits_in_file(problem);
  const ModelFile& file = problem.limits.file;
  const std::string wrong = unused_of_bits("storage", file.stored, possible);
  return wrong.empty() ? unused_of_bits("entropy_coded", file.measured_entropy, possible) : wrong;
}

}  // namespace bitlaw
