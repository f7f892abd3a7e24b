namespace bitlaw {
constexpr int kIsa = 1;
}

#include "laws/formulas_body.h"

namespace bitlaw {

const Formulas* formulas_avx2() {
  return table(AllLaws{});
}

}  // namespace bitlaw
