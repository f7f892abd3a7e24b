// In place of science/ask/verbs_of_studies.cpp.
#include "ask/asking.h"
#include "base/error.h"

namespace bitlaw {

std::span<const Verb> verbs_of_studies() {
  return {};
}

Json options_of_studies(const std::string&) {
  return {};
}

void freeze_from_question(const Json& question, const Law&, const Table&, FitOptions&) {
  if (!part(question, "freeze_from").is_null())
    throw Error("freeze_from: the browser's module keeps no constants of other fits; give freeze");
}

const Law* law_of_formula(const Json& question, const AskedTable&, KnownLaws&) {
  if (!part(question, "formula").is_null())
    throw Error("formula: the browser's module fits the known laws alone");
  return nullptr;
}

std::vector<BoundLaw> laws_of_file(const std::string&, const std::string&, const std::string& key) {
  throw Error(key + ": the browser's module reads no files of laws");
}

}  // namespace bitlaw
