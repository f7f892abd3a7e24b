// One cell of a grid of post-training quantization: how weights are rounded, by which method, and
// what else is rounded when the model is used.
//
// A method has the same name on the command line and in tables: that of ptq/method.h, then its
// options in a fixed order,
//
//   act-order    columns in descending order of the Hessian's diagonal
//   asymmetric   integers with a zero point: codes cover the smallest to the largest weight
//   clip         the range of each scale is searched for the least squared error
//   hadamard     weights are rounded in a rotated basis and rotated back: Q(W R) R^T
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/quantizer.h"
#include "formats/recipe.h"
#include "ptq/method.h"
#include "quantize/method_names.h"
#include "record/cell.h"

namespace bitlaw {

// "gptq+act-order+clip": method and options of a matrix, in canonical form.
std::string method_name(const MatrixCell& cell);

// Inverse of method_name(), with options in any order. The scheme of the result has only these
// options. Error, naming what is unknown or does not go together.
MatrixCell parse_method(const std::string& text);

struct PtqCell {
  MatrixCell weights;  // of every matrix; only the method if that keeps the weights as they are
  std::optional<Quantizer> activations, kv;  // when the model is used; empty: as in training
  int64_t calibration_seed = 0;              // of a calibrated method

  bool rounds_weights() const { return weights.method->round != nullptr; }
  bool calibrated() const { return weights.method->calibrated; }
  bool operator==(const PtqCell&) const = default;
  // Distinguishes cells of the same bits and group in a table: the method, then the kind of codes
  // unless they are plain integers (+float, +mx, +nv), then "+a8", "+kv4".
  std::string label() const;
  // "gptq int4 group128 a8": for progress and messages.
  std::string title() const;
  // The request, before the texts and the weights it is measured on are known.
  CellKey key() const;
};

// Whether a cell of a model that was trained so is that model by definition: its weights were trained
// with no more bits, and nothing else is rounded in use. Its delta is then 0.
bool changes_nothing(const Recipe& trained, const PtqCell& cell);

// Round-to-nearest with the same scheme and basis, with which a cell is compared; the cell itself
// if it is that, or if it rounds no weights.
MatrixCell round_to_nearest_beside(const MatrixCell& cell);

}  // namespace bitlaw
