#include "laws/part_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bitlaw {
namespace {

double or_unquantized(double bits) {
  return std::isnan(bits) ? kUnquantizedBits : bits;
}

bool is_lowered(double bits) {
  return bits < kUnquantizedBits;
}

}  // namespace

std::array<PartBits, 6> bits_by_part(const Observation& run) {
  return {{{"P_w", "_w", run.bits_weights},
           {"P_a", "_a", run.bits_activations},
           {"P_k", "_k", run.key_bits()},
           {"P_v", "_v", run.value_bits()},
           {"P_emb", "_emb", or_unquantized(run.bits_embedding)},
           {"P_head", "_head", or_unquantized(run.bits_head)}}};
}

double least_part_bits(const Observation& run) {
  double least = kUnquantizedBits;
  for (const PartBits& part : bits_by_part(run)) least = std::min(least, part.bits);
  return least;
}

bool have_equal_bits(const Observation& a, const Observation& b) {
  const auto one = bits_by_part(a), other = bits_by_part(b);
  return std::equal(
      one.begin(), one.end(), other.begin(),
      [](const PartBits& left, const PartBits& right) { return left.bits == right.bits; });
}

std::string bits_in_words(const Observation& run) {
  const bool apart = run.key_bits() != run.value_bits();
  std::vector<std::string> words;
  const auto add = [&](const char* name, double bits) {
    if (is_lowered(bits)) words.push_back(fmt::format("{} = {:g}", name, bits));
  };
  add("P_w", run.bits_weights);
  add("P_a", run.bits_activations);
  if (!apart) add("P_kv", run.key_bits());
  if (apart) add("P_k", run.key_bits());
  if (apart) add("P_v", run.value_bits());
  add("P_emb", run.bits_embedding);
  add("P_head", run.bits_head);
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string bits_label(const Observation& run) {
  const auto shown = [](double bits) { return std::min(bits, kUnquantizedBits); };
  std::string out = fmt::format("W{:g}A{:g}", shown(run.bits_weights), shown(run.bits_activations));
  if (run.key_bits() != run.value_bits()) {
    out += fmt::format("K{:g}V{:g}", shown(run.key_bits()), shown(run.value_bits()));
  } else if (is_lowered(run.key_bits())) {
    out += fmt::format("KV{:g}", run.key_bits());
  }
  if (is_lowered(run.bits_embedding)) out += fmt::format("E{:g}", run.bits_embedding);
  if (is_lowered(run.bits_head)) out += fmt::format("H{:g}", run.bits_head);
  return out;
}

}  // namespace bitlaw
