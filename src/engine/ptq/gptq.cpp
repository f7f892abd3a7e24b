#include "ptq/gptq.h"

#include <algorithm>

#include "base/error.h"
#include "linalg/cholesky.h"
#include "ptq/rounding.h"
#include "ptq/tiles.h"

namespace bitlaw {
namespace {

// Feedback reaches a column in blocks: from all columns before its panel at once, then from those
// before its block in the panel, and so on down to single columns. A group's columns are one of the
// blocks, because its grid takes the feedback of all columns before it.
std::vector<int64_t> block_widths(int64_t columns, int64_t group) {
  std::vector<int64_t> widths;
  for (const int64_t width : {256, 64, 16}) {
    widths.push_back(group == 0 || width <= group ? width : (width + group - 1) / group * group);
  }
  if (group > 0) widths.push_back(group);
  for (int64_t& width : widths) width = std::min(width, columns);
  std::sort(widths.begin(), widths.end(), std::greater<>());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  return widths;
}

// What the tiles share.
struct Problem {
  const WeightScheme& scheme;
  const float* weights;
  const HessianFactor& factor;
  int64_t columns;
  int64_t group;  // whose grid follows the feedback; 0: grids are taken before the first column
  std::vector<int64_t> widths;

  int64_t column_at(int64_t k) const {  // that is rounded k-th
    return factor.order.empty() ? k : factor.order[static_cast<size_t>(k)];
  }
};

// Grids side by side.
struct Grids {
  std::vector<float> scales, inverses, zeros;

  void resize(int64_t count) {
    for (std::vector<float>* part : {&scales, &inverses, &zeros})
      part->resize(static_cast<size_t>(count));
  }
  void set(int64_t i, const BlockGrid& grid) {
    const auto at = static_cast<size_t>(i);
    scales[at] = grid.scale;
    inverses[at] = grid.inverse;
    zeros[at] = grid.zero;
  }
};

// Some rows on their way through the columns. All matrices of a tile are held with the rows side by
// side, [columns][rows].
class Tile {
 public:
  Tile(const Problem& problem, QuantizedMatrix& out) : p_(problem), out_(out) {}

  void run(int64_t begin, int64_t end) {
    first_ = begin;
    rows_ = end - begin;
    const int64_t panel = p_.widths.front();
    const auto entries = [&](int64_t columns) { return static_cast<size_t>(columns * rows_); };
    if (errors_.columns() != rows_) errors_ = linalg::Matrix(p_.columns, rows_);
    feedback_.resize(entries(panel));
    target_.resize(entries(panel));
    codes_.resize(entries(panel));
    rounded_to_.resize(static_cast<size_t>(rows_));
    if (p_.group == 0) {
      set_grids_of_weights();
    } else {
      grids_.resize(rows_);
    }
    for (int64_t k = 0; k < p_.columns; k += panel) {
      panel_ = k;
      const int64_t panel_end = std::min(p_.columns, k + panel);
      read_weights(panel_end);
      std::fill(feedback_.begin(), feedback_.end(), 0.0);
      add_feedback(0, k, panel_end);
      round_block(k, panel_end, 0);
      write_codes(panel_end);
    }
  }

 private:
  double* error(int64_t k) { return errors_.row(k); }
  double* feedback(int64_t k) { return feedback_.data() + (k - panel_) * rows_; }
  double* weight(int64_t k) { return target_.data() + (k - panel_) * rows_; }
  float* code(int64_t k) { return codes_.data() + (k - panel_) * rows_; }

  void read_weights(int64_t end) {
    for (int64_t r = 0; r < rows_; ++r) {
      const float* row = p_.weights + (first_ + r) * p_.columns;
      for (int64_t k = panel_; k < end; ++k) weight(k)[r] = row[p_.column_at(k)];
    }
  }

  void write_codes(int64_t end) {
    for (int64_t r = 0; r < rows_; ++r) {
      float* row = out_.codes.data() + (first_ + r) * p_.columns;
      for (int64_t k = panel_; k < end; ++k) row[p_.column_at(k)] = code(k)[r];
    }
  }

  // What the errors of columns [from, begin) ask of columns [begin, end).
  void add_feedback(int64_t from, int64_t begin, int64_t end) {
    linalg::add_product({.rows = end - begin,
                         .columns = rows_,
                         .depth = begin - from,
                         .sign = 1,
                         .a = p_.factor.feedback.row(from) + begin,
                         .a_row = 1,
                         .a_column = p_.columns,
                         .b = error(from),
                         .b_row = rows_,
                         .c = feedback(begin),
                         .c_row = rows_});
  }

  // Columns [begin, end), which have the feedback of all before `begin`.
  void round_block(int64_t begin, int64_t end, size_t level) {
    if (p_.group > 0 && p_.widths[level] == p_.group) set_grids_of_group(begin, end);
    if (level + 1 == p_.widths.size()) {
      for (int64_t k = begin; k < end; ++k) {
        round_column(k);
        for (int64_t j = k + 1; j < end; ++j)
          kernel_.axpy(rows_, p_.factor.feedback(k, j), error(k), feedback(j));
      }
      return;
    }
    const int64_t width = p_.widths[level + 1];
    for (int64_t k = begin; k < end; k += width) {
      if (k > begin) add_feedback(begin, k, std::min(end, k + width));
      round_block(k, std::min(end, k + width), level + 1);
    }
  }

