// The loss over one or two quantities of a plan, such as (N, P) at a budget or (D, P_post) of a model:
// at each point the request is answered with these quantities given, so what is left free is the best
// there. No intervals, notes and sensitivities: a picture has thousands of points. No files here.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace bitlaw {

// N, D, compute (FLOP), gpu_hours, memory_bytes; P (all parts), P_w, P_a or P_kv; P_post.
struct LandscapeAxis {
  std::string name;
  std::vector<double> values;
};

struct LandscapePoint {
  double loss = kUnknown;  // nats per token; NaN if the law or the budgets have no such model
  double params = kUnknown, tokens = kUnknown;
  double bits_weights = kUnknown, bits_activations = kUnknown, bits_kv = kUnknown;
  double post_bits = 0;  // 0 = not quantized after training
};

struct Landscape {
  std::string error;  // one sentence, and nothing else
  std::string law, source;
  std::vector<LandscapeAxis> axes;
  std::vector<LandscapePoint> points;  // the first axis varies fastest
};

Landscape make_landscape(const PlanRequest& request, const std::vector<LandscapeAxis>& axes,
                         const Json& fit = nullptr, const Json& devices = nullptr);

// .law .source .axes[]{name, values} .loss[] .N[] .D[] .P_w[] .P_a[] .P_kv[] .P_post[]: lists over the
// points, null where there is no model; without the quantities that are the same at all of them.
Json landscape_json(const Landscape& landscape);

}  // namespace bitlaw
