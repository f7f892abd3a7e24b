// The table of laws: a new law is one header and one line here.
#pragma once

#include "laws/additive_class.h"
#include "laws/additive_exp.h"
#include "laws/apple_qat_fraction.h"
#include "laws/chen_qat.h"
#include "laws/chinchilla.h"
#include "laws/frantar_eff.h"
#include "laws/gadre.h"
#include "laws/kumar.h"
#include "laws/kumar_additive.h"
#include "laws/kumar_both_tied.h"
#include "laws/kumar_both_untied.h"
#include "laws/kumar_deff.h"
#include "laws/kumar_multiplicative.h"
#include "laws/kumar_no_offsets.h"
#include "laws/muennighoff.h"
#include "laws/ouyang_qid.h"
#include "laws/panferov.h"
#include "laws/quartet.h"
#include "laws/quest.h"
#include "laws/sun_fp.h"

namespace bitlaw {

template <class... L>
struct LawList {};

using AllLaws = LawList<  //
    Chinchilla,           //
    Kumar,                //
    KumarNoOffsets,       //
    KumarAdditive,        //
    KumarDeff,            //
    KumarBothTied,        //
    KumarBothUntied,      //
    KumarMultiplicative,  //
    Quest,                //
    Quartet,              //
    Panferov,             //
    FrantarEff,           //
    ChenQat,              //
    SunFp,                //
    OuyangQid,            //
    AppleQatFraction,     //
    Gadre,                //
    Muennighoff,          //
    AdditiveExp,          //
    AdditiveClass>;

}  // namespace bitlaw
