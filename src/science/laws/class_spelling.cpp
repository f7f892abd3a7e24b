#include "laws/class_spelling.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "formats/precision.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

bool same_letters(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool is_same_class(const std::string& a, const std::string& b) {
  return is_same_precision(a, b) || same_letters(a, b);
}

}  // namespace

Observation spelled_as(const FittedClasses& classes, Observation run) {
  const std::string name = precision_class(run);
  const ClassBits* known = classes.find(name);
  if (name.empty()) return run;
  if (known == nullptr && !classes.reference.empty() && is_same_class(name, classes.reference)) {
    run.precision = "BF16";
    known = classes.find("");
  }
  for (const ClassBits& each : classes.bits) {
    if (known != nullptr || each.name.empty() || !is_same_class(name, each.name)) continue;
    run.precision = each.name;
    known = &each;
  }
  const bool says_bits = run.bits_weights < kUnquantizedBits ||
                         run.bits_activations < kUnquantizedBits || run.bits_kv < kUnquantizedBits;
  if (known != nullptr && !says_bits) {
    run.bits_weights = known->weights;
    run.bits_activations = known->activations;
    run.bits_kv = known->kv;
  }
  return run;
}

}  // namespace bitlaw
