#include "table/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "record/factor.h"
#include "record/factor_names.h"
#include "record/tidy_row.h"
#include "table/column_names.h"
#include "table/row_status.h"

namespace bitlaw {
namespace {

struct Column {
  const char* name;     // ours
  const char* meaning;  // for messages
  const char* usual;    // usual plain names that can mean nothing else
  const char* too;      // plain names that mean it if none of `usual` is present
  const char* parts;    // what names that might mean it contain, for messages
  bool has_unit;        // may be scaled
};

// Beside a count without embeddings, these are with them.
constexpr const char* kParameterCounts =
    "params n_params num_params parameters n_parameters num_parameters param_count "
    "parameter_count model_params model_parameters";

constexpr Column kColumns[] = {
    {"N", "parameters without embeddings",
     "non_embedding_parameters non_embedding_params nonembedding_parameters nonembedding_params "
     "n_non_embedding n_nonembedding n_noembed n_non_emb n_nonemb params_non_embedding "
     "num_non_embedding_params params_wo_embeddings parameters_without_embeddings",
     "params n_params num_params parameters n_parameters num_parameters param_count "
     "parameter_count model_params model_parameters model_size n",
     "param size", true},
    {"D", "training tokens",
     "tokens n_tokens num_tokens training_tokens train_tokens total_tokens tokens_seen "
     "num_training_tokens num_train_tokens token_count d_tokens tokens_trained trained_tokens",
     "d", "token", true},
    {"C", "training compute in FLOPs, 6 N D",
     "training_flop training_flops train_flops total_flops compute_flops", "compute flop flops c",
     "flop compute", true},
    {"loss", "loss in nats per token",
     "val_loss validation_loss valid_loss eval_loss test_loss final_val_loss "
     "final_validation_loss final_eval_loss loss_val val_nll loss_nats",
     "final_loss nll cross_entropy ce_loss ce train_loss training_loss final_train_loss l",
     "loss nll entropy", true},
    {"perplexity", "perplexity, whose logarithm is the loss",
     "ppl val_ppl val_perplexity valid_ppl eval_ppl eval_perplexity test_ppl", "", "ppl perplexity",
     false},
    {"N_total", "parameters with embeddings",
     "total_params params_total total_parameters parameters_total num_total_params n_all "
     "params_with_embeddings n_with_embeddings",
     "", "total", true},
    {"unique_tokens", "distinct training tokens",
     "unique_d d_unique u_d n_unique_tokens num_unique_tokens tokens_unique unique_training_tokens",
     "", "unique", true},
    {"epochs", "passes over the distinct tokens", "n_epochs num_epochs", "", "epoch", false},
    {"delta", "loss difference of quantization after training",
     "delta_loss loss_delta delta_nll delta_ptq ptq_delta delta_nats", "", "delta", true},
    {"P_post", "weight bits after training",
     "post_bits bits_post ptq_bits p_ptq bpw bits_per_weight", "", "bits bpw", false},
    {"P_w", "weight bits",
     "w_bits wbits bits_w weight_bits weights_bits bits_weight bits_weights weight_precision "
     "p_weights",
     "", "bits", false},
    {"P_a", "activation bits",
     "a_bits abits bits_a act_bits activation_bits activations_bits bits_activation "
     "bits_activations activation_precision p_activations",
     "", "bits", false},
    {"P_kv", "key and value bits",
     "kv_bits kvbits bits_kv kv_cache_bits kvcache_bits bits_kv_cache kv_precision", "", "bits",
     false},
    {"P", "bits of every part",
     "bits n_bits num_bits bitwidth bit_width bits_all precision_bits p_bits", "", "bits", false},
    {"format", "number format of every part", "number_format dtype_quant quant_format", "",
     "format", false},
    {"format_w", "number format of the weights",
     "w_format weight_format weights_format format_weights", "", "format", false},
    {"format_a", "number format of the activations",
     "a_format act_format activation_format activations_format format_activations", "", "format",
     false},
    {"format_kv", "number format of keys and values", "kv_format kv_cache_format", "", "format",
     false},
    {"precision", "precision class of the forward pass",
     "p_class precision_class quant_class forward forward_quantizer forward_precision fwd",
     "fwd_quant fwd_precision", "precision class forward", false},
    {"backward", "precision class of the backward pass",
     "backward_quantizer backward_precision backward_class bwd", "bwd_quant bwd_precision",
     "backward bwd", false},
    {"training_group", "entries that share a scale in training", "quant_group_size", "",
     "group block", false},
    {"gaussian_error_w", "mean squared error of the weights' format on a unit Gaussian",
     "gmse_w gmse_weights", "", "gmse gaussian", false},
    {"gaussian_error_a", "mean squared error of the activations' format on a unit Gaussian",
     "gmse_a gmse_activations", "", "gmse gaussian", false},
    {"gaussian_error_kv", "mean squared error of the keys' and values' format on a unit Gaussian",
     "gmse_kv", "", "gmse gaussian", false},
    {"qat_share", "best share of the tokens to train with quantization",
     "qat_fraction qat_frac best_qat_fraction optimal_qat_fraction optimal_qat_share", "", "qat",
     false},
    {"loss_standard_error", "standard error of the loss",
     "loss_se loss_stderr loss_std_err loss_sem se_loss val_loss_se val_loss_stderr", "",
     "error stderr", true},
    {"loss_low", "lower end of the loss's 95 % interval", "", "", "lo95 low", false},
    {"loss_high", "upper end of the loss's 95 % interval", "", "", "hi95 high", false},
    {"standard_error", "standard error of delta",
     "delta_se delta_stderr delta_standard_error se "
     "stderr std_err",
     "", "error stderr", true},
    {"method", "method of quantization after training", "ptq_method quant_method", "", "method",
     false},
    {"group", "weights that share a scale after training", "ptq_group ptq_group_size", "", "group",
     false},
    {"format_a_post", "number format of the activations after training, if different from training",
     "", "", "", false},
    {"format_kv_post",
     "number format of keys and values after training, if different from training", "", "", "",
     false},
    {"run", "cluster", "run_id run_name trunk", "", "run", false},
    {"step", "step of a row of a learning curve",
     "step global_step train_step training_step current_step optimizer_step", "iteration iter", "",
     false},
    {"status", "finished, or diverged",
     "state run_status run_state job_status job_state trial_status training_status sys_state", "",
     "status state", false},
    {"finished", "whether the run came to its end",
     "is_finished completed is_completed is_complete done is_done succeeded", "", "", false},
    {"failed", "whether the run crashed, diverged or was killed",
     "is_failed sys_failed crashed is_crashed diverged is_diverged has_diverged killed is_killed "
     "is_nan oom",
     "", "", false},
    {"unstable", "1: too few bits of activations or KV for training", "", "", "", false},
    {"tuning", "1: a run of tuning, left out of fits", "", "", "", false},
};

// Losses per byte and per character: what to say, or "" if the file has none.
std::string loss_in_other_units(const std::vector<std::string>& header) {
  struct Unit {
    const char *names, *unit, *factor, *why;
  };
  constexpr Unit kUnits[] = {
      {"bpb bits_per_byte val_bpb val_bits_per_byte validation_bpb eval_bpb eval_bits_per_byte "
       "test_bpb final_bpb loss_bpb bpb_val",
       "bits per byte", "3.1", "ln 2 times the bytes of a token, here 4.5"},
      {"bpc bits_per_char bits_per_character val_bpc test_bpc eval_bpc", "bits per character",
       "3.1", "ln 2 times the characters of a token, here 4.5"},
      {"bits_per_token val_bits_per_token loss_bits val_loss_bits", "bits per token", "0.6931",
       "ln 2"},
      {"nats_per_byte val_nats_per_byte", "nats per byte", "4.5", "the bytes of a token"},
  };
  for (const std::string& name : header) {
    for (const Unit& unit : kUnits) {
      const std::vector<std::string> known = split(unit.names, ' ');
      if (std::find(known.begin(), known.end(), plain_name(name)) == known.end()) continue;
      return fmt::format(
          "; {} seems to be in {}: --columns loss={} --scale loss={} reads it, where the factor is "
          "{}; with another factor E, A and B change, the exponents do not",
          printable(name), unit.unit, printable(name), unit.factor, unit.why);
    }
  }
  return "";
}

// nanoGPT's block_size is the length of a sequence, that of a quantizer what shares a scale.
void note_block_size(const RawTable& table, const Columns& columns,
                     std::vector<std::string>& notes) {
  for (size_t place = 0; place < table.columns().size(); ++place) {
    const std::string &name = table.columns()[place], plain = plain_name(name);
    if ((plain != "block_size" && plain != "blocksize") || columns.is_taken(place)) continue;
    notes.push_back(fmt::format(
        "{0} may be the length of a sequence or what shares a scale in training, and is not read: "
        "--columns sequence={0} or training_group={0} says which.",
        printable(name)));
  }
}

// A file with a column for each run rather than a row: what to do, or "".
std::string foreign_layout(const RawTable& table, const std::vector<std::string>& missing) {
  const auto lacks = [&](const char* name) {
    return std::find(missing.begin(), missing.end(), name) != missing.end();
  };
  const std::vector<std::string>& names = table.columns();
  if (!(lacks("N") && lacks("D") && lacks("loss")) || names.size() < 3) return "";
  const std::string first = plain_name(names[0]);
  const bool counts = first == "step" || first == "steps" || first == "global_step" ||
                      first == "iteration" || first == "iter" || first == "epoch" ||
                      first == "tokens" || first == "relative_time_process" ||
                      first == "relative_time_wall" || first == "wall_time" || first.empty();
  if (!counts) return "";
  const bool of_wandb = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.ends_with("__MIN") || name.ends_with("__MAX");
  });
  if (of_wandb) {
    return fmt::format(
        "is a chart of Weights & Biases, with a column for each run ({}) and a row for each {}; a "
        "table of runs has a row for each run: on the page of the runs, show the columns with "
        "parameters, tokens and final loss, and export that table as CSV",
        printable(names[1]), names[0]);
  }
  return fmt::format(
      "seems to have a column for each run ({}) and a row for each {}; a table of runs has a row "
      "for each run or point, with parameters, tokens and loss in columns: in pandas, "
      "df.melt(id_vars=\"{}\", var_name=\"run\", value_name=\"loss\"), then columns N and D",
      printable(std::vector(names.begin() + 1, names.end())), names[0], names[0]);
}

