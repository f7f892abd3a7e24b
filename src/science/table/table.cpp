#include "table/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/condition.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/names.h"
#include "base/text.h"
#include "formats/precision.h"
#include "formats/recipe.h"
#include "laws/bind.h"
#include "record/factor_names.h"
#include "record/old_names.h"
#include "table/computed_columns.h"
#include "table/gaps.h"
#include "table/merge_replicates.h"
#include "table/missing.h"
#include "table/observation_columns.h"
#include "table/precision_columns.h"
#include "table/raw_table.h"
#include "table/replicates.h"
#include "table/row_clusters.h"
#include "table/row_filter.h"
#include "table/row_reader.h"
#include "table/row_status.h"
#include "table/table_inputs.h"
#include "table/table_notes.h"

namespace bitlaw {
namespace {

bool has_measurements(const Columns& columns) {
  return columns.has("loss") || columns.has("perplexity") || columns.has("delta") ||
         columns.has("qat_share");
}

std::vector<std::string> missing_sizes(const Columns& columns) {
  std::vector<std::string> missing;
  if (!columns.has("N") && !(columns.has("C") && columns.has("D"))) missing.emplace_back("N");
  if (!columns.has("D") && !(columns.has("C") && columns.has("N"))) missing.emplace_back("D");
  return missing;
}

std::vector<std::string> missing_columns(const Columns& columns, bool measured,
                                         bool sizes_optional) {
  std::vector<std::string> missing;
  if (!sizes_optional) missing = missing_sizes(columns);
  if (measured && !has_measurements(columns)) missing.emplace_back("loss");
  return missing;
}

// C = 6 N D, if N or D is missing.
void read_sizes(const RowReader& row, Observation& run, Derived& derived) {
  const double compute = run.compute = row.count_or_unknown("C");
  if (!row.has("N") && !std::isnan(compute)) {
    run.tokens = row.count("D");
    run.params = compute / (6 * run.tokens);
    ++derived.params;
  } else if (!row.has("D") && !std::isnan(compute)) {
    run.params = row.count("N");
    run.tokens = compute / (6 * run.params);
    ++derived.tokens;
  } else {
    run.params = row.count("N");
    run.tokens = row.count("D");
    derived.other_compute += std::abs(std::log(compute / (6 * run.params * run.tokens))) > 0.2;
  }
  // A quotient or product of finite numbers may still be none.
  if (!(run.params > 0 && std::isfinite(run.params)))
    row.fail("C", row.text("C"), "gives no finite N = C / (6 D)");
  if (!(run.tokens > 0 && std::isfinite(run.tokens)))
    row.fail("C", row.text("C"), "gives no finite D = C / (6 N)");
  if (row.has("N_total")) run.params_total = row.count("N_total");
  if (run.params_total > 0 && run.params_total < run.params) {
    run.params_total = 0;
    ++derived.low_totals;
  }
  if (row.has("unique_tokens")) {
    run.unique_tokens = std::min(row.count("unique_tokens"), run.tokens);
  } else if (row.has("epochs")) {
    run.unique_tokens = run.tokens / std::max(1.0, row.positive("epochs"));
  }
}

double read_loss(const RowReader& row, Derived& derived) {
  if (row.has("loss") || !row.has("perplexity")) return row.positive("loss");
  const double perplexity = row.positive("perplexity");
  if (!(perplexity > 1))
    row.fail("perplexity", row.text("perplexity"), "is not a perplexity; it must be above 1");
  ++derived.losses;
  return std::log(perplexity);
}

double read_loss_error(const RowReader& row, const std::map<std::string, double>& scale) {
  constexpr double kNormal95 = 1.959963984540054;
  if (!row.has("loss_low") || !row.has("loss_high")) return row.not_negative("loss_standard_error");
  const double width = row.number("loss_high") - row.number("loss_low");
  if (width < 0) row.fail("loss_high", row.text("loss_high"), "is below the interval's lower end");
  const auto factor = scale.find("loss");
  return width / (2 * kNormal95) * (factor == scale.end() ? 1 : factor->second);
}

void read_post_training(const RowReader& row, Observation& run) {
  run.delta_nats = row.number("delta");
  if (std::isnan(run.delta_nats)) {
    row.fail("delta", "an empty field",
             "in a row that is quantized after training; give the loss difference");
  }
  run.delta_standard_error = row.not_negative("standard_error");
  run.method = row.text("method");
  const double group = row.number("group");
  if (group > 0) run.method += fmt::format("-g{:g}", group);
}

// The first input of a law without N and D says how large a run is.
void stand_in_for_sizes(const std::string& where, const std::string& place, Observation& run) {
  const NamedInput& x = run.inputs.at(0);
  if (!(x.value > 0))
    throw RowError(where, place, x.column,
                   fmt::format("{:g} is not positive, as a row without N and D needs", x.value));
  run.params = run.tokens = std::sqrt(x.value / 6);
  run.stand_in_sizes = true;
}

Observation read_row(const RowReader& row, const TableOptions& options, bool has_sizes,
                     Derived& derived) {
  Observation run;
  if (has_sizes) read_sizes(row, run, derived);
  const double group = row.number("training_group");
  if (group > 0) run.group = group;  // 0 and -1: a whole channel, whose length is not known
  read_precision(row, run, derived.precision);
  if (!options.measured && !options.may_be_planned) return run;
  run.bits_post = row.bits("P_post", 0);
  if (!options.measured) return run;
  if (run.is_post_training()) read_post_training(row, run);
  run.qat_share = row.not_negative("qat_share");
  if (run.qat_share > 1) row.fail("qat_share", row.text("qat_share"), "is not a share, 0 to 1");
  const bool needs_loss = !run.is_post_training() && std::isnan(run.qat_share);
  if (needs_loss || row.has("loss") || row.has("perplexity")) {
    run.loss_nats = read_loss(row, derived);
    run.loss_standard_error = read_loss_error(row, options.scale);
  }
  return run;
}

// As far as conditions can ask for it before the row is read.
Observation precision_of(const RowReader& row) {
  Observation run;
  PrecisionSources sources;
  read_precision(row, run, sources);
  run.bits_post = row.bits("P_post", 0);
  return run;
}

// Rows that are left out unless somebody asks for them.
struct AskedFor {
  bool along = false, tuning = false;
};

AskedFor asked_for(const TableOptions& options, const Columns& columns) {
  const auto mentioned = [&](const char* column) {
    return std::any_of(options.where.begin(), options.where.end(), [&](const std::string& text) {
      return Condition("where", text).mentions(columns.file_name(column));
    });
  };
  return {.along = options.along || mentioned("run_fraction"), .tuning = mentioned("tuning")};
}

// Counts a row that says nothing to a fit, and says why; "": it does.
std::string leave_out(const RowReader& row, const TableOptions& options, AskedFor asked,
                      Table& table) {
  const RowStatus ended = row_status(row.text("status"));
  const char* const unfinished = unfinished_by(row);
  const bool has_result = row.has("loss") || row.has("perplexity") || row.has("delta");
  if (ended == RowStatus::kDiverged) {
    const double bits = row.bits("P_post", 0);
    const bool is_cell = bits > 0 && bits < kUnquantizedBits;
    ++(is_cell || row.number("run_fraction") < 1 ? table.of_diverged : table.diverged);
    return "diverged";
  }
  if (row.has("format_a_post") || row.has("format_kv_post")) {
    ++table.in_use;
    return "activations or KV were rounded after training, too";
  }
  if (unfinished != nullptr && !has_result) {
    ++table.unfinished;
    return "not finished";
  }
  if (unfinished != nullptr) {
    const std::string said = row.column_name(unfinished) + ' ' + printable(row.text(unfinished));
    ++table.unknown_status[{unfinished, said}];
    return said + " does not say that it is finished";
  }
  if (is_marked_unstable(row) && !options.keep_3bit) {
    ++table.unstable;
    return "3 bits of activations or KV are too few to train (keep_3bit)";
  }
  if (row.number("run_fraction") < 1 && !asked.along) {
    ++table.along;
    return "a model kept along its run (run_fraction)";
  }
  if (row.number("tuning") > 0 && !asked.tuning) {
    ++table.tuning;
    return "a run of tuning";
  }
  return "";
}

// What a table of our own version 0.2 calls tensor (record/old_names.h).
void rename_old_scales(RawTable& raw, std::vector<std::string>& notes) {
  for (const std::string& name : columns_with_old_scales()) {
    const std::optional<size_t> column = raw.find(name);
    if (!column) continue;
    int count = 0;
    for (RawRow& row : raw.rows) {
      const std::string text = row.at(*column).text();
      const std::string renamed = without_old_name(text);
      if (renamed == text) continue;
      row.set(*column, renamed);
      ++count;
    }
    if (count > 0)
      notes.push_back(fmt::format(
          "{} is tensor in {} row{}: read as sequence, which version 0.2 called so; one "
          "scale per batch is batch.",
          name, count, count == 1 ? "" : "s"));
  }
}

// Messages call a factor what the file calls it, if --pool knows that name, too.
std::map<std::string, std::string> factor_names_in(const Columns& columns) {
  std::map<std::string, std::string> out;
  for (const Factor& factor : factors()) {
    const std::string name = columns.file_name(factor.name);
    const std::vector<std::string>& usual = usual_names(factor.name);
    if (std::find(usual.begin(), usual.end(), name) != usual.end()) out[factor.name] = name;
  }
  return out;
}

// Where the file has the texts that factor_row needs.
class FactorPlaces {
 public:
  explicit FactorPlaces(const Columns& columns)
      : seed_(columns.find("seed")), calibration_seed_(columns.find(kCalibrationSeed)) {
    for (const Factor& factor : factors()) {
      if (const auto place = columns.find(factor.name))
        places_.emplace_back(factor.index(), *place);
    }
  }

