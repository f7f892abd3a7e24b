// Laws with one value per precision class (eff[W4A4], eff[W8A8], ...) are bound to the classes of a
// table, which makes them laws with a fixed number of parameters. Other laws are bound unchanged.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laws/registry.h"

namespace bitlaw {

// The class of a row's forward quantizers: as the table names it; or from the bits, "W4A4",
// "W4A16", "W4A4KV4", "FP4" for a floating-point format. "" for a row that is not quantized, which
// tables also call 16, BF16, FP16, none and NoQuantizer.
std::string precision_class(const Observation& run);
// The class of its gradients' quantizer, "" for none.
std::string backward_class(const Observation& run);

// The optimizer of a table's text: in lower case, "" for AdamW.
std::string optimizer_class(std::string_view text);

// Position of the k-th class parameter of a row among the parameters of a bound law, or
// Rows::kReference, Rows::kUnknownClass.
int class_position(const Law& law, int k, const Observation& run);
// The same for every class parameter and every row: [k][row].
std::vector<std::vector<int>> class_positions(const Law& law, std::span<const Observation> runs);

inline constexpr int kMostClassParameters = 4;

class BoundLaw {
 public:
  BoundLaw() = default;
  // Of something that owns it, or that lives as long as the program.
  explicit BoundLaw(std::shared_ptr<const Law> law) : law_(std::move(law)) {}
  // Parameters: those of training, one per class parameter and class, those of post-training
  // quantization. Published values come from the law's sets if they have the class, else from the
  // middle of the parameter's starting range.
  const Law& law() const { return *law_; }

 private:
  friend BoundLaw bind_law(const Law&, const std::vector<std::pair<int, std::string>>&);
  friend BoundLaw with_ranges(const BoundLaw&, const std::vector<std::pair<int, Range>>&);
  std::shared_ptr<const Law> law_;  // with all that it refers to
};

// To the classes of these rows, in alphabetical order.
BoundLaw bind_law(const Law& law, std::span<const Observation> runs);
// To given classes: position of the class parameter, name of the class.
BoundLaw bind_law(const Law& law, const std::vector<std::pair<int, std::string>>& classes);
// The same law with other hard limits, by the position of a parameter; starts are drawn within them.
BoundLaw with_ranges(const BoundLaw& bound, const std::vector<std::pair<int, Range>>& ranges);
// To the classes in the names of fitted constants, "eff[W4A4]".
BoundLaw bind_names(const Law& law, const std::vector<std::string>& constants);

}  // namespace bitlaw