// Factors have no entry of their own.
Column column_named(const std::string& name) {
  const auto* const found = std::find_if(std::begin(kColumns), std::end(kColumns),
                                         [&](const Column& each) { return each.name == name; });
  if (found != std::end(kColumns)) return *found;
  for (const TidyColumn& column : tidy_columns()) {
    if (column.name == name) return {column.name, column.help, "", "", "", false};
  }
  if (const Factor* factor = find_factor(name))
    return {factor->name, "a factor", "", "", "", false};
  throw Error("no column is called " + name);
}

std::vector<std::string> known_columns() {
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.emplace_back(column.name);
  for (std::string& name : factor_column_names()) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

// What the user may have meant by a column that is not there.
std::string hint(const std::string& name, const Column& column,
                 const std::vector<std::string>& header) {
  std::vector<std::string> alike;
  for (const std::string& part : split(column.parts, ' ')) {
    for (const std::string& each : header) {
      // hyperparameters.lr has nothing to do with parameters.
      const std::string last = plain_name(each.substr(each.rfind('.') + 1));
      if (alike.size() < 5 && last.find(part) != std::string::npos && !each.ends_with("95") &&
          std::find(alike.begin(), alike.end(), each) == alike.end())
        alike.push_back(each);
    }
  }
  if (alike.size() > 1) return fmt::format("; did you mean one of {}?", printable(alike));
  std::string near = nearest_name(name, header);
  if (near.empty() && alike.size() == 1) near = alike[0];
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", printable(near));
}

// The items of "A=b,C=d" with names of ours; `option` is the flag's name for messages.
template <class Each>
void each_assignment(const std::string& text, const char* option, const char* example,
                     const Each& each) {
  const std::vector<std::string> known = known_columns();
  for (const std::string& item : split(text, ',')) {
    const size_t equals = item.find('=');
    std::string name = trim(item.substr(0, equals));
    if (equals == std::string::npos || trim(item.substr(equals + 1)).empty())
      throw Error(fmt::format("{}: {} is not {}", option, item, example));
    const auto is_known = [&] {
      return std::find(known.begin(), known.end(), name) != known.end();
    };
    if (const std::string factor = factor_called(name); !is_known() && !factor.empty())
      name = factor;
    if (!is_known()) {
      throw Error(fmt::format("{}: {}", option, unknown_name("column name", name, known)));
    }
    each(name, trim(item.substr(equals + 1)));
  }
}

}  // namespace

