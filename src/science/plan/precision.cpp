#include "plan/precision.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace bitlaw {
namespace {

constexpr double kWidest = 32;

std::string upper(const std::string& text) {
  std::string out = trim(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// A whole number at `place`, which moves past it; -1 where there is none.
int digits(const std::string& text, size_t& place) {
  const size_t start = place;
  int value = 0;
  while (place < text.size() && place < start + 3 && text[place] >= '0' && text[place] <= '9') {
    value = 10 * value + (text[place++] - '0');
  }
  return place == start ? -1 : value;
}

bool read_parts(const std::string& name, Bits& out) {
  bool any = false;
  for (size_t place = 0; place < name.size();) {
    double Bits::*part = nullptr;
    if (name[place] == 'W') {
      part = &Bits::weights, place += 1;
    } else if (name[place] == 'A') {
      part = &Bits::activations, place += 1;
    } else if (name.compare(place, 2, "KV") == 0) {
      part = &Bits::kv, place += 2;
    } else {
      return any && !std::isalnum(static_cast<unsigned char>(name[place]));  // "W4A4-something"
    }
    const int bits = digits(name, place);
    if (bits < 1 || bits > kWidest) return false;
    out.*part = bits;
    any = true;
  }
  return any;
}

}  // namespace

Bits serving_bits(const Bits& training, double post_bits) {
  Bits out = training;
  if (post_bits > 0) out.weights = std::min(out.weights, post_bits);
  return out;
}

bool read_format(const std::string& text, NamedPrecision& out) {
  out = {};
  out.name = trim(text);
  const std::string name = upper(text);
  for (const char* none : {"", "BF16", "FP16", "16", "NONE", "NOQUANTIZER"}) {
    if (name == none) {
      out.name = "BF16";
      return true;
    }
  }
  if (name[0] == 'E') {  // e4m3: sign, exponent, mantissa
    size_t place = 1;
    const int exponent = digits(name, place);
    if (exponent < 0 || place >= name.size() || name[place] != 'M') return false;
    ++place;
    const int mantissa = digits(name, place);
    if (mantissa < 0 || exponent + mantissa + 1 > kWidest) return false;
    out.exponent_bits = exponent, out.mantissa_bits = mantissa;
    out.bits = Bits::all(1.0 + exponent + mantissa);
    return true;
  }
  if (read_parts(name, out.bits)) {
    out.forward = out.name;
    out.counts_kv = name.find("KV") != std::string::npos;
    return true;
  }
  out.bits = {};
  size_t place = name.find_first_of("0123456789");
  if (place == std::string::npos) return false;
  bool known = place == 0;
  for (const char* word : {"INT", "FP", "MXFP", "NVFP", "MXINT", "NF", "MX"}) {
    known = known || name.compare(0, place, word) == 0;
  }
  const int bits = digits(name, place);
  if (!known || bits < 1 || bits > kWidest || place != name.size()) return false;
  out.bits = Bits::all(bits);
  // The usual layouts of the short names.
  const bool floating = name.find("FP") != std::string::npos;
  if (floating && bits == 4) out.exponent_bits = 2, out.mantissa_bits = 1;
  if (floating && bits == 8) out.exponent_bits = 4, out.mantissa_bits = 3;
  return true;
}

}  // namespace bitlaw
