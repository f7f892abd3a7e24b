// Rounding of arrays: src/formats and src/engine/ptq.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/parallel.h"
#include "bindings.h"
#include "formats/block_noise.h"
#include "formats/e8m0.h"
#include "formats/gaussian_error.h"
#include "formats/half.h"
#include "formats/quantizer.h"
#include "formats/weight_scheme.h"
#include "linalg/matrix.h"
#include "ptq/quantize_matrix.h"
#include "ptq/rotation.h"

namespace nb = nanobind;

namespace bitlaw {

using namespace arrays;

namespace {

// Codes as integers

// The bit field of a code of eXmY: sign, exponent, mantissa. Of bf16 and fp32, too.
uint32_t bit_field(const Format& format, float code) {
  if (format.kind == FormatKind::kFp32) return std::bit_cast<uint32_t>(code);
  if (format.kind == FormatKind::kBf16) return bf16_bits(code);
  const auto bits = std::bit_cast<uint32_t>(code);
  const uint32_t sign = bits >> 31 << (format.bits - 1);
  const float magnitude = std::fabs(code);
  if (magnitude < format.smallest_normal())  // no exponent
    return sign | static_cast<uint32_t>(magnitude / format.smallest_positive());
  // A float's fields with the format's bias, less the mantissa bits that it does not have.
  const uint32_t rebiased = (bits & 0x7fffffffu) - (static_cast<uint32_t>(127 - format.bias) << 23);
  return sign | rebiased >> (23 - format.mantissa_bits);
}

struct Codes {
  std::vector<int8_t> int8;
  std::vector<int16_t> int16;
  std::vector<uint8_t> uint8;
  std::vector<uint16_t> uint16;
  std::vector<uint32_t> uint32;

  Codes() = default;
  Codes(const std::vector<float>& codes, const Format& format, bool asymmetric) {
    const bool is_integer = format.kind == FormatKind::kInteger;
    const auto fill = [&](auto& out) {
      using T = typename std::remove_reference_t<decltype(out)>::value_type;
      out.resize(codes.size());
      for (size_t i = 0; i < codes.size(); ++i)
        out[i] =
            is_integer ? static_cast<T>(codes[i]) : static_cast<T>(bit_field(format, codes[i]));
    };
    if (is_integer && !asymmetric) {
      format.bits <= 8 ? fill(int8) : fill(int16);
    } else if (format.bits <= 8) {
      fill(uint8);
    } else if (format.bits <= 16) {
      fill(uint16);
    } else {
      fill(uint32);
    }
  }

