// bitlaw planner: writes the planner that opens in a browser.

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "cli/verb.h"
#include "pages/pages.h"

namespace bitlaw::cli {
namespace {

struct PlannerFlags {
  std::string out = "planner.html", fit;
  bool json = false;
};

std::string planner_page(const std::string& fit) {
  const std::string_view page = page_file("planner.html");
  return fit.empty() ? std::string(page) : page_with(page, "fit", read_fit(fit));
}

// What makes a folder for a web server of the page: the page names its manifest, and a service worker
// keeps both for use without a network.
std::string of_site(std::string page) {
  constexpr std::string_view kPlace = "<!--site-->";
  const size_t at = page.find(kPlace);
  BITLAW_CHECK(at != std::string::npos);
  return page.replace(at, kPlace.size(), R"(<link rel="manifest" href="manifest.webmanifest">)");
}

void run(const PlannerFlags& options) {
  const std::filesystem::path out = options.out;
  if (options.out.empty()) throw Error("--out is empty; name a file or a folder");
  if (!options.fit.empty()) require_other_file("--out", options.out, options.fit);
  const std::string page = planner_page(options.fit);
  std::vector<std::string> written;
  const auto write = [&](const std::filesystem::path& path, std::string_view bytes) {
    write_file_atomically(path, bytes);
    written.push_back(path.string());
  };
  const bool one_file = out.extension() == ".html" && !std::filesystem::is_directory(out);
  if (one_file) {
    write(out, page);
  } else {
    for (const char* name :
         {"icon.svg", "manifest.webmanifest", "service-worker.js", "LICENSES.txt"})
      write(out / name, page_file(name));
    write(out / "index.html", of_site(page));
  }
  if (options.json) {
    print_json(Json::object({{"files", Json(written)}}));
  } else if (one_file) {
    fmt::print("{}: open it in a browser; it needs no network\n", options.out);
  } else {
    fmt::print(
        "{}: {} files for any web server; over https they can be installed and used without a "
        "network\n",
        options.out, written.size());
  }
}

}  // namespace

void add_planner(App& app) {
  auto options = std::make_shared<PlannerFlags>();
  App* verb =
      add_verb(app, "planner", "Write the planner that opens in a browser",
               "bitlaw planner --out planner.html\n  bitlaw planner --fit fit.json --out site/");
  verb->add_option("--out", options->out, "a page NAME.html, or a folder for a web server")
      ->default_str(options->out);
  verb->add_option("--fit", options->fit,
                   "a document of `bitlaw fit --out`: the page starts with its constants");
  verb->add_flag("--json", options->json, "print one JSON document: the files written");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