namespace {

bool is_called(const std::string& plain, const Column& column) {
  if (plain == plain_name(column.name)) return true;
  for (const char* names : {column.usual, column.too}) {
    const std::vector<std::string> usual = split(names, ' ');
    if (std::find(usual.begin(), usual.end(), plain) != usual.end()) return true;
  }
  return false;
}

}  // namespace

bool is_called_one_of(std::string_view name, std::initializer_list<std::string_view> columns) {
  const std::string plain = plain_name(name);
  return std::any_of(columns.begin(), columns.end(), [&](std::string_view column) {
    return is_called(plain, column_named(std::string(column)));
  });
}

bool is_usual_name(std::string_view name) {
  const std::string plain = plain_name(name);
  return std::any_of(std::begin(kColumns), std::end(kColumns),
                     [&](const Column& column) { return is_called(plain, column); });
}

std::vector<ColumnNames> column_names() {
  std::vector<ColumnNames> out;
  for (const Column& column : kColumns) {
    ColumnNames& names = out.emplace_back(ColumnNames{column.name, split(column.usual, ' ')});
    for (std::string& name : split(column.too, ' ')) names.usual.push_back(std::move(name));
  }
  for (const std::string& name : factor_column_names()) out.push_back({name, usual_names(name)});
  return out;
}

