#include "report/drawing_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "laws/effective.h"
#include "plan/answer.h"
#include "report/fields.h"
#include "report/fitted_law.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

constexpr size_t kIntervalStride = 4;

constexpr double kFailed = 3;  // times the least loss of a curve

// Whether the intervals of two places have nearly the same width, relative to the curve.
bool are_alike(const DrawnPlace& a, const DrawnPlace& b) {
  constexpr double kMostRatio = 1.5;
  for (const auto member : {&DrawnPlace::mean, &DrawnPlace::run}) {
    const auto &first = a.*member, &second = b.*member;
    if (!first || !second) continue;
    const double ratio = (first->high - first->low) / a.y / ((second->high - second->low) / b.y);
    if (!(ratio < kMostRatio && ratio > 1 / kMostRatio)) return false;
  }
  return true;
}

// At every fourth place and the last; at the others where the width changes, else interpolated.
template <class Take>
void add_intervals_where_needed(std::vector<DrawnPlace>& curve, const Take& take) {
  for (size_t i = 0; i < curve.size(); ++i) {
    if (i % kIntervalStride == 0 || i + 1 == curve.size()) take(curve[i]);
  }
  for (size_t low = 0; low + 1 < curve.size(); low += kIntervalStride) {
    const size_t high = std::min(low + kIntervalStride, curve.size() - 1);
    if (are_alike(curve[low], curve[high])) continue;
    for (size_t i = low + 1; i < high; ++i) take(curve[i]);
  }
  interpolate_intervals(curve);
}

Observation observation_of(const TidyRow& row) {
  Observation out;
  out.params = whole(row.N), out.tokens = whole(row.D);
  if (std::isfinite(whole(row.N_total))) out.params_total = whole(row.N_total);
  const auto bits = [](double given) { return std::isfinite(given) ? given : 16; };
  out.bits_weights = bits(row.P_w), out.bits_activations = bits(row.P_a);
  out.bits_kv = bits(row.P_kv);
  if (row.P_k != row.P_v) out.bits_keys = row.P_k, out.bits_values = row.P_v;
  out.group = training_group(row);
  out.loss_nats = row.loss;
  if (!row.is_run()) {
    out.bits_post = row.P_post, out.method = row.method;
    out.delta_nats = row.delta, out.delta_standard_error = row.standard_error;
  }
  return out;
}

std::string why_left_out(const TidyRow& row) {
  if (row.tuning == 1) return "a run of the tuning, which fits leave out";
  if (row.unstable == 1) return "too few bits to train with, which fits leave out";
  if (!row.is_run() && row.flagged == 1) return "worse than round-to-nearest";
  return "";
}

// Of each run, by its name and tokens.
std::map<std::pair<std::string, int64_t>, double> losses_by_run(const std::vector<TidyRow>& rows) {
  std::map<std::pair<std::string, int64_t>, double> out;
  for (const TidyRow& row : rows) {
    if (row.is_run()) out[{row.run, row.D.value_or(0)}] = row.loss;
  }
  return out;
}

}  // namespace

QuantizedParts quantized_parts(const TidyRow& row) {
  QuantizedParts out;
  out.w = row.P_w < 16, out.a = row.P_a < 16, out.kv = row.P_kv < 16;
  std::set<double> bits;
  for (const auto& [is, value] :
       {std::pair{out.w, row.P_w}, {out.a, row.P_a}, {out.kv, row.P_kv}}) {
    if (is) bits.insert(value);
  }
  if (std::isnan(row.P_w)) {  // a precision without a number of bits
    out.w = out.a = out.kv = true;
    out.name = "several", out.bits = kNoNumber;
    return out;
  }
  if (bits.empty()) return out;
  out.bits = *bits.begin();
  const bool apart = std::isfinite(row.P_k) && std::isfinite(row.P_v) && row.P_k != row.P_v;
  if (bits.size() > 1 || apart) {
    out.name = "several";
  } else if (out.w && out.a && out.kv) {
    out.name = "weights, activations, keys and values";
  } else {
    for (const auto& [is, name] :
         {std::pair{out.w, "weights"}, {out.a, "activations"}, {out.kv, "keys and values"}}) {
      if (is) out.name += (out.name.empty() ? "" : " and ") + std::string(name);
    }
  }
  return out;
}

