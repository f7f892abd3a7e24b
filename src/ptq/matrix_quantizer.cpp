#include "ptq/matrix_quantizer.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ptq/fixed_order.h"

namespace bitlaw {
namespace {

// Rows that one task takes through all columns. Fixed, so that the order of every sum is the same
// for any number of threads.
constexpr int64_t kTileRows = 64;
// Columns whose feedback is summed at once from all columns to their left (a matrix product).
constexpr int64_t kPanelColumns = 128;
constexpr double kLargestDamping = 1000;

int64_t tile_count(int64_t rows) {
  return (rows + kTileRows - 1) / kTileRows;
}

QuantizedMatrix make_quantized(const Format& format, int group, int64_t rows, int64_t columns) {
  BITLAW_CHECK(kSameBlocksOnEveryMachine && format.scaled() && group >= 0);
  QuantizedMatrix out{format, group, rows, columns, {}, {}};
  out.codes.resize(static_cast<size_t>(rows * columns));
  out.scales.resize(static_cast<size_t>(rows * out.groups_per_row()));
  return out;
}

float largest_magnitude(const float* begin, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(begin[i]));
  return largest;
}

// One tile of rows of a weight matrix on its way through the columns.
struct Tile {
  const float* weights;  // first row of the tile
  int64_t rows, columns;
  QuantizedMatrix& out;
  int64_t first_row;
  Eigen::MatrixXd
      errors;  // [rows, columns] q - w; column-major, so that the loops run down a column
  std::vector<float> scale, inverse;  // [rows] of the current group

  double weight(int64_t r, int64_t c) const { return weights[r * columns + c]; }

  void set_scale(int64_t r, int64_t group_index, float absmax) {
    const BlockScale block = block_scale(out.format, absmax);
    scale[static_cast<size_t>(r)] = block.scale;
    inverse[static_cast<size_t>(r)] = block.inverse;
    out.scales[static_cast<size_t>((first_row + r) * out.groups_per_row() + group_index)] =
        block.scale;
  }

  // Scales of one group from its weights after the feedback of the columns before it. `feedback`
  // [rows, group] is what those columns ask for; the change x of the group's weights that is best
  // while all of them are free solves x S_gg = -feedback.
  void set_group_scales(int64_t begin, int64_t end, const Eigen::MatrixXd& feedback,
                        const Eigen::MatrixXd& S) {
    Eigen::MatrixXd change = -feedback;
    S.block(begin, begin, end - begin, end - begin)
        .triangularView<Eigen::UnitUpper>()
        .solveInPlace<Eigen::OnTheRight>(change);
    for (int64_t r = 0; r < rows; ++r) {
      float absmax = 0;
      for (int64_t c = begin; c < end; ++c) {
        absmax =
            std::max(absmax, std::fabs(static_cast<float>(weight(r, c) + change(r, c - begin))));
      }
      set_scale(r, begin / out.group, absmax);
    }
  }

  void round_column(int64_t c, const Eigen::MatrixXd& feedback, int64_t panel_begin) {
    for (int64_t r = 0; r < rows; ++r) {
      const float target = static_cast<float>(weight(r, c) - feedback(r, c - panel_begin));
      const float code = round_to_code(out.format, target * inverse[static_cast<size_t>(r)]);
      out.codes[static_cast<size_t>((first_row + r) * columns + c)] = code;
      errors(r, c) = static_cast<double>(code * scale[static_cast<size_t>(r)]) - weight(r, c);
    }
  }

  void run(const Eigen::MatrixXd& S) {
    const int64_t width = out.group == 0 ? kPanelColumns : out.group;
    if (out.group == 0) {
      for (int64_t r = 0; r < rows; ++r)
        set_scale(r, 0, largest_magnitude(weights + r * columns, columns));
    }
    for (int64_t begin = 0; begin < columns; begin += width) {
      const int64_t end = std::min(columns, begin + width);
      Eigen::MatrixXd feedback = Eigen::MatrixXd::Zero(rows, end - begin);
      feedback.noalias() += errors.leftCols(begin) * S.block(0, begin, begin, end - begin);
      if (out.group != 0) set_group_scales(begin, end, feedback, S);
      for (int64_t c = begin; c < end; ++c) {
        round_column(c, feedback, begin);
        feedback.rightCols(end - c - 1).noalias() +=
            errors.col(c) * S.block(c, c + 1, 1, end - c - 1);
      }
    }
  }
};

}  // namespace

Operand QuantizedMatrix::operand() const {
  Rounding rounding;
  rounding.format = format;
  rounding.axis = group == 0 ? ScaleAxis::kRow : ScaleAxis::kGroup;
  rounding.group = group;
  rounding.keeps_codes = true;
  Operand out = make_operand(rounding, rows, columns);
  for (int64_t i = 0; i < rows * columns; ++i) out.codes.set(i, codes[static_cast<size_t>(i)]);
  std::copy(scales.begin(), scales.end(), out.scales.f32());
  return out;
}

