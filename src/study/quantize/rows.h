// The document of one cell, the same for runs of our own and for checkpoints of others:
//
//   run, method ("gptq+act-order"), format ("int4"), scheme, bits, storage_bits, group, granularity,
//   activations, kv               PtqCell::description()
//   calibration {tokens, seed, hash}  null where the method needs none
//   evaluation {tokens, hash}     the windows that every cell is measured on
//   loss_nats, baseline_loss_nats nats per token on these
//   delta, standard_error         nats per token, paired token by token; standard_error is null with
//                                 a single cluster. 0 and 0 by definition where the weights were
//                                 trained at as few bits or fewer
//   measured_delta, measured_standard_error   what was measured, in every case
//   kl_nats, kl_standard_error    mean KL(baseline || cell) over the vocabulary, nats per token
//   same_top, same_top_standard_error   share of tokens whose most likely token is the same
//   bits_per_byte, baseline_bits_per_byte   null where the bytes of the text are not known
//   tokens, clusters, clustered_by
//   rtn_delta                     measured_delta of round to nearest of the same scheme
//   flagged, flags                worse than round to nearest, in words: as a whole or some matrix
//   notes                         dampings that were raised, inputs that were always zero
//   damping                       the largest that a matrix took; null where there is none
//   layers                        to_json(MatrixReport) of every matrix
//   spread {seeds, mean, standard_deviation}   of measured_delta over calibration seeds, where there
//                                 are two or more; in answers only, not in the file of a cell
//   seconds                       of this cell, without baseline and calibration
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "quantize/cell.h"
#include "quantize/config.h"
#include "quantize/paired.h"
#include "quantize/windows.h"

namespace bitlaw {

// What became of one matrix. Errors are tr((Q - W) H (Q - W)^T) on the calibration text: twice the
// mean squared error of the matrix' output, summed over its outputs. NaN: does not apply.
struct MatrixReport {
  int64_t layer;
  std::string matrix;     // "qkv"; "q_proj" in checkpoints of others
  int64_t weights;        // how many
  double storage_bits;    // of one, with its share of scales (FP32 or 8 bits) and zero points
  double relative_error;  // |Q - W|^2 / |W|^2, both summed over the matrix
  double error, rtn_error;
  double damping;  // of the mean diagonal, that the Cholesky factorisation took
  std::vector<double> failed_dampings;
  double alpha;          // exponent that AWQ chose
  int64_t dead_columns;  // inputs that were zero on all of the calibration text
  bool flagged;          // worse than round to nearest on the very text it was calibrated on
};
Json to_json(const MatrixReport& report);
MatrixReport matrix_report(int64_t layer, const std::string& matrix, const MatrixResult& result,
                           double relative_error);

// What is asked for in a cell, before anything is read or computed: equal where the cell is there.
Json requested_cell(const PtqCell& cell, const PtqConfig& config, int64_t calibration_tokens,
                    int64_t evaluation_tokens);

void add_comparison(Json& row, const PairedComparison& paired, const std::string& clustered_by,
                    bool no_difference_by_definition);
// Bits that one weight of a matrix takes: its code, and its share of the scale (FP32, or 8 bits where
// the scheme rounds it), of the zero point and of the FP32 scale of its input (AWQ).
double storage_bits(const WeightScheme& scheme, int64_t rows, int64_t columns, bool scaled_inputs);

void add_matrices(Json& row, const std::vector<MatrixReport>& matrices);

// Fills rtn_delta, flagged and flags; `rtn` is the finished row of round to nearest, or null.
void compare_with_rtn(Json& row, const Json& rtn);

// Adds `spread` to the rows that differ in their calibration seed alone.
void add_spreads(Json& rows);

}  // namespace bitlaw
