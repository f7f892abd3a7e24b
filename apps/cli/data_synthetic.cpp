// bitlaw data synthetic: tokens with a known entropy, as a data set.

#include "cli/data_verbs.h"
#include "cli/verb.h"
#include "data/synthetic.h"

namespace bitlaw::cli {
namespace {

struct SyntheticFlags {
  SyntheticConfig config;
  StructFlags flags;
  bool json = false, quiet = false;
};

}  // namespace

void add_data_synthetic(App& verb) {
  auto options = std::make_shared<SyntheticFlags>();
  App* synthetic =
      add_verb(verb, "synthetic", "Draw tokens whose entropy is known, to check a fitted E against",
               "bitlaw data synthetic --to data/known --tokens 20000000 --symbols 32 --rules 4");
  options->flags.add(synthetic, options->config);
  synthetic->add_flag("--quiet", options->quiet, "no progress");
  synthetic->add_flag("--json", options->json, "print dataset.json");
  synthetic->callback([options] {
    options->flags.fill_into(options->config);
    show_dataset(with_progress(options->quiet,
                               [&](const PrepareProgress& progress) {
                                 return make_synthetic_dataset(options->config, progress);
                               }),
                 options->json);
  });
}

}  // namespace bitlaw::cli
