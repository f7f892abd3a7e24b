// Where a data set goes, and what may be there already.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "data/dataset.h"

namespace bitlaw {

// The directory that `to` names, with or without a slash at its end.
std::filesystem::path dataset_place(const std::string& to);

// The data set in `place`, if it is the one that is to be made: then `difference` returns "" for it,
// or else what is different, such as "was made from different text". Nothing if the place is free,
// or if `overwrite` permits to replace another data set. Error where something else is there, alone or
// beside a data set.
std::optional<DatasetInfo> dataset_there(
    const std::filesystem::path& place, bool overwrite,
    const std::function<std::string(const DatasetInfo&)>& difference);

}  // namespace bitlaw
