// The roundings of training (formats/quantizer.h, formats/recipe.h) on arrays of Python: what a role of a
// recipe does to a matrix before a product. Everything here asks formats/; only the loops over blocks are new.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/names.h"
#include "base/parallel.h"
#include "bindings.h"
#include "formats/block_grid.h"
#include "formats/gaussian_scale.h"
#include "formats/half.h"
#include "formats/named_recipe.h"
#include "formats/precision.h"
#include "formats/recipe.h"
#include "formats/rotation.h"
#include "ptq/rounding.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

constexpr std::pair<const char*, Role> kRoles[] = {{"weights", Role::kWeights},
                                                   {"activations", Role::kActivations},
                                                   {"keys", Role::kKeys},
                                                   {"values", Role::kValues},
                                                   {"queries", Role::kQueries}};

// An Error as Python's ValueError, which the package raises again as its own.
template <class Call>
auto or_value_error(Call call) {
  try {
    return call();
  } catch (const Error& error) {
    throw nb::value_error(error.what());
  }
}

const Quantizer& of_role(const Recipe& recipe, Role role) {
  switch (role) {
    case Role::kWeights:
      return recipe.weights;
    case Role::kActivations:
      return recipe.activations;
    case Role::kKeys:
      return recipe.keys;
    case Role::kValues:
      return recipe.values;
    case Role::kQueries:
      return recipe.queries;
  }
  return recipe.weights;
}

// One role by itself, checked as a recipe is in which the other operand is rotated alike.
Quantizer quantizer_of_role(Role role, const std::string& precision,
                            const std::string& granularity) {
  const size_t plus = precision.find('+');
  std::string other = "16";
  if (plus != std::string::npos) {
    RoleOptions rotation;
    rotation.hadamard = parse_role_options(precision.substr(plus)).hadamard;
    other += rotation.name();
  }
  RecipeConfig config;
  const auto set = [](std::string& field, const std::string& value) {
    if (!value.empty()) field = value;
  };
  switch (role) {
    case Role::kWeights:
      config.weights = precision, config.activations = other;
      set(config.weights_granularity, granularity);
      break;
    case Role::kActivations:
      config.activations = precision, config.weights = other;
      set(config.activations_granularity, granularity);
      break;
    case Role::kKeys:
      config.kv = precision, config.queries = other;
      set(config.kv_granularity, granularity);
      break;
    case Role::kValues:
      if (other != "16") {
        throw Error(
            "values are not rotated: their product with the probabilities runs along tokens; "
            "leave " +
            other.substr(2) + " away");
      }
      config.kv = precision;
      set(config.kv_granularity, granularity);
      break;
    case Role::kQueries:
      config.queries = precision, config.kv = other;
      set(config.kv_granularity, granularity);
      break;
  }
  return of_role(make_recipe(config), role);
}

// What a name such as W4A4KV4, mxfp4 or quest-w4a4 says of every role.
RecipeConfig config_of_name(const std::string& name) {
  RecipeConfig config;
  std::vector<std::string> known;
  for (const NamedRecipe& each : named_recipes()) {
    known.emplace_back(each.name);
    if (name == each.name) {
      config.named = name;
      return config;
    }
  }
  const std::optional<NamedPrecision> said = named_precision(name);
  if (!said)
    throw Error(
        unknown_name("recipe", name, known, "expected W4A4KV8, mxfp4 or quest-w4a4, for example"));
  if (!said->ending.empty()) {
    throw Error(
        fmt::format("'{}': what '{}' means is not defined; write the recipe out, as in "
                    "weights = int4+hadamard, activations = int4+hadamard",
                    name, said->ending));
  }
  const auto give = [&](const PartPrecision& part, std::string& format, std::string& granularity) {
    if (!part.format)
      throw Error(
          fmt::format("'{}' gives bits but not the codes; write int4 or e2m1, for example", name));
    format = part.format->name() + std::string(part.format->scaled() ? ending_of(part.scales) : "");
    if (part.group > 0) granularity = fmt::format("group{}", part.group);
  };
  give(said->weights, config.weights, config.weights_granularity);
  give(said->activations, config.activations, config.activations_granularity);
  give(said->kv, config.kv, config.kv_granularity);
  return config;
}