ColumnMap parse_columns(const std::string& text) {
  ColumnMap columns;
  each_assignment(
      text, "columns", "NAME=COLUMN, as in N=params,D=tokens,loss=val_loss",
      [&](const std::string& name, const std::string& column) { columns[name] = column; });
  return columns;
}

std::map<std::string, double> parse_scale(const std::string& text) {
  std::map<std::string, double> factors;
  each_assignment(
      text, "scale", "NAME=FACTOR, as in N=1e6,D=1e9",
      [&](const std::string& name, const std::string& number) {
        if (!column_named(name).has_unit)
          throw Error(fmt::format("scale: {} has no unit to scale", name));
        const auto factor = parse_positive(number);
        if (!factor) throw Error(fmt::format("scale: {}={} is not a factor above 0", name, number));
        factors[name] = *factor;
      });
  return factors;
}

Columns::Columns(const RawTable& table, const std::string& where, const ColumnMap& given,
                 std::vector<std::string>& notes)
    : table_(table), where_(where) {
  for (size_t place = 0; place < table.columns().size(); ++place)
    plain_[plain_name(table.columns()[place])].push_back(place);

  for (const auto& [name, column] : given) {
    if (column == "-") continue;
    if (const auto place = table.find(column))
      take(name, *place);
    else
      not_there_.push_back(fmt::format("{} ({}{})", printable(column), column_named(name).meaning,
                                       hint(column, column_named(name), table.columns())));
  }
  const auto open = [&](const char* name) { return !has(name) && !given.count(name); };
  for (const Column& column : kColumns) {
    if (!open(column.name)) continue;
    if (const auto place = table.find(column.name)) take(column.name, *place);
  }
  for (const Column& column : kColumns) {
    const bool covered =
        std::string(column.name) == "P" && (has("P_w") || has("P_a") || has("P_kv"));
    if (open(column.name) && !covered && !take_usual(column.name, column.usual, notes))
      take_usual(column.name, column.too, notes);
  }
  settle_flags();
  settle_group_size(open("training_group"), open("group"));
  settle_bits();
  settle_errors(open("loss_standard_error"));
  settle_counts(open("N"), open("N_total"), notes);
  if (open("loss_standard_error") && open("loss_low") && open("loss_high")) take_interval();
  take_factors(given, notes);
  note_block_size(table, *this, notes);

  if (!recognised_.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [name, column] : recognised_)
      pairs.push_back(fmt::format("{} is {}", name, printable(column)));
    notes.push_back(
        fmt::format("Columns recognized by their usual names: {} (change with --columns).",
                    fmt::join(pairs, ", ")));
  }
}

