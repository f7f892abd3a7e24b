// A question in JSON, answered by the document that `bitlaw VERB --json` prints: for other languages,
// servers and pages.
//
//   ask(question)        Json in, Json out; a wrong question is answered by {"error": "a sentence"}
//   ask_text(question)   the same as text
#pragma once

#include "ask/ask.h"
