// What the verbs under `bitlaw data` share.
#pragma once

#include <functional>

#include "cli/app.h"
#include "data/prepare.h"

namespace bitlaw::cli {

void add_data_corpus(App& verb);
void add_data_synthetic(App& verb);

// dataset.json, or its description; its warnings as notes.
void show_dataset(const DatasetInfo& info, bool json);

// What `make` returns; it is shown a bar for each of its stages.
DatasetInfo with_progress(bool quiet,
                          const std::function<DatasetInfo(const PrepareProgress&)>& make);

}  // namespace bitlaw::cli
