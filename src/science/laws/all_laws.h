// The list of all laws: a new law is one header and one line here.
#pragma once

#include "laws/forms/additive_class.h"
#include "laws/forms/additive_exp.h"
#include "laws/forms/apple_qat_fraction.h"
#include "laws/forms/chen_qat.h"
#include "laws/forms/chinchilla.h"
#include "laws/forms/frantar_eff.h"
#include "laws/forms/gadre.h"
#include "laws/forms/gap_bits.h"
#include "laws/forms/gap_class.h"
#include "laws/forms/gap_exp.h"
#include "laws/forms/kaplan.h"
#include "laws/forms/kumar.h"
#include "laws/forms/kumar_additive.h"
#include "laws/forms/kumar_both_tied.h"
#include "laws/forms/kumar_both_untied.h"
#include "laws/forms/kumar_deff.h"
#include "laws/forms/kumar_multiplicative.h"
#include "laws/forms/kumar_no_offsets.h"
#include "laws/forms/kumar_parts.h"
#include "laws/forms/kumar_w_bracket.h"
#include "laws/forms/muennighoff.h"
#include "laws/forms/ouyang_qid.h"
#include "laws/forms/panferov.h"
#include "laws/forms/quartet.h"
#include "laws/forms/quest.h"
#include "laws/forms/quest_optimizer.h"
#include "laws/forms/sun_fp.h"

namespace bitlaw {

template <class... L>
struct LawList {};

using AllLaws = LawList<  //
    Chinchilla,           //
    Kumar,                //
    KumarNoOffsets,       //
    KumarWBracket,        //
    KumarParts,           //
    KumarAdditive,        //
    KumarDeff,            //
    KumarBothTied,        //
    KumarBothUntied,      //
    KumarMultiplicative,  //
    Quest,                //
    QuestOptimizer,       //
    Quartet,              //
    Panferov,             //
    FrantarEff,           //
    ChenQat,              //
    SunFp,                //
    OuyangQid,            //
    AppleQatFraction,     //
    Gadre,                //
    Muennighoff,          //
    Kaplan,               //
    AdditiveExp,          //
    AdditiveClass,        //
    GapClass,             //
    GapExp,               //
    GapBits>;

}  // namespace bitlaw
