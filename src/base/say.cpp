#include "base/say.h"

#include <cstdio>

namespace bitlaw {

void say_line(std::string line) {
  line += '\n';
  std::fputs(line.c_str(), stderr);  // fmt::print would throw where this fails
  std::fflush(stderr);
}

}  // namespace bitlaw
