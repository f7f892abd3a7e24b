// Fits a law to a CSV of runs, without the command line:
//
//   hello_fit runs.csv [law]
//
// runs.csv needs columns N, D and loss; P_w, P_a, P_kv where runs were trained at fewer bits.
#include <bitlaw/fit.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: hello_fit runs.csv [law]\n"), 2;
  try {
    const bitlaw::Table table = bitlaw::read_table(bitlaw::read_file(argv[1]), argv[1]);
    bitlaw::FitOptions options;
    options.law = argc > 2 ? argv[2] : "chinchilla";
    const bitlaw::Fit fit = bitlaw::fit_law(table.runs, options);
    for (const bitlaw::FittedParameter& p : fit.parameters) {
      std::printf("%-12s %12.6g  [%.4g, %.4g]\n", p.name.c_str(), p.value, p.low, p.high);
    }
    for (const std::string& note : fit.notes) std::printf("- %s\n", note.c_str());
  } catch (const bitlaw::Error& error) {
    return std::fprintf(stderr, "hello_fit: %s\n", error.what()), 1;
  }
}
