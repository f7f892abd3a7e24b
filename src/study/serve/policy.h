// The Content-Security-Policy of a page that carries its scripts: the one in its head, or one that
// allows exactly these scripts by their hashes. Frames are for the header alone to refuse.
#pragma once

#include <string>
#include <string_view>

namespace bitlaw {

std::string policy_of(std::string_view page);

// The page with `json` as <script type="application/json" id="ID">, before the other scripts. The
// text is data: nothing in it ends the element.
std::string with_data(std::string_view page, std::string_view id, std::string_view json);

}  // namespace bitlaw
