#include "publish/parquet.h"

#include "base/command.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/temporary.h"
#include "base/text.h"
#include "record/tidy_row.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kNoArrow = 3;
constexpr const char* kScript = R"(
import json, sys
try:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet
except ImportError:
    sys.exit(3)
names = {"text": pyarrow.string(), "whole": pyarrow.int64(), "real": pyarrow.float64()}
types = {name: names[kind] for name, kind in json.loads(sys.argv[3]).items()}
options = pyarrow.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
pyarrow.parquet.write_table(pyarrow.csv.read_csv(sys.argv[1], convert_options=options), sys.argv[2])
)";

std::string column_types() {
  constexpr const char* kNames[] = {"text", "whole", "real"};
  Json types = Json::object();
  for (const TidyColumn& column : tidy_columns()) types[column.name] = kNames[column.type];
  return dump_json(types);
}

std::string last_line_of(const fs::path& log) {
  std::string last = "no answer";
  for (const std::string& line : split(read_file(log), '\n')) {
    if (!trim(line).empty()) last = trim(line);
  }
  return last;
}

}  // namespace

std::string write_parquet(const fs::path& csv, const fs::path& parquet) {
  const fs::path temporary = temporary_beside(parquet),
                 log = temporary_beside(parquet).string() + ".log";
  const int status = run_command({"python3", "-c", kScript, fs::absolute(csv).string(),
                                  fs::absolute(temporary).string(), column_types()},
                                 fs::current_path(), fs::absolute(log));
  std::error_code none;
  std::string trouble;
  if (status == 127)
    trouble = "python3 is not installed";
  else if (status == kNoArrow)
    trouble = "python3 has no pyarrow (pip install pyarrow)";
  else if (status != 0)
    trouble = "pyarrow: " + last_line_of(log);
  else
    fs::rename(temporary, parquet);
  fs::remove(temporary, none);
  fs::remove(log, none);
  return trouble;
}

}  // namespace bitlaw
