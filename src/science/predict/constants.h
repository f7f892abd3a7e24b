// A law with its constants, published or fitted, and what is known of how far they hold: the input of
// predictions and plans.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "formats/block_noise.h"
#include "laws/bind.h"
#include "laws/fitted_classes.h"
#include "laws/fixed_params.h"
#include "predict/reach.h"
#include "predict/scatter.h"

namespace bitlaw {

struct Constants {
  BoundLaw bound;                          // to the precision classes that have a value
  const Law* law = nullptr;                // bound.law()
  std::vector<double> values;              // in the law's order
  std::vector<std::vector<double>> draws;  // bootstrap refits, same order; empty = no intervals
  bool published = true;                   // false: a fit, or a starting point for one
  bool fitted = false;                     // false: published, or a starting point
  bool knows_bits = true;                  // the training loss depends on bits
  FittedClasses classes;                   // of the table of a fit
  // What rated the formats of that table, if the law uses it.
  GaussianErrorSource gaussian_error = GaussianErrorSource::kLeast;
  Reach reach;                     // of the runs that they were fitted to
  Scatter scatter, post_scatter;   // of runs around the law, and of deltas
  int clusters = 0;                // independent runs of a fit; 0 = unknown
  int absorbed = 1;                // constants that the draws' spread lacks
  bool total = false;              // N counts all parameters, as a fit with params total
  bool by_compute = false;         // N is C / (6 D), as a fit with params flops
  FixedParams fixed;               // of the table of a fit: what N_total has besides N
  std::string method;              // of quantization after training; "" = any
  std::string source;              // for the reader
  std::vector<std::string> notes;  // constants that a fit froze
};

// The level whose percentiles over the draws have coverage `level`, with so few clusters.
double drawn_level(const Constants& constants, double level);

// The set `set` ("" = the first) of law `name`; or, if `fit` is a document of fit_to_json, its
// constants. Returns "" or the error.
std::string read_constants(const std::string& name, const std::string& set, const Json& fit,
                           Constants& out);

}  // namespace bitlaw
