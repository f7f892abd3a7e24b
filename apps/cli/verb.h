// One verb of the command line: a file that fills a library struct and prints what comes back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/app.h"

namespace bitlaw {
class ThreadPool;
}  // namespace bitlaw

namespace bitlaw::cli {

// Adds the verb to `app`; its callback runs it and may throw Error.
void add_data(App& app);
void add_train(App& app);
void add_quantize(App& app);
void add_eval(App& app);
void add_export(App& app);
void add_sweep(App& app);
void add_work(App& app);
void add_tune(App& app);
void add_runs(App& app);
void add_reproduce(App& app);
void add_publish(App& app);
void add_laws(App& app);
void add_fit(App& app);
void add_compare(App& app);
void add_design(App& app);
void add_simulate(App& app);
void add_predict(App& app);
void add_plan(App& app);
void add_report(App& app);
void add_serve(App& app);
void add_planner(App& app);

// A verb with its summary and an example at the end of its help.
App* add_verb(App& app, const std::string& name, const std::string& summary,
              const std::string& example);

// The exit status of the process once a verb has run (0 unless a verb says otherwise).
extern int exit_status;

void print_json(const Json& document);

// Names the runs and cells of a directory that cannot be read and are left out of what is printed:
// the program then ends with exit status 1.
void report_left_out(const std::vector<std::string>& problems);

// Error if `out` is the file `input`, which writing would replace.
void require_other_file(const char* option, const std::string& out, const std::string& input);

// Error if a dry run, which writes nothing, is asked to write.
void refuse_to_write(bool dry_run, const char* option, const std::string& out);

// A library's parallel loops on these threads.
std::function<void(int64_t count, const std::function<void(int64_t)>& task)> on(ThreadPool& pool);

// The document of `bitlaw fit --out` at `path`; null without a path. Error where it is something
// else.
Json read_fit(const std::string& path);

// The options of a struct as flags: `hold_out` becomes --hold-out; lists take commas and 2..8.
class StructFlags {
 public:
  template <class T>
  void add(App* app, const T& defaults, const std::vector<std::string>& without = {}) {
    add_keys(app, config_keys(defaults), without);
  }
  // "hold_out" as it is typed, --hold-out.
  static std::string option_of(const std::string& key);
  // Whether the flag of this key was given.
  bool has(const std::string& key) const;
  // An error that begins with the section and the name of a key, as in "run.log_steps = 0: ...", begins
  // with the flag instead, if that was given.
  std::string as_typed(const std::string& section, const std::string& error) const;
  // Error if one of these flags was given: "--KEY: WHY; leave it out".
  void refuse(std::initializer_list<const char*> keys, const std::string& why) const;
  // A sentence about keys, "context: ...; give memory_bytes", about flags instead: "--context: ...; give
  // --memory-bytes".
  std::string in_options(const std::string& sentence) const;
  // Runs the verb; its errors are in_options.
  template <class Run>
  void naming_options(const Run& run) const {
    try {
      run();
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      throw Error(in_options(error.what()));
    }
  }
  template <class T>
  void fill_into(T& config) const {
    try {
      fill(config, given(), kHere);
    } catch (const Error& error) {
      throw Error(with_flag(error.what()));
    }
  }

 private:
  void add_keys(App* app, const std::vector<ConfigKey>& keys,
                const std::vector<std::string>& without);
  Json given() const;
  // The error of fill() with the flag instead of the key.
  std::string with_flag(const std::string& error) const;

  static constexpr const char* kHere = "the command line";
  struct Flag {
    ConfigKey key;
    std::shared_ptr<std::string> text = std::make_shared<std::string>();
    Option* option = nullptr;
  };
  std::vector<Flag> flags_;
  std::vector<std::string> elsewhere_;  // keys whose flags the verb adds itself
};

// A TOML (or JSON) file, or one KEY=VALUE override, as a document.
struct ConfigItem {
  Json document;
  std::string where;  // for messages: the file, or "the command line"
};
ConfigItem read_config_item(const std::string& file_or_override);

// Files and overrides in the order given; an Error names the one that is wrong.
template <class T>
void fill_from(T& config, const std::vector<std::string>& files_and_overrides) {
  for (const std::string& each : files_and_overrides) {
    const ConfigItem item = read_config_item(each);
    fill(config, item.document, item.where);
  }
}

// Set by SIGINT and SIGTERM.
void stop_on_signals(void (*handler)(int));

// This program's own path, to start further processes of it.
std::string own_path();

}  // namespace bitlaw::cli
