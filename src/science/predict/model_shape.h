// What a model has beside the matrices that N counts: an embedding table of V rows of width d, and
// an output head of as many, unless it is the same table.
//
//   N_total = N + V d            tied head
//   N_total = N + 2 V d          otherwise
//
// d follows from N if it is not given: d = 0.5563 N^0.39, least squares of log d on log N over twenty
// published decoders of 19 M to 68 B parameters (model_shape_test.cpp lists them). They scatter
// around it by 17 %, the farthest by 35 %: small models are narrower or wider for their size as
// their authors liked.
#pragma once

#include "laws/fixed_params.h"

namespace bitlaw {

struct ModelShape {
  double vocabulary = 0;  // V; 0 = no embeddings are counted
  double width = 0;       // d; 0 = by the rule
  bool tied_head = false;
  // Of a fit's table, in place of V and d; one half each if the head is not tied.
  FixedParams measured = {};

  FixedParams fixed_params() const;
  // `matrices`: N, the parameters without embeddings and head.
  double width_of(double matrices) const;
  double embedding(double matrices) const;  // V d
  double head(double matrices) const;       // V d, or 0 if it is tied
  double total(double matrices) const { return matrices + embedding(matrices) + head(matrices); }
  // The inverse of total; below 1 (or 0) where not even the embeddings fit.
  double matrices_of_total(double params) const;
};

}  // namespace bitlaw
