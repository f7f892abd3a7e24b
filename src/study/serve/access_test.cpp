#include "serve/access.h"

#include <gtest/gtest.h>

#include <set>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef01234567";

WebRequest request_for(const std::string& path, const std::string& host = "localhost:7411") {
  WebRequest request{.path = path};
  request.host = host;
  return request;
}

int status_of(const std::optional<WebAnswer>& answer) {
  return answer ? answer->status : 0;
}

TEST(Access, NamesOfThisMachineAreLoopback) {
  for (const char* host : {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:7411",
                           "127.9.8.7:1", "[::1]", "[::1]:7411"})
    EXPECT_TRUE(is_loopback_host(host)) << host;
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:80:80",
        "127.0.0.1@evil.example", "128.0.0.1", "127.0.0.256", "127.0.0", "0.0.0.0", "[::2]", "[::1",
        "[::1]x", "localhost:80x", "localhost:-1", "127.0.0.1:999999", " localhost"})
    EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(Access, OtherNamesOnLoopbackAreRefused) {
  const Access access(true, "", 7411);
  EXPECT_FALSE(access.stop(request_for("/")));
  EXPECT_FALSE(access.stop(request_for("/api/runs", "127.0.0.1:9000")));  // a tunnel
  EXPECT_EQ(status_of(access.stop(request_for("/", "rebound.example:7411"))), 421);
  EXPECT_EQ(status_of(access.stop(request_for("/api/runs", ""))), 421);
}

TEST(Access, OnlyGetAndHeadAndOneQuestion) {
  const Access access(true, "", 7411);
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
    WebRequest request = request_for("/api/runs");
    request.method = method;
    const auto answer = access.stop(request);
    ASSERT_EQ(status_of(answer), 405) << method;
    EXPECT_EQ(answer->allow, "GET, HEAD");
  }
  WebRequest question = request_for("/api/ask");
  EXPECT_EQ(status_of(access.stop(question)), 405);
  question.method = "POST";
  EXPECT_FALSE(access.stop(question));
}

TEST(Access, ElsewhereEveryPathNeedsTheToken) {
  const Access access(false, kToken, 7411);
  for (const char* path : {"/", "/planner", "/report", "/api/runs", "/api/events", "/nothing"}) {
    WebRequest request = request_for(path, "node7:7411");
    const auto refused = access.stop(request);
    ASSERT_EQ(status_of(refused), 401) << path;
    EXPECT_EQ(refused->challenge, "Bearer");
    request.authorization = "Bearer " + kToken;
    EXPECT_FALSE(access.stop(request)) << path;
    request.authorization.clear();
    request.cookie = "other=1; bitlaw_7411=" + kToken;
    EXPECT_FALSE(access.stop(request)) << path;
  }
}

TEST(Access, NothingButTheTokenIsTheToken) {
  const Access access(false, kToken, 7411);
  std::string other = kToken;
  other.back() ^= 1;
  for (const std::string& given :
       {std::string(), std::string("x"), kToken.substr(1), kToken + "0", other, " " + kToken}) {
    WebRequest request = request_for("/api/runs");
    request.authorization = "Bearer " + given;
    EXPECT_EQ(status_of(access.stop(request)), 401) << given;
    request.authorization = "Basic " + given;
    EXPECT_EQ(status_of(access.stop(request)), 401) << given;
    request.authorization.clear();
    request.cookie = "bitlaw_7411=" + given;
    EXPECT_EQ(status_of(access.stop(request)), 401) << given;
    // Of another port, or another name that ends like it.
    request.cookie = "bitlaw_7412=" + kToken + "; xbitlaw_7411=" + kToken;
    EXPECT_EQ(status_of(access.stop(request)), 401);
    // The address takes it at the first visit alone.
    request.cookie.clear();
    request.query = {{"token", kToken}};
    EXPECT_EQ(status_of(access.stop(request)), 401);
  }
}

TEST(Access, TheFirstVisitSetsACookieAndHidesTheToken) {
  const Access access(false, kToken, 7411);
  WebRequest request = request_for("/");
  request.query = {{"token", kToken}};
  const auto visit = access.stop(request);
  ASSERT_EQ(status_of(visit), 303);
  EXPECT_EQ(visit->location, "/");
  EXPECT_EQ(visit->cookie, "bitlaw_7411=" + kToken + "; Path=/; HttpOnly; SameSite=Strict");
  request.cookie = "bitlaw_7411=" + kToken;
  EXPECT_EQ(access.stop(request)->location, "/");
  request.query = {{"token", kToken.substr(1)}};
  request.cookie.clear();
  EXPECT_EQ(status_of(access.stop(request)), 401);
}

// A token on loopback does not make another site's name right.
TEST(Access, ATokenOnLoopbackIsNeededBesidesTheName) {
  const Access access(true, kToken, 7411);
  WebRequest request = request_for("/", "rebound.example");
  request.authorization = "Bearer " + kToken;
  EXPECT_EQ(status_of(access.stop(request)), 421);
  EXPECT_EQ(status_of(access.stop(request_for("/"))), 401);
}

TEST(Access, PagesOfOtherSitesGetNoData) {
  const Access access(true, "", 7411);
  for (const char* site : {"cross-site", "same-site"}) {
    WebRequest request = request_for("/api/events");
    request.fetch_site = site;
    EXPECT_EQ(status_of(access.stop(request)), 403) << site;
  }
  for (const char* site : {"same-origin", "none", ""}) {
    WebRequest request = request_for("/api/events");
    request.fetch_site = site;
    EXPECT_FALSE(access.stop(request)) << site;
  }
  WebRequest question = request_for("/api/ask");
  question.method = "POST";
  question.origin = "http://evil.example";
  EXPECT_EQ(status_of(access.stop(question)), 403);
  question.origin = "null";
  EXPECT_EQ(status_of(access.stop(question)), 403);
  question.origin = "http://localhost:7411";
  EXPECT_FALSE(access.stop(question));
}

TEST(Access, TokensAreLongAndPlain) {
  const TestFolder folder;
  folder.write("good", kToken + "\nmore\n");
  EXPECT_EQ(read_token((folder / "good").string()), kToken);
  folder.write("short", "0123456789\n");
  EXPECT_NE(error_of([&] { read_token((folder / "short").string()); }).find("10 characters"),
            std::string::npos);
  folder.write("odd", kToken + "; Path=/\n");
  EXPECT_NE(error_of([&] { read_token((folder / "odd").string()); }).find("letters"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_token((folder / "none").string()); }), "");
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    const std::string token = make_token();
    EXPECT_EQ(error_of([&] { require_token(token, "made"); }), "");
    made.insert(token);
  }
  EXPECT_EQ(made.size(), 100u);
}

TEST(Access, AddressesAreWrittenAsBrowsersTakeThem) {
  EXPECT_EQ(address_text("127.0.0.1", 80), "http://127.0.0.1:80");
  EXPECT_EQ(address_text("::1", 7411), "http://[::1]:7411");
}

}  // namespace
}  // namespace bitlaw
