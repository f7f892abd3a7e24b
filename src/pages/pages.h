// The pages that the program carries: built from web/page and committed in web/built, so that users
// need no Node. Each page is one file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace bitlaw {

struct PageFile {
  std::string_view name;  // of the file in web/built
  std::string_view bytes;
};

std::span<const PageFile> page_files();  // by name

// Its bytes. `name` must be one of them.
std::string_view page_file(std::string_view name);

namespace built {
// Of report.html: a program that names only this one carries no other page.
extern const std::string_view report_html;
}  // namespace built

// The page with `data` in its <script id="`id`" type="application/json"></script>, which must be
// there and empty. No text of the data can end that element.
std::string page_with(std::string_view page, std::string_view id, const Json& data);

}  // namespace bitlaw
