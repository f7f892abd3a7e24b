// The best N and bits for every number of bytes in a range: under a law, which model fits into B
// bytes and has the least loss? Each point is a plan with memory_bytes = B (plan/plan.h). Between two
// points whose choice differs, the bytes are found from which on the second is better, so that every
// change along the range is a number. No files here.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/plan.h"

namespace bitlaw {

// The best model of one choice, whether it is the best of all or not.
struct FrontierChoice {
  std::string choice;
  double params, loss;
};

struct FrontierPoint {
  double bytes = kUnknown;
  std::string none;  // why no model answers; "" = `best` is set
  PlanOptimum best;
  std::string choice;                     // "4 bits", "mxfp4", "W4A4, 3 afterwards"
  std::optional<PredictedInterval> mean;  // of the loss; of fits with draws
  std::optional<PlanInterval> params;     // of N
  std::map<std::string, double> shares;   // of the draws, by choice
  std::string second;                     // the next best choice ...
  double gap = kUnknown;                  // ... and how much more loss it has, nats
  std::vector<FrontierChoice> choices;    // of a list, best first
  std::vector<std::string> beyond;        // of the fitted runs, in words
};

// From these bytes on `to` has less loss than `from`.
struct FrontierChange {
  double bytes = kUnknown;
  std::string from, to;
};

struct Frontier {
  std::string error;  // one sentence, and nothing else
  std::string law, source;
  PlanRequest request;  // as resolved
  std::vector<FrontierPoint> points;
  std::vector<FrontierChange> changes;
  std::vector<std::string> notes;
};

// One law for each of request.laws and each fit; or request.law. A law that cannot answer has an
// error.
struct Frontiers {
  std::string error;
  std::vector<Frontier> laws;
};

// request.frontier: "bytes=4e6..1e12", or amounts with units, "bytes=4MB..1TB". D is given by tokens,
// tokens_per_param or a budget; with quantization after training it may be free. Bits of the weights
// are chosen from 2, 3, 4, 5, 6, 8 and 16 unless the request lists others or frees other parts.
Frontier make_frontier(const PlanRequest& request, const Json& fit = nullptr,
                       const Json& devices = nullptr);
Frontiers make_frontiers(const PlanRequest& request, const std::vector<Json>& fits,
                         const Json& devices = nullptr);

// .law .source .request .points[]{bytes, choice, N, D, ..., mean, second, gap, shares,
// choices[]{choice, N, loss}, beyond[]}
// .changes[]{bytes, from, to} .notes[]; of several laws .laws[] and .ranges[]{bytes, choices[], low_N,
// high_N}, where the laws disagree.
Json frontier_json(const Frontier& frontier);
Json frontier_json(const Frontiers& frontiers);
std::string frontier_text(const Frontiers& frontiers);
// A line for each law and number of bytes; numbers keep every digit.
std::string frontier_csv(const Frontiers& frontiers);

}  // namespace bitlaw
