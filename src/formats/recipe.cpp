#include "formats/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "formats/named_recipe.h"
#include "formats/role_format.h"
#include "formats/role_name.h"
#include "formats/rotation.h"

namespace bitlaw {
namespace {

const std::string kGranularitiesOfActivations =
    "sequence, channel, token, batch or groupG such as group32";

// "4" for int4 shared as usual, "16" for bf16, "32" for fp32; "" if there is no such short form.
std::string short_bits(const Quantizer& quantizer, Granularity usual) {
  if (quantizer.options != RoleOptions{}) return "";
  switch (quantizer.format.kind) {
    case FormatKind::kBf16:
      return "16";
    case FormatKind::kFp32:
      return "32";
    case FormatKind::kInteger:
      if (quantizer.granularity != usual || quantizer.format.bits == 16 ||
          quantizer.scales != ScaleRule::kFloat32)
        return "";
      return std::to_string(quantizer.format.bits);
    case FormatKind::kFloat:
      return "";
  }
  return "";
}

bool can_be_of_weights(Granularity granularity) {
  return granularity == Granularity::kTensor || granularity == Granularity::kChannel ||
         granularity == Granularity::kGroup;
}

// Case does not matter in names.
bool is_kv(const std::string& text) {
  const std::string name = trim(text);
  return name.size() == 2 && std::tolower(name[0]) == 'k' && std::tolower(name[1]) == 'v';
}

constexpr std::string_view kOld = "tensor", kNew = "sequence";

// One role of a RecipeConfig; errors name the key that is wrong and what it takes.
Quantizer quantizer_from(const std::string& key, const std::string& format_text,
                         const std::string& granularity_key, const std::string& granularity_text,
                         bool is_weight) {
  RoleFormat role;
  try {
    role = role_format(role_name(key, format_text));
  } catch (const Error& error) {
    throw Error(fmt::format("recipe.{}: {}{}", key, error.what(),
                            key == "queries" ? "; or kv: as keys and values" : ""));
  }
  // The granularity is checked even if it is not used, so that a mistake does not stay hidden until
  // a scaled format is chosen.
  const std::string takes =
      is_weight ? "tensor, channel or groupG such as group32" : kGranularitiesOfActivations;
  Quantizer parsed;
  try {
    parsed = parse_quantizer("int8/" +
                             (is_weight ? granularity_text : without_old_name(granularity_text)));
  } catch (const Error&) {
    throw Error(fmt::format("recipe.{}: '{}' is not a granularity; expected {}", granularity_key,
                            granularity_text, takes));
  }
  if (is_weight && !can_be_of_weights(parsed.granularity)) {
    throw Error(
        fmt::format("recipe.{}: {} have no tokens; expected {}", granularity_key, key, takes));
  }
  const Granularity usual = is_weight ? Granularity::kChannel : Granularity::kSequence;
  try {
    if (parsed.granularity != usual) require_own_block(role, parsed);
  } catch (const Error& error) {
    throw Error(fmt::format("recipe.{}: {}", key, error.what()));
  }
  return in_role(role, parsed);
}

// An option stands only where it means something.
void require_options_fit(const char* key, const Quantizer& role, bool has_trust) {
  const auto refuse = [&](const std::string& why) {
    throw Error(fmt::format("recipe.{} = {}: {}", key, role.format_name(), why));
  };
  const RoleOptions& options = role.options;
  if (options.trust && !has_trust) refuse("+trust is for weights and activations");
  if (!options.fits_range() && !options.trust) return;
  if (role.granularity == Granularity::kBatch)
    refuse(
        "a range is fitted to numbers that are all at hand, not to a batch; use sequence or token");
  if (role.granularity == Granularity::kChannel && std::string_view(key) != "weights")
    refuse(
        "a range is fitted to consecutive numbers, not to a channel; use sequence, token or a "
        "group");
}

// A product is unchanged only if both of its operands are rotated alike.
void require_rotated_alike(const char* key, const Quantizer& role, const char* other_key,
                           const Quantizer& other, const std::string& advice) {
  if (role.options.hadamard == other.options.hadamard) return;
  RoleOptions own, others;
  own.hadamard = role.options.hadamard;
  others.hadamard = other.options.hadamard;
  const auto said = [](const RoleOptions& options) {
    return options.hadamard == 0 ? "no +hadamard" : options.name();
  };
  if (own.hadamard != 0 && others.hadamard != 0) {
    const int64_t narrow = std::min(own.hadamard, others.hadamard);
    throw Error(fmt::format(
        "recipe.{} has {} and recipe.{} has {}: a product is unchanged only if both of its "
        "operands are rotated in the same blocks; write +hadamard{} on both, for example",
        key, said(own), other_key, said(others), narrow));
  }
  throw Error(fmt::format(
      "recipe.{} has {} and recipe.{} has {}: a product is unchanged only if both of its "
      "operands are rotated; {}",
      key, said(own), other_key, said(others), advice));
}

}  // namespace

std::string Recipe::name() const {
  if (*this == Recipe{}) return "bf16";
  const std::string w = short_bits(weights, Granularity::kChannel);
  const std::string a = short_bits(activations, Granularity::kSequence);
  const std::string kv = short_bits(keys, Granularity::kSequence);
  const std::string q = short_bits(queries, Granularity::kSequence);
  if (keys == values && !w.empty() && !a.empty() && !kv.empty() && !q.empty()) {
    if (w == "32" && a == "32" && kv == "32" && q == "32") return "fp32";
    return fmt::format("w{}a{}kv{}{}", w, a, kv, q == "16" ? "" : "q" + q);
  }
  return fmt::format("weights={} activations={} keys={} values={} queries={}", weights.name(),
                     activations.name(), keys.name(), values.name(), queries.name());
}

bool Recipe::has_batch_scales() const {
  for (const Quantizer* role : {&activations, &keys, &values, &queries}) {
    if (role->granularity == Granularity::kBatch) return true;
  }
  return false;
}

int64_t Recipe::projection_rotation(int64_t inputs) const {
  const int64_t most = weights.options.hadamard;
  return most == 0 ? 1 : rotation_width(inputs, most);
}

int64_t Recipe::head_rotation(int64_t head_width) const {
  const int64_t most = keys.options.hadamard;
  return most == 0 ? 1 : rotation_width(head_width, most);
}

ScaleAxis scale_axis(Role role, Granularity granularity) {
  if (role == Role::kWeights && !can_be_of_weights(granularity)) {
    throw Error("weights have no tokens to share a scale; use tensor, channel or a group");
  }
  switch (granularity) {
    case Granularity::kTensor:
    case Granularity::kSequence:
    case Granularity::kBatch:
      return ScaleAxis::kTensor;
    case Granularity::kGroup:
      return ScaleAxis::kGroup;
    case Granularity::kChannel:
      return role == Role::kWeights ? ScaleAxis::kRow : ScaleAxis::kColumn;
    case Granularity::kToken:
      return ScaleAxis::kRow;
  }
  return ScaleAxis::kTensor;
}

Recipe make_recipe(const RecipeConfig& given, int64_t batch_sequences) {
  const RecipeConfig config = spelled_out(given);
  const Quantizer weights = quantizer_from("weights", config.weights, "weights_granularity",
                                           config.weights_granularity, true);
  const Quantizer activations =
      quantizer_from("activations", config.activations, "activations_granularity",
                     config.activations_granularity, false);
  const Quantizer kv =
      quantizer_from("kv", config.kv, "kv_granularity", config.kv_granularity, false);
  const Quantizer queries = is_kv(config.queries)
                                ? kv
                                : quantizer_from("queries", config.queries, "kv_granularity",
                                                 config.kv_granularity, false);
  require_options_fit("weights", weights, true);
  require_options_fit("activations", activations, true);
  require_options_fit("kv", kv, false);
  require_options_fit("queries", queries, false);
  require_rotated_alike("weights", weights, "activations", activations,
                        "write it on both (16+hadamard is BF16)");
  require_rotated_alike("kv", kv, "queries", queries, "write it on both, or queries = kv");
  Recipe recipe{
      .weights = weights, .activations = activations, .keys = kv, .values = kv, .queries = queries};
  // Probabilities and values meet along tokens.
  recipe.values.options.hadamard = 0;
  if (recipe.has_batch_scales()) recipe.batch_sequences = batch_sequences;
  return recipe;
}

std::string without_old_name(const std::string& text) {
  return text == kOld || text == "per-tensor" ? std::string(kNew) : text;
}

std::string note_on_old_name(const std::string& key, const std::string& text) {
  if (without_old_name(text) == text) return "";
  return fmt::format(
      "{} = {} means one scale per sequence, whose name is now 'sequence'; 'batch' is one scale "
      "for all sequences of a step",
      key, text);
}

std::vector<std::string> notes_on_old_names(const RecipeConfig& config) {
  std::vector<std::string> notes;
  for (const auto& [key, text] :
       {std::pair{"recipe.activations_granularity", config.activations_granularity},
        std::pair{"recipe.kv_granularity", config.kv_granularity}}) {
    std::string note = note_on_old_name(key, text);
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

std::string with_old_names(const std::string& text) {
  std::vector<std::string> words = split(text, ' ');
  for (std::string& word : words) {
    if (word.ends_with(fmt::format("/{}", kNew)))
      word.replace(word.size() - kNew.size(), kNew.size(), kOld);
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string without_old_names(const std::string& text) {
  std::vector<std::string> words = split(text, ' ');
  for (std::string& word : words) {
    if (!word.starts_with("weights=") && word.ends_with(fmt::format("/{}", kOld)))
      word.replace(word.size() - kOld.size(), kOld.size(), kNew);
  }
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace bitlaw