DrawingData::DrawingData(const ReportInput& input, const References& references,
                         const PureError& noise, const Json& document)
    : input_(input),
      references_(references),
      noise_(noise),
      document_(document),
      middle_(middle_of(sizes_of(input.rows))) {
  const auto trained = losses_by_run(input.rows);
  size_t with_total = 0, equal = 0;
  for (size_t i = 0; i < input.rows.size(); ++i) {
    const TidyRow& tidy = input.rows[i];
    if (tidy.status == "diverged") continue;
    DrawnRow row;
    row.tidy = &tidy, row.place = i;
    row.run = input.is_table && input.observations.size() == input.rows.size()
                  ? input.observations[i]
                  : observation_of(tidy);
    row.n = whole(tidy.N), row.d = whole(tidy.D);
    row.loss = tidy.loss;
    if (!tidy.is_run()) {
      // A cell is evaluated on a part of the validation text; its paired delta is added to the run's
      // own loss.
      const auto found = trained.find({tidy.run, tidy.D.value_or(0)});
      if (found != trained.end() && std::isfinite(tidy.delta))
        row.loss = found->second + tidy.delta;
      else if (!input.is_table)
        row.loss = kUnknown;
    }
    row.parts = quantized_parts(tidy);
    row.flagged = why_left_out(tidy);
    with_total += row.run.params_total > 0;
    equal += row.run.params_total > 0 && row.run.params_total == row.run.params;
    rows_.push_back(std::move(row));
  }
  n_is_total_ = with_total > 0 && with_total == equal;
  Constants fit;
  if (input.fit.is_object() && read_constants("", "", input.fit, fit).empty() &&
      fit.law->predicts == Predicts::kLoss) {
    plain_ = fit;
    plain_.draws.clear();
    has_training_ = input.fit.contains("training") || !input.fit.contains("post");
    has_bits_ =
        has_training_ && fit.law->uses_bits && fit.law->class_parameters.empty() && fit.knows_bits;
    Constants published;
    if (find_law(fit.law->name) != nullptr &&
        read_constants(fit.law->name, "", nullptr, published).empty() && published.published)
      published_ = std::move(published);
    fit_ = std::move(fit);
  }
}

bool DrawingData::has_delta() const {
  if (!fit_ || !fit_->law->has_delta) return false;
  return input_.fit.contains("post") || !input_.fit.contains("training");
}

Json DrawingData::fit_with_draws(size_t most) const {
  return with_draws(input_.fit, most);
}

std::string DrawingData::method() const {
  return fit_ && !fit_->method.empty() ? fit_->method : "gptq";
}

std::string DrawingData::why_no_curve() const {
  if (has_training_) return "";
  if (fit_)
    return "The fit is of quantization after training alone, so no curve of losses is drawn.";
  if (!input_.fit.is_object()) return "There is no fit, so no curve of a law is drawn.";
  return "The fit is not of losses, so no curve of a law is drawn.";
}

Observation DrawingData::model(double n, double d) const {
  Observation out;
  out.params = n, out.tokens = d;
  out.group = middle_.run.group;
  if (n_is_total_) out.params_total = n;
  return out;
}

double DrawingData::loss(const Observation& run) const {
  return has_training_ ? predict_run(plain_, run).loss : kUnknown;
}

double DrawingData::delta(const Observation& run) const {
  return fit_ ? predict_run(plain_, run).delta : kUnknown;
}

std::vector<DrawnPlace> DrawingData::curve(const std::vector<double>& xs,
                                           const std::function<Observation(double)>& run_at,
                                           Of of) const {
  std::vector<DrawnPlace> out;
  if (!(of == Of::kLoss ? has_training_ : has_delta())) return out;
  const bool loss = of == Of::kLoss;
  double least = std::numeric_limits<double>::infinity();
  for (const double x : xs) {
    const Prediction found = predict_run(plain_, run_at(x));
    out.push_back({x, loss ? found.loss : found.delta});
    if (out.back().y < least) least = out.back().y;
  }
  std::erase_if(out, [&](const DrawnPlace& place) {
    return !std::isfinite(place.y) || (loss && place.y > kFailed * least);
  });
  const auto take_interval = [&](DrawnPlace& place) {
    const Prediction found = predict_run(*fit_, run_at(place.x));
    place.mean = loss ? found.mean : found.mean_delta;
    place.run = loss ? found.run : found.run_delta;
  };
  add_intervals_where_needed(out, take_interval);
  return out;
}

