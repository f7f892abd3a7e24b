#include "table/foreign_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "base/text.h"
#include "record/factor_names.h"

namespace bitlaw {

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

}  // namespace bitlaw
