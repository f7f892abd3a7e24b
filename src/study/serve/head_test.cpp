#include "serve/head.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

int status_of_head(const std::string& head) {
  return checked_head(head).status;
}

const std::string kGood = "GET /x?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(Head, AGoodHeadPassesWithoutWhatNobodyNeeds) {
  EXPECT_EQ(checked_head(kGood).bytes, kGood);
  EXPECT_EQ(checked_head("GET / HTTP/1.1\r\nRange: bytes=0-\r\nHost: x\r\naccept-ENCODING: gzip\r\n"
                         "If-Range: a\r\nExpect: 100-continue\r\nCookie: a=b\r\n\r\n")
                .bytes,
            "GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n\r\n");
}

TEST(Head, WhatIsWrongHasItsStatus) {
  const auto with = [](const std::string& lines) {
    return "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
  };
  EXPECT_EQ(status_of_head(with("")), 200);
  EXPECT_EQ(status_of_head(with("Transfer-Encoding: chunked\r\n")), 411);
  EXPECT_EQ(status_of_head(with("Host: y\r\n")), 400);
  EXPECT_EQ(status_of_head("GET / HTTP/1.1\r\n\r\n"), 400);  // no host
  EXPECT_EQ(status_of_head(with("no name\r\n")), 400);
  EXPECT_EQ(status_of_head(with(": value\r\n")), 400);
  EXPECT_EQ(status_of_head(with("X : value\r\n")), 400);
  EXPECT_EQ(status_of_head(with(" folded: value\r\n")), 400);
  EXPECT_EQ(status_of_head(with("X: a\nY: b\r\n")), 400);
  EXPECT_EQ(status_of_head(with("X: a\rY: b\r\n")), 400);
  EXPECT_EQ(status_of_head(with(std::string("X: a\0b\r\n", 8))), 400);
  EXPECT_EQ(status_of_head("GET / HTTP/2\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(status_of_head("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of_head("GET /\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of_head("\r\n\r\n"), 400);
  EXPECT_EQ(status_of_head(""), 400);
  EXPECT_EQ(status_of_head("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of_head("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
  EXPECT_EQ(status_of_head("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
  EXPECT_EQ(status_of_head("get / HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
}

TEST(Head, EverythingHasALimit) {
  const auto target = [](size_t length) {
    return "GET /" + std::string(length - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  EXPECT_EQ(status_of_head(target(kLongestTarget)), 200);
  EXPECT_EQ(status_of_head(target(kLongestTarget + 1)), 414);
  const auto header = [](size_t length) {
    return "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(length - 3, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(status_of_head(header(kLongestLine)), 200);
  EXPECT_EQ(status_of_head(header(kLongestLine + 1)), 431);
  const auto headers = [](size_t count) {
    std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (size_t i = 1; i < count; ++i) head += "A: b\r\n";
    return head + "\r\n";
  };
  EXPECT_EQ(status_of_head(headers(kMostHeaders)), 200);
  EXPECT_EQ(status_of_head(headers(kMostHeaders + 1)), 431);
  std::string whole = "GET / HTTP/1.1\r\nHost: x\r\n";
  while (whole.size() < kLongestHead) whole += "A: " + std::string(1000, 'a') + "\r\n";
  EXPECT_EQ(status_of_head(whole + "\r\n"), 431);
}

TEST(Head, QueriesAreDecodedOnceAndSplitAtTheFirstSign) {
  using Query = std::multimap<std::string, std::string>;
  EXPECT_EQ(query_in("/api/runs?where=P_w=4&where=N%3E1e6&x"),
            (Query{{"where", "P_w=4"}, {"where", "N>1e6"}, {"x", ""}}));
  EXPECT_EQ(query_in("/?a=%252e&b=1+2%2B3&c=%zz&d=%4#e=5"),
            (Query{{"a", "%2e"}, {"b", "1 2+3"}, {"c", "%zz"}, {"d", "%4"}}));
  EXPECT_EQ(query_in("/"), Query{});
  EXPECT_EQ(query_in("/?&&=&"), (Query{{"", ""}}));
}

}  // namespace
}  // namespace bitlaw
