// The methods of post-training quantization and their options, for help.
#pragma once

#include <string>

namespace bitlaw {

// "none, rtn, ..."; and the same with explanations.
std::string method_names();
std::string method_help();

}  // namespace bitlaw
