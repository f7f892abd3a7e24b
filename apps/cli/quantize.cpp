// bitlaw quantize: flags of the library's QuantizeOptions, and its rows for people.
#include "quantize/quantize.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/home.h"
#include "base/progress.h"
#include "base/range.h"
#include "base/say.h"
#include "cli/quantized_rows.h"
#include "cli/verb.h"
#include "quantize/planned_cells.h"
#include "quantize/quantize_run.h"
#include "record/kept_model.h"

namespace bitlaw::cli {
namespace {

struct QuantizeFlags {
  QuantizeOptions quantize;
  std::vector<std::string> methods;
  StructFlags flags;
  int threads = hardware_threads();
  bool json = false, print_config = false, dry_run = false, quiet = false;
};

void show_dry_run(const QuantizeFlags& options) {
  check(options.quantize);
  Json rows = Json::array();
  for (const std::string& run : options.quantize.runs) {
    for (const PlannedCell& planned : planned_cells(run, options.quantize.grid)) {
      const PtqCell& cell = planned.cell;
      const CellKey key = cell.key();
      rows.push_back(
          {{"run", planned.run},
           {"at_tokens", planned.at_tokens ? Json(*planned.at_tokens) : Json(nullptr)},
           {"cell", cell.title()},
           {"method", key.method},
           {"format", key.format ? Json(*key.format) : Json(nullptr)},
           {"group", key.group},
           {"calibration_seed", cell.calibrated() ? Json(cell.calibration_seed) : Json(nullptr)},
           {"there", planned.there ? Json(*planned.there) : Json(nullptr)}});
    }
  }
  if (options.json) {
    print_json(Json{{"rows", rows}});
    return;
  }
  for (const Json& row : rows) {
    fmt::print("{:<16} {:<40} {}\n", model_name(row["run"].get<std::string>(), row["at_tokens"]),
               row["cell"].get<std::string>(), row["there"] == true ? "is there" : "to compute");
  }
}

// A line of progress for each run in turn.
QuantizeProgress progress_lines(const QuantizeFlags& options) {
  return [&options, line = std::make_shared<std::optional<Progress>>()](const QuantizeStep& step) {
    const std::vector<std::string>& runs = options.quantize.runs;
    if (!*line)
      line->emplace(runs.size() > 1 ? "quantize " + runs[step.run] : "quantize", 1.0,
                    options.quiet);
    const auto values = [&] {
      return Json{{"run", runs[step.run]}, {"run_number", step.run + 1}, {"runs", runs.size()}};
    };
    if (step.last) {
      (*line)->finish("", values);
      line->reset();
    } else {
      (*line)->update(step.done / step.total, step.note, values);
    }
  };
}

// What --along finds nothing for, by the reason.
void note_what_has_no_models(const std::vector<std::string>& given) {
  size_t runs = 0, without = 0, removed = 0;
  const auto note = [](const std::string& text) { say("note: --along: {}", text); };
  for (const std::string& place : given) {
    if (const auto kept = kept_place(place)) {
      note(fmt::format("{} is one of the models kept along a run; give {} for all of them", place,
                       std::filesystem::proximate(kept->run).string()));
    } else if (is_checkpoint(place)) {
      note(fmt::format("{} is a Hugging Face checkpoint, not a run of `bitlaw train`", place));
    } else {
      ++runs;
      if (models_of_run(place, true).at_tokens.size() > 1) continue;
      ++(kept_models(place).empty() ? without : removed);
    }
  }
  const std::string of_runs = runs == 1 ? "1 run" : fmt::format("{} runs", runs);
  if (without > 0)
    note(fmt::format("no model is kept along {} of {}; `bitlaw train --checkpoints` keeps them",
                     without, of_runs));
  if (removed > 0)
    note(fmt::format(
        "the models kept along {} of {} were removed, and what was measured of them stays; `bitlaw "
        "train --checkpoints` with another --directory makes them again",
        removed, of_runs));
}

std::vector<std::string> runs_with_models(const QuantizeFlags& options) {
  FinishedRuns found = finished_among(runs_among(options.quantize.runs));
  if (found.diverged + found.unfinished > 0 && !options.quiet) {
    say("note: {} runs are left out: {} diverged, {} are not finished",
        found.diverged + found.unfinished, found.diverged, found.unfinished);
  }
  return std::move(found.places);
}

void run_quantize(QuantizeFlags& options) {
  options.flags.fill_into(options.quantize.grid);
  if (!options.methods.empty()) options.quantize.grid.methods = options.methods;
  if (options.print_config) {
    fmt::print("{}", dump_toml(to_json(options.quantize.grid)));
    return;
  }
  if (!options.quiet) {
    for (const std::string& note : notes_on_old_names(options.quantize.grid)) say("note: {}", note);
  }
  for (std::string* path : {&options.quantize.grid.data, &options.quantize.checkpoint.records,
                            &options.quantize.checkpoint.write}) {
    *path = expand_home(*path);
  }
  options.quantize.runs = runs_with_models(options);
  if (options.quantize.grid.along && !options.quiet) note_what_has_no_models(options.quantize.runs);
  if (options.dry_run) {
    show_dry_run(options);
    return;
  }
  ThreadPool pool(options.threads);
  std::vector<std::string> damaged;
  const std::vector<CellRow> rows =
      quantize(options.quantize, pool, progress_lines(options), &damaged);
  for (const std::string& problem : damaged) say("bitlaw: {}", problem);
  if (!damaged.empty()) exit_status = 1;
  if (options.json) {
    Json documents = Json::array();
    for (const CellRow& row : rows) documents.push_back(struct_to_json(row));
    print_json(Json{{"rows", documents}, {"problems", damaged}});
    return;
  }
  print_rows(rows);
  print_remarks(rows);
}

}  // namespace

void add_quantize(App& app) {
  auto options = std::make_shared<QuantizeFlags>();
  App* verb = add_verb(
      app, "quantize",
      "Quantize the weights of finished runs or third-party checkpoints, and measure the cost",
      "bitlaw quantize runs/demo --methods rtn,gptq,awq --bits 2..8 --groups 0,128 --json\n"
      "  bitlaw quantize pythia-160m/ --text texts/ --bits 3,4,6 --trained-tokens 300e9");
  verb->add_option("runs", options->quantize.runs,
                   "directories of runs (a directory of several stands for all of them), or of "
                   "checkpoints with a config.json")
      ->required();
  verb->add_option("--method,--methods", options->methods, method_help())
      ->delimiter(',')
      ->default_str("rtn,gptq");
  options->flags.add(verb, options->quantize.grid, {"methods"});
  CheckpointOptions& checkpoint = options->quantize.checkpoint;
  verb->add_option(
          "--text", checkpoint.text,
          "Hugging Face checkpoints: files and folders of text to calibrate and evaluate on")
      ->delimiter(',');
  verb->add_option("--text-key", checkpoint.text_key,
                   "key of the text in JSON, with dots into objects and lists: turns.content")
      ->default_str(checkpoint.text_key);
  verb->add_flag("--worse-than-chance", checkpoint.worse_than_chance,
                 "Hugging Face checkpoints: measure also one whose loss on the text is above that "
                 "of a uniform guess");
  verb->add_option(
          "--sequence", checkpoint.sequence,
          "Hugging Face checkpoints: tokens per window (default: their context, at most 1024)")
      ->whole(1, 1 << 20);
  verb->add_option("--trained-tokens", checkpoint.trained_tokens,
                   "Hugging Face checkpoints: tokens they were trained on, D in the table")
      ->positive();
  verb->add_option("--records", checkpoint.records,
                   "where results for Hugging Face checkpoints are recorded (default: runs)")
      ->default_str("runs");
  verb->add_option("--write", checkpoint.write,
                   "Hugging Face checkpoints: write the checkpoint with rounded weights to this "
                   "new directory, for a single cell (its first calibration seed)");
  verb->add_option("--write-type", checkpoint.write_type, "type of the weights in that directory")
      ->one_of({"F32", "BF16"})
      ->default_str("F32");
  verb->add_option(
          "--memory", checkpoint.memory_gigabytes,
          "Hugging Face checkpoints: gigabytes for hidden states; layers are loaded one at a time")
      ->positive()
      ->default_str("4");
  verb->add_option("--threads", options->threads, "threads")->whole(1, kMostThreads);
  verb->add_flag("--quiet", options->quiet, "no progress");
  verb->add_flag("--dry-run", options->dry_run, "list the cells and which are done, and stop");
  verb->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  verb->add_flag("--json", options->json,
                 "print one JSON document: .rows[], a row per cell, and .problems[]");
  verb->footer(
      verb->get_footer() +
      "\nCheckpoints of Hugging Face are read of these families, in safetensors: Llama (also "
      "SmolLM2\nand TinyLlama), Mistral, Qwen2 and Qwen2.5, OLMo-2, GPT-NeoX (Pythia). "
      "Settings of config.json\nthat are not followed are refused by name.");
  verb->callback([options] { run_quantize(*options); });
}

}  // namespace bitlaw::cli
