#include "plan/given.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace bitlaw {
namespace {

// The names in request.free, of which each may be a list with commas.
std::vector<std::string> names_in(const std::vector<std::string>& free) {
  std::vector<std::string> out;
  for (const std::string& list : free) {
    for (const std::string& item : split(list, ',')) {
      if (std::string name = trim(item); !name.empty()) out.push_back(std::move(name));
    }
  }
  return out;
}

bool uses_free(const PlanRequest& request) {
  return !request.critical_data && !(request.inference_budget > 0);
}

std::string given_and_free(const char* option, const std::string& variable) {
  return fmt::format("{0}: {1} is given and free; leave out {0}, or take {1} out of free", option,
                     variable);
}

// Without `free`, a list of values for P says that P is free.
std::string check_lists(const PlanRequest& request) {
  if (request.bits.empty() && request.precision.empty()) return "";
  const char* given = request.bits.empty() ? "precision" : "bits";
  for (const auto& [option, is_given] : {std::pair{"formats", !request.formats.empty()},
                                         {"available_bits", !request.available_bits.empty()},
                                         {"integer_bits", request.integer_bits}}) {
    if (is_given) {
      return fmt::format("{0}: this is for a free P, but P is given; leave out {0} or {1}", option,
                         given);
    }
  }
  return "";
}

// N, D and P_post follow from an inference budget alone, for weights trained without quantization.
std::string check_inference_budget(const PlanRequest& request) {
  for (const auto& [option, is_given] : {std::pair{"params", request.params > 0},
                                         {"tokens", request.tokens > 0},
                                         {"tokens_per_param", request.tokens_per_param > 0},
                                         {"bits", !request.bits.empty()},
                                         {"precision", !request.precision.empty()},
                                         {"formats", !request.formats.empty()},
                                         {"post_bits", request.post_bits > 0},
                                         {"compute", request.compute > 0},
                                         {"gpu_hours", request.gpu_hours > 0},
                                         {"memory_bytes", request.memory_bytes > 0}}) {
    if (is_given) {
      return fmt::format(
          "{0}: inference_budget alone determines N, D and P_post of a model trained at 16 bits; "
          "leave out {0} or inference_budget",
          option);
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> free_of(const PlanRequest& request) {
  if (!names_in(request.free).empty()) return request.free;
  if (!uses_free(request)) return {"N", "D", "P"};
  std::vector<std::string> out;
  if (!(request.params > 0)) out.emplace_back("N");
  if (!(request.tokens > 0) && !(request.tokens_per_param > 0)) out.emplace_back("D");
  if (request.bits.empty() && request.precision.empty()) out.emplace_back("P");
  return out;
}

std::string check_given(const PlanRequest& request) {
  if (request.inference_budget > 0 && !request.critical_data)
    return check_inference_budget(request);
  if (!uses_free(request)) return "";
  const std::vector<std::string> names = names_in(request.free);
  if (names.empty()) return check_lists(request);
  const auto frees = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (request.params > 0 && frees("N")) return given_and_free("params", "N");
  if (request.tokens > 0 && frees("D")) return given_and_free("tokens", "D");
  if (request.tokens_per_param > 0 && frees("D")) return given_and_free("tokens_per_param", "D");
  if (request.post_bits > 0 && frees("P_post")) return given_and_free("post_bits", "P_post");
  if (!request.bits.empty()) {
    if (frees("P")) return given_and_free("bits", "P");
    // With some of the parts free, bits give the others.
    if (frees("P_w") && frees("P_a") && frees("P_kv")) {
      return "bits: P_w, P_a and P_kv are given and free; leave out bits, or take one of them out "
             "of free";
    }
  }
  if (!request.precision.empty()) {
    for (const char* name : {"P", "P_w", "P_a", "P_kv"}) {
      if (frees(name)) return given_and_free("precision", name);
    }
  }
  return "";
}

}  // namespace bitlaw
