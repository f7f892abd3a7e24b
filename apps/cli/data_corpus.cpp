// bitlaw data corpus: English text from documentation packages, as a data set.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "base/number.h"
#include "base/progress.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/data_verbs.h"
#include "cli/verb.h"
#include "corpus/corpus.h"
#include "corpus/packages.h"
#include "data/place.h"
#include "train/interrupt.h"

namespace bitlaw::cli {
namespace {

struct CorpusFlags {
  PrepareConfig prepare;
  StructFlags flags;
  std::string size = "50MB", text;
  bool json = false, dry_run = false, quiet = false, text_only = false;
};

double megabytes(int64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

CorpusConfig corpus_config(const CorpusFlags& options) {
  CorpusConfig config{.to = options.text, .threads = options.prepare.threads};
  const auto bytes = parse_bytes(options.size);
  if (!bytes || *bytes > 1e15) {
    throw Error(fmt::format("--size {}: expected an amount of text such as 200MB", options.size));
  }
  config.bytes = static_cast<int64_t>(*bytes);
  if (config.to.empty()) {
    if (options.prepare.to.empty())
      throw Error("no directory given: --to for the data set, or --text for the text alone");
    config.to = std::filesystem::path(options.prepare.to).lexically_normal();
    if (!config.to.has_filename()) config.to = config.to.parent_path();
    config.to += "-text";
  }
  return config;
}

// What would be read; downloads nothing.
void show_plan(const CorpusConfig& config, bool json) {
  Json packages = Json::array();
  double sum = 0;
  for (const DocumentationPackage& package : documentation_packages()) {
    if (sum * 1e6 >= static_cast<double>(config.bytes)) break;
    sum += package.megabytes;
    packages.push_back(Json{{"name", package.names.front()}, {"megabytes", package.megabytes}});
    if (!json) fmt::print("{:<28} {:>6.1f} MB\n", package.names.front(), package.megabytes);
  }
  if (json)
    print_json(Json{{"packages", packages}, {"megabytes", sum}, {"text", config.to.string()}});
  else
    fmt::print("{:<28} {:>6.1f} MB  of text, as measured on Debian 12\n", "together", sum);
}

// While text is made, SIGINT and SIGTERM end apt-get, too; then they do again what they did before.
class StopHandlers {
 public:
  StopHandlers() {
    ::sigaction(SIGTERM, nullptr, &terminate_);
    ::sigaction(SIGINT, nullptr, &interrupt_);
    install_stop_handlers();
  }
  ~StopHandlers() {
    ::sigaction(SIGTERM, &terminate_, nullptr);
    ::sigaction(SIGINT, &interrupt_, nullptr);
  }
  StopHandlers(const StopHandlers&) = delete;
  StopHandlers& operator=(const StopHandlers&) = delete;

 private:
  struct sigaction terminate_ {};
  struct sigaction interrupt_ {};
};

bool is_inside(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const std::string below = std::filesystem::weakly_canonical(inner).string() + "/";
  return below.starts_with(std::filesystem::weakly_canonical(outer).string() + "/");
}

// What would be an error after the text has been made is one before.
void require_all(const CorpusFlags& options, const CorpusConfig& config) {
  require_size(config);
  if (options.text_only) return;
  require_options(options.prepare);
  if (is_inside(config.to, dataset_place(options.prepare.to))) {
    throw Error(fmt::format(
        "--text {}: is in the directory of the data set, which holds nothing else; choose another "
        "folder for the text",
        config.to.string()));
  }
}

Corpus make(const CorpusConfig& config, bool quiet) {
  const StopHandlers handlers;
  Progress bar("text", static_cast<double>(config.bytes), quiet);
  Corpus corpus = make_corpus(config, [&](int64_t bytes, const std::string& note) {
    bar.update(static_cast<double>(std::min(bytes, config.bytes)), note);
  });
  bar.finish();
  return corpus;
}

void describe_corpus(const Corpus& corpus, const CorpusConfig& config) {
  int64_t repeated = 0, paragraphs = 0;
  for (const CorpusPart& part : corpus.parts) {
    repeated += part.repeated;
    paragraphs += part.paragraphs;
  }
  say("{:.1f} MB of prose from {} packages in {}: {} paragraphs; {} more were repetitions",
      megabytes(corpus.bytes()), corpus.parts.size(), config.to.string(), paragraphs, repeated);
  for (const std::string& sentence : corpus.unreachable) say("note: left out: {}", sentence);
  if (corpus.bytes() < config.bytes) {
    say("note: the packages gave {:.1f} MB, less than the {:.1f} MB that --size asks for",
        megabytes(corpus.bytes()), megabytes(config.bytes));
  }
}

void run_corpus(CorpusFlags& options) {
  options.flags.fill_into(options.prepare);
  const CorpusConfig config = corpus_config(options);
  if (options.dry_run) {
    require_size(config);
    show_plan(config, options.json);
    return;
  }
  if (!options.text_only && options.prepare.to.empty())
    throw Error("--to is missing: the directory of the data set; --text-only stops at the text");
  require_all(options, config);
  const Corpus corpus = make(config, options.quiet);
  describe_corpus(corpus, config);
  if (options.text_only) {
    if (options.json) {
      Json parts = Json::array();
      for (const CorpusPart& part : corpus.parts) parts.push_back(struct_to_json(part));
      print_json(Json{{"bytes", corpus.bytes()}, {"parts", parts}, {"files", corpus.files}});
    }
    return;
  }
  options.prepare.from = corpus.files;
  show_dataset(with_progress(options.quiet,
                             [&](const PrepareProgress& progress) {
                               return prepare_dataset(options.prepare, progress);
                             }),
               options.json);
}

}  // namespace

void add_data_corpus(App& verb) {
  auto options = std::make_shared<CorpusFlags>();
  App* corpus =
      add_verb(verb, "corpus",
               "Make English text from Debian's documentation packages, and a data set of it",
               "bitlaw data corpus --size 200MB --to data/ --vocabulary 512");
  corpus->add_option("--size", options->size, "of the text: whole packages until there is so much")
      ->default_str(options->size);
  corpus->add_option("--text", options->text,
                     "folder of the text, kept for later calls (default: beside --to, with -text)");
  options->flags.add(corpus, options->prepare, {"from"});
  corpus->add_flag("--text-only", options->text_only, "no data set");
  corpus->add_flag("--dry-run", options->dry_run, "list the packages, and stop");
  corpus->add_flag("--quiet", options->quiet, "no progress");
  corpus->add_flag("--json", options->json, "print dataset.json");
  corpus->footer(
      corpus->get_footer() +
      "\nThe packages are fetched with apt-get (no root) and not installed. Their licences "
      "are\nmixed: make the text where you use it, and do not hand it on.");
  corpus->callback([options] { run_corpus(*options); });
}

}  // namespace bitlaw::cli