// {"name", "roles": {role: [precision, granularity]}, "notes"} of the keys of a recipe, as JSON.
std::string recipe_of_config(const std::string& keys) {
  return or_value_error([&] {
    RecipeConfig config;
    fill(config, parse_json(keys, "recipe"), "recipe");
    const Recipe recipe = make_recipe(config);
    Json out{
        {"name", recipe.name()}, {"roles", Json::object()}, {"notes", notes_on_old_names(config)}};
    for (const auto& [name, role] : kRoles) {
      const Quantizer& quantizer = of_role(recipe, role);
      out["roles"][name] = {quantizer.format_name(), quantizer.granularity_name()};
    }
    return dump_json(out);
  });
}

std::string recipe_keys_of_name(const std::string& name) {
  return or_value_error([&] { return dump_json(to_json(config_of_name(name))); });
}

// Where the parts of a rounded matrix go, [rows, columns] each; null where nobody asks.
struct Parts {
  float* values = nullptr;
  float* codes = nullptr;
  float* scales = nullptr;  // that of each entry; 1 without scales
  bool* trusted = nullptr;  // whether its gradient is passed on

  Parts from(int64_t first) const {
    return {values + first, codes ? codes + first : nullptr, scales ? scales + first : nullptr,
            trusted ? trusted + first : nullptr};
  }
};

struct OneMatrix {
  const float* x;  // [rows, columns]
  int64_t rows, columns;
  int64_t heads;  // equal blocks of rows, each with its own scales per channel
};

bool all_finite(const float* x, int64_t count) {
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i] * 0;
  return sum == 0;
}

// Largest |x|; a NaN counts as 0. In integers, which compilers vectorize.
float absmax(const float* x, int64_t count) {
  constexpr int32_t kInfinity = 0x7f800000;
  int32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t magnitude = std::bit_cast<int32_t>(x[i]) & 0x7fffffff;
    largest = std::max(largest, magnitude > kInfinity ? 0 : magnitude);
  }
  return std::bit_cast<float>(largest);
}

class MatrixRounding {
 public:
  MatrixRounding(const Quantizer& quantizer, ScaleAxis axis, const OneMatrix& matrix,
                 const Parts& to)
      : quantizer_(quantizer), format_(quantizer.format), axis_(axis), m_(matrix), to_(to) {
    if (format_.scaled()) range_ = trusted_range(format_);
    scheme_ = {.format = format_,
               .group = axis == ScaleAxis::kGroup ? quantizer.group : 0,
               .clip = quantizer.options.clip,
               .gauss = quantizer.options.gauss,
               .scales = quantizer.scales};
  }

  void run() {
    const int64_t all = m_.rows * m_.columns;
    if (!format_.scaled()) return unscaled(all);
    if (quantizer_.scales == ScaleRule::kE4M3)
      tensor_ = tensor_scale(format_, quantizer_.scales, absmax(m_.x, all));
    switch (axis_) {
      case ScaleAxis::kTensor:
        return block(0, all);
      case ScaleAxis::kRow:
        return rows_in_blocks_of(m_.columns);
      case ScaleAxis::kGroup:
        return rows_in_blocks_of(quantizer_.group);
      case ScaleAxis::kColumn:
        const int64_t rows = m_.rows / m_.heads;
        for (int64_t r = 0; r < m_.rows; r += rows) columns(r, rows);
    }
  }

 private:
  void unscaled(int64_t count) const {
    if (format_.kind == FormatKind::kBf16) {
      for (int64_t i = 0; i < count; ++i) to_.values[i] = round_to_bf16(m_.x[i]);
    } else {
      std::copy_n(m_.x, count, to_.values);
    }
    if (to_.codes) std::copy_n(to_.values, count, to_.codes);
    if (to_.scales) std::fill_n(to_.scales, count, 1.0f);
    if (to_.trusted) std::fill_n(to_.trusted, count, true);
  }

  void rows_in_blocks_of(int64_t length) {
    for (int64_t r = 0; r < m_.rows; ++r) {
      for (int64_t c = 0; c < m_.columns; c += length)
        block(r * m_.columns + c, std::min(length, m_.columns - c));
    }
  }

  void block(int64_t begin, int64_t count) {
    const float* const x = m_.x + begin;
    BlockGrid grid;
    if (quantizer_.options.fits_range()) {
      if (!all_finite(x, count)) return put_nan(begin, count);
      grid = training_grid(scheme_, tensor_, x, count);
    } else {
      const BlockScale block = block_scale(format_, quantizer_.scales, tensor_, absmax(x, count));
      grid = {block.scale, block.inverse, 0};
    }
    float* const values = to_.values + begin;
    codes_of_block(scheme_, grid, x, count, values);
    if (to_.codes) std::copy_n(values, count, to_.codes + begin);
    for (int64_t i = 0; i < count; ++i) values[i] *= grid.scale;
    if (to_.scales) std::fill_n(to_.scales + begin, count, grid.scale);
    if (!to_.trusted) return;
    for (int64_t i = 0; i < count; ++i) to_.trusted[begin + i] = range_.holds(x[i] * grid.inverse);
  }

