#include "record/factor.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <unordered_map>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "record/factor_names.h"
#include "record/tidy_row.h"

namespace bitlaw {
namespace {

constexpr Factor kFactors[] = {
    // What is learned and measured.
    {"data_hash", Varies::kNever},
    {"tokenizer", Varies::kNever, "", "", Values::kTexts},
    {"vocabulary", Varies::kNever, "tokenizer"},
    {"validation_hash", Varies::kNever},
    {"validation_part", Varies::kNever},
    {"validation_tokens", Varies::kNever, "validation_hash validation_part"},
    {"sequence", Varies::kNever},
    {"epochs", Varies::kBySize, "data_hash"},
    {"unique_tokens", Varies::kBySize, "data_hash epochs"},
    // The model.
    {"architecture", Varies::kNever, "", "", Values::kTexts},
    {"activation", Varies::kNever, "architecture", "", Values::kTexts},
    {"normalization", Varies::kNever, "architecture", "", Values::kTexts},
    {"position_encoding", Varies::kNever, "architecture", "", Values::kTexts},
    {"extra_norm", Varies::kNever},
    {"tied_head", Varies::kNever},
    {"rope_theta", Varies::kNever},
    {"norm_epsilon", Varies::kNever},
    {"width", Varies::kBySize},
    {"layers", Varies::kBySize, "width"},
    {"head_width", Varies::kBySize, "width layers"},
    {"kv_heads", Varies::kBySize, "width layers head_width"},
    {"hidden", Varies::kBySize, "width layers"},
    // The optimization.
    {"run_fraction", Varies::kNever},
    {"optimizer", Varies::kNever},
    {"schedule", Varies::kNever},
    {"gradient_format", Varies::kNever},
    {"lr", Varies::kBySize},
    {"batch_tokens", Varies::kBySize},
    {"peak_lr", Varies::kBySize, "lr width layers batch_tokens"},
    {"steps", Varies::kBySize, "batch_tokens"},
    {"weight_decay", Varies::kBySize},
    {"warmup", Varies::kBySize, "schedule"},
    {"decay", Varies::kBySize, "schedule"},
    {"final_rate", Varies::kBySize, "schedule"},
    {"betas", Varies::kBySize, "optimizer", "", Values::kTexts},
    {"beta1", Varies::kBySize, "optimizer"},
    {"beta2", Varies::kBySize, "optimizer"},
    {"epsilon", Varies::kBySize, "optimizer"},
    {"clip", Varies::kBySize},
    {"dropout", Varies::kNever, "", "", Values::kNumbers},
    {"label_smoothing", Varies::kNever, "", "", Values::kNumbers},
    {"z_loss", Varies::kNever, "", "", Values::kNumbers},
    // How things are rounded.
    {"precision", Varies::kByPrecision, "", "", Values::kTexts},
    {"backward", Varies::kByPrecision, "precision", "", Values::kTexts},
    {"P_q", Varies::kByPrecision, "precision"},
    {"P_k", Varies::kByPrecision, "precision"},
    {"P_v", Varies::kByPrecision, "precision"},
    {"format", Varies::kByPrecision, "precision", "P", Values::kTexts},
    {"format_w", Varies::kByPrecision, "precision format", "P_w"},
    {"format_a", Varies::kByPrecision, "precision format", "P_a"},
    {"format_kv", Varies::kByPrecision, "precision format", "P_kv"},
    {"format_q", Varies::kByPrecision, "precision format P_q format_kv", "P_q"},
    {"training_group", Varies::kByPrecision, "precision format format_w format_a format_kv", "P",
     Values::kNumbers},
    {"granularity_w", Varies::kByPrecision, "precision format format_w training_group", "P_w"},
    {"granularity_a", Varies::kByPrecision, "precision format format_a training_group", "P_a"},
    {"granularity_kv", Varies::kByPrecision, "precision format format_kv training_group", "P_kv"},
    {"granularity_q", Varies::kByPrecision, "precision format P_q format_q granularity_kv", "P_q"},
    {"format_post", Varies::kByPrecision, "", "P_post"},
    // How cells of quantization after training are made and measured.
    {"evaluation_tokens", Varies::kNever, "", "P_post"},
    {"evaluation_hash", Varies::kNever, "data_hash validation_hash sequence evaluation_tokens",
     "P_post"},
    {"calibration_tokens", Varies::kNever, "", "P_post"},
    {"calibration_hash", Varies::kNever,
     "data_hash validation_hash sequence evaluation_hash calibration_tokens calibration_seed",
     "P_post"},
    {"first_damping", Varies::kNever, "", "P_post"},
    {"engine", Varies::kFreely},
};

bool has_texts(const Factor& factor) {
  if (factor.values != Values::kOfColumn) return factor.values == Values::kTexts;
  const std::vector<TidyColumn>& columns = tidy_columns();
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const TidyColumn& column) {
    return std::string_view(column.name) == factor.name;
  });
  BITLAW_CHECK(found != columns.end());
  return found->type == TidyColumn::kText;
}

}  // namespace

// Both are asked for every row of a table: the lists are searched once.
bool Factor::is_text() const {
  static const std::vector<bool> texts = [] {
    std::vector<bool> out;
    for (const Factor& factor : kFactors) out.push_back(has_texts(factor));
    return out;
  }();
  return texts[index()];
}

size_t Factor::index() const {
  const std::less<const Factor*> before;
  const bool listed = !before(this, std::begin(kFactors)) && before(this, std::end(kFactors));
  return static_cast<size_t>((listed ? this : find_factor(name)) - kFactors);
}

std::span<const Factor> factors() {
  return kFactors;
}

const Factor* find_factor(std::string_view name) {
  static const std::unordered_map<std::string_view, const Factor*> all = [] {
    std::unordered_map<std::string_view, const Factor*> out;
    for (const Factor& factor : kFactors) out.emplace(factor.name, &factor);
    return out;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : found->second;
}

std::vector<std::string> factors_named(const std::vector<std::string>& names) {
  std::vector<std::string> known, out;
  for (const Factor& factor : kFactors) known.emplace_back(factor.name);
  for (const std::string& each : names) {
    const std::string name = plain_name(each);
    if (name.empty()) continue;
    if (name == "all") return known;
    const std::string whole = factor_called(name);
    const auto is_meant = [&](const std::string& factor) {
      return factor == whole || plain_name(factor).starts_with(name + "_");
    };
    if (std::none_of(known.begin(), known.end(), is_meant))
      throw Error("pool: " + unknown_name("factor", trim(each), known));
    std::copy_if(known.begin(), known.end(), std::back_inserter(out), is_meant);
  }
  return out;
}

}  // namespace bitlaw
