// The profiles that a fit is asked for, and how they are written.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "fit/derived.h"
#include "fit/profile.h"

namespace bitlaw {
namespace {

struct Targets {
  std::vector<ProfileTarget> training, post;
};

void add_constant(const FittedStages& stages, int parameter, Targets& out) {
  const char* name = stages.training->law->parameters[static_cast<size_t>(parameter)].name;
  if (is_free(*stages.training, parameter)) out.training.push_back({name, parameter, {}});
  if (is_free(*stages.post, parameter)) out.post.push_back({name, parameter, {}});
}

void add_named(const FittedStages& stages, const std::string& name, Targets& out) {
  const Law& law = *stages.training->law;
  const int parameter = parameter_index(law, name);
  if (parameter < 0) {
    std::vector<std::string> names{"all", "derived"};
    for (const Parameter& p : law.parameters) names.emplace_back(p.name);
    const std::string what = fmt::format("{} constant", law.name);
    throw Error(fmt::format("profile: {}", unknown_name(what, name, names)));
  }
  const size_t before = out.training.size() + out.post.size();
  add_constant(stages, parameter, out);
  if (out.training.size() + out.post.size() == before) {
    const std::string& reason = stages.choice->reasons[static_cast<size_t>(parameter)];
    throw Error(fmt::format("profile: {} was not fitted: {}", name,
                            reason.empty() ? "no rows to fit it to" : reason));
  }
}

Targets targets_of(const FittedStages& stages, const std::vector<double>& values,
                   const std::vector<std::string>& asked) {
  Targets out;
  for (const std::string& name : asked) {
    if (name == "all") {
      const size_t count = stages.training->law->parameters.size();
      for (size_t i = 0; i < count; ++i) add_constant(stages, static_cast<int>(i), out);
    } else if (name == "derived") {
      for (const DerivedQuantity& quantity :
           derived_quantities(*stages.training->law, *stages.rows, values)) {
        if (quantity.of_training && !stages.training->free.empty()) {
          out.training.push_back({quantity.about.name, -1, quantity.of});
        }
      }
    } else {
      add_named(stages, name, out);
    }
  }
  return out;
}

// What has no end on one side or on both.
void note_open_ends(const std::vector<ProfileInterval>& profiles, Fit& fit) {
  std::vector<std::string> above, below;
  for (const ProfileInterval& profile : profiles) {
    if (std::isnan(profile.high)) above.push_back(profile.name);
    if (std::isnan(profile.low)) below.push_back(profile.name);
  }
  const auto note = [&](const std::vector<std::string>& names, const char* side) {
    if (names.empty()) return;
    fit.notes.push_back(
        fmt::format("Profiles show no bound {} for {}.", side, fmt::join(names, ", ")));
  };
  note(above, "above");
  note(below, "below");
}

std::string interval_text(double low, double high) {
  const auto end = [](double value) {
    return std::isnan(value) ? std::string("none") : fmt::format("{:.5g}", value);
  };
  return fmt::format("[{}, {}]", end(low), end(high));
}

}  // namespace

void add_profiles(const FittedStages& stages, const std::vector<double>& values,
                  const FitOptions& options, const ParallelFor& parallel_for, Fit& fit) {
  if (options.profile.empty()) return;
  if (options.joint) {
    throw Error("profile: not available with joint; remove one of them");
  }
  const Targets targets = targets_of(stages, values, options.profile);
  bool lower = false;
  const auto follow = [&](const StageSetup& stage, const std::vector<Observation>& rows,
                          const std::vector<ProfileTarget>& of_stage, const StageFit& described) {
    if (of_stage.empty() || described.points <= described.free) return;
    for (ProfileResult& result :
         profile(stage, rows, values, of_stage, options.level, parallel_for)) {
      lower |= result.objective < described.objective * (1 - 1e-6);
      fit.profiles.push_back(std::move(result.profile));
    }
  };
  follow(*stages.training, stages.rows->training, targets.training, fit.training);
  follow(*stages.post, stages.rows->post, targets.post, fit.post);
  note_open_ends(fit.profiles, fit);
  if (lower) {
    fit.notes.emplace_back(
        "A profile found a lower objective than the fit: this minimum is not the best; raise "
        "starts.");
  }
  if (!targets.post.empty()) {
    fit.notes.emplace_back(
        "Profiles of the post-training term keep the training law at its fitted constants.");
  }
}

void uncertainty_to_json(const Fit& fit, Json& document) {
  document["derived"] = Json::array();
  for (const Derived& derived : fit.derived) {
    Json entry{{"name", derived.name},
               {"unit", derived.unit},
               {"value", json_number(derived.value)},
               {"low", json_number(derived.low)},
               {"high", json_number(derived.high)}};
    if (!derived.note.empty()) entry["note"] = derived.note;
    document["derived"].push_back(std::move(entry));
  }
  for (const ProfileInterval& profile : fit.profiles) {
    Json points = Json::array();
    for (const ProfilePoint& point : profile.points) {
      points.push_back({{"value", json_number(point.value)}, {"rise", json_number(point.rise)}});
    }
    document["profiles"][profile.name] = {{"low", json_number(profile.low)},
                                          {"high", json_number(profile.high)},
                                          {"points", std::move(points)}};
  }
}

void uncertainty_from_json(const Json& document, Fit& fit) {
  if (document.contains("derived")) {
    for (const Json& entry : document["derived"]) {
      fit.derived.push_back({entry.at("name"), entry.at("unit"), number_in(entry, "value"),
                             number_in(entry, "low"), number_in(entry, "high"),
                             entry.value("note", "")});
    }
  }
  if (!document.contains("profiles")) return;
  for (const auto& [name, entry] : document["profiles"].items()) {
    ProfileInterval profile{name, number_in(entry, "low"), number_in(entry, "high"), {}};
    for (const Json& point : entry.at("points")) {
      profile.points.push_back({number_in(point, "value"), number_in(point, "rise")});
    }
    fit.profiles.push_back(std::move(profile));
  }
}

std::string uncertainty_text(const Fit& fit) {
  std::string out;
  const auto profile_of = [&](const std::string& name) -> std::string {
    for (const ProfileInterval& profile : fit.profiles) {
      if (profile.name == name) return "  profile " + interval_text(profile.low, profile.high);
    }
    return "";
  };
  for (const Derived& derived : fit.derived) {
    out += std::isnan(derived.value)
               ? fmt::format("  {:<32} {:>10} {:<6}", derived.name, "none", "")
               : fmt::format("  {:<32} {:>10.5g} {:<6}", derived.name, derived.value, derived.unit);
    if (std::isfinite(derived.low) || std::isfinite(derived.high))
      out += "  " + interval_text(derived.low, derived.high);
    out += profile_of(derived.name);
    if (!derived.note.empty()) out += "  (" + derived.note + ")";
    out += "\n";
  }
  for (const FittedParameter& p : fit.parameters) {
    const std::string line = profile_of(p.name);
    if (!line.empty()) out += fmt::format("  {:<11}{}\n", p.name, line);
  }
  return out;
}

}  // namespace bitlaw
