// Notes and warnings for people, on standard error. A sentence that cannot be written (a full disk
// behind a redirection, a reader that has left) is lost: it never changes a result or an exit status.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace bitlaw {

void say_line(std::string line);  // without its newline

template <class... A>
void say(fmt::format_string<A...> format, A&&... a) {
  say_line(fmt::format(format, std::forward<A>(a)...));
}

}  // namespace bitlaw