  // No range fits these numbers; whoever trains with them sees it in the loss.
  void put_nan(int64_t begin, int64_t count) const {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    for (float* part : {to_.values, to_.codes, to_.scales}) {
      if (part) std::fill_n(part + begin, count, kNan);
    }
    if (to_.trusted) std::fill_n(to_.trusted + begin, count, false);
  }

  // Columns of one block of rows, each with its own scale.
  void columns(int64_t first_row, int64_t rows) const {
    const int64_t C = m_.columns;
    std::vector<float> scale(static_cast<size_t>(C)), inverse(scale), zeros(scale);
    for (int64_t r = first_row; r < first_row + rows; ++r) {
      for (int64_t c = 0; c < C; ++c) scale[c] = std::max(scale[c], std::fabs(m_.x[r * C + c]));
    }
    for (int64_t c = 0; c < C; ++c) {
      const BlockScale block = block_scale(format_, quantizer_.scales, tensor_, scale[c]);
      scale[c] = block.scale, inverse[c] = block.inverse;
    }
    for (int64_t r = first_row; r < first_row + rows; ++r) {
      const float* const x = m_.x + r * C;
      float* const values = to_.values + r * C;
      codes_of_column(scheme_, inverse.data(), zeros.data(), x, C, values);
      if (to_.codes) std::copy_n(values, C, to_.codes + r * C);
      for (int64_t c = 0; c < C; ++c) values[c] *= scale[c];
      if (to_.scales) std::copy_n(scale.data(), C, to_.scales + r * C);
      for (int64_t c = 0; to_.trusted && c < C; ++c)
        to_.trusted[r * C + c] = range_.holds(x[c] * inverse[c]);
    }
  }

  const Quantizer& quantizer_;
  const Format& format_;
  ScaleAxis axis_;
  OneMatrix m_;
  Parts to_;
  WeightScheme scheme_;
  TrustedRange range_{};
  float tensor_ = 1;
};

// The same by quantize_reference of formats/, which every engine is held to.
void round_by_definition(const Quantizer& quantizer, ScaleAxis axis, const OneMatrix& m,
                         const Parts& to) {
  const int64_t heads = axis == ScaleAxis::kColumn ? m.heads : 1, rows = m.rows / heads;
  float elsewhere = 0;
  if (quantizer.scales == ScaleRule::kE4M3 && heads > 1) {
    for (int64_t i = 0; i < m.rows * m.columns; ++i)
      elsewhere = std::max(elsewhere, std::fabs(m.x[i]));
  }
  for (int64_t head = 0; head < heads; ++head) {
    const int64_t first = head * rows * m.columns, count = rows * m.columns;
    QuantizedReference rounded;
    if (quantizer.options.fits_range()) {
      const bool one_row = axis == ScaleAxis::kTensor;
      const WeightScheme scheme{.format = quantizer.format,
                                .group = axis == ScaleAxis::kGroup ? quantizer.group : 0,
                                .clip = quantizer.options.clip,
                                .gauss = quantizer.options.gauss,
                                .scales = quantizer.scales};
      WeightReference fitted =
          quantize_reference(scheme, m.x, one_row ? 1 : m.rows, one_row ? count : m.columns);
      for (size_t i = 0; i < fitted.codes.size(); ++i) {
        if (fitted.scales[i] < kSmallestNormal)
          fitted.codes[i] = fitted.scales[i] = fitted.values[i] = 0;
      }
      rounded = {fitted.codes, fitted.scales, fitted.values, fitted.scales, fitted.tensor_scale};
    } else {
      rounded = quantize_reference(quantizer.format, axis, quantizer.group, m.x + first, rows,
                                   m.columns, elsewhere, quantizer.scales);
    }
    std::copy(rounded.values.begin(), rounded.values.end(), to.values + first);
    if (to.codes) std::copy(rounded.codes.begin(), rounded.codes.end(), to.codes + first);
    if (to.scales) std::copy(rounded.scales.begin(), rounded.scales.end(), to.scales + first);
    if (!to.trusted) continue;
    const TrustedRange range =
        quantizer.format.scaled() ? trusted_range(quantizer.format) : TrustedRange{};
    for (int64_t i = 0; i < count; ++i) {
      const float scale = rounded.scales[static_cast<size_t>(i)],
                  inverse = scale == 0 ? 0 : 1 / scale;
      to.trusted[first + i] = !quantizer.format.scaled() || range.holds(m.x[first + i] * inverse);
    }
  }
}

