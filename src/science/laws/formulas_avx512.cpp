namespace bitlaw {
constexpr int kIsa = 2;
}

#include "laws/formulas_body.h"

namespace bitlaw {

const Formulas* formulas_avx512() {
  return table(AllLaws{});
}

}  // namespace bitlaw
