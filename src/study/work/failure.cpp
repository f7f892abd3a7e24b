#include "work/failure.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/json_struct.h"
#include "record/beside_runs.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

fs::path failure_file(const Job& job, const fs::path& runs) {
  return runs / kFailuresFolder / (job_key(job) + ".json");
}

}  // namespace

std::optional<Failure> read_failure(const Job& job, const fs::path& runs) {
  const fs::path file = failure_file(job, runs);
  std::error_code none;
  if (!fs::exists(file, none)) return std::nullopt;
  return struct_from_json<Failure>(parse_json(read_file(file), file.string()), file.string());
}

void write_failure(const Job& job, const fs::path& runs, const Failure& failure) {
  write_file_atomically(failure_file(job, runs), dump_json(struct_to_json(failure), 1) + "\n");
}

bool forget_failure(const Job& job, const fs::path& runs) {
  std::error_code none;
  return fs::remove(failure_file(job, runs), none);
}

bool is_about_the_disk(const std::string& message) {
  constexpr std::array kErrors{ENOSPC, EDQUOT, EFBIG, EROFS, EIO};
  return std::any_of(kErrors.begin(), kErrors.end(), [&](int error) {
    return message.find(std::strerror(error)) != std::string::npos;
  });
}

}  // namespace bitlaw
