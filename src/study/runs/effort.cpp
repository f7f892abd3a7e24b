#include "runs/effort.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "record/beside_runs.h"

namespace bitlaw {

std::string processor_name() {
  try {
    for (const std::string& line : split(read_file("/proc/cpuinfo"), '\n')) {
      const size_t colon = line.find(':');
      if (line.starts_with("model name") && colon != std::string::npos)
        return trim(line.substr(colon + 1));
    }
  } catch (const Error&) {  // not Linux
  }
  return "";
}

void add_effort(const std::filesystem::path& runs, double seconds) {
  Json sessions = read_effort(runs);
  sessions.push_back(
      {{"seconds", seconds}, {"processor", processor_name()}, {"cores", hardware_threads()}});
  write_file_atomically(runs / kEffortFile, dump_json(Json{{"sessions", sessions}}, 1) + "\n");
}

Json read_effort(const std::filesystem::path& runs) {
  try {
    const Json document = parse_json(read_file(runs / kEffortFile), kEffortFile);
    if (document.is_object() && document.value("sessions", Json()).is_array())
      return document["sessions"];
  } catch (const Error&) {  // the runs themselves do not need it
  }
  return Json::array();
}

}  // namespace bitlaw
