// bitlaw laws: the registry of scaling laws.

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/formula_flags.h"
#include "cli/verb.h"
#include "laws/describe.h"

namespace bitlaw::cli {
namespace {

struct LawsFlags {
  std::string name;
  FormulaFlags formula;
  bool json = false, markdown = false;
};

void run_list(const LawsFlags& options) {
  options.formula.register_files();
  if (options.json && options.markdown)
    throw Error("--json and --markdown exclude each other; give only one");
  if (options.json)
    print_json(laws_json());
  else
    fmt::print("{}", options.markdown ? laws_markdown() : laws_text());
}

void run_show(const LawsFlags& options) {
  options.formula.register_files();
  const Law& law = law_named(options.name);
  if (options.json)
    print_json(law_json(law));
  else
    fmt::print("{}", law_text(law));
}

}  // namespace

void add_laws(App& app) {
  auto options = std::make_shared<LawsFlags>();
  App* verb = add_verb(app, "laws", "List the scaling laws, or explain one",
                       "bitlaw laws --json\n  bitlaw laws show kumar");
  verb->require_subcommand(0, 1);
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->add_flag("--markdown", options->markdown, "print docs/laws.md");
  options->formula.add_file(verb);
  App* show = add_verb(*verb, "show", "Formula, constants and sources of one law",
                       "bitlaw laws show quest");
  show->add_option("name", options->name, "name of the law")->required();
  options->formula.add_file(show);
  show->add_flag("--json", options->json, "print one JSON document");
  show->callback([options] { run_show(*options); });
  verb->callback([options, verb] {
    if (!verb->has_subcommand()) run_list(*options);
  });
}

}  // namespace bitlaw::cli
