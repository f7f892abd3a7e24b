// The body of kernels.h, over the sixteen lanes of the simd_*.h that is included before it. It and
// its parts use no standard templates: an inline function compiled for one instruction set must not
// be shared.
#include "ops/cpu/attention_body.h"
#include "ops/cpu/flat_body.h"
#include "ops/cpu/layers_body.h"
#include "ops/cpu/loss_body.h"
#include "ops/cpu/rounding_body.h"
#include "ops/cpu/scaling_body.h"

namespace bitlaw::cpu {
namespace {

constexpr Kernels kKernels{
    .absmax = absmax,
    .absmax_columns = absmax_columns,
    .encode = encode,
    .encode_numbers = encode_numbers,
    .encode_values = encode_values,
    .encode_columns = encode_columns,
    .encode_groups = encode_groups,
    .group_values = group_values,
    .mark_trusted = mark_trusted,
    .round_bf16 = round_to_bf16,
    .rotate_blocks = rotate_blocks,
    .multiply = multiply,
    .scale_rows = scale_rows,
    .widen = widen,
    .scale_product = scale_product,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .rotate = rotate,
    .probabilities = probabilities,
    .attention_gradients = attention_gradients,
    .dot = dot,
    .cross_entropy = cross_entropy,
    .cross_entropy_gradient = cross_entropy_gradient,
    .exponentials_of_block = exponentials_of_block,
    .compare_rows = compare_rows,
    .add = add,
    .sum_of_squares = sum_of_squares,
    .adamw = adamw,
    .exponential = all_exponentials,
    .reciprocal = all_reciprocals,
};

}  // namespace
}  // namespace bitlaw::cpu
