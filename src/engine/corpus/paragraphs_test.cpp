#include "corpus/paragraphs.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

using Lines = std::vector<std::string>;

TEST(HtmlParagraphs, AreTextBetweenBlocksWithoutListingsAndFurniture) {
  EXPECT_EQ(html_paragraphs("<html><head><title>no</title></head><body><nav><p>menu</p></nav>"
                            "<h1>Head\u00b6</h1><p>one &amp; <code>two</code>.<p>three\n  four"
                            "<pre>listing</pre><ul><li>five</li><li>six&nbsp;seven</ul>"
                            "<script>x<y</script><footer>no</footer>tail</body></html>"),
            (Lines{"Head", "one & two.", "three four", "five", "six seven", "tail"}));
}

TEST(HtmlParagraphs, TakeBytesThatAreNoUtf8InTheEncodingThatThePageNames) {
  EXPECT_EQ(html_paragraphs("<html><head><meta http-equiv=\"Content-Type\" "
                            "content=\"text/html; charset=iso-8859-1\"></head><p>caf\xe9</html>"),
            Lines{"caf\u00e9"});
  EXPECT_EQ(html_paragraphs("<p>caf\u00e9 &eacute;&mdash;&#8217;"),
            Lines{"caf\u00e9 \u00e9\u2014\u2019"});
}

TEST(HtmlParagraphs, OfAnyBytesAreUtf8) {
  for (const std::string& page :
       {std::string(), std::string("\0\0", 2), std::string("<"), std::string("<p>\xff\xfe broken"),
        std::string("<!--"), std::string("&#xD800; &#0; &bogus; text")}) {
    for (const std::string& line : html_paragraphs(page)) EXPECT_FALSE(line.empty());
  }
}

TEST(PodParagraphs, AreTextWithoutCodesHeadingsAndListings) {
  EXPECT_EQ(pod_paragraphs("not pod\n\n=head1 NAME\n\nplain B<bold C<code>> and L<a page|perl/x>,\n"
                           "with E<lt>signsE<gt> and C<< $a->b >>.\n\n    listing\n\n"
                           "=for html not this\n\nbut this X<index>\n\n"
                           "=begin html\n\nblock\n\n=end html\n\nL<perlfunc> L</\"A section\">\n\n"
                           "=cut\n\nprogram\n"),
            (Lines{"plain bold code and a page, with <signs> and $a->b.", "but this",
                   "perlfunc A section"}));
}

TEST(PodParagraphs, OfUnclosedCodesEnd) {
  std::string deep = "=pod\n\n";
  for (int i = 0; i < 100'000; ++i) deep += "B<";
  EXPECT_EQ(pod_paragraphs(deep).size(), 1U);
}

TEST(Prose, IsLongMostlyLettersAndEnglish) {
  const std::string prose =
      "This is one of the paragraphs that are written here only so that there is some prose for it";
  EXPECT_TRUE(is_prose(prose));
  EXPECT_FALSE(is_prose(prose.substr(0, 79))) << "too short";
  EXPECT_FALSE(
      is_prose("Nostop wordless gibberish sentences Nostop wordless gibberish sentences "
               "Nostop wordless gibberish sentences"))
      << "no words of English";
  EXPECT_FALSE(is_prose(prose + " = 1; x[2] += { 3, 4, 5 }; y[6] -= { 7 * 8 }; z = 9 / (10 % 11);"))
      << "a listing";
  // Letters of any script count as letters, other signs do not.
  EXPECT_TRUE(is_prose(prose + " \u00e9\u00e8\u00ea\u4e2d\u6587"));
  EXPECT_FALSE(
      is_prose(prose + std::string(1, ' ') +
               "\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500"
               "\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500"));
}

}  // namespace
}  // namespace bitlaw
