// The bytes of a model as a file, or in memory:
//
//   N w / 8 + V d e / 8 + V d h / 8        w, e, h: bits of weights, embeddings and head
//
// where w has its share of scales and zero points, w = P + (scale + zero) / group, or what a named
// format takes; and the head is no bytes of its own if it is tied (predict/model_shape.h). With
// entropy coding the code takes its entropy instead of P (formats/code_entropy.h); scales and zero
// points stay. Norms are below a part in a thousand and not counted.
//
// Bits between whole numbers: P - H is interpolated in P, beyond 8 bits it is that of 8; at 16 and
// more a weight is a BF16 number. Rows of other lengths than powers of two: in log2 of the length.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/stored_format.h"
#include "plan/precision.h"
#include "plan/request.h"
#include "predict/model_shape.h"

namespace bitlaw {

// Entropies of the codes of normal weights by the number of entries that share a scale.
class RowEntropy {
 public:
  RowEntropy() = default;
  // group > 0: this number alone.
  RowEntropy(const Format& format, double group);
  double at(double entries) const;

 private:
  std::vector<double> by_log2_;  // of 8, 16, ... 65536 entries; one number if the group is known
};

struct ModelFile {
  bool whole = false;  // false: N P / 8 alone, scales only where a name has them
  ModelShape shape;
  FixedParams measured;  // of the fit's table, for what the request does not say
  bool total = false;    // the law's N counts all parameters
  StoredFormat embedding, head;
  double group = 0;  // weights that share a scale; 0 = a row of the model's width
  double scale_bits = 16, zero_bits = 0;
  std::map<double, double> stored;                // bits per weight that a P takes, scales included
  bool coded = false;                             // entropy coding
  std::map<double, double> measured_entropy;      // by P
  std::map<int, RowEntropy> entropy;              // of intB by B
  double unquantized_entropy = kUnquantizedBits;  // of bf16
  // By the name of a choice, for those that have a format.
  std::map<std::string, RowEntropy> entropy_of_choice;

  double matrices(double params) const { return total ? shape.matrices_of_total(params) : params; }
  double params_of(double count) const { return total ? shape.total(count) : count; }
  // Bits per weight in a model of this width.
  double weight_bits(const Precision& precision, double post_bits, double width) const;
  double weight_bytes(double params, const Precision& precision, double post_bits) const;
  double embedding_bytes(double params) const;  // and head

 private:
  double code_bits(double bits, double width) const;
  double part_bits(const StoredFormat& format, double width) const;
};

// Of a request; `total` and `measured` of `out` are set before; the error, or "".
std::string read_model_file(const PlanRequest& request, ModelFile& out);
// Entropies of what can be chosen by name.
void add_entropies(const std::vector<PrecisionChoice>& choices, ModelFile& file);

// What was assumed: sentences.
std::vector<std::string> assumptions(const PlanRequest& request, const ModelFile& file);

}  // namespace bitlaw
