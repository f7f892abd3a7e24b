#include "plan/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/block_noise.h"
#include "formats/gaussian_error.h"
#include "plan/classes.h"

namespace bitlaw {
namespace {

std::string read_cost(const std::string& text, CostModel& out) {
  if (text.empty() || text == "linear") return "";
  for (const std::string& item : split(text, ',')) {
    const std::vector<std::string> pair = split(item, ':');
    const bool is_pair = pair.size() == 2;
    const auto bits = is_pair ? parse_positive(pair[0]) : std::nullopt;
    const auto speed_up = is_pair ? parse_positive(pair[1]) : std::nullopt;
    if (!bits || !speed_up) {
      return fmt::format(
          "cost: {} is not BITS:SPEEDUP; write linear, or a list such as 16:1,8:2,4:4", item);
    }
    out.steps.push_back({*bits, *speed_up});
  }
  std::sort(out.steps.begin(), out.steps.end(), [](auto& a, auto& b) { return a.bits < b.bits; });
  return "";
}

std::string read_free(const PlanRequest& request, const Law& law, bool knows_bits,
                      PlanProblem& out) {
  for (const std::string& list : request.free) {
    for (const std::string& item : split(list, ',')) {
      const std::string name = trim(item);
      if (name == "N") {
        out.free_params = true;
      } else if (name == "D") {
        out.free_tokens = true;
      } else if (name == "P" && request.tied) {
        out.free_tied = true;
      } else if (name == "P") {
        out.free_bits = {&Bits::weights, &Bits::activations, &Bits::kv};
      } else if (name == "P_w" || name == "P_a" || name == "P_kv") {
        double Bits::*const part = name == "P_w"   ? &Bits::weights
                                   : name == "P_a" ? &Bits::activations
                                                   : &Bits::kv;
        if (std::find(out.free_bits.begin(), out.free_bits.end(), part) == out.free_bits.end()) {
          out.free_bits.push_back(part);
        }
      } else if (name == "P_post") {
        out.free_post = true;
      } else if (!name.empty()) {
        return fmt::format("free: {} cannot be free; name some of N, D, P, P_w, P_a, P_kv, P_post",
                           name);
      }
    }
  }
  if (out.free_tied && !out.free_bits.empty()) {
    return "free: P is all three parts at once; name either P, or some of P_w, P_a, P_kv";
  }
  if (out.free_post && !law.has_delta) {
    return fmt::format(
        "free: {} does not model quantization after training, so P_post cannot be chosen; plan "
        "with {}",
        law.name, laws_with_delta());
  }
  if (knows_bits && out.free_tied && out.may_be_free != kAllParts) {
    out.free_tied = false;
    double Bits::*const kParts[] = {&Bits::weights, &Bits::activations, &Bits::kv};
    for (size_t i = 0; i < out.may_be_free.size(); ++i) {
      if (out.may_be_free[i]) out.free_bits.push_back(kParts[i]);
    }
  }
  if (!knows_bits) {
    out.ignores_bits = out.bits_are_free();
    out.free_tied = false;
    out.free_bits.clear();
  }
  return "";
}

// Of a floating-point format, for laws that use it, or of blocks whose size the name says; that of
// other integers follows from their bits.
void set_gaussian_error(const NamedPrecision& named, GaussianErrorSource source,
                        PrecisionChoice& format) {
  if (source != GaussianErrorSource::kLeast) {
    const bool weights = named.weights.quantized();
    format.gaussian_error = gaussian_error_of(weights ? named.weights : named.activations, source);
    if (!std::isnan(format.gaussian_error)) return;
  }
  const double exponent = format.exponent_bits, mantissa = format.mantissa_bits;
  if (!(exponent >= 2 && exponent <= 7 && mantissa <= 10)) return;  // what float_format accepts
  format.gaussian_error =
      least_gaussian_error(float_format(static_cast<int>(exponent), static_cast<int>(mantissa)))
          .error;
}

std::string check_bits(const char* name, double bits) {
  if (bits >= kFewestBits && bits <= kMostBits) return "";
  return fmt::format("{}: {} is outside {}..{}", name, bits, kFewestBits, kMostBits);
}

std::string not_a_precision(const char* option, const std::string& name) {
  return fmt::format(
      "{}: {} is not a precision; examples are W4A4, W4A16g128, mxfp4, e4m3 and BF16", option,
      name);
}

std::string read_bits(const PlanRequest& request, const Law& law, PlanProblem& out) {
  for (const auto& [name, list] :
       {std::pair{"bits", &request.bits}, {"available_bits", &request.available_bits}}) {
    for (const double bits : *list) {
      if (const std::string wrong = check_bits(name, bits); !wrong.empty()) return wrong;
    }
  }
  if (request.post_bits != 0) {
    if (const std::string wrong = check_bits("post_bits", request.post_bits); !wrong.empty()) {
      return wrong;
    }
  }
  if (request.critical_data) return "";
  if (!request.precision.empty()) {
    if (!request.bits.empty()) return "precision: give either a name, or bits";
    if (!law.class_parameters.empty()) return "";  // read_classes accepts labels, too
    const auto named = named_precision(request.precision);
    if (!named) return not_a_precision("precision", request.precision);
    out.fixed = choice_of(*named);
    set_gaussian_error(*named, out.gaussian_error, out.fixed);
    out.precision = {out.fixed.bits, &out.fixed};
  } else if (request.bits.size() == 1) {
    out.precision.bits = Bits::all(request.bits[0]);
  } else if (request.bits.size() == 3) {
    out.precision.bits = {request.bits[0], request.bits[1], request.bits[2]};
  } else if (!request.bits.empty()) {
    return "bits: give one number for all parts, or three: weights, activations, KV";
  }
  return "";
}

bool tells(const Law& law, Quantity what) {
  return std::any_of(law.parameters.begin(), law.parameters.end(),
                     [&](const Parameter& each) { return each.needs.of == what; });
}

// Parts that have bits of their own beside weights, activations and KV.
std::string read_parts(const PlanRequest& request, const Law& law, PlanProblem& out) {
  if (request.critical_data || request.inference_budget > 0) return "";  // check_used refuses them
  struct Part {
    const char* name;
    double bits;
    Quantity quantity;
    double Surroundings::*where;
  };
  for (const Part& part :
       {Part{"key_bits", request.key_bits, Quantity::kKeyBits, &Surroundings::bits_keys},
        {"value_bits", request.value_bits, Quantity::kValueBits, &Surroundings::bits_values},
        {"embedding_bits", request.embedding_bits, Quantity::kEmbeddingBits,
         &Surroundings::bits_embedding},
        {"head_bits", request.head_bits, Quantity::kHeadBits, &Surroundings::bits_head}}) {
    if (part.bits == 0) continue;
    if (const std::string wrong = check_bits(part.name, part.bits); !wrong.empty()) return wrong;
    const bool of_kv = part.quantity == Quantity::kKeyBits || part.quantity == Quantity::kValueBits;
    if (of_kv && !request.precision.empty())
      return fmt::format("{}: the precision {} has bits of keys and values; give bits instead",
                         part.name, request.precision);
    const bool free =
        out.free_tied || std::count(out.free_bits.begin(), out.free_bits.end(), &Bits::kv) > 0;
    if (of_kv && free)
      return fmt::format("{}: keys and values are free; give bits, or free P_w and P_a alone",
                         part.name);
    if (!of_kv && !tells(law, part.quantity))
      return fmt::format("{}: {} has no factor for it; leave it out, or plan with a law that has",
                         part.name, law.name);
    out.surroundings.*part.where = part.bits;
  }
  if (request.key_bits == 0 && request.value_bits == 0) return "";
  Surroundings& around = out.surroundings;
  double& kv = out.precision.bits.kv;
  if (std::isnan(around.bits_keys)) around.bits_keys = kv;
  if (std::isnan(around.bits_values)) around.bits_values = kv;
  kv = (around.bits_keys + around.bits_values) / 2;  // what they cost and store
  out.splits_kv = true;
  out.mean_of_kv = !tells(law, Quantity::kKeyBits);
  if (out.mean_of_kv) around.bits_keys = around.bits_values = kUnknown;
  return "";
}

std::string read_choices(const PlanRequest& request, const Law& law, PlanProblem& out) {
  // Between two steps of a cost table only accuracy is lost: the steps are all there is to choose
  // from.
  out.available = request.available_bits;
  if (request.integer_bits && out.available.empty()) {
    for (int bits = 1; bits <= kUnquantizedBits; ++bits) out.available.push_back(bits);
  }
  for (const ComputeBudget& budget : out.limits.compute) {
    if (!out.available.empty()) break;
    for (const CostModel::Step& step : budget.cost.steps) out.available.push_back(step.bits);
  }
  if (!law.class_parameters.empty()) {
    if (const std::string wrong = read_classes(request, law, out); !wrong.empty()) return wrong;
  } else if (out.bits_are_free()) {
    for (const std::string& name : request.formats) {
      const auto named = named_precision(name);
      if (!named) return not_a_precision("formats", name);
      out.formats.push_back(choice_of(*named));
      set_gaussian_error(*named, out.gaussian_error, out.formats.back());
    }
  }
  const bool budgeted = !request.critical_data && !(request.inference_budget > 0);
  if (budgeted && out.limits.none() && out.free_tied &&
      (!out.available.empty() || !out.formats.empty())) {
    return "compute: give a training budget in FLOP to choose among given precisions";
  }
  if (!out.free_post) return "";
  const bool listed = !out.available.empty() || (out.bits_are_free() && !out.formats.empty());
  if (!listed) return "";
  out.post = {0};
  for (int bits = 1; bits < kUnquantizedBits && out.available.empty(); ++bits) {
    out.post.push_back(bits);
  }
  for (const double bits : out.available) {
    if (bits < kUnquantizedBits) out.post.push_back(bits);
  }
  return "";
}

// ---- amounts ----

std::string read_limits(const PlanRequest& request, const Json& devices, PlanProblem& out) {
  for (const auto& [name, value] : {std::pair{"compute", request.compute},
                                    {"gpu_hours", request.gpu_hours},
                                    {"memory_bytes", request.memory_bytes},
                                    {"context", request.context},
                                    {"batch", request.batch},
                                    {"layers", request.layers},
                                    {"kv_width", request.kv_width},
                                    {"serve_tokens", request.serve_tokens},
                                    {"params", request.params},
                                    {"tokens", request.tokens},
                                    {"tokens_per_param", request.tokens_per_param},
                                    {"unique_tokens", request.unique_tokens},
                                    {"group", request.group},
                                    {"inference_budget", request.inference_budget}}) {
    if (!(value >= 0) || std::isinf(value)) {
      return fmt::format("{}: {} is not a positive amount", name, value);
    }
  }
  if (!(request.utilisation > 0 && request.utilisation <= 1)) {
    return fmt::format("utilisation: {} is not a share of a device's peak, above 0 and at most 1",
                       request.utilisation);
  }
  if (!(request.kv_share > 0 && request.kv_share <= 1)) {
    return fmt::format("kv_share: {} is not a share of the heads, above 0 and at most 1",
                       request.kv_share);
  }
  if ((request.layers > 0) != (request.kv_width > 0)) {
    return "layers: give layers and kv_width together, or neither to have them estimated from N";
  }
  CostModel cost;
  if (const std::string wrong = read_cost(request.cost, cost); !wrong.empty()) return wrong;
  out.cost = cost;
  if (request.compute > 0) {
    out.limits.compute.push_back({"compute", request.compute, request.compute, cost});
  }
  if (request.gpu_hours > 0 && request.device.empty()) {
    return "device: gpu_hours need a device; name one, for example h100";
  }
  if (!request.device.empty()) {
    Device device;
    if (const std::string wrong = find_device(request.device, devices, device); !wrong.empty()) {
      return wrong;
    }
    if (!(request.gpu_hours > 0)) return "gpu_hours: give the hours of the device";
    const double flop = request.gpu_hours * 3600 * device.flops_16 * request.utilisation;
    out.limits.compute.push_back({"gpu_hours", request.gpu_hours, flop, device.cost()});
    if (!(request.compute > 0)) out.cost = device.cost();
  }
  if (const std::string wrong = read_model_file(request, out.limits.file); !wrong.empty())
    return wrong;
  Serving& serving = out.limits.serving;
  serving.tokens = request.serve_tokens;
  serving.memory_bytes = request.memory_bytes;
  serving.context = request.context;
  serving.batch = request.batch;
  serving.kv_entries = request.layers * request.kv_width;
  serving.kv_share = request.kv_share;
  if (serving.tokens > 0 && out.limits.compute.empty()) {
    return "serve_tokens: serving needs a budget; give compute or gpu_hours";
  }
  if (serving.context > 0 && !(serving.memory_bytes > 0)) {
    return "context: the KV cache takes memory; give memory_bytes";
  }
  out.params = request.params, out.tokens = request.tokens;
  out.tokens_per_param = request.tokens_per_param;
  if (out.tokens_per_param > 0 && out.tokens > 0) {
    return "tokens_per_param: D is given by tokens; leave out one of the two";
  }
  if (out.tokens_per_param > 0) out.tokens = out.tokens_per_param * out.params;
  out.post_bits = request.post_bits;
  // A fit that does not say what it fixed shrank all parameters.
  out.surroundings = {request.unique_tokens, request.group};
  if (out.limits.file.total && out.fits_fixed) {
    out.surroundings.fixed = out.limits.file.shape.fixed_params();
  }
  return "";
}

// "experts=8", one for each input of the law.
std::string read_inputs(const PlanRequest& request, const Law& law, PlanProblem& out) {
  for (const LawInput& input : law.inputs) out.surroundings.inputs.push_back({input.column});
  std::vector<std::string> names;
  for (const LawInput& input : law.inputs) names.emplace_back(input.name);
  for (const std::string& text : request.inputs) {
    const size_t sign = text.find('=');
    const std::string name = trim(text.substr(0, sign));
    const auto value =
        sign == std::string::npos ? std::nullopt : parse_count(text.substr(sign + 1));
    if (!value || !std::isfinite(*value))
      return fmt::format("inputs: {} is not NAME=NUMBER, as in experts=8", printable(text));
    bool known = false;
    for (size_t i = 0; i < law.inputs.size(); ++i) {
      if (name != law.inputs[i].name && name != law.inputs[i].column) continue;
      out.surroundings.inputs[i].value = *value;
      known = true;
    }
    if (!known && law.inputs.empty())
      return fmt::format("inputs: {} takes none; leave out {}", law.name, printable(name));
    if (!known) return "inputs: " + unknown_name("input", name, names);
  }
  for (size_t i = 0; i < law.inputs.size(); ++i) {
    if (!std::isnan(out.surroundings.inputs[i].value)) continue;
    return fmt::format("inputs: {} needs a value of {}; give inputs {}=NUMBER", law.name,
                       law.inputs[i].name, law.inputs[i].name);
  }
  return "";
}

std::string check_amounts(const PlanRequest& request, const PlanProblem& problem) {
  if (request.critical_data || request.inference_budget > 0) return "";
  if (!problem.free_params && problem.params == 0) return "params: give N, or make it free";
  if (!problem.free_tokens && problem.tokens == 0 && problem.tokens_per_param == 0)
    return "tokens: give D, or make it free";
  const bool budget = !problem.limits.compute.empty();
  // Past the critical size more data makes a quantized model worse: D needs no budget then.
  const bool data_may_hurt = problem.free_post || problem.post_bits > 0;
  const bool memory = problem.limits.serving.memory_bytes > 0;
  if (!budget && ((problem.free_params && !memory) || (problem.free_tokens && !data_may_hurt))) {
    return "compute: give a training budget in FLOP (or gpu_hours), or fix both N and D";
  }
  if (problem.limits.none() && (!problem.free_bits.empty() || problem.free_post)) {
    return "compute: give a training budget in FLOP to choose the precision of each part";
  }
  return "";
}

}  // namespace

std::string read_problem(const PlanRequest& request, const Constants& constants,
                         const Json& devices, PlanProblem& out) {
  const Law& law = *constants.law;
  out.classes = constants.classes;
  out.gaussian_error = constants.gaussian_error;
  out.limits.file.total = constants.total;
  out.limits.file.measured = constants.fixed;
  out.fits_fixed = constants.fixed.is_known();
  out.may_be_free = parts_of(law, constants.values.data());
  std::string wrong = read_limits(request, devices, out);
  if (wrong.empty()) wrong = read_inputs(request, law, out);
  if (wrong.empty()) wrong = read_free(request, law, constants.knows_bits, out);
  if (wrong.empty()) wrong = read_bits(request, law, out);
  if (wrong.empty()) wrong = read_parts(request, law, out);
  if (wrong.empty()) wrong = check_amounts(request, out);
  if (wrong.empty()) wrong = read_choices(request, law, out);
  if (!wrong.empty()) return wrong;
  add_entropies(out.formats, out.limits.file);
  if (!out.fixed.name.empty()) add_entropies({out.fixed}, out.limits.file);
  return "";
}

namespace {

bool depends_on_compute_alone(const PlanProblem& problem, const Constants& constants) {
  for (const double size : {1e7, 1e9, 1e11}) {
    Observation run;
    run.params = size, run.tokens = 20 * size, run.group = 128;
    run.inputs = problem.surroundings.inputs;
    Observation other = run;
    other.params *= 2, other.tokens /= 2;
    const double* const values = constants.values.data();
    const double here = predict(*constants.law, values, run);
    if (!(std::fabs(predict(*constants.law, values, other) / here - 1) < 1e-12)) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> notes_on_counts(const PlanProblem& problem, const Constants& constants) {
  std::vector<std::string> out;
  if (problem.splits_kv) {
    out.push_back(problem.mean_of_kv
                      ? fmt::format("{} does not tell keys from values: both count at their mean, "
                                    "P_kv = {:g}.",
                                    constants.law->name, problem.precision.bits.kv)
                      : fmt::format("Keys at {:g} bits and values at {:g}; P_kv is their mean.",
                                    problem.surroundings.bits_keys,
                                    problem.surroundings.bits_values));
  }
  if (constants.by_compute) {
    out.emplace_back(
        "The fit counts N by FLOPs: N is C / (6 D), which counts the head and attention, too; the "
        "weights of a file are fewer.");
  }
  return out;
}

std::string check_felt(const PlanProblem& problem, const Constants& constants) {
  const auto feels = [&](double Observation::*what) {
    for (const double size : {1e7, 1e9, 1e11}) {
      Observation run;
      run.params = size, run.tokens = 20 * size, run.group = 128;
      run.inputs = problem.surroundings.inputs;
      Observation other = run;
      other.*what *= 3;
      // Also where one of them is no number.
      if (predict(*constants.law, constants.values.data(), run) !=
          predict(*constants.law, constants.values.data(), other))
        return true;
    }
    return false;
  };
  const char* const name = constants.law->name;
  if (problem.free_tokens && problem.free_params && depends_on_compute_alone(problem, constants))
    return fmt::format(
        "params: {} depends on C = 6 N D alone, so no N and D are best; `bitlaw predict` gives its "
        "loss; plan with a law of N and D",
        name);
  if (problem.free_tokens && !feels(&Observation::tokens))
    return fmt::format("tokens: {} does not depend on D, so no number of tokens is best; give one",
                       name);
  if (problem.free_params && !feels(&Observation::params))
    return fmt::format("params: {} does not depend on N, so no size is best; give one", name);
  return "";
}

}  // namespace bitlaw