  nb::object array(const std::vector<int64_t>& shape) && {
    if (!int8.empty()) return array_of(std::move(int8), shape);
    if (!int16.empty()) return array_of(std::move(int16), shape);
    if (!uint16.empty()) return array_of(std::move(uint16), shape);
    if (!uint32.empty()) return array_of(std::move(uint32), shape);
    return array_of(std::move(uint8), shape);
  }
};

// A block's scale as its format stores it: E8M0's code, or the bit field of E4M3.
std::vector<uint8_t> stored_scales(const QuantizedMatrix& matrix) {
  std::vector<uint8_t> out;
  if (matrix.scheme.scales == ScaleRule::kFloat32) return out;
  const Format& format = matrix.scheme.format;
  const Format e4m3 = float_format(4, 3);
  for (const float scale : matrix.scales) {
    if (matrix.scheme.scales == ScaleRule::kE4M3) {
      out.push_back(static_cast<uint8_t>(
          bit_field(e4m3, without_tensor(ScaleRule::kE4M3, matrix.tensor_scale, scale))));
    } else {
      const int code = scale == 0 ? 0 : std::ilogb(scale) + e8m0_unit(format) + kE8M0Bias;
      out.push_back(static_cast<uint8_t>(std::clamp(code, 0, 254)));
    }
  }
  return out;
}

// Schemes

enum class Shared { kChannel, kGroup, kTensor, kColumn };

struct Grid {
  std::optional<Format> unscaled;  // bf16 or fp32: no scheme
  WeightScheme scheme;
  Shared shared = Shared::kChannel;
};

constexpr int kLargestGroup = std::numeric_limits<int>::max();

int group_in_range(int64_t group) {
  if (group < 0)
    throw Error(
        fmt::format("a group cannot have {} weights; use 1 or more, or 0 for a whole row", group));
  return static_cast<int>(std::min<int64_t>(group, kLargestGroup));
}

std::optional<Shared> find_shared(const std::string& text, int& group) {
  if (text == "channel") return Shared::kChannel;
  if (text == "tensor") return Shared::kTensor;
  if (text == "column") return Shared::kColumn;
  if (!text.starts_with("group")) return std::nullopt;
  const std::optional<int> width = parse_whole(text.substr(5));
  if (!width || *width < 1 || (group != 0 && group != *width)) return std::nullopt;
  group = *width;
  return Shared::kGroup;
}

// `granularity` may be empty: the format's own, or a row. `any`: also formats without a scale.
Grid grid_of(const std::string& format, int64_t asked_group, const std::string& granularity,
             bool asymmetric, bool clip, bool gauss, bool any = true) {
  Grid out;
  int group = group_in_range(asked_group);
  const bool is_chosen = group > 0 || !granularity.empty();
  if (!granularity.empty()) {
    const std::optional<Shared> found = find_shared(granularity, group);
    if (!found || (*found != Shared::kGroup && group > 0)) {
      throw Error(fmt::format(
          "granularity '{}'{}: expected tensor, channel, column, or groupG such as group32",
          granularity, group > 0 ? fmt::format(" with group={}", group) : ""));
    }
    out.shared = *found;
  } else if (group > 0) {
    out.shared = Shared::kGroup;
  }
  const auto part = find_part_precision(format);
  if (any && part && part->format && !part->format->scaled() && !asymmetric && !clip && !gauss) {
    if (is_chosen) {
      throw Error(
          fmt::format("'{}' has no scale, so nothing can share one; leave group and "
                      "granularity away",
                      format));
    }
    out.unscaled = part->format;
    return out;
  }
  const auto with = [&](bool wanted, const char* ending) {
    return wanted && format.find(ending) == std::string::npos ? ending : "";
  };
  out.scheme = parse_weight_scheme(
      format + with(asymmetric, "-asym") + with(clip, "-clip") + with(gauss, "-gauss"),
      out.shared == Shared::kGroup ? group : 0);
  if (!out.scheme.is_block_format()) return out;
  if (out.shared != Shared::kGroup && !granularity.empty()) {
    throw Error(
        fmt::format("'{}' has blocks of {}; leave granularity away, or write the codes and "
                    "scales apart, as in e2m1-e8m0",
                    format, out.scheme.group));
  }
  out.shared = Shared::kGroup;
  return out;
}

std::string granularity_of(const Grid& grid) {
  switch (grid.shared) {
    case Shared::kChannel:
      return "channel";
    case Shared::kTensor:
      return "tensor";
    case Shared::kColumn:
      return "column";
    case Shared::kGroup:
      return fmt::format("group{}", grid.scheme.group);
  }
  return "";
}

// Calibration

class Calibration {
 public:
  explicit Calibration(int64_t columns) : collector_(checked(columns)) {}

  void add(const Array& inputs, int threads) {
    const nb::gil_scoped_release released;
    const Numbers x(Layout(inputs, "inputs", false));
    const int64_t columns = collector_.columns();
    if (x.columns != columns)
      throw Error(
          fmt::format("inputs: {} columns, but the calibration has {}", x.columns, columns));
    x.require_finite("inputs");
    ThreadPool pool(threads_for(threads, x.size() * columns / 16));
    const std::lock_guard lock(mutex_);
    collector_.add(x.data(), x.rows, pool);
    tokens_ += x.rows;
  }