HessianFactor factor_hessian(const Eigen::MatrixXd& hessian, double first_damping) {
  const Eigen::Index columns = hessian.rows();
  BITLAW_CHECK(hessian.cols() == columns && columns > 0 && first_damping > 0);
  if (!hessian.allFinite()) {
    throw Error(
        "the calibration inputs of a layer are not finite; the checkpoint is broken or its run "
        "diverged");
  }
  HessianFactor out;
  Eigen::MatrixXd live = hessian;
  double diagonal_sum = 0;
  for (Eigen::Index k = 0; k < columns; ++k) {
    if (hessian(k, k) == 0) {
      live.row(k).setZero();
      live.col(k).setZero();
      ++out.dead_columns;
    }
    diagonal_sum += hessian(k, k);
  }
  const double mean = out.dead_columns == columns
                          ? 0
                          : diagonal_sum / static_cast<double>(columns - out.dead_columns);

  for (out.damping = first_damping; out.damping <= kLargestDamping; out.damping *= 10) {
    // Cholesky in the reverse order of columns: J H J = L L^T gives H = R R^T with R = J L J.
    Eigen::MatrixXd reversed = live.reverse();
    for (Eigen::Index k = 0; k < columns; ++k) {
      const Eigen::Index original = columns - 1 - k;
      reversed(k, k) = hessian(original, original) == 0 ? 1 : reversed(k, k) + out.damping * mean;
    }
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> cholesky(reversed);
    if (cholesky.info() != Eigen::Success) {
      out.failed_dampings.push_back(out.damping);
      continue;
    }
    // `reversed` now holds L in its lower half and the old numbers above.
    out.feedback = Eigen::MatrixXd::Zero(columns, columns);
    for (Eigen::Index k = 0; k < columns; ++k) {
      const Eigen::Index column = columns - 1 - k;
      const double pivot = reversed(column, column);
      for (Eigen::Index i = 0; i < k; ++i)
        out.feedback(i, k) = reversed(columns - 1 - i, column) / pivot;
      out.feedback(k, k) = 1;
    }
    return out;
  }
  throw Error(fmt::format(
      "a calibration Hessian is not positive even with {} times its mean diagonal added; "
      "calibrate on more text",
      kLargestDamping));
}

QuantizedMatrix quantize_rtn(const Format& format, int group, const float* weights, int64_t rows,
                             int64_t columns, ThreadPool& pool) {
  QuantizedMatrix out = make_quantized(format, group, rows, columns);
  const int64_t width = group == 0 ? columns : group;
  pool.parallel_for(tile_count(rows), [&](int64_t tile, int) {
    for (int64_t r = tile * kTileRows; r < std::min(rows, (tile + 1) * kTileRows); ++r) {
      const float* row = weights + r * columns;
      float* codes = out.codes.data() + r * columns;
      for (int64_t begin = 0; begin < columns; begin += width) {
        const int64_t end = std::min(columns, begin + width);
        const BlockScale block = block_scale(format, largest_magnitude(row + begin, end - begin));
        out.scales[static_cast<size_t>(r * out.groups_per_row() + begin / width)] = block.scale;
        for (int64_t c = begin; c < end; ++c)
          codes[c] = round_to_code(format, row[c] * block.inverse);
      }
    }
  });
  return out;
}

QuantizedMatrix quantize_gptq(const Format& format, int group, const float* weights, int64_t rows,
                              int64_t columns, const HessianFactor& factor, ThreadPool& pool) {
  BITLAW_CHECK(factor.feedback.rows() == columns);
  QuantizedMatrix out = make_quantized(format, group, rows, columns);
  pool.parallel_for(tile_count(rows), [&](int64_t index, int) {
    const int64_t first = index * kTileRows;
    const int64_t count = std::min(kTileRows, rows - first);
    const auto size = static_cast<size_t>(count);
    Tile tile{weights + first * columns,
              count,
              columns,
              out,
              first,
              Eigen::MatrixXd::Zero(count, columns),
              std::vector<float>(size),
              std::vector<float>(size)};
    tile.run(factor.feedback);
  });
  return out;
}

double hessian_error(const QuantizedMatrix& quantized, const float* weights,
                     const Eigen::MatrixXd& hessian, ThreadPool& pool) {
  const int64_t rows = quantized.rows, columns = quantized.columns;
  BITLAW_CHECK(hessian.rows() == columns && hessian.cols() == columns);
  std::vector<double> row_errors(static_cast<size_t>(rows));
  pool.parallel_for(tile_count(rows), [&](int64_t index, int) {
    const int64_t first = index * kTileRows;
    const int64_t count = std::min(kTileRows, rows - first);
    Eigen::MatrixXd errors(count, columns);
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        errors(r, c) =
            static_cast<double>(quantized.value(first + r, c)) - weights[(first + r) * columns + c];
      }
    }
    // H is symmetric: what lies above a panel's block on the diagonal counts twice.
    Eigen::VectorXd sums = Eigen::VectorXd::Zero(count);
    for (int64_t begin = 0; begin < columns; begin += kPanelColumns) {
      const int64_t width = std::min(kPanelColumns, columns - begin);
      Eigen::MatrixXd weighted = Eigen::MatrixXd::Zero(count, width);
      weighted.noalias() += errors.leftCols(begin) * hessian.block(0, begin, begin, width);
      weighted *= 2;
      weighted.noalias() +=
          errors.middleCols(begin, width) * hessian.block(begin, begin, width, width);
      sums += weighted.cwiseProduct(errors.middleCols(begin, width)).rowwise().sum();
    }
    for (int64_t r = 0; r < count; ++r) row_errors[static_cast<size_t>(first + r)] = sums[r];
  });
  double sum = 0;
  for (const double error : row_errors) sum += error;
  return sum;
}

}  // namespace bitlaw
