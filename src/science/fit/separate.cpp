#include "fit/separate.h"

#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <set>

#include "fit/residuals.h"
#include "fit/sandwich.h"
#include "laws/bind.h"
#include "laws/part_bits.h"
#include "table/candidates.h"

namespace bitlaw {
namespace {

// Runs for the training stage; for the other, unquantized ones at the table's P_post.
std::vector<Observation> candidates_for(const StageSetup& setup,
                                        const std::vector<Observation>& rows,
                                        const std::vector<double>& values) {
  const Law& law = *setup.law;
  const bool post = setup.settings.stage == Stage::kPost;
  std::set<double> post_bits;
  std::vector<Observation> trained = rows, out;
  for (Observation& row : trained) {
    post_bits.insert(row.bits_post);
    row.bits_post = 0;
  }
  // A continuous input has no grid to choose from.
  if (!has_candidate_grid(law, trained)) return {};
  for (Observation run : candidate_grid(law, trained, "grid")) {
    const double loss = predict(law, values.data(), run);
    run.loss_nats = run.qat_share = loss;
    if (!(loss > 0) || !std::isfinite(loss)) continue;
    if (!post) {
      out.push_back(run);
      continue;
    }
    if (!precision_class(run).empty()) continue;
    for (const double bits : post_bits) {
      run.bits_post = bits;
      run.delta_nats = predict_delta(law, values.data(), run);
      run.delta_standard_error = rows[0].delta_standard_error;
      if (run.delta_nats > 0 && std::isfinite(run.delta_nats)) out.push_back(run);
    }
  }
  return out;
}

Matrix jacobian_of(const StageSetup& setup, const std::vector<Observation>& rows,
                   const std::vector<double>& values) {
  StageSetup unweighted = setup;
  unweighted.settings.weighted = false;
  return stage_jacobian(unweighted, rows, values).topRows(static_cast<long>(rows.size()));
}

// Where the run lies outside the table's range; empty if it does not.
std::string beyond(const Observation& run, const std::vector<Observation>& rows) {
  std::vector<std::string> out;
  const auto check = [&](const char* name, double value, auto of) {
    double least = of(rows[0]), most = least;
    for (const Observation& row : rows) {
      least = std::min(least, of(row)), most = std::max(most, of(row));
    }
    if (value > 1.01 * most) {
      out.push_back(fmt::format("{} = {:.3g}, the table ends at {:.3g}", name, value, most));
    } else if (value < 0.99 * least) {
      out.push_back(fmt::format("{} = {:.3g}, the table begins at {:.3g}", name, value, least));
    }
  };
  check("D/N", run.tokens / run.params,
        [](const Observation& row) { return row.tokens / row.params; });
  if (out.empty()) {
    check("N", run.params, [](const Observation& row) { return row.params; });
    check("D", run.tokens, [](const Observation& row) { return row.tokens; });
  }
  return out.empty() ? "" : fmt::format(" ({})", fmt::join(out, "; "));
}

std::string place(const Observation& run) {
  std::string out = fmt::format("N = {:.3g}, D = {:.3g}", run.params, run.tokens);
  if (!run.precision.empty()) {
    if (!precision_class(run).empty()) out += ", " + run.precision;
  } else {
    const std::string bits = bits_in_words(run);
    if (!bits.empty()) out += ", " + bits;
  }
  if (run.is_post_training()) out += fmt::format(", P_post = {:g}", run.bits_post);
  return out;
}

}  // namespace

SeparatingRun separating_run(const StageSetup& setup, const std::vector<Observation>& rows,
                             const std::vector<double>& values) {
  const std::vector<Observation> candidates = candidates_for(setup, rows, values);
  if (candidates.empty() || setup.free.empty()) return {};
  Matrix known = jacobian_of(setup, rows, values);
  Matrix unknown = jacobian_of(setup, candidates, values);
  if (!known.allFinite()) return {};
  for (long j = 0; j < known.cols(); ++j) {  // unit columns: no constant counts more than another
    const double length = known.col(j).norm();
    if (length > 0) known.col(j) /= length, unknown.col(j) /= length;
  }
  const Eigen::JacobiSVD<Matrix> svd(known, Eigen::ComputeThinV);
  const Vector flattest = svd.matrixV().col(known.cols() - 1);
  const double least = svd.singularValues()[known.cols() - 1];
  if (!(least > 1e-9 * svd.singularValues()[0])) return {};
  const Vector squares = svd.singularValues().array().square().inverse();
  const Matrix inverse = svd.matrixV() * squares.asDiagonal() * svd.matrixV().transpose();

  std::vector<double> gains;
  for (long i = 0; i < unknown.rows(); ++i) {
    const Vector row = unknown.row(i).transpose();
    const double along = flattest.dot(inverse * row);
    const double taken = along * along / (1 + row.dot(inverse * row)) * least * least;
    gains.push_back(std::isfinite(taken) ? 1 - std::sqrt(std::max(0.0, 1 - taken)) : 0);
  }
  const double most = *std::max_element(gains.begin(), gains.end());
  size_t best = 0;
  double cost = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < gains.size(); ++i) {
    const double product = candidates[i].params * candidates[i].tokens;
    if (gains[i] >= 0.8 * most && product < cost) best = i, cost = product;
  }
  SeparatingRun out{candidates[best], gains[best], ""};
  if (out.gain < 0.05) return out;
  out.words = fmt::format(
      "A run at {}{} would separate them: it reduces the error in that direction by {:.0f} %.",
      place(out.run), beyond(out.run, rows), 100 * out.gain);
  return out;
}

}  // namespace bitlaw
