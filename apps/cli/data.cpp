// bitlaw data: text to tokens.

#include <fmt/format.h>

#include "base/progress.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/data_verbs.h"
#include "cli/verb.h"
#include "data/prepare.h"
#include "data/text_files.h"

namespace bitlaw::cli {
namespace {

struct PrepareFlags {
  PrepareConfig prepare;
  StructFlags flags;
  bool json = false, print_config = false, dry_run = false, quiet = false;
};

void show_dry_run(const PrepareFlags& options) {
  const PrepareConfig& config = options.prepare;
  const TextFiles found = search_text_files(config.from, config.text_key);
  uintmax_t bytes = 0;
  for (const TextFile& file : found.files) bytes += std::filesystem::file_size(file.path);
  const bool exists = std::filesystem::exists(config.to);
  if (options.json) {
    print_json(Json{{"files", found.files.size()},
                    {"file_bytes", bytes},
                    {"to", config.to},
                    {"exists", exists},
                    {"tokenizer", config.tokenizer}});
    return;
  }
  fmt::print("{} text files, {}; tokenizer {}; data set in {}{}\n", found.files.size(),
             format_bytes(static_cast<double>(bytes)), config.tokenizer, config.to,
             exists ? ", which exists" : "");
  const std::string others = left_out_sentence(found.others);
  if (!others.empty()) say("note: {}", others);
}

void run_prepare(PrepareFlags& options) {
  options.flags.fill_into(options.prepare);
  if (options.print_config) {
    fmt::print("{}", dump_toml(bitlaw::to_json(options.prepare)));
    return;
  }
  if (options.dry_run) {
    show_dry_run(options);
    return;
  }
  show_dataset(with_progress(options.quiet,
                             [&](const PrepareProgress& progress) {
                               return prepare_dataset(options.prepare, progress);
                             }),
               options.json);
}

void add_prepare(App& verb) {
  auto options = std::make_shared<PrepareFlags>();
  App* prepare = add_verb(
      verb, "prepare", "Turn text (.txt, .jsonl, .json, also .gz and .zst) into a data set",
      "bitlaw data prepare texts/ more.jsonl.gz --to data/ --tokenizer bpe --vocabulary 4096");
  prepare->add_option("from", options->prepare.from, "folders or files of text")->required();
  options->flags.add(prepare, options->prepare, {"from"});
  prepare->add_flag("--print-config", options->print_config, "print the options as TOML and stop");
  prepare->add_flag("--dry-run", options->dry_run, "list what would be read, and stop");
  prepare->add_flag("--quiet", options->quiet, "no progress");
  prepare->add_flag("--json", options->json, "print dataset.json");
  prepare->callback([options] { run_prepare(*options); });
}

void add_show(App& verb) {
  struct ShowFlags {
    std::string directory;
    bool json = false;
  };
  auto options = std::make_shared<ShowFlags>();
  App* show = add_verb(verb, "show", "Check a data set and describe it", "bitlaw data show data/");
  show->add_option("directory", options->directory, "the data set")->required();
  show->add_flag("--json", options->json, "print dataset.json");
  show->callback(
      [options] { show_dataset(Dataset::open(options->directory).info(), options->json); });
}

}  // namespace

void show_dataset(const DatasetInfo& info, bool json) {
  if (json)
    print_json(to_json(info));
  else
    fmt::print("{}", describe(info));
  for (const std::string& sentence : warnings(info)) say("note: {}", sentence);
}

DatasetInfo with_progress(bool quiet,
                          const std::function<DatasetInfo(const PrepareProgress&)>& make) {
  std::string stage;
  std::unique_ptr<Progress> bar;
  DatasetInfo info = make([&](std::string_view name, double fraction) {
    if (name != stage) {
      if (bar) bar->finish();
      stage = name;
      bar = std::make_unique<Progress>(stage, 1.0, quiet);
    }
    bar->update(fraction);
  });
  if (bar) bar->finish();
  return info;
}

void add_data(App& app) {
  App* verb = add_verb(
      app, "data", "Prepare and inspect data sets",
      "bitlaw data prepare texts/ --to data/ --vocabulary 4096\n"
      "  bitlaw data corpus --size 200MB --to data/ --vocabulary 512\n  bitlaw data show data/");
  verb->require_subcommand(1, 1);
  add_prepare(*verb);
  add_data_corpus(*verb);
  add_data_synthetic(*verb);
  add_show(*verb);
}

}  // namespace bitlaw::cli
