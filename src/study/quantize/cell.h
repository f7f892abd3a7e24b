// One cell of a grid of post-training quantization: how the weights are rounded, by which method,
// and what else is rounded when the model is used.
//
// A method is written as it is asked for and as it stands in every table: a name (ptq/method.h),
// then its options in a fixed order,
//
//   act-order    columns are taken in the order of falling diagonal entries of the Hessian
//   asymmetric   integers with a zero point: the grid runs from the smallest to the largest weight
//   clip         the range of a grid is searched below its largest weight for least squared error
//   hadamard     rounded in a rotated basis, and rotated back: Q(W R) R^T
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/quantizer.h"
#include "ptq/method.h"
#include "record/cell.h"

namespace bitlaw {

// "gptq+act-order+clip": method and options of a matrix, in canonical form.
std::string method_name(const MatrixCell& cell);

// Inverse of method_name(), options in any order: a cell whose scheme has the options and nothing
// else. An Error names what is unknown, or does not go together.
MatrixCell parse_method(const std::string& text);

// "none, rtn, ..."; with what each name stands for, for help.
std::string method_names();
std::string method_help();

struct PtqCell {
  MatrixCell weights;  // of every matrix; nothing but its method if that leaves them as they are
  std::optional<Quantizer> activations, kv;  // when the model is used; empty: as it was trained
  int64_t calibration_seed = 0;              // of a method that is calibrated

  bool rounds_weights() const { return weights.method->round != nullptr; }
  bool calibrated() const { return weights.method->calibrated; }
  bool operator==(const PtqCell&) const = default;
  // What tells it from others of the same bits and group in a table: the method, then the kind of
  // codes where they are not plain integers (+float, +mx, +nv), then "+a8", "+kv4".
  std::string label() const;
  // "gptq int4 group128 a8": for progress and messages.
  std::string title() const;
  // What is asked for, before the texts and the weights it is measured on are known.
  CellKey key() const;
};

// Round to nearest of the same scheme and basis, which a cell is compared with; a cell that is this
// itself, or rounds no weights.
MatrixCell round_to_nearest_beside(const MatrixCell& cell);

}  // namespace bitlaw
