// A question in JSON and its answer in JSON: one door for the page in the browser and for other
// languages. An answer is the document that `bitlaw VERB --json` prints, or {"error": "a sentence"}.
//
//   {"verb": "laws"}                                  all laws; with "name", one of them
//   {"verb": "table", "table": TABLE}                 what a fit would see in the table
//   {"verb": "fit", "table": TABLE, "options": {"law": "kumar"}}
//                                                     "freeze_from": {"fit": FIT, "constants": ["E"]}
//   {"verb": "residuals", "fit": FIT, "table": TABLE, "options": {}}     of the fit's own rows and options:
//                                                     residuals_document, with each row's index from 0
//   {"verb": "compare" | "design", "table": TABLE, "options": {}}        "candidates": TABLE of a design
//   {"verb": "approach", "approach": "all", "table": TABLE, "options": {}, "of_approach": {}}
//   {"verb": "simulate", "law": "kumar", "set": "", "constants": ["E=2"], "fit": FIT, "options": {}};
//                                                     "table": the runs are like its rows
//   {"verb": "predict", "runs": [{"N": 1e9, "D": 2e10, "P_w": 4}], "fits": [NAMED], "laws": ["kumar"],
//    "constants": "", "level": 0.9}                   or "table" instead of "runs"; "described": true
//                                                     refuses columns without a meaning, as "runs" does
//   {"verb": "plan", "options": {"compute": 1e21}, "fits": [FIT], "devices": {}}
//   {"verb": "landscape", "options": {"compute": 1e21}, "fits": [FIT],    the loss over one or two of N,
//    "axes": [{"name": "N", "values": [...]}, {"name": "P", ...}]}        D, ... (plan/landscape.h)
//   {"verb": "devices"}                               the devices that plan knows, with their rates
//   {"verb": "options", "of": "plan"}                 names, values and help of a verb's options
//
// Every question with a law may have a "formula" of its own, {"formula": "E + A/N^alpha", "constants": "..."},
// or a "law_file", {"text": TOML, "name": "laws.toml"} (formula_words.h); predict and plan the latter.
// "known_laws": a file of laws that may be named, too, in any question.
// "refuse_unused": true: a plan refuses unique_tokens and group where they change nothing.
//
// TABLE is {"text": "N,D,loss...", "name": "table.csv"} with the words of TableWords beside them; NAMED
// is {"name": "fit.json", "fit": FIT}, and FIT is what fit answers. Options are those of the command line,
// with underscores. An unknown key is an error.
#pragma once

#include <string>

#include "base/json.h"
#include "fit/fit.h"
#include "table/raw_table.h"

namespace bitlaw {

// Does not throw for a question that is wrong.
Json ask(const Json& question, const ParallelFor& parallel_for = {});

// The same with a table in memory: TABLE then has no text, and may have the hash that the document is to
// have.
Json ask(const Json& question, RawTable table, const ParallelFor& parallel_for = {});

// The same as text; text that is no JSON is an error, too.
std::string ask_text(const std::string& question, const ParallelFor& parallel_for = {});

}  // namespace bitlaw
