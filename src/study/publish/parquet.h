#pragma once

#include <filesystem>
#include <string>

namespace bitlaw {

// Writes a CSV file of the tidy table as Parquet, with the types of its columns, through python3 and
// pyarrow. Returns "", or why it was not written.
std::string write_parquet(const std::filesystem::path& csv, const std::filesystem::path& parquet);

}  // namespace bitlaw
