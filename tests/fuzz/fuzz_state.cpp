// state.bin, the saved state of a run: any bytes give the state of this run, or an Error.
#include <cstdint>

#include "base/error.h"
#include "input_folder.h"
#include "tensor/tensor.h"
#include "train/state.h"

namespace {

using namespace bitlaw;

template <class Read>
void result_or_error(const Read& read) {
  try {
    const auto header = read();
    BITLAW_CHECK(header && header->steps >= 0);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const InputFolder folder{"state.bin"};
  const auto tensor = [] { return Tensor::zeros(DType::kF32, {2}); };
  static const Tensor weights = tensor(), first = tensor(), second = tensor();
  folder.set(data, size);
  const std::filesystem::path file = folder / "state.bin";
  result_or_error([&] { return read_state_header(file); });
  result_or_error([&] { return load_state(file, "a run", weights, first, second); });
  return 0;
}
