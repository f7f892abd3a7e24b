// Number formats, and how numbers are rounded to them.
//
//   parse_format("e4m3"), round_to_code(format, y)       one number
//   parse_quantizer("int4/group32"), quantize_reference  a matrix, with its scales
//   bf16_bits(value), fp16_bits(value)                   the two 16-bit floats, as bits
//   named_precision("W4A16")                             what each part of a model gets
#pragma once

#include "base/error.h"
#include "formats/format.h"
#include "formats/half.h"
#include "formats/precision.h"
#include "formats/quantizer.h"
#include "formats/recipe.h"
#include "formats/weight_scheme.h"
