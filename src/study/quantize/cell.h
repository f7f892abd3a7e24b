// One cell of a grid of post-training quantization: how the weights are rounded, by which method,
// and what else is rounded when the model is used.
//
// A method is written as it is asked for and as it stands in every table: a name, then its options
// in a fixed order,
//
//   none | rtn | gptq | awq   [+act-order] [+asymmetric] [+clip] [+hadamard]
//
//   act-order    GPTQ takes the columns in the order of falling diagonal entries of the Hessian
//   asymmetric   integers with a zero point: the grid runs from the smallest to the largest weight
//   clip         the range of a grid is searched below its largest weight for least squared error
//   hadamard     rounded in a rotated basis, and rotated back: Q(W R) R^T
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "formats/quantizer.h"
#include "formats/weight_scheme.h"
#include "ptq/method.h"

namespace bitlaw {

struct PtqMethodSpec {
  PtqMethod method = PtqMethod::kRtn;
  bool act_order = false, asymmetric = false, clip = false, rotated = false;
  std::string name() const;  // in canonical form
  bool operator==(const PtqMethodSpec&) const = default;
};

// Inverse of name(), options in any order. An Error names what is unknown, or does not go together.
PtqMethodSpec parse_ptq_method(const std::string& text);

struct PtqCell {
  PtqMethodSpec method;
  WeightScheme scheme;  // of no meaning with the method none: weights as the run has them
  std::optional<Quantizer> activations, kv;  // when the model is used; empty: as it was trained
  int64_t calibration_seed = 0;              // of a method that is calibrated

  bool calibrated() const {
    return method.method == PtqMethod::kGptq || method.method == PtqMethod::kAwq;
  }
  // What tells it from others of the same bits and group in a table: the method, then the kind of
  // codes where they are not plain integers (+float, +mx, +nv), then "+a8", "+kv4".
  std::string label() const;
  // "gptq int4 group128 a8": for progress and messages.
  std::string title() const;
  // The cell without its calibration: two such are the same measurement, calibrated on other text.
  Json description() const;
};

}  // namespace bitlaw
