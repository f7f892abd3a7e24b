#include "record/published_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace bitlaw {

namespace fs = std::filesystem;

fs::path published_records_file(const fs::path& table) {
  return fs::path(table).replace_extension(".runs.jsonl");
}

std::string published_line(const fs::path& run) {
  const std::string name = read_run_record(run).name;
  Json line{{"name", name},
            {"run", parse_json(read_file(run_file(run)), run_file(run).string())},
            {"result", nullptr}};
  if (read_result(run))
    line["result"] = parse_json(read_file(result_file(run)), result_file(run).string());
  return dump_json(line);
}

std::optional<PublishedRecord> find_published_record(std::string_view text, const std::string& name,
                                                     const std::string& where) {
  // Keys are in alphabetic order, so the name comes first; a line that only mentions it is skipped.
  const std::string begin = fmt::format("{{\"name\":\"{}\",", name);
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(begin)) continue;
    const std::string place = fmt::format("{}, line {}", where, number);
    const Json document = parse_json(std::string(line), place);
    const JsonFields fields(document, place);
    PublishedRecord record;
    record.run = parse_run_record(dump_json(fields.object("run").document()), place);
    if (record.run.name != name)
      throw Error(fmt::format("{}: has the record of another run, {}", place, record.run.name));
    if (!document.at("result").is_null())
      record.result = parse_result(dump_json(fields.object("result").document()), place);
    return record;
  }
  return std::nullopt;
}

std::optional<PublishedRecord> find_published_record(const fs::path& file,
                                                     const std::string& name) {
  return find_published_record(read_file(file), name, file.string());
}

}  // namespace bitlaw
