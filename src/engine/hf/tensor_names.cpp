#include "hf/tensor_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace bitlaw::hf {
namespace {

// What programs put around a model: DataParallel, torch.compile, DeepSpeed, FSDP, checkpointing.
constexpr const char* kWrappers[] = {"module", "_orig_mod", "_forward_module",
                                     "_fsdp_wrapped_module", "_checkpoint_wrapped_module"};
// Names of the model itself, in front of embedding, layers and norm.
constexpr const char* kModels[] = {"model", "transformer", "gpt_neox", "base_model",
                                   "language_model"};

template <size_t n>
bool is_one_of(const std::string& part, const char* const (&names)[n]) {
  return std::find(std::begin(names), std::end(names), part) != std::end(names);
}

// As the last parts of a name.
constexpr const char* kDerived[] = {"rope.freqs", "attention.bias", "position_ids", "freqs_cis"};
// The same, inside any module.
constexpr const char* kDerivedInModules[] = {"inv_freq",    "original_inv_freq", "cos_cached",
                                             "sin_cached",  "_cos_cached",       "_sin_cached",
                                             "masked_bias", "causal_mask"};

struct PackedRow {
  const char* ending;
  const char* program;
};
constexpr PackedRow kPacked[] = {
    {".qweight", "GPTQ or AWQ"},
    {".qzeros", "GPTQ or AWQ"},
    {".g_idx", "GPTQ"},
    {".weight_packed", "compressed-tensors"},
    {".weight_scale", "compressed-tensors or FP8"},
    {".weight_scale_inv", "FP8"},
    {".weight_shape", "compressed-tensors"},
    {".SCB", "bitsandbytes"},
    {".absmax", "bitsandbytes"},
    {".quant_map", "bitsandbytes"},
    {".W_q", "HQQ"},
    {".q_weight", "EXL2"},
    {".q_scale", "EXL2"},
    {".weight_blocks", "MXFP4"},
    {"_proj_blocks", "MXFP4"},
    {".weight_qdata", "torchao"},
    {".trellis", "EXL3"},
};

}  // namespace

std::string bare_name(const std::string& name) {
  std::vector<std::string> parts = split(name, '.');
  std::erase_if(parts, [](const std::string& part) { return is_one_of(part, kWrappers); });
  size_t first = 0;
  while (first + 1 < parts.size() && is_one_of(parts[first], kModels)) ++first;
  return fmt::format(
      "{}", fmt::join(parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end(), "."));
}

bool is_derived_buffer(const std::string& name) {
  const size_t dot = name.rfind('.');
  if (dot != std::string::npos && is_one_of(name.substr(dot + 1), kDerivedInModules)) return true;
  return std::any_of(std::begin(kDerived), std::end(kDerived), [&](const std::string& ending) {
    return name == ending || name.ends_with("." + ending);
  });
}

std::string packed_by(const std::string& name, const std::string& dtype) {
  for (const PackedRow& row : kPacked) {
    if (name.ends_with(row.ending)) return row.program;
  }
  if (name.find(".quant_state.bitsandbytes") != std::string::npos) return "bitsandbytes";
  // MLX packs codes in words, beside .scales and .biases.
  return dtype == "U32" && name.ends_with(".weight") ? "MLX" : "";
}

std::map<std::string, std::string> match_names(const std::vector<std::string>& wanted,
                                               const std::set<std::string>& stored,
                                               const std::map<std::string, std::string>& aliases) {
  std::map<std::string, std::string> by_bare, alias_by_bare;
  for (const std::string& name : stored) by_bare.emplace(bare_name(name), name);
  for (const auto& [alias, name] : aliases) {
    if (stored.contains(name)) alias_by_bare.emplace(bare_name(alias), name);
  }
  std::map<std::string, std::string> out;
  for (const std::string& name : wanted) {
    if (stored.contains(name)) {
      out[name] = name;
    } else if (const auto found = by_bare.find(bare_name(name)); found != by_bare.end()) {
      out[name] = found->second;
    } else if (const auto alias = alias_by_bare.find(bare_name(name));
               alias != alias_by_bare.end()) {
      out[name] = alias->second;
    }
  }
  return out;
}

}  // namespace bitlaw::hf
