#include "record/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checksum.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "formats/named_recipe.h"
#include "record/later_keys.h"
#include "record/schema.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config";

// Fields that may be missing only in the record of a third-party checkpoint.
void require_training(const JsonFields& fields) {
  for (const char* key : {"schema", "name", "recipe", "peak_learning_rate", "build", "created"})
    fields.at(key);
  const JsonFields data = fields.object("data");
  for (const char* key : {"path", "vocabulary", "train_tokens", "validation_tokens"}) data.at(key);
  const JsonFields config = fields.object(kConfig);
  config.at("schedule");
  for (const char* key : {"tokens", "seed", "batch_tokens", "lr"}) config.object("train").at(key);
}

void require_recipe(const RunRecord& record, const std::string& where) {
  RecipeConfig recipe;
  fill(recipe, record.config.at("recipe"), where);
  try {
    make_recipe(recipe);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", where, error.what()));
  }
}

// A third-party checkpoint is named by what it was measured on, which is not in its record.
void require_name(const RunRecord& record, const std::string& where) {
  const std::string name = name_of_configuration(record.config);
  if (record.checkpoint || record.name == name) return;
  throw Error(
      fmt::format("{}: has the configuration of the run {}, not of {}", where, name, record.name));
}

std::string no_directory_of_runs(const fs::path& place, const std::string& why) {
  std::error_code none;
  if (!fs::exists(place, none))
    return fmt::format("{}: does not exist; give a directory of runs, such as runs",
                       place.string());
  if (fs::is_directory(place, none))
    return fmt::format("{}: cannot be read: {}", place.string(), why);
  return fmt::format(
      "{}: is a file; `bitlaw runs` and `bitlaw report` take a directory of runs, `bitlaw fit` and "
      "`bitlaw compare` also take a table",
      place.string());
}

}  // namespace

std::string name_of_configuration(Json config) {
  for (const char* key : {"activations_granularity", "kv_granularity"}) {
    const auto found = config["recipe"].find(key);
    if (found != config["recipe"].end() && *found == "sequence")
      *found = "tensor";  // as version 0.2 spelled it: the same run
  }
  remove_later_keys(config);
  return hash_hex(dump_json(config)).substr(0, 16);
}

RunSettings RunRecord::settings() const {
  const Json current = current_config();
  return struct_from_json<RunSettings>(JsonFields(current, name, kConfig));
}

RecipeConfig RunRecord::recipe_config() const {
  RecipeConfig recipe;
  fill(recipe, current_config().at("recipe"), name);
  return spelled_out(recipe);
}

Json RunRecord::current_config() const {
  Json current = config;
  for (const char* key : {"activations_granularity", "kv_granularity"}) {
    const auto found = current["recipe"].find(key);
    if (found != current["recipe"].end() && found->is_string())
      *found = without_old_name(found->get<std::string>());
  }
  add_later_keys(current);
  return current;
}

Recipe RunRecord::trained_recipe() const {
  return make_recipe(recipe_config(), batch_sequences());
}

int64_t RunRecord::batch_sequences() const {
  const RunSettings all = settings();
  const int64_t T = all.model.sequence;
  return T > 0 ? all.train.batch_tokens.value_or(0) / T : 0;
}

fs::path run_file(const fs::path& run) {
  return run / "run.json";
}

fs::path final_checkpoint(const fs::path& run) {
  return run / "checkpoints/final";
}

bool is_run(const fs::path& directory) {
  std::error_code none;
  return fs::exists(run_file(directory), none);
}

std::vector<fs::path> find_directories(const fs::path& runs) {
  std::error_code error;
  std::vector<fs::path> found;
  fs::directory_iterator entries(runs, error);
  if (error) throw Error(no_directory_of_runs(runs, error.message()));
  for (const fs::directory_entry& entry : entries) {
    if (entry.is_symlink(error) || !entry.is_regular_file(error)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> find_run_directories(const fs::path& runs) {
  std::vector<fs::path> found = find_directories(runs);
  std::erase_if(found, [](const fs::path& directory) { return !is_run(directory); });
  return found;
}

RunRecord read_run_record(const fs::path& run) {
  if (!is_run(run)) {
    throw Error(fmt::format(
        "{}: is not a run (it has no run.json); `bitlaw runs` lists the runs that exist",
        run.string()));
  }
  return parse_run_record(read_file(run_file(run)), run_file(run).string());
}

RunRecord parse_run_record(const std::string& text, const std::string& where) {
  try {
    const Json document = parse_json(text, where);
    require_known_schema(document, where);
    const JsonFields fields(document, where);
    require_checksum(document, where);
    const auto record = struct_from_json<RunRecord>(fields);
    struct_from_json<RunSettings>(fields.object(kConfig));
    require_recipe(record, where);
    if (!record.checkpoint) require_training(fields);
    require_name(record, where);
    return record;
  } catch (const LaterVersion&) {
    throw;
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; move the directory away and repeat the run");
  }
}

void write_run_record(const fs::path& run, const RunRecord& record) {
  write_file_atomically(run_file(run), dump_json(with_checksum(struct_to_json(record)), 1) + "\n");
}

}  // namespace bitlaw
