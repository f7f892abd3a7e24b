// The table of laws: a new law is one header and one line here.
#pragma once

#include "laws/chinchilla.h"
#include "laws/kumar.h"
#include "laws/kumar_no_offsets.h"

namespace bitlaw {

template <class... L>
struct LawList {};

using AllLaws = LawList<  //
    Chinchilla,           //
    Kumar,                //
    KumarNoOffsets>;

}  // namespace bitlaw