std::vector<DrawnPlace> DrawingData::curve_of(const std::vector<double>& xs,
                                              const FromConstantsAt& of) const {
  std::vector<DrawnPlace> out;
  if (!fit_) return out;
  for (const double x : xs) {
    const double y = of(fit_->values, x);
    if (std::isfinite(y)) out.push_back({x, y});
  }
  add_intervals_where_needed(out, [&](DrawnPlace& place) {
    const auto found = drawn_interval([&](const auto& values) { return of(values, place.x); });
    if (found) place.mean = PredictedInterval{found->low, found->high};
  });
  return out;
}

void interpolate_intervals(std::vector<DrawnPlace>& curve) {
  for (const auto member : {&DrawnPlace::mean, &DrawnPlace::run}) {
    size_t low = curve.size();  // the last place that has one
    for (size_t high = 0; high < curve.size(); ++high) {
      if (!(curve[high].*member)) continue;
      for (size_t at = low + 1; low < high && at < high; ++at) {
        const double share = static_cast<double>(at - low) / static_cast<double>(high - low);
        const auto mixed = [&](double first, double last) {
          return curve[at].y * ((1 - share) * first / curve[low].y + share * last / curve[high].y);
        };
        const PredictedInterval &first = *(curve[low].*member), &last = *(curve[high].*member);
        curve[at].*member =
            PredictedInterval{mixed(first.low, last.low), mixed(first.high, last.high)};
      }
      low = high;
    }
  }
  std::erase_if(curve, [](const DrawnPlace& place) { return !std::isfinite(place.y); });
}

std::vector<DrawnPlace> DrawingData::published_curve(
    const std::vector<double>& xs, const std::function<Observation(double)>& run_at, Of of) const {
  std::vector<DrawnPlace> out;
  if (!published_) return out;
  for (const double x : xs) {
    const Prediction found = predict_run(*published_, run_at(x));
    const double y = of == Of::kLoss ? found.loss : found.delta;
    if (std::isfinite(y)) out.push_back({x, y});
  }
  return out;
}

std::string DrawingData::not_identified(const std::vector<std::string>& constants) const {
  for (const Json& line : document_["constants"]) {
    const std::string name = text(line, "name");
    if (std::find(constants.begin(), constants.end(), name) == constants.end()) continue;
    if (line.value("at_edge", false))
      return fmt::format("{}, on which it depends, ended at the edge of its range", name);
    const int place = fit_ ? parameter_index(*fit_->law, name) : -1;
    // Another constant makes up for what the formula itself leaves open.
    const char* never = place < 0 ? nullptr : fit_->law->parameters[place].never;
    if (never != nullptr && text(line, "frozen") == never) continue;
    if (!text(line, "frozen").empty())
      return fmt::format("{}, on which it depends, was not fitted", name);
    if (!line.value("identified", true))
      return fmt::format("{}, on which it depends, is not identified", name);
  }
  return "";
}

std::optional<PlanInterval> DrawingData::drawn_interval(const FromConstants& of) const {
  if (!fit_ || fit_->draws.empty()) return std::nullopt;
  std::vector<double> drawn;
  for (const std::vector<double>& draw : fit_->draws) drawn.push_back(of(draw));
  return interval(std::move(drawn), drawn_level(*fit_, 0.9));
}

DrawnEstimate DrawingData::estimate(const FromConstants& of) const {
  DrawnEstimate out;
  if (!fit_) {
    out.missing = "there is no fit";
    return out;
  }
  out.value = of(fit_->values);
  if (!std::isfinite(out.value)) {
    out.missing = "the fitted constants give none";
    return out;
  }
  constexpr double kMove = 0.005, kFelt = 1e-4 * kMove;
  std::vector<std::string> depends_on;
  std::vector<double> moved = fit_->values;
  for (size_t i = 0; i < moved.size(); ++i) {
    moved[i] = fit_->values[i] != 0 ? (1 + kMove) * fit_->values[i] : kMove;
    const double other = of(moved);
    if (!(std::fabs(other - out.value) <= kFelt * std::fabs(out.value)))
      depends_on.push_back(fit_->law->parameters[i].name);
    moved[i] = fit_->values[i];
  }
  out.missing = not_identified(depends_on);
  if (!out.missing.empty()) return out;
  out.interval = drawn_interval(of);
  if (!out.interval) out.missing = "the fit has no intervals";
  return out;
}

Observation DrawingData::counted(Observation run) const {
  if (fit_ && fit_->total && !(run.params_total > 0) && fit_->fixed.is_known())
    run.params_total = fit_->fixed.total(run.params);
  return as_counted(std::move(run), input_.fit);
}

