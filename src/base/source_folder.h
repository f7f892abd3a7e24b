// Path of the checkout, for tests and benchmarks that read its files. It is compiled into one
// object only, so that checkouts in different places share all others in ccache.
#pragma once

namespace bitlaw {

extern const char* const kSourceFolder;

}  // namespace bitlaw