std::optional<size_t> Columns::find(std::string_view name) const {
  const auto place = places_.find(name);
  if (place == places_.end()) return std::nullopt;
  return place->second;
}

std::string Columns::file_name(const std::string& name) const {
  const auto place = find(name);
  return place ? table_.columns()[*place] : name;
}

std::optional<size_t> Columns::place(const std::string& name) const {
  if (const auto own = table_.find(name)) return own;
  const auto found = find(name);
  return found ? found : find(factor_called(name));
}

size_t Columns::any(const std::string& name, const std::string& what) const {
  if (const auto found = place(name)) return *found;
  throw Error(fmt::format("{}: {}: {}", where_, what, unknown_column(name, table_.columns())));
}

std::string Columns::describe_missing(const std::string& name) const {
  const Column& column = column_named(name);
  std::string meant = hint(name, column, table_.columns());
  if (meant.empty() && name == "loss") {
    const std::string other = hint("", column_named("perplexity"), table_.columns());
    if (!other.empty()) meant = other + " Then --columns perplexity=... takes its logarithm";
  }
  if (name == "loss") {
    if (const std::string unit = loss_in_other_units(table_.columns()); !unit.empty()) meant = unit;
  }
  return fmt::format("{} ({}{})", name, column.meaning, meant);
}

void Columns::must_have(const std::vector<std::string>& missing) const {
  std::vector<std::string> parts, texts = not_there_;
  if (const std::string layout = foreign_layout(table_, missing); !layout.empty())
    throw Error(fmt::format("{}: {}", where_, layout));
  for (const std::string& name : missing) texts.push_back(describe_missing(name));
  if (!texts.empty()) {
    parts.push_back(
        fmt::format("no column {}; the file has {}; name yours with --columns N=...,D=...,loss=...",
                    fmt::join(texts, ", "), printable(table_.columns())));
  }
  if (has("C") && missing.size() > 1 && missing[0] == "N" && missing[1] == "D")
    parts.emplace_back("C alone gives neither N nor D, which every law is a function of");
  parts.insert(parts.end(), problems_.begin(), problems_.end());
  if (!parts.empty()) throw Error(fmt::format("{}: {}", where_, fmt::join(parts, "; ")));
}

void Columns::take(const std::string& name, size_t place) {
  places_[name] = place;
}

void Columns::recognise(const std::string& name, size_t place) {
  take(name, place);
  recognised_[name] = table_.columns()[place];
}

bool Columns::is_taken(size_t place) const {
  return std::any_of(places_.begin(), places_.end(),
                     [&](const auto& each) { return each.second == place; });
}

// The file's columns, not taken yet, with one of the plain names.
std::vector<size_t> Columns::among(const char* plain_names) const {
  std::vector<size_t> found;
  for (const std::string& plain : split(plain_names, ' ')) {
    const auto places = plain_.find(plain);
    if (places == plain_.end()) continue;
    for (const size_t place : places->second) {
      if (!is_taken(place)) found.push_back(place);
    }
  }
  return found;
}

namespace {

// Columns that no law sees: a fit does without them.
constexpr std::string_view kNotNeeded[] = {
    "run", "N_total", "loss_standard_error", "standard_error", "C", "perplexity"};

// In several rows: one may agree by chance.
bool are_equal(const RawTable& table, size_t a, size_t b) {
  return table.rows.size() > 1 &&
         std::all_of(table.rows.begin(), table.rows.end(), [&](const RawRow& row) {
           const RawField &one = row.at(a), &other = row.at(b);
           if (one.text() == other.text()) return true;
           const auto x = one.number() ? one.number() : parse_count(one.view());
           const auto y = other.number() ? other.number() : parse_count(other.view());
           return x && y && *x == *y;
         });
}

}  // namespace

void Columns::settle_several(const std::string& name, const char* meaning,
                             const std::vector<size_t>& found, bool needed,
                             std::vector<std::string>& notes) {
  std::vector<std::string> names;
  bool equal = true;
  for (const size_t place : found) {
    names.push_back(table_.columns()[place]);
    equal = equal && are_equal(table_, found[0], place);
  }
  if (equal) {
    recognise(name, found[0]);
  } else if (needed) {
    problems_.push_back(fmt::format(
        "{} could each be {} ({}); say which with --columns {}={}, or none with --columns {}=-",
        printable(names), name, meaning, name, names[0], name));
  } else {
    notes.push_back(
        fmt::format("{} could each be {} ({}): none of them is read; --columns {}={} says which.",
                    printable(names), name, meaning, name, names[0]));
  }
}

