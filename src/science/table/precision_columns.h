// The precision of a row's training run. Each part (weights, activations, keys and values) has
// bits, a number format, and the format's error on a Gaussian; the row has a class of its forward
// and of its backward pass. A table gives some of these; the others are derived:
//
//   bits            its column, else P, else those of its format, else 16; if that leaves every
//                   part unquantized, those named by the class (W4A16, fp4)
//   exponent and    those of the first part with a floating-point format, else those of the class
//   mantissa bits
//   Gaussian error  its column, else that of a floating-point format; else unknown, for which laws
//                   use the best uniform grid with its bits
//   classes         spellings of one precision (MXFP4 and mxfp4, int4 and 4) are one class, named
//                   as the table spells it first; the name of a 16-bit type beside fewer bits is
//                   that of the arithmetic, not a class
#pragma once

#include <string>
#include <vector>

#include "formats/block_noise.h"
#include "laws/observation.h"
#include "table/row_reader.h"

namespace bitlaw {

// The first of `known` that names the same precision, or `name`, which is added to them.
std::string first_spelling(const std::string& name, std::vector<std::string>& known);

// What the rows read so far have said.
struct PrecisionSources {
  int classes = 0;                             // rows whose bits come from the class
  int disagreeing = 0;                         // parts whose bits are not those of their format
  int numbers = 0;                             // rows whose class is a number that is no format
  std::string number;                          // the first such class
  int apart = 0;                               // rows whose keys and values have different bits
  int arithmetic = 0;                          // rows of 16 bits by their class, of fewer by bits
  std::vector<std::string> forward, backward;  // classes, each as the table spells it first
  // The class that the user names as unquantized, or "": laws see its rows as BF16.
  std::string reference;
  const char* reference_option = "--reference";  // what named it, for messages
  int referred = 0, unquantized = 0;             // rows of it, and other rows without quantization
  // Where Gaussian errors come from that the table does not give, and the parts for which that source
  // needs the number of entries that share a scale, which the table does not say.
  GaussianErrorSource error_source = GaussianErrorSource::kLeast;
  int without_group = 0;
};

// Error if the rows have no class `sources.reference`, or others that are not quantized, too.
void check_reference(const PrecisionSources& sources, const std::vector<Observation>& runs,
                     const std::string& where);

// Fills the bits, formats, errors and classes of `run`, whose group is known. Error if a field is not a number of bits,
// not a format, or not an error above 0.
void read_precision(const RowReader& row, Observation& run, PrecisionSources& sources);

}  // namespace bitlaw
