#include "plan/predictor.h"

#include <algorithm>

namespace bitlaw {

const Observation& Predictor::observe(double params, double tokens, const Precision& precision,
                                      double post_bits) const {
  run_.params = params, run_.tokens = tokens;
  run_.fixed_share = surroundings_.fixed.share_of_total(params);
  const Bits bits = law_bits(precision);
  run_.bits_weights = bits.weights;
  run_.bits_activations = bits.activations;
  run_.bits_kv = bits.kv;
  run_.bits_keys = surroundings_.bits_keys, run_.bits_values = surroundings_.bits_values;
  run_.bits_embedding = surroundings_.bits_embedding, run_.bits_head = surroundings_.bits_head;
  run_.bits_post = post_bits;
  if (surroundings_.unique_tokens > 0) {
    run_.unique_tokens = std::min(tokens, surroundings_.unique_tokens);
  }
  if (surroundings_.group > 0) run_.group = surroundings_.group;
  if (const PrecisionChoice* format = precision.choice) {
    run_.exponent_bits = format->exponent_bits, run_.mantissa_bits = format->mantissa_bits;
    const auto error = [&](double bits_of_part) {
      return bits_of_part < kUnquantizedBits ? format->gaussian_error : kUnknown;
    };
    run_.gaussian_error_weights = error(bits.weights);
    run_.gaussian_error_activations = error(bits.activations);
    run_.gaussian_error_kv = error(bits.kv);
    run_.precision = format->forward, run_.backward = format->backward;
  }
  return run_;
}

double Predictor::loss(double params, double tokens, const Precision& precision,
                       double post_bits) const {
  ++evaluations_;
  return predict(law_, values_, observe(params, tokens, precision, post_bits));
}

double Predictor::delta(double params, double tokens, const Precision& precision,
                        double post_bits) const {
  ++evaluations_;
  return predict_delta(law_, values_, observe(params, tokens, precision, post_bits));
}

double Predictor::share(double params, double tokens, const Precision& precision) const {
  return effective_share(law_, values_, observe(params, tokens, precision, 0));
}

double Predictor::best_bits(double compute) const {
  if (surroundings_.fixed.is_known()) return kUnknown;  // it depends on N then
  const Observation& like = observe(kUnknown, kUnknown, {}, 0);
  return bitlaw::best_bits(law_, values_, compute, kAllParts, like);
}

double Predictor::critical_tokens(double params, double post_bits) const {
  const Observation& model = observe(params, kUnknown, {}, 0);
  return bitlaw::critical_tokens(law_, values_, model, post_bits);
}

}  // namespace bitlaw