  int64_t columns() const { return collector_.columns(); }
  int64_t tokens() const {
    const std::lock_guard lock(mutex_);
    return tokens_;
  }

  InputStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    if (tokens_ == 0) throw Error("inputs: no rows; calibration needs at least one");
    StatisticsCollector copy = collector_;
    return std::move(copy).finish();
  }

 private:
  static int64_t checked(int64_t columns) {
    if (columns < 1)
      throw Error("inputs: no columns; one is needed for every column of the weights");
    return columns;
  }

  mutable std::mutex mutex_;
  StatisticsCollector collector_;
  int64_t tokens_ = 0;
};

nb::object hessian_of_calibration(const Calibration& calibration) {
  std::vector<double> values;
  const int64_t n = calibration.columns();
  {
    const nb::gil_scoped_release released;
    const InputStatistics statistics = calibration.statistics();
    values.assign(statistics.hessian.row(0), statistics.hessian.row(0) + n * n);
  }
  return array_of(std::move(values), {n, n});
}

nb::object magnitude_of_calibration(const Calibration& calibration) {
  std::vector<float> values;
  {
    const nb::gil_scoped_release released;
    values = calibration.statistics().mean_magnitude;
  }
  const auto n = static_cast<int64_t>(values.size());
  return array_of(std::move(values), {n});
}

// Rounding

// Everything but the arrays. No method: round-to-nearest of any numbers, without scales, too.
struct Request {
  std::string method, format, granularity;
  int64_t group = 0;
  bool asymmetric = false, clip = false, gauss = false, act_order = false, hadamard = false;
  double damping = 0;
  int threads = 0;
};

struct Rounded {
  Grid grid;
  Kind kind = Kind::kFloat32;
  int64_t rows = 0, columns = 0;  // of the array as it came
  Values values;
  Codes codes;
  std::vector<uint8_t> zeros, stored;
  double bits_per_weight = 0, relative_error = 0;
  MatrixResult result;
};

double relative_error_of(const std::vector<float>& values, const float* weights) {
  double squares = 0, errors = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double w = weights[i], e = static_cast<double>(values[i]) - w;
    squares += w * w;
    errors += e * e;
  }
  return errors == 0 ? 0 : errors / squares;
}

MatrixCell cell_of(const Request& request, const WeightScheme& scheme) {
  MatrixCell cell{.method = &ptq_method(request.method.empty() ? "rtn" : request.method),
                  .scheme = scheme,
                  .act_order = request.act_order,
                  .rotated = request.hadamard,
                  .first_damping = request.damping};
  if (!(request.damping > 0 && request.damping <= 1000)) {
    throw Error(
        fmt::format("damping {}: a share of the Hessian's mean diagonal is expected, such as 0.01",
                    request.damping));
  }
  return cell;
}

