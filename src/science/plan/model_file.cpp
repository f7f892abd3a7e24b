#include "plan/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/code_entropy.h"

namespace bitlaw {
namespace {

constexpr int kLeastLog2 = 3, kMostLog2 = 16;  // of the entries of a row
constexpr int kFewestCodeBits = 2, kMostCodeBits = 8;
constexpr double kUsualVocabulary = 32'000;

// "4:3.1" as two numbers; the second may be text.
std::string pair_of(const char* option, const std::string& item, double& bits, std::string& rest) {
  const size_t colon = item.find(':');
  const auto before = parse_positive(trim(item.substr(0, colon)));
  if (colon == std::string::npos || !before) {
    return fmt::format("{}: {} is not BITS:VALUE; write for example {}", option, printable(item),
                       std::string_view(option) == "storage" ? "4:q4_k" : "4:3.1");
  }
  bits = *before, rest = trim(item.substr(colon + 1));
  return "";
}

std::vector<std::string> items_of(const std::vector<std::string>& lists) {
  std::vector<std::string> out;
  for (const std::string& list : lists) {
    for (const std::string& item : split(list, ',')) {
      if (std::string text = trim(item); !text.empty()) out.push_back(std::move(text));
    }
  }
  return out;
}

// A format by name, or a number of bits per weight, scales included if it is not whole.
std::string read_stored(const char* option, const std::string& text, StoredFormat& out) {
  if (const auto found = find_stored_format(text)) {
    out = *found;
    return "";
  }
  const auto bits = parse_positive(text);
  if (!bits || *bits > 64) {
    return fmt::format(
        "{}: {} is no format; give bits per weight, a precision (int4, mxfp4, W4A16g128, BF16) or "
        "a type of GGUF (q4_0, q4_k, q6_k, q8_0)",
        option, printable(text));
  }
  out = {
      .name = text, .bits = *bits, .code_bits = *bits, .group = 1, .is_gguf = true, .format = {}};
  return "";
}

std::string read_entropies(const PlanRequest& request, ModelFile& out) {
  bool any = false;
  for (const std::string& item : items_of(request.entropy_coded)) {
    any = true;
    if (item == "gaussian") continue;
    double bits = 0;
    std::string rest;
    if (const std::string wrong = pair_of("entropy_coded", item, bits, rest); !wrong.empty()) {
      return fmt::format(
          "entropy_coded: {} is neither gaussian, nor BITS:ENTROPY (4:3.1), nor a file of counts",
          printable(item));
    }
    const auto entropy = parse_positive(rest);
    if (!entropy || *entropy > bits) {
      return fmt::format(
          "entropy_coded: {} of {:g} bits is not an entropy, above 0 and at most {:g}",
          printable(rest), bits, bits);
    }
    out.measured_entropy[bits] = *entropy;
  }
  out.coded = any;
  if (!any) return "";
  for (int bits = kFewestCodeBits; bits <= kMostCodeBits; ++bits)
    out.entropy[bits] = RowEntropy(integer_format(bits), out.group);
  out.unquantized_entropy = gaussian_code_entropy(bf16_format(), 1);
  return "";
}

}  // namespace

RowEntropy::RowEntropy(const Format& format, double group) {
  if (group > 0) {
    by_log2_ = {gaussian_group_entropy(format, std::max<int64_t>(1, std::llround(group)))};
    return;
  }
  for (int power = kLeastLog2; power <= kMostLog2; ++power)
    by_log2_.push_back(gaussian_group_entropy(format, int64_t{1} << power));
}

double RowEntropy::at(double entries) const {
  if (by_log2_.size() == 1) return by_log2_[0];
  const double x =
      std::clamp(std::log2(entries), double(kLeastLog2), double(kMostLog2)) - kLeastLog2;
  const size_t i = std::min(static_cast<size_t>(x), by_log2_.size() - 2);
  const double t = x - static_cast<double>(i);
  return (1 - t) * by_log2_[i] + t * by_log2_[i + 1];
}

double ModelFile::code_bits(double bits, double width) const {
  if (!coded) return bits;
  if (const auto measured = measured_entropy.find(bits); measured != measured_entropy.end())
    return measured->second;
  if (bits >= kUnquantizedBits) return unquantized_entropy + (bits - kUnquantizedBits);
  const double at = std::clamp(bits, double(kFewestCodeBits), double(kMostCodeBits));
  const int below = std::min(static_cast<int>(at), kMostCodeBits - 1);
  const auto saved = [&](int whole_bits) { return whole_bits - entropy.at(whole_bits).at(width); };
  const double t = at - below, less = (1 - t) * saved(below) + t * saved(below + 1);
  return std::max(bits - less, bits * (1 - less / at));  // the first from 2 bits on
}

double ModelFile::weight_bits(const Precision& precision, double post_bits, double width) const {
  const double sharing = group > 0 ? group : width;
  const double scales = (scale_bits + zero_bits) / sharing;
  const PrecisionChoice* choice = precision.choice;
  if (choice != nullptr && !(post_bits > 0 && post_bits < choice->storage.weights)) {
    const double bits = choice->bits.weights, held = choice->storage.weights;
    if (!whole) return held;
    if (const auto known = stored.find(bits); known != stored.end() && held == bits)
      return known->second;
    if (bits >= kUnquantizedBits) return coded ? code_bits(bits, width) : held;
    const double own = held > bits ? held - bits : scales;
    if (!coded) return bits + own;
    const auto found = entropy_of_choice.find(choice->name);
    const bool is_measured = measured_entropy.contains(bits);
    return own + (found == entropy_of_choice.end() || is_measured ? code_bits(bits, width)
                                                                  : found->second.at(sharing));
  }
  const double bits = serving_bits(precision.bits, post_bits).weights;
  if (!whole) return storage_bits(precision, post_bits).weights;
  if (const auto known = stored.find(bits); known != stored.end()) return known->second;
  return bits >= kUnquantizedBits ? code_bits(bits, width) : code_bits(bits, width) + scales;
}

double ModelFile::part_bits(const StoredFormat& format, double width) const {
  const double sharing = group > 0 ? group : width;
  double bits = format.bits;
  if (format.lacks_scales()) bits += (scale_bits + zero_bits) / sharing;
  if (!coded || format.is_gguf) return bits;
  return bits - format.code_bits + code_bits(format.code_bits, width);
}

double ModelFile::weight_bytes(double params, const Precision& precision, double post_bits) const {
  const double count = matrices(params);
  return count * weight_bits(precision, post_bits, shape.width_of(count)) / 8;
}

double ModelFile::embedding_bytes(double params) const {
  if (!whole) return 0;
  const double count = matrices(params), width = shape.width_of(count);
  return shape.embedding(count) * part_bits(embedding, width) / 8 +
         shape.head(count) * part_bits(head, width) / 8;
}

std::string read_model_file(const PlanRequest& request, ModelFile& out) {
  if (request.memory_counts != "file" && request.memory_counts != "weights") {
    return fmt::format(
        "memory_counts: {} is unknown; use file (with embeddings, head and scales) or weights",
        printable(request.memory_counts));
  }
  for (const auto& [name, value] : {std::pair{"vocabulary", request.vocabulary},
                                    {"width", request.width},
                                    {"scale_group", request.scale_group},
                                    {"scale_bits", request.scale_bits},
                                    {"zero_bits", request.zero_bits}}) {
    if (!(value >= 0) || std::isinf(value))
      return fmt::format("{}: {} is not a positive amount", name, value);
  }
  out.shape = {.vocabulary = request.vocabulary > 0 ? request.vocabulary : kUsualVocabulary,
               .width = request.width,
               .tied_head = request.tied_head};
  if (!(request.vocabulary > 0) && !(request.width > 0)) out.shape.measured = out.measured;
  out.whole = request.memory_counts == "file";
  if (!out.whole) return "";
  out.group = request.scale_group, out.scale_bits = request.scale_bits;
  out.zero_bits = request.zero_bits;
  std::string wrong = read_stored("embedding_format", request.embedding_format, out.embedding);
  if (wrong.empty()) {
    wrong = read_stored(
        "head_format", request.head_format.empty() ? request.embedding_format : request.head_format,
        out.head);
  }
  if (wrong.empty()) wrong = read_entropies(request, out);
  if (!wrong.empty()) return wrong;
  for (const std::string& item : items_of(request.storage)) {
    double bits = 0;
    std::string rest;
    StoredFormat format;
    wrong = pair_of("storage", item, bits, rest);
    if (wrong.empty()) wrong = read_stored("storage", rest, format);
    if (!wrong.empty()) return wrong;
    if (out.coded) return "storage: its formats are not entropy coded; leave out entropy_coded";
    if (format.lacks_scales()) {
      return fmt::format("storage: {} does not say what shares a scale; give scale_group instead",
                         rest);
    }
    out.stored[bits] = format.bits;
  }
  return "";
}

void add_entropies(const std::vector<PrecisionChoice>& choices, ModelFile& file) {
  if (!file.coded) return;
  for (const PrecisionChoice& choice : choices) {
    const auto format = find_stored_format(choice.name);
    if (!format || !format->format || !format->format->scaled()) continue;
    const double group = format->group > 0 ? format->group : file.group;
    file.entropy_of_choice[choice.name] = RowEntropy(*format->format, group);
  }
}

std::vector<std::string> assumptions(const PlanRequest& request, const ModelFile& file) {
  if (!file.whole) return {};
  std::vector<std::string> out;
  const std::string tables = fmt::format(
      "{} of {} rows{} at {}", file.shape.tied_head ? "one table" : "embeddings and an output head",
      format_count(file.shape.vocabulary),
      file.shape.width > 0
          ? ""
          : fmt::format(", as wide as d = {:.3f} N^{},", kUsualWidthAtOne, kUsualWidthExponent),
      file.embedding.name == file.head.name || file.shape.tied_head
          ? file.embedding.name
          : file.embedding.name + " and " + file.head.name);
  if (file.shape.measured.is_known()) {
    out.push_back(fmt::format(
        "Embeddings and head are those of the fit's table, {:.3g} N^{:.2f} parameters, at {}; give "
        "vocabulary and width for yours.",
        file.shape.measured.scale, file.shape.measured.exponent, file.embedding.name));
  }
  std::vector<std::string> open;
  if (!(request.vocabulary > 0)) open.emplace_back("vocabulary");
  if (!(request.width > 0)) open.emplace_back("width");
  if (!request.tied_head && open.size() == 2) open.emplace_back("tied_head");
  if (!open.empty() && !file.shape.measured.is_known()) {
    out.push_back(
        fmt::format("The file has {}; give {} for yours.", tables, fmt::join(open, ", ")));
  }
  if (file.coded) {
    out.push_back(fmt::format(
        "Entropy coding: codes of normal weights under abs-max scales{}, scales as they are.",
        file.measured_entropy.empty() ? "" : ", except for the bits whose entropy was given"));
  }
  return out;
}

}  // namespace bitlaw
