// bitlaw serve: flags of the library's ServeOptions, the address, and the end by a signal.
#include "serve/serve.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/range.h"
#include "base/say.h"
#include "cli/verb.h"
#include "pages/pages.h"
#include "serve/access.h"

namespace bitlaw::cli {
namespace {

struct ServeFlags {
  ServeOptions serve;
  std::vector<std::string> runs;
  std::string token_file;
  bool json = false;
};

std::atomic<bool> stop_serving{false};

std::string host_of_this_machine() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// As others can open it: a wildcard is no address.
std::string address_to_open(const ServeFlags& flags, const LiveServer& server) {
  const std::string& listen = flags.serve.listen;
  const bool everywhere = listen == "0.0.0.0" || listen == "::";
  return address_text(everywhere ? host_of_this_machine() : listen, server.port());
}

std::string token_of(const ServeFlags& flags) {
  if (!flags.token_file.empty()) return read_token(flags.token_file);
  const char* given = std::getenv("BITLAW_TOKEN");
  if (given == nullptr || *given == '\0') return "";
  require_token(given, "BITLAW_TOKEN");
  return given;
}

void run_serve(ServeFlags& flags) {
  flags.serve.runs.assign(flags.runs.begin(), flags.runs.end());
  flags.serve.token = token_of(flags);
  flags.serve.pages = {page_file("live.html"), page_file("planner.html")};
  const bool was_given = !flags.serve.token.empty();
  stop_on_signals([](int) { stop_serving = true; });
  const LiveServer server(flags.serve);
  const std::string address = address_to_open(flags, server);
  const bool shows_token = !was_given && !server.token().empty();
  if (flags.json) {
    print_json(
        Json{{"address", address}, {"token", shows_token ? Json(server.token()) : Json(nullptr)}});
  } else {
    fmt::print("{}{}\n", address, shows_token ? "/?token=" + server.token() : "");
    if (shows_token)
      say("whoever has this address may look; it is not shown again. Ctrl-C ends the live view");
    else if (was_given)
      say("whoever has the token may look, at {}/?token=TOKEN. Ctrl-C ends the live view", address);
    else
      say("for this machine alone. Ctrl-C ends the live view");
  }
  std::fflush(stdout);
  while (!stop_serving) ::poll(nullptr, 0, 100);
  std::_Exit(0);  // at once, also in the middle of a fit: there is nothing to save
}

}  // namespace

void add_serve(App& app) {
  auto flags = std::make_shared<ServeFlags>();
  App* verb = add_verb(app, "serve", "Watch studies in the browser while they run",
                       "bitlaw serve runs/demo\n"
                       "  bitlaw serve runs --listen 0.0.0.0 --token-file token.txt");
  verb->add_option("runs", flags->runs, "directories of runs, or folders of such")->required();
  verb->add_option("--port", flags->serve.port, "0: any that is free")->whole(0, 65535);
  verb->add_option("--listen", flags->serve.listen,
                   "address to listen on; any but this machine's own (loopback) needs a token")
      ->default_str(flags->serve.listen);
  verb->add_option("--token-file", flags->token_file,
                   "file with the token, at least 32 characters; or BITLAW_TOKEN in the "
                   "environment (default: a new one, printed once, where one is needed)");
  verb->add_option("--law", flags->serve.law,
                   "law to fit as results arrive (default: as `bitlaw fit`)");
  verb->add_flag("--json", flags->json, "print the address and the token as JSON");
  verb->callback([flags] { run_serve(*flags); });
}

}  // namespace bitlaw::cli
