#include "end_to_end/small_study.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/english.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> kTimes{
    "seconds",           "created",     "finished",         "tokens_per_second",
    "peak_memory_bytes", "threads",     "flops_per_second", "predicted_memory_bytes",
    "checksum",          "shared_steps"};
const std::set<std::string> kOfOneSession{"logs", "effort.json", "index.sqlite", "lock",
                                          "ptq.lock"};

std::string without_times(const std::string& text, const std::string& where) {
  Json document = parse_json(text, where);
  for (const std::string& time : kTimes) document.erase(time);
  return dump_json(document);
}

std::string content_of(const fs::path& file) {
  const std::string text = read_file(file);
  if (file.extension() == ".json") return without_times(text, file.string());
  if (file.extension() == ".bin") return "a state, with times in it";
  if (file.extension() != ".jsonl") return hash_hex(text);
  std::string lines;
  for (const std::string& line : split(trim(text), '\n'))
    lines += without_times(line, file.string()) + "\n";
  return lines;
}

bool is_of_one_session(const fs::path& relative) {
  for (const fs::path& part : relative) {
    if (kOfOneSession.count(part.string()) > 0) return true;
  }
  return false;
}

}  // namespace

SmallStudy::SmallStudy(const std::string& toml) {
  for (uint64_t i = 0; i < 60; ++i)
    write_text(folder_.path() / fmt::format("text/{:03}.txt", i), English(i).document(60));
  write_text(folder_.path() / "study.toml", toml);
  around_.directory = folder_.path();
}

Json SmallStudy::json_of(std::vector<std::string> arguments) const {
  SCOPED_TRACE(fmt::format("bitlaw {}", fmt::join(arguments, " ")));
  arguments.push_back("--json");
  const Outcome outcome = run_bitlaw(arguments, around_);
  EXPECT_EQ(outcome.status, 0) << outcome.err << outcome.out;
  return outcome.json();
}

void SmallStudy::prepare(int vocabulary) const {
  std::vector<std::string> arguments{
      "data", "prepare", "text", "--to", "data", "--quiet", "--validation-fraction", "0.15"};
  if (vocabulary > 0)
    arguments.insert(arguments.end(), {"--vocabulary", std::to_string(vocabulary)});
  else
    arguments.insert(arguments.end(), {"--tokenizer", "byte"});
  const Json data = json_of(arguments);
  if (vocabulary > 0) {
    ASSERT_EQ(data.at("vocabulary"), vocabulary);
  }
  ASSERT_GT(data.at("validation").at("tokens").get<int>(), 4096 + 32);
}

std::map<std::string, std::string> made_in(const fs::path& runs) {
  std::map<std::string, std::string> made;
  for (const auto& entry : fs::recursive_directory_iterator(runs)) {
    const fs::path relative = entry.path().lexically_relative(runs);
    if (is_of_one_session(relative)) continue;
    made[relative.string()] = entry.is_regular_file() ? content_of(entry.path()) : "a directory";
  }
  return made;
}

std::string what_differs(const std::map<std::string, std::string>& made,
                         const std::map<std::string, std::string>& expected) {
  std::string out;
  for (const auto& [path, content] : expected) {
    const auto found = made.find(path);
    if (found == made.end())
      out += path + " is missing\n";
    else if (found->second != content)
      out += fmt::format("{} differs:\n{}\ninstead of\n{}\n", path, found->second, content);
  }
  for (const auto& [path, content] : made) {
    if (expected.count(path) == 0) out += path + " should not be there\n";
  }
  return out;
}

}  // namespace bitlaw