Rounded rounded_unscaled(const Format& format, const Layout& layout) {
  const Numbers numbers(layout);
  std::vector<float> values(static_cast<size_t>(numbers.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = round_to_code(format, numbers.data()[i]);
  Rounded out;
  out.codes = Codes(values, format, false);
  out.relative_error = relative_error_of(values, numbers.data());
  out.values = Values(std::move(values), layout.kind);
  out.bits_per_weight = format.bits;
  return out;
}

Rounded rounded(const Request& request, const Array& weights, const Calibration* calibration,
                const std::optional<Array>& hessian) {
  const Grid grid = grid_of(request.format, request.group, request.granularity, request.asymmetric,
                            request.clip, request.gauss, request.method.empty());
  const Layout layout(weights, "weights", grid.shared == Shared::kColumn);
  Rounded out;
  if (grid.unscaled) {
    Numbers(layout).require_finite("weights");
    out = rounded_unscaled(*grid.unscaled, layout);
  } else if (layout.size() > 0) {
    const Numbers numbers(layout);
    numbers.require_finite("weights");
    const bool whole = grid.shared == Shared::kTensor;
    const int64_t rows = whole ? 1 : numbers.rows,
                  columns = whole ? numbers.size() : numbers.columns;
    int64_t work = numbers.size();
    if (calibration != nullptr || hessian) work *= columns / 16 + 1;
    ThreadPool pool(threads_for(request.threads, work));
    std::optional<InputSolver> solver;
    if (calibration != nullptr) {
      if (calibration->columns() != columns) {
        throw Error(fmt::format("inputs: {} columns, but the weights have {}",
                                calibration->columns(), columns));
      }
      solver.emplace(calibration->statistics(), pool);
    } else if (hessian) {
      InputStatistics statistics{
          .tokens = 1,
          .hessian = hessian_of(*hessian, columns),
          .mean_magnitude = std::vector<float>(static_cast<size_t>(columns))};
      solver.emplace(std::move(statistics), pool);
    }
    out.result = quantize_matrix(cell_of(request, grid.scheme), solver ? &*solver : nullptr,
                                 numbers.data(), rows, columns, pool);
    const QuantizedMatrix& matrix = out.result.quantized;
    std::vector<float> values = matrix.effective(pool);
    out.relative_error = relative_error_of(values, numbers.data());
    std::vector<float> codes = matrix.codes;
    if (grid.shared == Shared::kColumn) {
      values = transposed(values, rows, columns);
      codes = transposed(codes, rows, columns);
    }
    out.codes = Codes(codes, grid.scheme.format, grid.scheme.asymmetric);
    out.values = Values(std::move(values), layout.kind);
    out.zeros.assign(matrix.zeros.begin(), matrix.zeros.end());
    out.stored = stored_scales(matrix);
    const double per_block = (grid.scheme.scales == ScaleRule::kFloat32 ? 32 : 8) +
                             (grid.scheme.asymmetric ? grid.scheme.format.bits : 0);
    out.bits_per_weight =
        grid.scheme.format.bits + (per_block * static_cast<double>(matrix.scales.size()) +
                                   32.0 * static_cast<double>(matrix.column_scale.size())) /
                                      static_cast<double>(numbers.size());
  } else {
    if (calibration != nullptr || hessian)
      throw Error(
          fmt::format("weights: {} x {}; there is nothing to round", layout.rows, layout.columns));
    out.bits_per_weight = grid.scheme.format.bits;
    out.codes = Codes({}, grid.scheme.format, grid.scheme.asymmetric);
  }
  out.grid = grid;
  out.kind = layout.kind;
  out.rows = layout.rows;
  out.columns = layout.columns;
  if (grid.shared == Shared::kColumn) std::swap(out.rows, out.columns);
  return out;
}

std::vector<int64_t> shape_of_scales(const Rounded& out) {
  switch (out.grid.shared) {
    case Shared::kTensor: {
      const int64_t any = std::min<int64_t>(1, out.rows * out.columns);
      return {any, any};
    }
    case Shared::kColumn:
      return {std::min<int64_t>(1, out.rows), out.columns};
    case Shared::kChannel:
      return {out.rows, std::min<int64_t>(1, out.columns)};
    case Shared::kGroup:
      return {out.rows, (out.columns + out.grid.scheme.group - 1) / out.grid.scheme.group};
  }
  return {};
}

nb::object or_none(double x) {
  return std::isnan(x) ? nb::none() : nb::cast(x);
}

nb::dict round_matrix(const Array& weights, const std::string& method, const std::string& format,
                      int64_t group, const std::string& granularity, bool asymmetric, bool clip,
                      bool gauss, bool act_order, bool hadamard, double damping,
                      const Calibration* calibration, const std::optional<Array>& hessian,
                      int threads) {
  const Request request{method, format,    granularity, group,   asymmetric, clip,
                        gauss,  act_order, hadamard,    damping, threads};
  Rounded out;
  {
    const nb::gil_scoped_release released;
    out = rounded(request, weights, calibration, hessian);
  }
  const bool is_row = weights.ndim() == 1;
  const auto shape = [&](std::vector<int64_t> two) {
    return is_row ? std::vector<int64_t>{two[1]} : two;
  };
  const std::vector<int64_t> entries = shape({out.rows, out.columns}),
                             blocks = shape(shape_of_scales(out));
  MatrixResult& result = out.result;
  const bool is_float16 = out.kind == Kind::kFloat16, is_bfloat16 = out.kind == Kind::kBFloat16;
  nb::dict answer;
  answer["type"] = is_float16 ? "float16" : is_bfloat16 ? "bfloat16" : "";
  answer["values"] = std::move(out.values).array(out.kind, entries);
  answer["codes"] = std::move(out.codes).array(entries);
  const WeightScheme& scheme = out.grid.scheme;
  const bool scaled = !out.grid.unscaled;
  answer["scales"] = scaled ? array_of(std::move(result.quantized.scales), blocks) : nb::none();
  answer["zeros"] =
      scaled && scheme.asymmetric ? array_of(std::move(out.zeros), blocks) : nb::none();
  answer["stored_scales"] = scaled && scheme.scales != ScaleRule::kFloat32
                                ? array_of(std::move(out.stored), blocks)
                                : nb::none();
  answer["tensor_scale"] = result.quantized.tensor_scale;
  answer["format"] = scaled ? scheme.name() : out.grid.unscaled->name();
  answer["granularity"] = scaled ? granularity_of(out.grid) : "";
  answer["bits_per_weight"] = out.bits_per_weight;
  answer["relative_error"] = out.relative_error;
  answer["error"] = or_none(result.error);
  answer["rtn_error"] = or_none(result.rtn_error);
  answer["damping"] = or_none(result.damping);
  answer["failed_dampings"] = nb::cast(result.failed_dampings);
  answer["alpha"] = or_none(result.alpha);
  answer["dead_inputs"] = result.dead_columns;
  const auto scaled_columns = static_cast<int64_t>(result.quantized.column_scale.size());
  answer["column_scales"] =
      scaled_columns > 0 ? array_of(std::move(result.quantized.column_scale), {scaled_columns})
                         : nb::none();
  answer["rotation"] = result.quantized.rotation;
  return answer;
}

// The rotation of formats/rotation.h, by its two definitions: sums in double, as after training, or
// in FP32, as in training. A float64 array stays one.
nb::object rotate(const Array& array, int64_t width, bool training) {
  const Layout layout(array, "array", false);
  const int64_t rows = layout.rows, columns = layout.columns;
  Values out;
  {
    const nb::gil_scoped_release released;
    if (columns > 0) {
      if (width == 0) width = rotation_width(columns);
      if (width < 1 || !std::has_single_bit(static_cast<uint64_t>(width)) || columns % width != 0) {
        throw Error(fmt::format(
            "width {}: a power of two that divides {} columns is expected, at most {}", width,
            columns, rotation_width(columns, std::numeric_limits<int64_t>::max())));
      }
    }
    if (layout.kind == Kind::kFloat64) {
      out.fp64 = copied<double, double>(layout);
      if (!out.fp64.empty()) rotate_blocks(out.fp64.data(), layout.size(), width);
    } else {
      const Numbers numbers(layout);
      std::vector<float> values(numbers.data(), numbers.data() + numbers.size());
      if (!values.empty()) {
        if (training) {
          rotate_blocks(values.data(), numbers.size(), width);
        } else {
          rotate_rows(values.data(), rows, columns, width, values.data());
        }
      }
      out = Values(std::move(values), layout.kind);
    }
  }
  std::vector<int64_t> shape{rows, columns};
  if (array.ndim() == 1) shape.erase(shape.begin());
  return std::move(out).array(layout.kind, shape);
}

// Formats and their errors

constexpr int kMostBlockBits = 8;  // of block_gaussian_error

GaussianErrorSource source_named(const std::string& name) {
  using enum GaussianErrorSource;
  std::vector<std::string> names;
  for (const GaussianErrorSource source : {kLeast, kBlock, kPrinted}) {
    names.push_back(bitlaw::name_of(source));
    if (name == names.back()) return source;
  }
  throw Error(unknown_name("source", name, names));
}

double error_of(const std::string& name, int64_t asked_group, const std::string& source,
                std::optional<double> scale, std::optional<double> crest) {
  const Grid grid = grid_of(name, asked_group, "", false, false, false);
  const Format format = grid.unscaled ? *grid.unscaled : grid.scheme.format;
  if (grid.scheme.asymmetric || grid.scheme.clip || grid.scheme.gauss) {
    throw Error(
        fmt::format("'{}': errors of a zero point or a fitted range are not known in closed "
                    "form; quantize numbers and read relative_error",
                    name));
  }
  if (scale) {
    if (!(*scale > 0 && std::isfinite(*scale)))
      throw Error(fmt::format("scale {}: expected a positive number", *scale));
    if (grid.unscaled && *scale != 1)
      throw Error(fmt::format("'{}' has no scale; leave it away", name));
    return gaussian_error(format, *scale);
  }
  const int group = grid.scheme.group;
  const std::string chosen = !source.empty() ? source : group > 0 ? "block" : "least";
  PartPrecision part;
  part.format = format;
  const GaussianErrorSource from = source_named(chosen);
  if (from == GaussianErrorSource::kLeast && !crest) {
    return least_gaussian_error(format).error;
  }
  if (group < 2 || grid.unscaled) {
    throw Error(fmt::format(
        "'{}': what blocks lose depends on how many numbers share a scale; give group, at least 2",
        name));
  }
  if (format.bits > kMostBlockBits) {
    throw Error(fmt::format("'{}': errors of blocks are known for codes of up to {} bits", name,
                            kMostBlockBits));
  }
  if (crest) {
    const double g = group;
    const double noise = *crest > 0 && std::isfinite(*crest)
                             ? exact_noise(format, grid.scheme.scales, group, *crest)
                             : std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(noise)) {
      throw Error(fmt::format("crest {}: blocks of {} have crests between {:.6g} and {:.6g}",
                              *crest, group, std::sqrt(3 * g / (g + 2)), std::sqrt(g)));
    }
    return noise;
  }
  if (from == GaussianErrorSource::kBlock)
    return block_gaussian_error(format, grid.scheme.scales, group);
  part.bits = format.bits;
  part.group = group;
  part.scales = grid.scheme.scales;
  return gaussian_error_of(part, from);
}

double format_error(const std::string& name, int64_t group, const std::string& source,
                    std::optional<double> scale, std::optional<double> crest) {
  const nb::gil_scoped_release released;
  return error_of(name, group, source, scale, crest);
}

nb::dict format_facts(const std::string& name) {
  const Grid grid = grid_of(name, 0, "", false, false, false);
  const WeightScheme& scheme = grid.scheme;
  const Format format = grid.unscaled ? *grid.unscaled : scheme.format;
  const bool scaled = !grid.unscaled, is_integer = format.kind == FormatKind::kInteger;
  nb::dict out;
  out["name"] = scaled ? scheme.name() : format.name();
  out["codes"] = format.name();
  out["kind"] = is_integer ? "integer" : "float";
  out["bits"] = format.bits;
  out["exponent_bits"] = is_integer                         ? 0
                         : format.kind == FormatKind::kFp32 ? 8
                                                            : format.exponent_bits;
  out["mantissa_bits"] = is_integer                         ? 0
                         : format.kind == FormatKind::kFp32 ? 23
                                                            : format.mantissa_bits;
  const float largest = format.kind == FormatKind::kFp32 ? std::numeric_limits<float>::max()
                        : scaled                         ? scheme.highest_code()
                                                         : all_codes(format).back();
  out["largest"] = largest;
  out["lowest"] = scaled ? scheme.lowest_code() : -largest;
  out["smallest_normal"] = scaled ? format.smallest_normal() : 0x1p-126f;
  out["smallest_positive"] = scaled                             ? format.smallest_positive()
                             : format.kind == FormatKind::kFp32 ? 0x1p-149f
                                                                : 0x1p-133f;
  out["group"] = scheme.group;
  out["scales"] = !scaled                             ? ""
                  : scheme.scales == ScaleRule::kE8M0 ? "e8m0"
                  : scheme.scales == ScaleRule::kE4M3 ? "e4m3"
                                                      : "fp32";
  out["asymmetric"] = scheme.asymmetric;
  out["clip"] = scheme.clip;
  out["gauss"] = scheme.gauss;
  out["bits_per_weight"] =
      scaled && scheme.group > 0 ? storage_bits(scheme, scheme.group) : format.bits;
  return out;
}

// [codes] ascending; zero once.
nb::object code_values(const std::string& name) {
  const Grid grid = grid_of(name, 0, "", false, false, false);
  const Format format = grid.unscaled ? *grid.unscaled : grid.scheme.format;
  if (format.kind == FormatKind::kFp32) throw Error("fp32 has too many codes for a list");
  std::vector<float> codes;
  if (grid.scheme.asymmetric) {
    codes.resize(static_cast<size_t>(grid.scheme.highest_code()) + 1);
    std::iota(codes.begin(), codes.end(), 0.0f);
  } else {
    codes = all_codes(format);
  }
  const auto count = static_cast<int64_t>(codes.size());
  return array_of(std::move(codes), {count});
}

// What lists of formats show: integers, the usual floats, and the published block formats.
std::vector<std::string> usual_formats() {
  std::vector<std::string> out;
  for (int bits = 2; bits <= 8; ++bits) out.push_back(fmt::format("int{}", bits));
  for (const char* name : kUsualFloats) out.emplace_back(name);
  for (const std::string& name : block_format_names()) out.push_back(name);
  out.emplace_back("bf16");
  out.emplace_back("fp32");
  return out;
}

std::vector<std::string> methods() {
  std::vector<std::string> out;
  for (const PtqMethod& method : ptq_methods()) out.emplace_back(method.name);
  return out;
}

}  // namespace

