#include "quantize/write_checkpoint.h"

#include <set>

namespace bitlaw {

CellWriter::CellWriter(const std::filesystem::path& source, const std::filesystem::path& target,
                       const std::string& dtype) {
  const hf::Weights weights(source, hf::read_architecture(source));
  std::set<std::string> rounded;
  for (const hf::LayerSpec& layer : weights.layout().layers) {
    for (const hf::MatrixSpec& matrix : layer.matrices) {
      stored_names_[matrix.weight.name] = weights.stored_name(matrix.weight);
      rounded.insert(weights.stored_name(matrix.weight));
    }
  }
  writer_.emplace(source, weights, target, rounded, dtype);
}

void CellWriter::add(const hf::Layer& rounded) {
  if (!writer_) return;
  try {
    for (const hf::Matrix& matrix : rounded.matrices)
      writer_->write(stored_names_.at(matrix.spec.weight.name), matrix.weight.f32(),
                     matrix.weight.elements());
  } catch (...) {
    error_ = std::current_exception();
    writer_.reset();
  }
}

void CellWriter::commit() {
  if (error_) std::rethrow_exception(error_);
  writer_->commit();
}

}  // namespace bitlaw