using In = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
template <class T>
using Out = nb::ndarray<T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

// How one role of a recipe is rounded.
class RoleRounding {
 public:
  RoleRounding(const std::string& role, const std::string& precision,
               const std::string& granularity) {
    or_value_error([&] {
      for (const auto& [name, value] : kRoles) {
        if (role != name) continue;
        role_ = value;
        quantizer_ = quantizer_of_role(value, precision, granularity);
        return;
      }
      throw Error(
          unknown_name("role", role, {"weights", "activations", "keys", "values", "queries"}));
    });
  }

  std::string name() const { return quantizer_.name(); }
  std::string precision() const { return quantizer_.format_name(); }
  std::string granularity() const { return quantizer_.granularity_name(); }
  bool rounds() const {
    return quantizer_.format.kind != FormatKind::kFp32 || quantizer_.options.hadamard > 0;
  }
  bool scaled() const { return quantizer_.format.scaled(); }
  bool trust() const { return quantizer_.options.trust; }
  // Whether a row of a matrix is rounded without a look at the others.
  bool has_independent_rows() const {
    if (!quantizer_.format.scaled()) return true;
    const ScaleAxis axis = scale_axis(role_, quantizer_.granularity);
    return (axis == ScaleAxis::kRow || axis == ScaleAxis::kGroup) &&
           quantizer_.scales != ScaleRule::kE4M3;
  }
  // Whether products with probabilities run on BF16 numbers, so that these are rounded to BF16, and whether
  // the scales of groups are part of those numbers (Rounding in ops/quantize.h, for values).
  bool has_bf16_products() const {
    const ScaleAxis axis = scale_axis(role_, quantizer_.granularity);
    if (quantizer_.format.kind == FormatKind::kBf16 || folds()) return true;
    return quantizer_.format.scaled() && quantizer_.format.codes_fit_bf16() &&
           axis != ScaleAxis::kGroup && axis != ScaleAxis::kColumn;
  }
  bool folds() const {
    return quantizer_.granularity == Granularity::kGroup &&
           folds_into_bf16(quantizer_.format, quantizer_.scales);
  }
  int64_t rotation(int64_t columns) const {
    return quantizer_.options.hadamard == 0 ? 1
                                            : rotation_width(columns, quantizer_.options.hadamard);
  }

  // The scale of each matrix as a tensor: 1 without E4M3 scales.
  void tensor_scales(const In& x, const Out<float>& scales) const {
    if (scales.size() != x.shape(0)) throw nb::type_error("a scale for each matrix");
    const auto count = static_cast<int64_t>(x.shape(1) * x.shape(2));
    for (int64_t i = 0; i < static_cast<int64_t>(x.shape(0)); ++i) {
      const float largest = absmax(x.data() + i * count, count);
      scales.data()[i] = tensor_scale(quantizer_.format, quantizer_.scales, largest);
    }
  }

