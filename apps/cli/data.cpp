// bitlaw data: text to tokens.

#include <fmt/format.h>

#include "base/progress.h"
#include "cli/verb.h"
#include "data/prepare.h"

namespace bitlaw::cli {
namespace {

struct Options {
  PrepareConfig prepare;
  StructFlags flags;
  std::string directory;
  bool json = false, print_config = false;
};

void show(const DatasetInfo& info, bool json) {
  if (json)
    print_json(to_json(info));
  else
    fmt::print("{}", describe(info));
}

void run_prepare(Options& options) {
  options.flags.fill_into(options.prepare);
  if (options.print_config) {
    fmt::print("{}", dump_toml(bitlaw::to_json(options.prepare)));
    return;
  }
  std::string stage;
  std::unique_ptr<Progress> bar;
  const DatasetInfo info =
      prepare_dataset(options.prepare, [&](std::string_view name, double fraction) {
        if (name != stage) {
          if (bar) bar->finish();
          stage = name;
          bar = std::make_unique<Progress>(stage, 1.0);
        }
        bar->update(fraction);
      });
  if (bar) bar->finish();
  show(info, options.json);
}

}  // namespace

void add_data(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      add_verb(app, "data", "Prepare and look at data sets",
               "bitlaw data prepare texts/ --to data/ --vocabulary 4096\n  bitlaw data show data/");
  verb->require_subcommand(1);

  CLI::App* prepare = add_verb(
      *verb, "prepare", "Text (.txt, .jsonl, also .gz and .zst) to a data set",
      "bitlaw data prepare texts/ more.jsonl.gz --to data/ --tokenizer bpe --vocabulary 4096");
  prepare->add_option("from", options->prepare.from, "folders or files of text")->required();
  options->flags.add(prepare, options->prepare, {"from"});
  prepare->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  prepare->add_flag("--json", options->json, "print dataset.json");
  prepare->callback([options] { run_prepare(*options); });

  CLI::App* show_verb =
      add_verb(*verb, "show", "Check a data set and say what is in it", "bitlaw data show data/");
  show_verb->add_option("directory", options->directory, "the data set")->required();
  show_verb->add_flag("--json", options->json, "print dataset.json");
  show_verb->callback([options] { show(Dataset::open(options->directory).info(), options->json); });
}

}  // namespace bitlaw::cli
