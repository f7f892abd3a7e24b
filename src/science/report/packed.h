// The document of a report as its page carries it. Long lists of objects become columns, texts become
// places in one list, numbers keep as many digits as a figure or a table can show. `unpacked` in
// web/page/src/report/document.ts is the inverse, but for the digits and for what the page does not
// show: the parts that only programs read (figures, training, post, post_bit, pure_error).
//
//   a list of objects   {"@rows": count, "columns": {key: column}}; null: the object has no such key
//   a column            [values] or, shorter, {"of": [different values], "at": [places]},
//                       or {"texts": [places in .texts of the document]}, or {"same": value};
//                       of objects {"object": {key: column}}, of lists of one length {"list": [columns]},
//                       where nulls alone stand for null
#pragma once

#include "base/json.h"

namespace bitlaw {

// .table_columns[] .name .exact: the columns of `rows` that the page shows; others are left out.
Json packed_for_page(const Json& document);

}  // namespace bitlaw