double DrawingData::deviation_from(const DrawnRow& row, int references) const {
  const double own = deviation(row);
  if (!std::isfinite(own)) return kUnknown;
  const double other = noise_.deviation(row.n, "BF16");
  return std::sqrt(own * own + other * other / references);
}

std::string DrawingData::noise_words() const {
  if (noise_.all.freedom() < PureError::kFewestFreedom)
    return "Too few runs are repeated with other seeds to say how much of this is noise.";
  return fmt::format("Losses deviate by {:.2g} nats {} ({}).", noise_.all.deviation(),
                     noise_.all.between(), degrees_of_freedom(noise_.all.freedom()));
}

double DrawingData::deviation(const DrawnRow& row) const {
  if (noise_.all.freedom() < PureError::kFewestFreedom) return kUnknown;
  return noise_.deviation(row.n, references_.rows()[row.place].label);
}

DrawnPoint DrawingData::point(const DrawnRow& row, double x) const {
  DrawnPoint out{x, row.loss};
  out.run = row.tidy->run, out.about = about_row(row), out.flagged = row.flagged;
  double error = deviation(row);
  if (!row.is_run() && row.tidy->standard_error > 0)
    error = std::isfinite(error) ? std::hypot(error, row.tidy->standard_error)
                                 : row.tidy->standard_error;
  if (error > 0) out.low = row.loss - kBarErrors * error, out.high = row.loss + kBarErrors * error;
  return out;
}

DrawnAbout about_row(const DrawnRow& row) {
  DrawnAbout out{{"N", row.n}, {"D", row.d}};
  const TidyRow& tidy = *row.tidy;
  if (!row.parts.none()) out["P_w"] = tidy.P_w, out["P_a"] = tidy.P_a, out["P_kv"] = tidy.P_kv;
  if (!row.is_run()) out["P_post"] = tidy.P_post, out["method"] = tidy.method;
  if (!row.run.precision.empty()) out["class"] = row.run.precision;
  if (tidy.seed) out["seed"] = static_cast<double>(*tidy.seed);
  return out;
}

void set_parts(Observation& run, const QuantizedParts& parts, double bits) {
  if (parts.w) run.bits_weights = bits;
  if (parts.a) run.bits_activations = bits;
  if (parts.kv) run.bits_kv = bits;
}

std::vector<double> log_places(double low, double high, int count, double beyond) {
  const double first = std::log(low) - beyond, last = std::log(high) + beyond;
  std::vector<double> out;
  for (const double at : even_places(first, last, count)) out.push_back(std::exp(at));
  return out;
}

std::vector<double> even_places(double low, double high, int count) {
  std::vector<double> out;
  out.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) out.push_back(low + (high - low) * i / (count - 1));
  return out;
}

std::string estimate_words(const DrawnEstimate& estimate, const std::string& format) {
  const auto shown = [&](double value) { return fmt::format(fmt::runtime(format), value); };
  if (!estimate.interval) return shown(estimate.value);
  return fmt::format("{} [{}, {}]", shown(estimate.value), shown(estimate.interval->low),
                     shown(estimate.interval->high));
}

std::vector<double> commonest(const std::vector<double>& values, size_t most) {
  std::map<double, int> counts;
  for (const double value : values) ++counts[value];
  std::vector<std::pair<int, double>> order;
  order.reserve(counts.size());
  for (const auto& [value, count] : counts) order.emplace_back(-count, value);
  std::sort(order.begin(), order.end());
  std::vector<double> out;
  for (size_t i = 0; i < std::min(most, order.size()); ++i) out.push_back(order[i].second);
  std::sort(out.begin(), out.end());
  return out;
}

std::string left_out_words(size_t shown, size_t all, const char* things) {
  if (shown >= all) return "";
  return fmt::format(" Drawn: the {} of {} {} that have the most rows.", shown, all, things);
}

std::string bits_words(double bits) {
  if (bits >= 16) return "not quantized";
  return fmt::format("{:g} bit{}", bits, bits == 1 ? "" : "s");
}

Json with_draws(const Json& fit, size_t most) {
  Json out = fit;
  if (!out.is_object() || !out.contains("draws") || !out["draws"].contains("values")) return out;
  const Json& values = fit["draws"]["values"];
  if (most == 0) out.erase("draws");
  if (most == 0 || values.size() <= most) return out;
  Json fewer = Json::array();
  for (size_t i = 0; i < most; ++i) fewer.push_back(values[i]);
  out["draws"]["values"] = std::move(fewer);
  return out;
}

}  // namespace bitlaw
