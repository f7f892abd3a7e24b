// The best parameters, tokens and bits for a training budget, by a law's published constants:
//
//   hello_plan [FLOP] [law]
#include <bitlaw/plan.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  bitlaw::PlanRequest request;
  request.compute = argc > 1 ? std::strtod(argv[1], nullptr) : 1e20;
  if (argc > 2) request.law = argv[2];
  const bitlaw::Plan plan = bitlaw::make_plan(request);
  if (!plan.error.empty()) {
    return std::fprintf(stderr, "hello_plan: %s\n", plan.error.c_str()), 1;
  }
  const bitlaw::PlanOptimum& best = *plan.optimum;
  std::printf("N    %.3g parameters\n", best.params);
  std::printf("D    %.3g tokens\n", best.tokens);
  std::printf("P    %.3g bits\n", best.bits_weights);
  if (best.loss) std::printf("loss %.4f nats per token\n", *best.loss);
}
