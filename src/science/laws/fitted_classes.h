// The precision classes of the table that a law was fitted to: what the one without quantization is
// called there, and the bits of each. A class may have any name; a plan takes its costs from here.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

struct ClassBits {
  std::string name;  // as the law's constants have it; "" for the class without quantization
  double weights, activations, kv;
};

struct FittedClasses {
  std::string reference;  // the table's name of the class without quantization; "" = a usual one
  std::vector<ClassBits>
      bits;  // of the forward pass; classes whose rows differ in bits are missing

  const ClassBits* find(const std::string& name) const;
};

// Classes in alphabetical order; `reference` is left empty.
FittedClasses classes_of(std::span<const Observation> rows);

// {"reference": "baseline", "bits": [{"class": "W4A4", "P_w": 4, "P_a": 4, "P_kv": 16}]}; null and
// anything else become no classes.
Json classes_json(const FittedClasses& classes);
FittedClasses classes_from_json(const Json& document);

}  // namespace bitlaw
