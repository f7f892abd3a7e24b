// From the constants of a law to a decision: how many parameters, tokens and bits to spend a budget
// on. A PlanRequest goes in, a Plan comes out; the command line, the report and programs all use
// these functions. No files, threads or databases here; an impossible request is answered by
// .error.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/request.h"
#include "plan/result.h"

namespace bitlaw {

// kNumbers: without .sensitivity, which takes two plans for each constant.
enum class PlanDepth { kAll, kNumbers };

// `fit`: a document of fit_to_json, or null for published constants. `devices`: the user's
// table (plan/devices.h) or null.
Plan make_plan(const PlanRequest& request, const Json& fit = nullptr, const Json& devices = nullptr,
               PlanDepth depth = PlanDepth::kAll);

// The same request answered by request.laws and by every fit.
PlanComparison compare_plans(const PlanRequest& request, const std::vector<Json>& fits,
                             const Json& devices = nullptr);

// The plan as a document:
//   .law .source         the law and its constants: "published ..." or "fit of N points"
//   .knows_bits          whether the law's training loss depends on bits
//   .request             the request as resolved
//   .optimum             N D P_w P_a P_kv [P_post] [precision] loss [delta] [N_eff]
//                        tokens_per_param compute [gpu_hours] [serving_compute] [memory_bytes]
//                        [kv_bytes] [embedding_bytes] [weight_bits] [N_total]
//   .intervals.NAME      low, high: 5 % and 95 % over the fit's bootstrap draws, if it has any
//   .run                 the optimum as a run: loss, intervals of the mean and of a run, what of it
//                        lies beyond the fitted runs (predict/predict.h)
//   .choices.LABEL       share of the draws that choose this precision, if it is from a list
//   .budgets[]           name amount used binds loss_per_percent (change of the loss for 1 % more)
//   .binding             a sentence: what limits the answer
//   .sensitivity.NAME    value, per_percent.{log_N, log_D, P_w, P_a, P_kv, P_post, loss}: change of
//                        the answer for 1 % more of the constant; with draws also standard_error
//                        and per_standard_error
//   .critical_data[]     params bits tokens tokens_per_param [low high] sensitivity.NAME, if
//                        requested (change of log tokens per 1 %)
//   .notes[]             caveats: frozen constants, extrapolation
//   .evaluations         of the law, in total
//   .error               one sentence, alone in the document: the request is invalid
// A law that predicts the best share of quantization-aware training has .optimum.{N, D, P_w,
// qat_share, qat_tokens} for a given N, D and precision.
Json plan_json(const Plan& plan);
Json request_json(PlanRequest request);

// The comparison as a document, or .error alone:
//   .plans[]             name, and the document of the plan without .request
//   .skipped[]           law, why
//   .agreement.NAME      agree, low, high, ratio (or bits apart), of N, D, tokens_per_param, P_*
//   .verdict             a sentence
//   .notes[]             why losses are, or are not, compared
Json plan_json(const PlanComparison& comparison);

// Tables for a terminal.
std::string plan_text(const Plan& plan);
std::string plan_text(const PlanComparison& comparison);

}  // namespace bitlaw
