#include "laws/inputs.h"

#include <algorithm>
#include <cmath>

#include "formats/gaussian_error.h"
#include "laws/bind.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

constexpr size_t kLanes = 8;

// Of the format that the table names, else of the best uniform grid.
double log_gaussian_error(double error, double bits) {
  if (error > 0) return std::log(error);
  if (bits >= kUnquantizedBits) return -std::numeric_limits<double>::infinity();
  return log_uniform_grid_error(bits);
}

}  // namespace

Inputs<double> inputs_of(const Observation& run) {
  const auto bits = [](double value) { return std::min(value, kManyBits); };
  Inputs<double> out;
  out.log_params = std::log(run.params);
  out.log_tokens = std::log(run.tokens);
  out.log_unique_tokens = run.unique_tokens > 0 ? std::log(run.unique_tokens) : out.log_tokens;
  out.bits_weights = bits(run.bits_weights);
  out.bits_activations = bits(run.bits_activations);
  out.bits_kv = bits(run.bits_kv);
  out.bits_post = run.is_post_training() ? run.bits_post : kManyBits;
  out.log_group = std::log(run.group);
  out.exponent_bits = run.exponent_bits;
  out.mantissa_bits = run.mantissa_bits;
  out.log_gaussian_error_weights = log_gaussian_error(run.gaussian_error_weights, run.bits_weights);
  out.log_gaussian_error_activations =
      log_gaussian_error(run.gaussian_error_activations, run.bits_activations);
  out.log_gaussian_error_kv = log_gaussian_error(run.gaussian_error_kv, run.bits_kv);
  out.fixed_share = run.fixed_share;
  out.has_fixed = run.fixed_share > 0;
  const auto or_16 = [](double value) { return std::isnan(value) ? kUnquantizedBits : value; };
  out.bits_keys = bits(run.key_bits());
  out.bits_values = bits(run.value_bits());
  out.bits_embedding = bits(or_16(run.bits_embedding));
  out.bits_head = bits(or_16(run.bits_head));
  return out;
}

int columns_of(const Law& law) {
  return kInputs + static_cast<int>(law.inputs.size());
}

void fill_row(const Law& law, const Observation& run, double* out) {
  const Inputs<double> in = inputs_of(run);
  const double fields[] = {in.log_params,
                           in.log_tokens,
                           in.log_unique_tokens,
                           in.bits_weights,
                           in.bits_activations,
                           in.bits_kv,
                           in.bits_post,
                           in.log_group,
                           in.exponent_bits,
                           in.mantissa_bits,
                           in.log_gaussian_error_weights,
                           in.log_gaussian_error_activations,
                           in.log_gaussian_error_kv,
                           in.fixed_share,
                           in.bits_keys,
                           in.bits_values,
                           in.bits_embedding,
                           in.bits_head};
  static_assert(std::size(fields) == kInputs);
  out = std::copy(std::begin(fields), std::end(fields), out);
  for (const LawInput& input : law.inputs) *out++ = run.input(input.column);
}

Rows::Rows(const Law& law, std::span<const Observation> runs)
    : size_(runs.size()),
      stride_((runs.size() + kLanes - 1) / kLanes * kLanes),
      columns_(columns_of(law)) {
  data_.resize(static_cast<size_t>(columns_) * stride_);
  positions_.resize(law.class_parameters.size() * stride_);
  has_fixed_ = std::any_of(runs.begin(), runs.end(),
                           [](const Observation& run) { return run.fixed_share > 0; });
  std::vector<double> row(static_cast<size_t>(columns_));
  for (size_t i = 0; i < stride_; ++i) {
    fill_row(law, runs[std::min(i, size_ - 1)], row.data());
    for (size_t f = 0; f < row.size(); ++f) data_[f * stride_ + i] = row[f];
  }
  const std::vector<std::vector<int>> classes = class_positions(law, runs);
  for (size_t k = 0; k < classes.size(); ++k) {
    for (size_t i = 0; i < stride_; ++i)
      positions_[k * stride_ + i] = classes[k][std::min(i, size_ - 1)];
  }
}

}  // namespace bitlaw
