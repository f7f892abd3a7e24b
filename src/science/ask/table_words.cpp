#include "ask/table_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/names.h"
#include "formats/block_noise.h"
#include "laws/class_spelling.h"
#include "record/factor_names.h"
#include "table/columns.h"
#include "table/factors.h"
#include "table/pure_error.h"
#include "table/table_inputs.h"
#include "table/warnings.h"

namespace bitlaw {
namespace {

// What every law has an input for may differ; what some of them have one for, too, but a note says
// so.
MayDiffer may_differ(const std::vector<const Law*>& laws) {
  std::map<std::string, size_t> counts;
  for (const Law* law : laws) {
    for (const std::string& factor : modelled_factors(*law)) ++counts[factor];
  }
  MayDiffer out;
  for (const auto& [factor, count] : counts)
    (count == laws.size() ? out.modelled : out.pooled).push_back(factor);
  return out;
}

}  // namespace

TableOptions table_options(const TableWords& words) {
  TableOptions options;
  options.format = words.format;
  options.columns = parse_columns(words.columns);
  options.scale = parse_scale(words.scale);
  options.set = words.set;
  options.where = words.where;
  options.cluster = words.cluster;
  options.reference = words.reference;
  options.gaussian_error = gaussian_error_source(words.gaussian_error);
  options.gap_to = words.gap_to;
  options.replicates = words.replicates;
  options.last_row_per_run = words.last_row_per_run;
  options.drop_duplicates = words.drop_duplicates;
  options.keep_3bit = words.keep_3bit;
  options.along = pool_models_along(words.pool);
  options.tokens_by_step = words.tokens_by_step;
  options.uses_compute = words.uses_compute;
  return options;
}

const Law& law_without_bits() {
  return *std::find_if(laws().begin(), laws().end(), [](const Law& law) {
    return law.predicts == Predicts::kLoss && !law.uses_bits;
  });
}

UsualLaw usual_law(const RawTable& raw, const std::string& where, const TableWords& words) {
  if (words.takes_gaps()) {
    const Law& of_gaps = *std::find_if(laws().begin(), laws().end(), [](const Law& law) {
      return law.predicts == Predicts::kGap;
    });
    return {of_gaps.name,
            fmt::format("The law is {}; the laws of gaps are {}.", of_gaps.name, laws_of_gaps())};
  }
  if (tells_precision(raw, where, table_options(words))) return {default_law().name, ""};
  const char* const name = law_without_bits().name;
  return {name, fmt::format("The table has no column of a precision, so the law is {}; --law names "
                            "another.",
                            name)};
}

Table table_for(const std::vector<const Law*>& laws, RawTable raw, const std::string& where,
                const TableWords& words) {
  for (const Law* law : laws) {
    const bool of_gaps = law->predicts == Predicts::kGap;
    if (of_gaps == words.takes_gaps()) continue;
    throw Error(of_gaps ? fmt::format("{} is a law of gaps between runs: name the class of the "
                                      "reference runs, as in --gap-to bf16",
                                      law->name)
                        : fmt::format("--gap-to: {} is a law of losses, not of gaps; use {}",
                                      law->name, laws_of_gaps()));
  }
  TableOptions how = table_options(words);
  how.may_differ = may_differ(laws);
  how.inputs = inputs_of(laws);
  how.sizes_optional =
      std::none_of(laws.begin(), laws.end(), [](const Law* law) { return law->needs_sizes; });
  for (std::string& factor : factors_named(words.pool))
    how.may_differ.pooled.push_back(std::move(factor));
  const bool law_uses_bits =
      std::any_of(laws.begin(), laws.end(), [](const Law* law) { return law->uses_bits; });
  Table table = table_of(std::move(raw), where, how);
  for (std::string& warning : table_warnings(table.runs, law_uses_bits))
    table.notes.push_back(std::move(warning));
  return table;
}

bool pool_models_along(const std::vector<std::string>& pool) {
  return std::any_of(pool.begin(), pool.end(), [](const std::string& name) {
    const std::vector<std::string> named = factors_named({name});
    return plain_name(name) != "all" &&
           std::find(named.begin(), named.end(), "run_fraction") != named.end();
  });
}

void must_have_something_to_fit(const Table& table, const std::string& path) {
  if (const std::string reason = nothing_to_fit(table.runs); !reason.empty())
    throw Error(path + ": " + reason);
}

Json table_json(const Table& table, const std::string& path) {
  const auto pooled =
      std::find_if(table.notes.begin(), table.notes.end(),
                   [](const std::string& note) { return note.starts_with(kPooledNote); });
  return Json{{"path", path},
              {"kind", table.kind},
              {"hash", table.hash},
              {"reference", table.reference.empty() ? Json(nullptr) : Json(table.reference)},
              {"gaussian_error", name_of(table.gaussian_error)},
              {"rows", table.runs.size()},
              {"filtered", table.filtered},
              {"diverged", table.diverged},
              {"unfinished", table.unfinished},
              {"unstable", table.unstable},
              {"along", table.along},
              {"dropped", table.dropped},
              {"pooled", pooled == table.notes.end() ? Json(nullptr) : Json(*pooled)},
              {"pure_error", pure_error_json(pure_error(table.factors))},
              {"notes", table.notes}};
}

}  // namespace bitlaw
