#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

#include <array>
#include <memory>
#include <mutex>

#include "corpus/one_line.h"
#include "corpus/paragraphs.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

// Their content is left out.
constexpr auto kSkipped = std::to_array<std::string_view>(
    {"script", "style", "pre", "head", "nav", "header", "footer", "select", "textarea", "svg"});
// They end a paragraph.
constexpr auto kBlocks = std::to_array<std::string_view>(
    {"p",  "div", "li", "dd", "dt", "td", "th", "tr", "table",   "ul",      "ol",         "dl",
     "h1", "h2",  "h3", "h4", "h5", "h6", "br", "hr", "section", "article", "blockquote", "body"});

template <size_t n>
bool is_one_of(const std::array<std::string_view, n>& names, const xmlChar* name) {
  const std::string_view wanted(reinterpret_cast<const char*>(name));
  for (const std::string_view one : names) {
    if (one == wanted) return true;
  }
  return false;
}

// What the parser's events make of a page.
struct Page {
  std::vector<std::string> paragraphs;
  std::string text;
  int skipping = 0;  // elements that are open and left out

  void end_paragraph() {
    std::string line = one_line(valid_utf8(text));
    if (!line.empty()) paragraphs.push_back(std::move(line));
    text.clear();
  }

  static void start(void* self, const xmlChar* name, const xmlChar**) {
    auto& page = *static_cast<Page*>(self);
    if (is_one_of(kSkipped, name)) {
      page.end_paragraph();
      ++page.skipping;
    } else if (is_one_of(kBlocks, name)) {
      page.end_paragraph();
    }
  }
  static void end(void* self, const xmlChar* name) {
    auto& page = *static_cast<Page*>(self);
    if (is_one_of(kSkipped, name)) {
      if (page.skipping > 0) --page.skipping;
    } else if (is_one_of(kBlocks, name)) {
      page.end_paragraph();
    }
  }
  static void characters(void* self, const xmlChar* bytes, int length) {
    auto& page = *static_cast<Page*>(self);
    if (page.skipping > 0) return;
    page.text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
  }
};

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const int length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(static_cast<size_t>(length));
  }
  return true;
}

struct Free {
  void operator()(htmlParserCtxt* parser) const { htmlFreeParserCtxt(parser); }
};

}  // namespace

std::vector<std::string> html_paragraphs(std::string_view html) {
  static std::once_flag initialized;
  std::call_once(initialized, xmlInitParser);
  Page page;
  const std::unique_ptr<htmlParserCtxt, Free> parser(
      htmlCreateMemoryParserCtxt(html.data(), static_cast<int>(html.size())));
  if (parser == nullptr) return {};  // an empty page
  htmlCtxtUseOptions(parser.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                       HTML_PARSE_NONET);
  if (is_utf8(html)) xmlSwitchEncoding(parser.get(), XML_CHAR_ENCODING_UTF8);
  *parser->sax = {};
  parser->sax->startElement = Page::start;
  parser->sax->endElement = Page::end;
  parser->sax->characters = Page::characters;
  parser->sax->ignorableWhitespace = Page::characters;
  parser->userData = &page;
  htmlParseDocument(parser.get());
  page.end_paragraph();
  return std::move(page.paragraphs);
}

}  // namespace bitlaw
