#include "work/jobs_file.h"

#include <fmt/format.h>

#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "base/names.h"
#include "record/beside_runs.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFormat = 1;
constexpr int64_t kMost = int64_t{1} << 53;

struct NamedKind {
  const char* name;
  JobKind kind;
};
constexpr NamedKind kKinds[] = {{"train", JobKind::kTrain}, {"quantize", JobKind::kQuantize}};

const char* name_of(JobKind kind) {
  for (const NamedKind& each : kKinds) {
    if (each.kind == kind) return each.name;
  }
  throw Error("a job of this kind is not kept in a file");
}

JobKind kind_named(const std::string& name, const std::string& where) {
  for (const NamedKind& each : kKinds) {
    if (name == each.name) return each.kind;
  }
  throw Error(where + ": " + unknown_name("kind of job", name, {"train", "quantize"}));
}

Json job_json(const Job& job) {
  Json out{{"kind", name_of(job.kind)}, {"name", job.name}, {"run", job.run}, {"cost", job.cost}};
  if (job.memory_bytes > 0) out["memory_bytes"] = job.memory_bytes;
  if (job.after >= 0) out["after"] = job.after;
  if (job.kind == JobKind::kQuantize) {
    out["grid"] = to_json(job.grid);
    return out;
  }
  out["tokens"] = job.tokens;
  if (job.checkpoints > 0) out["checkpoints"] = job.checkpoints;
  if (job.share) out["share"] = true;
  if (!job.share_steps.empty()) out["share_steps"] = job.share_steps;
  if (job.trunk >= 0) {
    out["trunk"] = job.trunk;
    out["trunk_tokens"] = job.trunk_tokens;
    out["trunk_state"] = job.trunk_state.string();
  }
  return out;
}

Job job_from(const JsonFields& fields, const std::string& where, int64_t jobs) {
  const auto whole = [&](const char* key, int64_t from, int64_t otherwise) {
    return fields.has(key) ? fields.whole(key, from, kMost) : otherwise;
  };
  // One by one: if one of them throws inside Job{...}, g++ 12 destroys the members before it twice.
  Job job;
  job.kind = kind_named(fields.text("kind"), where);
  job.name = fields.text("name");
  job.run = fields.text("run");
  job.tokens = whole("tokens", 0, 0);
  job.checkpoints = whole("checkpoints", 0, 0);
  job.share = fields.has("share") && fields.truth("share");
  job.cost = fields.number("cost");
  if (fields.has("share_steps")) {
    for (const Json& step : fields.list("share_steps")) {
      if (!step.is_number_integer()) fields.refuse("share_steps", "a list of whole numbers");
      job.share_steps.push_back(step);
    }
  }
  if (fields.has("grid")) fill(job.grid, fields.at("grid"), where);
  if (fields.has("memory_bytes")) job.memory_bytes = fields.number("memory_bytes");
  if (fields.has("after")) job.after = static_cast<int>(fields.whole("after", 0, jobs - 1));
  if (!fields.has("trunk")) return job;
  job.trunk = static_cast<int>(fields.whole("trunk", 0, jobs - 1));
  job.trunk_tokens = whole("trunk_tokens", 0, 0);
  job.trunk_state = fields.text("trunk_state");
  return job;
}

}  // namespace

void write_study_jobs(const fs::path& runs, const StudyJobs& study) {
  Json document{{"format", kFormat},
                {"study", study.study},
                {"directory", study.directory.string()},
                {"data", study.data},
                {"jobs", Json::array()}};
  for (const Job& job : study.jobs) document["jobs"].push_back(job_json(job));
  const std::string text = dump_json(document) + "\n";
  const fs::path file = runs / kJobsFile;
  std::error_code none;
  if (fs::exists(file, none) && read_file(file) == text) return;
  write_file_atomically(file, text);
}

StudyJobs read_study_jobs(const fs::path& runs) {
  const fs::path file = runs / kJobsFile;
  std::error_code none;
  if (!fs::exists(file, none)) {
    throw Error(fmt::format(
        "{}: has no {}, so it is not the directory of a study; `bitlaw sweep STUDY.toml` makes one",
        runs.string(), kJobsFile));
  }
  const Json document = parse_json(read_file(file), file.string());
  const JsonFields fields(document, file.string());
  if (const int64_t format = fields.whole("format", 1, kMost); format > kFormat) {
    throw Error(fmt::format(
        "{}: was written by a later version of bitlaw (format {}, this one reads {}); install that "
        "version, or sweep into another directory (--runs)",
        file.string(), format, kFormat));
  }
  StudyJobs study{.study = fields.text("study"), .directory = fields.text("directory")};
  try {
    study.data = fields.at("data").get<std::map<std::string, std::string>>();
    const Json& jobs = fields.list("jobs");
    for (const Json& job : jobs)
      study.jobs.push_back(job_from(JsonFields(job, file.string(), "jobs"), file.string(),
                                    static_cast<int64_t>(jobs.size())));
  } catch (const Json::exception&) {
    throw Error(file.string() + ": is damaged; call `bitlaw sweep` again to write it");
  }
  return study;
}

}  // namespace bitlaw
