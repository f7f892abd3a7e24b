// bitlaw publish: flags of the library's PublishOptions.
#include "publish/publish.h"

#include <fmt/format.h>

#include "base/say.h"
#include "base/text.h"
#include "cli/verb.h"

namespace bitlaw::cli {
namespace {

struct PublishFlags {
  PublishOptions options;
  StructFlags flags;
  bool json = false, print_config = false;
};

void run_publish(PublishFlags& flags) {
  flags.flags.fill_into(flags.options);
  if (flags.print_config) {
    fmt::print("{}", dump_toml(to_json(flags.options)));
    return;
  }
  const Published published = publish(flags.options);
  for (const std::string& note : published.notes) say("note: {}", note);
  if (flags.json) {
    Json files = Json::array();
    for (const PublishedFile& file : published.files) files.push_back(struct_to_json(file));
    print_json(Json{{"files", files}, {"notes", published.notes}});
    return;
  }
  for (const PublishedFile& file : published.files) {
    fmt::print("{:<24} {:>10}  {}\n", file.name, format_bytes(static_cast<double>(file.bytes)),
               file.rows < 0 ? "" : fmt::format("{} rows", file.rows));
  }
}

}  // namespace

void add_publish(App& app) {
  auto flags = std::make_shared<PublishFlags>();
  App* verb = add_verb(app, "publish", "Tables of studies as a folder to read, cite and check",
                       "bitlaw publish runs/study runs/tuning --to results/ --text data-text");
  verb->add_option("runs", flags->options.runs, "directories of runs")->required();
  flags->flags.add(verb, flags->options);
  verb->add_flag("--print-config", flags->print_config, "print the options as TOML and stop");
  verb->add_flag("--json", flags->json, "print one JSON document");
  verb->callback([flags] { run_publish(*flags); });
}

}  // namespace bitlaw::cli