  void round_column(int64_t k) {
    // One grid per row, or the grid of the column's group if all groups have theirs.
    const int64_t first =
        p_.group == 0 && p_.scheme.group > 0 ? p_.column_at(k) / p_.scheme.group * rows_ : 0;
    const float *scales = grids_.scales.data() + first, *zeros = grids_.zeros.data() + first;
    const double *w = weight(k), *f = feedback(k);
    double* e = error(k);
    float *target = rounded_to_.data(), *codes = code(k);
    for (int64_t r = 0; r < rows_; ++r) target[r] = static_cast<float>(w[r] - f[r]);
    codes_of_column(p_.scheme, grids_.inverses.data() + first, zeros, target, rows_, codes);
    for (int64_t r = 0; r < rows_; ++r)
      e[r] = static_cast<double>(value_of({scales[r], 0, zeros[r]}, codes[r])) - w[r];
  }

  // Grids of RTN: of rows, or of the groups of rows.
  void set_grids_of_weights() {
    const int64_t width = p_.scheme.group == 0 ? p_.columns : p_.scheme.group;
    grids_.resize(out_.groups_per_row() * rows_);
    for (int64_t r = 0; r < rows_; ++r) {
      const float* row = p_.weights + (first_ + r) * p_.columns;
      for (int64_t begin = 0; begin < p_.columns; begin += width) {
        const BlockGrid grid = block_grid(p_.scheme, out_.tensor_scale, row + begin,
                                          std::min(width, p_.columns - begin));
        out_.set_grid(first_ + r, begin / width, grid);
        grids_.set(begin / width * rows_ + r, grid);
      }
    }
  }

  // Grids of one group from its weights after the feedback f of the columns before it. The change x
  // of the group's weights that is best while all of them are free solves x S_gg = -f.
  void set_grids_of_group(int64_t begin, int64_t end) {
    const int64_t width = end - begin;
    change_.assign(feedback(begin), feedback(end));
    for (double& x : change_) x = -x;
    linalg::solve_transposed(width, p_.factor.feedback.row(begin) + begin, p_.columns, rows_,
                             change_.data(), rows_);
    changed_.resize(static_cast<size_t>(width));
    for (int64_t r = 0; r < rows_; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        changed_[static_cast<size_t>(i)] =
            static_cast<float>(weight(begin + i)[r] + change_[static_cast<size_t>(i * rows_ + r)]);
      }
      const BlockGrid grid = block_grid(p_.scheme, out_.tensor_scale, changed_.data(), width);
      grids_.set(r, grid);
      out_.set_grid(first_ + r, begin / p_.group, grid);
    }
  }

  const Problem& p_;
  QuantizedMatrix& out_;
  const linalg::Kernel& kernel_ = linalg::kernel();
  int64_t first_ = 0, rows_ = 0;   // of the tile in the matrix
  int64_t panel_ = 0;              // first column of the panel
  linalg::Matrix errors_;          // [columns][rows] q - w
  std::vector<double> feedback_;   // [panel][rows]
  std::vector<double> target_;     // [panel][rows] w
  std::vector<float> codes_;       // [panel][rows]
  std::vector<float> rounded_to_;  // [rows] w - feedback of one column
  Grids grids_;  // [rows], of the group that is rounded; [groups][rows] if they are known before
  std::vector<double> change_;  // [group][rows]
  std::vector<float> changed_;  // [group]
};

}  // namespace

QuantizedMatrix quantize_gptq(const WeightScheme& scheme, const float* weights, int64_t rows,
                              int64_t columns, const HessianFactor& factor, ThreadPool& pool) {
  BITLAW_CHECK(factor.feedback.columns() == columns);
  QuantizedMatrix out(scheme, rows, columns);
  out.set_tensor_scale(weights);
  const int64_t moving_group = factor.order.empty() ? std::min<int64_t>(scheme.group, columns) : 0;
  const Problem problem{scheme,  weights,      factor,
                        columns, moving_group, block_widths(columns, moving_group)};
  std::vector<Tile> tiles(static_cast<size_t>(pool.threads()), Tile(problem, out));
  for_row_tiles(rows, pool, [&](int64_t begin, int64_t end, int worker) {
    tiles[static_cast<size_t>(worker)].run(begin, end);
  });
  return out;
}

MatrixResult round_by_gptq(const MatrixTask& task) {
  const MatrixCell& cell = task.cell;
  const HessianFactor& factor =
      task.input->factor(cell.act_order, cell.rotated, cell.first_damping);
  return {.quantized =
              quantize_gptq(cell.scheme, task.weights, task.rows, task.columns, factor, task.pool),
          .damping = factor.damping,
          .failed_dampings = factor.failed_dampings};
}

}  // namespace bitlaw
