// The figures of a report, as data: points that were measured, and curves of the fitted law.
#pragma once

#include <vector>

#include "base/json.h"
#include "record/tidy_row.h"
#include "report/references.h"

namespace bitlaw {

// .figures of the document (report/report.h). `references` are those of `rows`; `fit`: of
// fit_to_json, or null.
Json figures_of(const std::vector<TidyRow>& rows, const References& references, const Json& fit);

}  // namespace bitlaw
