// Where the checkout lies, for tests and benchmarks that read its files. The path stands in one object, so that
// checkouts in different places share all the others (ccache).
#pragma once

namespace bitlaw {

extern const char* const kSourceFolder;

}  // namespace bitlaw
