// What it costs to quantize the model of a finished run to two, three and four bits:
//
//   hello_quantize RUN
//
// RUN is the directory of a run: of `bitlaw train`, or the one that hello_train prints.
#include <bitlaw/quantize.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: hello_quantize RUN\n"), 2;
  try {
    bitlaw::QuantizeOptions options;
    options.runs = {argv[1]};
    options.grid.methods = {"rtn", "gptq"};
    options.grid.bits = {2, 3, 4};
    options.grid.calibration_seeds = {1};

    bitlaw::ThreadPool pool(bitlaw::hardware_threads());
    std::printf("%-8s%-8s%10s  standard error\n", "method", "format", "delta");
    for (const bitlaw::CellRow& row : bitlaw::quantize(options, pool)) {
      const bitlaw::CellRecord& cell = row.cell;
      std::printf("%-8s%-8s%10.4f  %.4f\n", cell.key.method.c_str(),
                  cell.key.format.value_or("").c_str(), cell.delta, cell.standard_error);
    }
  } catch (const bitlaw::Error& error) {
    return std::fprintf(stderr, "hello_quantize: %s\n", error.what()), 1;
  }
}