bool Columns::take_usual(const std::string& name, const char* plain_names,
                         std::vector<std::string>& notes) {
  const std::vector<size_t> found = among(plain_names);
  if (found.size() > 1) {
    const bool needed =
        std::find(std::begin(kNotNeeded), std::end(kNotNeeded), name) == std::end(kNotNeeded);
    settle_several(name, column_named(name).meaning, found,
                   needed || (name == "perplexity" && !has("loss")) ||
                       (name == "C" && !(has("N") && has("D"))),
                   notes);
  } else if (!found.empty()) {
    recognise(name, found[0]);
  }
  return !found.empty();
}

// A group size is that of training unless rows are quantized after training.
void Columns::settle_group_size(bool training_open, bool post_open) {
  const std::vector<size_t> found = among("group_size groupsize");
  if (found.empty() || !training_open) return;
  if (!has("P_post") || !post_open) {
    recognise("training_group", found[0]);
    return;
  }
  problems_.push_back(fmt::format(
      "{} could be the group size of training or after it; say --columns training_group={} or "
      "group={}",
      table_.columns()[found[0]], table_.columns()[found[0]], table_.columns()[found[0]]));
}

// A column called "done" may also hold dates or percentages.
void Columns::settle_flags() {
  for (const char* name : {"finished", "failed"}) {
    const auto place = find(name);
    if (!place) continue;
    const bool flags = std::all_of(table_.rows.begin(), table_.rows.end(), [&](const RawRow& row) {
      return read_flag(row.at(*place).text()).has_value();
    });
    if (flags) continue;
    places_.erase(name);
    recognised_.erase(name);
  }
}

// Bits in a table of loss differences could be those of training or those after it.
void Columns::settle_bits() {
  const auto bits = recognised_.find("P");
  if (bits == recognised_.end() || !has("delta") || has("P_post")) return;
  problems_.push_back(
      fmt::format("{} could be bits in training or after it; say --columns P_post={} or P={}",
                  bits->second, bits->second, bits->second));
}

// Without a delta, a standard error is the loss's.
void Columns::settle_errors(bool loss_error_open) {
  const auto place = find("standard_error");
  if (!place || has("delta")) return;
  places_.erase("standard_error");
  recognised_.erase("standard_error");
  if (loss_error_open) recognise("loss_standard_error", *place);
}

// With embeddings or without: a table may count both ways, or only with.
void Columns::settle_counts(bool params_open, bool total_open, std::vector<std::string>& notes) {
  const Column params = column_named("N");
  const std::vector<size_t> without = among(params.usual);
  if (params_open && has("N_total")) {
    take("N", *find("N_total"));
    notes.push_back(
        fmt::format("{} includes embeddings and is used as N, because there is no other count.",
                    printable(file_name("N"))));
  } else if (recognised_.count("N") && total_open) {
    const std::string plain = plain_name(recognised_["N"]);
    const std::vector<std::string> exact = split(params.usual, ' ');
    if (std::find(exact.begin(), exact.end(), plain) != exact.end())
      take_usual("N_total", kParameterCounts, notes);
  } else if (has("N") && file_name("N") == "N" && !without.empty() && total_open) {
    const std::string other = printable(table_.columns()[without[0]]);
    notes.push_back(
        fmt::format("{} is also there: --columns N={},N_total=N uses both.", other, other));
  }
}

// An interval of 95 % beside the loss: x_lo95 and x_hi95.
void Columns::take_interval() {
  const auto loss = find("loss");
  if (!loss) return;
  const std::string& name = table_.columns()[*loss];
  const auto low = table_.find(name + "_lo95"), high = table_.find(name + "_hi95");
  if (!low || !high || is_taken(*low) || is_taken(*high)) return;
  recognise("loss_low", *low);
  recognise("loss_high", *high);
}

}  // namespace bitlaw
