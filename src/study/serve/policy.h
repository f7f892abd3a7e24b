// The Content-Security-Policy of a page that carries its scripts: the one in its head, or one that
// allows exactly these scripts by their hashes. Frames are for the header alone to refuse.
#pragma once

#include <string>
#include <string_view>

namespace bitlaw {

std::string policy_of(std::string_view page);

}  // namespace bitlaw
