// Descriptions of the laws, as text and as JSON: docs/laws.md and the output of `bitlaw laws`.
#pragma once

#include <string>

#include "base/json.h"
#include "laws/registry.h"

namespace bitlaw {

// {name, title, source, formula, equation, notes, quantity, uses_bits, post_training, parameters,
// class_parameters, constants, verdicts (on public tables, laws/verdicts.h)}; equation is the part of the formula before its definitions,
// quantity what the law predicts ("loss", or "qat share", a share of the tokens).
Json law_json(const Law& law);
// {laws: [...]}
Json laws_json();

std::string laws_text();               // one line for each law
std::string law_text(const Law& law);  // everything about one
std::string laws_markdown();           // all of docs/laws.md

}  // namespace bitlaw