void bind_numbers(nb::module_& module) {
  nb::class_<Calibration>(module, "Calibration")
      .def(nb::init<int64_t>(), nb::arg("columns"))
      .def("add", &Calibration::add, nb::arg("inputs"), nb::arg("threads") = 0)
      .def_prop_ro("columns", &Calibration::columns)
      .def_prop_ro("tokens", &Calibration::tokens)
      .def_prop_ro("hessian", &hessian_of_calibration)
      .def_prop_ro("magnitude", &magnitude_of_calibration);
  module.attr("first_damping") = MatrixCell{}.first_damping;
  module.def("round_matrix", &round_matrix, nb::arg("weights"), nb::kw_only(), nb::arg("method"),
             nb::arg("format"), nb::arg("group"), nb::arg("granularity"), nb::arg("asymmetric"),
             nb::arg("clip"), nb::arg("gauss"), nb::arg("act_order"), nb::arg("hadamard"),
             nb::arg("damping"), nb::arg("calibration").none(), nb::arg("hessian").none(),
             nb::arg("threads"));
  module.def("rotate", &rotate, nb::arg("array"), nb::arg("width"), nb::arg("training"));
  module.def("format_error", &format_error, nb::arg("name"), nb::arg("group"), nb::arg("source"),
             nb::arg("scale").none(), nb::arg("crest").none());
  module.def("format_facts", &format_facts, nb::arg("name"));
  module.def("code_values", &code_values, nb::arg("name"));
  module.def("usual_formats", &usual_formats);
  module.def("methods", &methods);
}

}  // namespace bitlaw