  // "" where there is none.
  std::string text(const char* name, const RawRow& row) const {
    for (const auto& [factor, place] : places_) {
      if (factor == find_factor(name)->index()) return row.at(place).text();
    }
    return "";
  }

  FactorTexts of(const RawRow& row) const {
    FactorTexts out;
    out.fields.resize(factors().size());
    for (const auto& [factor, place] : places_) out.fields[factor] = row.at(place).text();
    if (seed_) out.seed = row.at(*seed_).text();
    if (calibration_seed_) out.calibration_seed = row.at(*calibration_seed_).text();
    return out;
  }

 private:
  std::vector<std::pair<size_t, size_t>> places_;  // of a factor, and of its column
  std::optional<size_t> seed_, calibration_seed_;
};

bool is_empty_throughout(const RawTable& raw, size_t place) {
  return !raw.rows.empty() && std::all_of(raw.rows.begin(), raw.rows.end(), [&](const RawRow& row) {
    return row.at(place).empty() || is_missing_word(row.at(place).view());
  });
}

// Sizes whose column no row fills: no condition on rows can mend that.
std::string empty_sizes(const RawTable& raw, const Columns& columns) {
  std::vector<std::string> out;
  for (const char* name : {"N", "D"}) {
    const auto place = columns.find(name);
    if (!place || columns.has("C") || !is_empty_throughout(raw, *place)) continue;
    out.push_back(
        fmt::format("{} is empty in every row, so {} is not known; --columns {}=... names another "
                    "column, and --set '{}=...' computes it",
                    printable(raw.columns()[*place]), name, name, name));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

// What is wrong with the rows of a table that lacks a column: all errors at once. With conditions,
// which rows count is not known.
std::string bad_numbers(const RawTable& raw, const Columns& columns, const TableOptions& options,
                        const std::string& where) {
  if (!options.measured || !options.where.empty()) return "";
  RowReader reader(raw, columns, options.scale, where, true);
  RowProblems problems;
  for (const RawRow& row : raw.rows) {
    reader.start(row);
    if (row_status(reader.text("status")) != RowStatus::kFinished || unfinished_by(reader))
      continue;
    for (const char* name : {"N", "D", "loss", "perplexity"}) {
      const auto place = columns.find(name);
      if (!place || is_empty_throughout(raw, *place)) continue;
      try {
        const bool is_count = name[1] == '\0';
        if (is_count && columns.has("C"))
          reader.count_or_unknown(name);
        else if (is_count)
          reader.count(name);
        else
          reader.positive_or_unknown(name);
      } catch (const RowError& error) {
        problems.add(error);
      }
    }
  }
  return problems.listed();
}

// Error that names everything that is wrong with the columns, and what follows from the rows.
void must_be_readable(const RawTable& raw, const Columns& columns, const TableOptions& options,
                      const std::string& where) {
  std::string wrong;
  try {
    columns.must_have(missing_columns(columns, options.measured, options.sizes_optional));
  } catch (const Error& error) {
    wrong = error.what();
  }
  const std::string empty =
      options.sizes_optional || !options.measured ? "" : empty_sizes(raw, columns);
  if (wrong.empty() && empty.empty()) return;
  std::vector<std::string> parts;
  for (const std::string& part : {wrong, empty, bad_numbers(raw, columns, options, where)}) {
    if (!part.empty()) parts.push_back(part);
  }
  throw Error(fmt::format("{}{}", wrong.empty() ? where + ": " : "", fmt::join(parts, "; ")));
}

// The columns of the file that the options name.
std::vector<size_t> named_columns(const Columns& columns, const RowClusters& clusters,
                                  const TableInputs& inputs, const TableOptions& options) {
  std::vector<size_t> out = clusters.columns();
  out.insert(out.end(), inputs.columns().begin(), inputs.columns().end());
  const auto add = [&](const std::string& name) {
    if (const auto place = columns.place(name)) out.push_back(*place);
  };
  for (const std::string& text : options.where) add(Condition("where", text).name());
  for (const auto& [name, column] : options.columns) add(name);
  return out;
}

void drop_repeated_rows(Table& table) {
  const std::vector<bool> repeated = is_repeated(table.runs);
  keep_only(
      table, [&](size_t row) { return !repeated[row]; }, "repeats an earlier row");
  table.dropped = static_cast<int>(repeated.size() - table.runs.size());
}

using RowPlace = std::pair<int, int>;  // its source, its place there

// The rows that conditions left out: those whose places are gone.
void note_filtered(const std::vector<RowPlace>& places, const RawTable& kept, Table& table) {
  size_t next = 0;
  for (const RowPlace& place : places) {
    const bool stays =
        next < kept.rows.size() && place == RowPlace(kept.rows[next].source, kept.rows[next].place);
    if (stays)
      ++next;
    else
      table.left_out.push_back({place.second, "a condition (where) leaves it out"});
  }
}

}  // namespace

void keep_only(Table& table, const std::function<bool(size_t row)>& stays,
               const std::string& reason) {
  size_t kept = 0;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    if (!stays(i)) {
      table.left_out.push_back({table.factors[i].place, reason});
      continue;
    }
    if (kept != i) {
      table.runs[kept] = std::move(table.runs[i]);
      table.factors[kept] = std::move(table.factors[i]);
    }
    ++kept;
  }
  table.runs.resize(kept);
  table.factors.resize(kept);
}

bool tells_precision(const RawTable& raw, const std::string& where, const TableOptions& options) {
  std::vector<std::string> unused;
  const Columns columns(raw, where, options.columns, unused);
  for (const char* name :
       {"P_w", "P_a", "P_kv", "P", "format", "format_w", "format_a", "format_kv", "P_post", "delta",
        "qat_share", "gaussian_error_w", "gaussian_error_a", "gaussian_error_kv"}) {
    if (columns.has(name)) return true;
  }
  // A trainer's "bf16-mixed" in every row says nothing of a quantizer.
  for (const char* name : {"precision", "backward"}) {
    const auto place = columns.find(name);
    if (place && std::any_of(raw.rows.begin(), raw.rows.end(), [&](const RawRow& row) {
          const std::string text = row.at(*place).text();
          return !is_missing_word(text) && !is_unquantized(text);
        }))
      return true;
  }
  return false;
}

Table read_table(const std::string& text, const std::string& where, const TableOptions& options) {
  Table table = table_of(read_raw_table(text, where, options.format), where, options);
  table.hash = hash_hex(text);
  return table;
}

Table table_of(RawTable raw, const std::string& where, const TableOptions& given) {
  TableOptions options = given;
  Table table;
  table.kind = raw.kind;
  table.notes = raw.notes;
  const bool is_old = is_table_of_version_0_2(raw.columns());
  if (is_old) rename_old_scales(raw, table.notes);
  const std::vector<std::string> conditions =
      is_old || raw.kind == "runs"
          ? with_current_scales(where + ": where", options.where, table.notes)
          : options.where;
  add_computed(raw, options.set, options.columns, where);
  const Columns columns(raw, where, options.columns, table.notes);
  if (options.may_be_planned && !has_measurements(columns)) options.measured = false;
  must_be_readable(raw, columns, options, where);
  const bool stand_in = options.sizes_optional && !missing_sizes(columns).empty();
  RowReader reader(raw, columns, options.scale, where, options.measured);
  std::vector<RowPlace> places;
  if (!conditions.empty()) {
    for (const RawRow& row : raw.rows) places.emplace_back(row.source, row.place);
  }
  const auto observe = [&](const RawRow& row) {
    reader.start(row);
    return precision_of(reader);
  };
  table.filtered = keep_rows(raw, columns, conditions, where, observe, table.notes);
  if (table.filtered > 0) note_filtered(places, raw, table);
  const TableInputs inputs(raw, columns, options.inputs, where);
  const RowClusters clusters(raw, columns, options.cluster);
  const Replicates replicates = parse_replicates(options.replicates);
  const AskedFor asked = asked_for(options, columns);
  const FactorPlaces factor_places(columns);
  Derived derived;
  const bool gaps = !options.gap_to.empty() && options.measured;
  if (gaps && !options.reference.empty() && options.reference != options.gap_to) {
    throw Error(fmt::format("{}: --reference {} and --gap-to {} name two classes; give one", where,
                            printable(options.reference), printable(options.gap_to)));
  }
  derived.precision.error_source = table.gaussian_error = options.gaussian_error;
  derived.precision.reference = table.reference = gaps ? options.gap_to : options.reference;
  if (gaps) derived.precision.reference_option = "--gap-to";
  table.runs.reserve(raw.rows.size());
  table.factors.reserve(raw.rows.size());
  RowProblems problems;
  std::vector<RowOrigin> origins;
  for (const RawRow& row : raw.rows) {
    reader.start(row);
    try {
      if (std::string reason = options.measured ? leave_out(reader, options, asked, table) : "";
          !reason.empty()) {
        table.left_out.push_back({row.place, std::move(reason)});
        continue;
      }
      Observation read = read_row(reader, options, !stand_in, derived);
      read.inputs = inputs.of(row);
      if (const std::string missing = missing_input(read);
          !missing.empty() && options.measured && !options.may_be_planned) {
        ++table.without_input[missing];
        table.left_out.push_back({row.place, fmt::format("has no value of {}", missing)});
        continue;
      }
      if (stand_in) stand_in_for_sizes(where, raw.place_of(row), read);
      Observation& run = table.runs.emplace_back(std::move(read));
      run.cluster = clusters.cluster_of(row);
      run.optimizer = optimizer_class(factor_places.text("optimizer", row));
      origins.push_back(clusters.origin_of(row));
      table.factors.push_back(factor_row(run, factor_places.of(row)));
      table.factors.back().place = row.place;
    } catch (const RowError& error) {
      problems.add(error);
    }
  }
  problems.must_be_none(where);
  if (table.runs.empty()) {
    const auto others =
        table.unstable + table.tuning + table.along + std::ssize(table.unknown_status);
    throw Error(fmt::format(
        "{}: {} to {}{}", where, raw.kind == "runs" ? "no run" : "has a header but no row",
        options.measured ? "fit" : "choose from",
        !table.without_input.empty()
            ? fmt::format("; none has a value of {}", table.without_input.begin()->first)
        : table.diverged + table.of_diverged > 0 && others == 0 ? "; every run diverged"
        : table.unstable > 0 ? "; --keep-3bit uses those with 3 bits"
        : !table.unknown_status.empty()
            ? "; none is known to be finished: " + unknown_statuses(table)
        : table.tuning > 0 ? "; --where tuning=1 uses runs of tuning"
        : table.along > 0  ? "; --where 'run_fraction<1' uses models along their runs"
                           : ""));
  }
  if (options.measured) check_reference(derived.precision, table.runs, where);
  if (options.measured) {
    clusters.settle_curves(
        table, origins, {.last_row = options.last_row_per_run, .by_step = options.tokens_by_step},
        where);
  }
  if (options.drop_duplicates) drop_repeated_rows(table);
  const bool has_compute = std::any_of(
      options.inputs.begin(), options.inputs.end(),
      [&](const LawInputName& input) { return input.column == columns.file_name("C"); });
  if (options.uses_compute || has_compute) derived.other_compute = 0;
  add_notes(table, derived);
  if (options.measured) {
    merge_replicates(table, replicates);
    clusters.settle_inputs(table);
    MayDiffer may = options.may_differ;
    may.names = factor_names_in(columns);
    must_not_pool(table.factors, may, where, "--where ", table.notes);
    note_repetition(table, may.modelled);
    if (raw.kind != "runs")
      note_unread(raw, columns, named_columns(columns, clusters, inputs, options), table);
  }
  if (gaps) take_gaps(table, options.gap_to, where);
  return table;
}

Table read_table(const std::string& text, const std::string& where, const ColumnMap& columns) {
  TableOptions options;
  options.columns = columns;
  return read_table(text, where, options);
}

std::vector<std::string> row_classes(const RawTable& raw, const std::string& where,
                                     const TableOptions& options) {
  std::vector<std::string> out, notes;
  const Columns columns(raw, where, options.columns, notes);
  RowReader reader(raw, columns, options.scale, where, options.measured);
  for (const RawRow& row : raw.rows) {
    reader.start(row);
    out.push_back(class_of(precision_of(reader)));
  }
  return out;
}

}  // namespace bitlaw
