// What the drawings of a report are made of: its rows as a fit sees them, the fitted law with its
// intervals, and the published one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "laws/effective.h"
#include "plan/result.h"
#include "predict/constants.h"
#include "report/drawing.h"
#include "report/references.h"
#include "report/report.h"
#include "table/pure_error.h"

namespace bitlaw {

// The parts that are quantized in training, all to the same bits.
struct QuantizedParts {
  std::string name;  // "weights", "weights and activations"; "" = none; "several" = unequal bits
  double bits = 16;  // of these parts; of unequal bits the fewest
  bool w = false, a = false, kv = false;

  bool none() const { return name.empty(); }
  bool is_equal() const { return name != "several"; }
};
QuantizedParts quantized_parts(const TidyRow& row);

struct DrawnRow {
  const TidyRow* tidy = nullptr;
  size_t place = 0;  // among the rows of the report
  Observation run;   // as a fit sees it
  double n = kUnknown, d = kUnknown;
  double loss = kUnknown;  // nats per token, of a cell after quantization
  QuantizedParts parts;
  std::string flagged;  // why fits leave it out; "" = they do not

  bool is_run() const { return tidy->is_run(); }
};

// A number that follows from the fitted constants.
struct DrawnEstimate {
  double value = kUnknown;
  std::optional<PlanInterval> interval;
  std::string missing;  // why it must not be said; "" = it may

  bool may_be_said() const { return missing.empty(); }
};

class DrawingData {
 public:
  // All must outlive this. `document`: what make_report has so far.
  DrawingData(const ReportInput& input, const References& references, const PureError& noise,
              const Json& document);

  const ReportInput& input() const { return input_; }
  const References& references() const { return references_; }
  bool is_table() const { return input_.is_table; }
  const Json& document() const { return document_; }
  const std::vector<DrawnRow>& rows() const { return rows_; }  // none that diverged

  // A law that was fitted to training losses; else null.
  const Constants* fit() const { return has_training_ ? &*fit_ : nullptr; }
  const Constants* published() const { return published_ ? &*published_ : nullptr; }
  // It says by a formula what bits in training cost, and they make a difference.
  bool has_bits() const { return has_bits_; }
  // It was fitted to what quantization after training costs.
  bool has_delta() const;
  // The document of the fit with at most so many draws: plans over all of them are slow.
  Json fit_with_draws(size_t most) const;
  std::string method() const;        // the quantization after training that the fit is of
  std::string why_no_curve() const;  // of losses; "" = there is a fitted law

  // A model of the study, not quantized.
  Observation model(double n, double d) const;
  const Middle& middle() const { return middle_; }

  // Of the fitted constants, without intervals; NaN without a fit.
  double loss(const Observation& run) const;
  double delta(const Observation& run) const;

  enum class Of { kLoss, kDelta };
  // The fitted law at these places; intervals (predict/predict.h) at every fourth, between which they
  // are interpolated relative to the curve where their width changes little. Empty without a fit. Losses
  // above three times the least are left out: there training fails.
  std::vector<DrawnPlace> curve(const std::vector<double>& xs,
                                const std::function<Observation(double)>& run_at,
                                Of of = Of::kLoss) const;
  // Without intervals, of the published constants.
  std::vector<DrawnPlace> published_curve(const std::vector<double>& xs,
                                          const std::function<Observation(double)>& run_at,
                                          Of of = Of::kLoss) const;

  using FromConstants = std::function<double(const std::vector<double>& values)>;
  // With the interval over the fit's draws, if all constants that it depends on are identified.
  DrawnEstimate estimate(const FromConstants& of) const;
  // A curve of such numbers, with intervals of the mean as above.
  using FromConstantsAt = std::function<double(const std::vector<double>& values, double x)>;
  std::vector<DrawnPlace> curve_of(const std::vector<double>& xs, const FromConstantsAt& of) const;
  // Why a number that depends on these constants must not be said; "" = it may.
  std::string not_identified(const std::vector<std::string>& constants) const;

  // A run with N as the fit counts it.
  Observation counted(Observation run) const;

  // Deviation of a loss between seeds; NaN unless it is known well enough (table/pure_error.h).
  double deviation(const DrawnRow& row) const;
  // Of its difference from the mean of so many runs that are not quantized.
  double deviation_from(const DrawnRow& row, int references) const;
  // "Losses deviate by 0.003 nats between seeds."
  std::string noise_words() const;
  // A measured loss with its bar.
  DrawnPoint point(const DrawnRow& row, double x) const;

 private:
  std::optional<PlanInterval> drawn_interval(const FromConstants& of) const;

  const ReportInput& input_;
  const References& references_;
  const PureError& noise_;
  const Json& document_;
  std::vector<DrawnRow> rows_;
  std::optional<Constants> fit_, published_;
  Constants plain_;  // of the fit, without draws
  bool has_training_ = false, has_bits_ = false;
  bool n_is_total_ = false;
  Middle middle_;
};

// The document of a fit with at most so many draws.
Json with_draws(const Json& fit, size_t most);

DrawnAbout about_row(const DrawnRow& row);

// These parts at these bits.
void set_parts(Observation& run, const QuantizedParts& parts, double bits);

inline constexpr double kBarErrors = 1.645;  // standard errors to either side: 90 %

// Places evenly apart, on a logarithmic scale a little beyond both ends.
std::vector<double> log_places(double low, double high, int count, double beyond = 0.1);
std::vector<double> even_places(double low, double high, int count);

// Intervals for the places without any between two that have one, relative to the curve.
void interpolate_intervals(std::vector<DrawnPlace>& curve);

// "1.23 [1.20, 1.27]", the interval where there is one.
std::string estimate_words(const DrawnEstimate& estimate, const std::string& format);

// The `most` values that come most often, ascending: panels of a drawing.
std::vector<double> commonest(const std::vector<double>& values, size_t most);
// "" or " (the 6 of 20 sizes with the most rows are drawn)".
std::string left_out_words(size_t shown, size_t all, const char* things);

// "4 bits", "not quantized"
std::string bits_words(double bits);

}  // namespace bitlaw
