namespace bitlaw {
constexpr int kIsa = 0;
}

#include "laws/formulas_body.h"

namespace bitlaw {

const Formulas* formulas_plain() {
  return table(AllLaws{});
}

}  // namespace bitlaw
