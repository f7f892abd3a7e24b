// A data frame of another library as a table of runs, through the Arrow C stream interface
// (https://arrow.apache.org/docs/format/CStreamInterface.html): pandas, polars, duckdb and pyarrow all
// export it, and nothing of Arrow is linked.
#pragma once

#include "table/raw_table.h"

struct ArrowArrayStream;

namespace bitlaw {

// Consumes the stream (not the memory of the struct). Numbers stay numbers, NaN and null become empty
// fields, categories their texts. Columns of other types are left out, with a note. Error if the stream
// fails or is no table.
RawTable table_of_stream(ArrowArrayStream& stream);

}  // namespace bitlaw