  // x [matrices, rows, columns]; the rows of a matrix are `heads` equal blocks. The bits do not depend on
  // `threads`.
  void round(const In& x, const Out<float>& values, int64_t heads, int threads,
             std::optional<Out<float>> codes, std::optional<Out<float>> scales,
             std::optional<Out<bool>> trusted, bool by_definition) const {
    auto matrices = static_cast<int64_t>(x.shape(0)), rows = static_cast<int64_t>(x.shape(1));
    const auto columns = static_cast<int64_t>(x.shape(2));
    const auto fits = [&](const auto& y) {
      return y.shape(0) == x.shape(0) && y.shape(1) == x.shape(1) && y.shape(2) == x.shape(2);
    };
    if (!fits(values) || (codes && !fits(*codes)) || (scales && !fits(*scales)) ||
        (trusted && !fits(*trusted)) || heads < 1 || rows % heads != 0)
      throw nb::type_error("arrays of one shape, and heads that divide the rows");
    const Parts to{values.data(), codes ? codes->data() : nullptr,
                   scales ? scales->data() : nullptr, trusted ? trusted->data() : nullptr};
    const float* const from = x.data();
    if (x.size() == 0) return;
    const nb::gil_scoped_release released;
    const ScaleAxis axis = scale_axis(role_, quantizer_.granularity);
    if (has_independent_rows()) {  // then any rows are a matrix
      const int64_t all = matrices * rows;
      rows = heads = 1;
      for (int64_t most = std::max<int64_t>(1, kTask / columns);
           rows < most && all % (2 * rows) == 0;)
        rows *= 2;
      matrices = all / rows;
    }
    const int64_t count = rows * columns, width = rotation(columns);
    const auto round_one = [&](int64_t i) {
      const float* matrix = from + i * count;
      std::vector<float> rotated;
      if (width > 1) {
        rotated.assign(matrix, matrix + count);
        rotate_blocks(rotated.data(), count, width);
        matrix = rotated.data();
      }
      const OneMatrix one{matrix, rows, columns, heads};
      if (by_definition) return round_by_definition(quantizer_, axis, one, to.from(i * count));
      MatrixRounding(quantizer_, axis, one, to.from(i * count)).run();
    };
    if (threads < 2 || matrices < 2) {
      for (int64_t i = 0; i < matrices; ++i) round_one(i);
      return;
    }
    ThreadPool pool(static_cast<int>(std::min<int64_t>(threads, matrices)));
    pool.parallel_for(matrices, [&](int64_t i, int) { round_one(i); });
  }

 private:
  static constexpr int64_t kTask = 1 << 15;  // entries that are worth a task of their own

  Role role_ = Role::kWeights;
  Quantizer quantizer_;
};

// In place; rows of `columns` entries, which `width` divides.
void rotate_rows(const Out<float>& x, int64_t width) {
  if (width < 1 || x.shape(2) % static_cast<size_t>(width) != 0)
    throw nb::type_error("a width that divides the rows");
  const nb::gil_scoped_release released;
  rotate_blocks(x.data(), static_cast<int64_t>(x.size()), width);
}

}  // namespace

void bind_roundings(nb::module_& module) {
  nb::class_<RoleRounding>(module, "RoleRounding", "How one role of a recipe is rounded.")
      .def(nb::init<const std::string&, const std::string&, const std::string&>(), nb::arg("role"),
           nb::arg("precision"), nb::arg("granularity"))
      .def_prop_ro("name", &RoleRounding::name)
      .def_prop_ro("precision", &RoleRounding::precision)
      .def_prop_ro("granularity", &RoleRounding::granularity)
      .def_prop_ro("rounds", &RoleRounding::rounds, "False for fp32 that is not rotated.")
      .def_prop_ro("scaled", &RoleRounding::scaled)
      .def_prop_ro("trust", &RoleRounding::trust)
      .def_prop_ro("has_independent_rows", &RoleRounding::has_independent_rows,
                   "Whether a row of a matrix is rounded without a look at the others.")
      .def_prop_ro("has_bf16_products", &RoleRounding::has_bf16_products,
                   "Whether probabilities are rounded to BF16 for their product with these values.")
      .def_prop_ro("folds", &RoleRounding::folds,
                   "Whether the scales of groups are part of the BF16 numbers of a product.")
      .def("tensor_scales", &RoleRounding::tensor_scales, nb::arg("x"), nb::arg("scales"),
           "The FP32 scale of each matrix of x [matrices, rows, columns], into scales [matrices, "
           "1, 1].")
      .def("rotation", &RoleRounding::rotation, nb::arg("columns"),
           "Entries of a row that are rotated together; 1: not rotated.")
      .def("round", &RoleRounding::round, nb::arg("x"), nb::arg("values"), nb::arg("heads") = 1,
           nb::arg("threads") = 1, nb::arg("codes") = nb::none(), nb::arg("scales") = nb::none(),
           nb::arg("trusted") = nb::none(), nb::arg("by_definition") = false,
           "Rounds x [matrices, rows, columns] into arrays of that shape.");
  module.def("rotate_rows", &rotate_rows, nb::arg("x"), nb::arg("width"),
             "Rotates the rows of x in place.");
  module.def("recipe", &recipe_of_config, nb::arg("keys"),
             "Every role of a recipe; keys and answer are JSON.");
  module.def("recipe_keys", &recipe_keys_of_name, nb::arg("name"),
             "The keys of a named recipe, as JSON.");
}

}  // namespace bitlaw
