#include "ask/unused_options.h"

#include <fmt/format.h>

#include <initializer_list>

#include "base/error.h"

namespace bitlaw {
namespace {

void refuse(const IsGiven& is_given, std::initializer_list<const char*> keys,
            const std::string& why) {
  for (const char* key : keys) {
    if (is_given(key)) throw Error(fmt::format("{}: {}; leave it out", key, why));
  }
}

}  // namespace

void refuse_unused_of_fit(const FitOptions& options, const IsGiven& is_given) {
  if (options.objective != "huber")
    refuse(is_given, {"huber_delta"}, options.objective + " has no threshold");
}

void refuse_unused_of_fit(const Law& law, const IsGiven& is_given) {
  const std::string why = fmt::format("{} does not model quantization after training", law.name);
  if (!law.has_delta) refuse(is_given, {"joint", "method"}, why);
  if (law.predicts == Predicts::kGap)
    refuse(is_given, {"huber_delta"}, "gaps are in standard errors: --post-threshold");
  else if (!law.has_delta)
    refuse(is_given, {"post_threshold", "post_floor"}, why);
}

void refuse_unused_of_approach(const std::string& approach, const IsGiven& is_given) {
  refuse(is_given, {"hold_out", "profile", "joint", "method", "post_threshold", "post_floor"},
         "--approach gives N_opt and D_opt of losses, and has no use for it");
  const bool isoflop = approach == "isoflop" || approach == "all";
  if (!isoflop)
    refuse(is_given, {"budget_tolerance"}, fmt::format("--approach {} has no budgets", approach));
  if (approach == "envelope")
    refuse(is_given,
           {"law", "objective", "residual", "weights", "huber_delta", "tie", "freeze", "range",
            "starts"},
           "--approach envelope fits no law");
}

void refuse_unused_of_compare(const CompareOptions& options, const IsGiven& is_given) {
  if (options.hold_out != "kfold")
    refuse(is_given, {"folds"}, "--hold-out " + options.hold_out + " has no folds");
  if (options.objective != "huber")
    refuse(is_given, {"huber_delta"}, options.objective + " has no threshold");
}

void refuse_unused_of_design(const Law& law, const IsGiven& is_given) {
  if (!law.has_delta)
    refuse(is_given, {"method"},
           fmt::format("{} does not model quantization after training", law.name));
}

void refuse_unused_of_simulate(const Law& law, bool is_like, bool has_formula,
                               const IsGiven& is_given) {
  if (is_like) {
    refuse(is_given,
           {"params", "tokens", "ratios", "weights", "activations", "kv", "keys", "values",
            "embedding", "head", "tied", "classes", "post", "replicates", "trunk"},
           "the runs are those of --like");
    if (!has_formula) refuse(is_given, {"inputs"}, "the runs are those of --like");
  }
  if (!law.uses_bits)
    refuse(is_given, {"weights", "activations", "kv", "tied", "classes"},
           fmt::format("{} does not model bits in training", law.name));
  if (!law.has_delta)
    refuse(is_given, {"post", "delta_noise"},
           fmt::format("{} does not model quantization after training", law.name));
}

}  // namespace bitlaw
