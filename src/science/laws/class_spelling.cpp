#include "laws/class_spelling.h"

#include <cctype>
#include <string>

#include "formats/precision.h"
#include "laws/bind.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

std::string letters(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter)) out += static_cast<char>(std::tolower(letter));
  }
  return out;
}

}  // namespace

bool is_one_class(std::string_view a, std::string_view b) {
  return (is_unquantized(a) && is_unquantized(b)) || is_same_precision(a, b) ||
         letters(a) == letters(b);
}

Observation spelled_as(const FittedClasses& classes, Observation run) {
  const std::string name = precision_class(run);
  const ClassBits* known = classes.find(name);
  if (name.empty()) return run;
  if (known == nullptr && !classes.reference.empty() && is_one_class(name, classes.reference)) {
    run.precision = "BF16";
    known = classes.find("");
  }
  for (const ClassBits& each : classes.bits) {
    if (known != nullptr || each.name.empty() || !is_one_class(name, each.name)) continue;
    run.precision = each.name;
    known = &each;
  }
  const bool says_bits = least_part_bits(run) < kUnquantizedBits;
  if (known != nullptr && !says_bits) {
    run.bits_weights = known->weights;
    run.bits_activations = known->activations;
    run.bits_kv = known->kv;
  }
  return run;
}

}  // namespace bitlaw
