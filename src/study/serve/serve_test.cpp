// The live view through sockets on loopback: what browsers ask, and what nobody should.
#include "serve/serve.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <thread>

#include "base/json.h"
#include "serve/access.h"
#include "serve/runs_for_tests.h"

namespace bitlaw {
namespace {

constexpr const char
    *kLive = "<!doctype html><script>1</script>",
    *kPlan =
        R"(<!doctype html><script id="fit" type="application/json"></script><script>2</script>)";

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(static_cast<uint16_t>(port));
    ::inet_pton(AF_INET, "127.0.0.1", &place.sin_addr);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place), 0);
  }
  void send(const std::string& bytes) const {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count =
          ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;  // refused in the middle
      sent += static_cast<size_t>(count);
    }
  }
  // Until the other end closes, `until` stands in it, or so many seconds are over.
  std::string read(double limit = 10, const std::string& until = {}) {
    const double end = seconds() + limit;
    while (until.empty() || text_.find(until) == std::string::npos) {
      pollfd waiting{socket_.get(), POLLIN, 0};
      const double left = end - seconds();
      if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(1000 * left) + 1) <= 0) break;
      char bytes[8192];
      const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
      closed_ = count <= 0;
      if (closed_) break;
      text_.append(bytes, static_cast<size_t>(count));
    }
    return text_;
  }
  bool closed() const { return closed_; }

 private:
  Descriptor socket_;
  std::string text_;
  bool closed_ = false;
};

std::string get_text(const std::string& target, const std::string& headers = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

std::string answer_to(int port, const std::string& request) {
  Client client(port);
  client.send(request);
  return client.read();
}

int status_in(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

std::string reason_in(const std::string& answer) {
  return answer.size() > 13 ? answer.substr(13, answer.find("\r\n") - 13) : "";
}

std::string header_of(const std::string& answer, const std::string& name) {
  const size_t place = answer.find("\r\n" + name + ": ");
  if (place == std::string::npos) return "";
  const size_t start = place + name.size() + 4;
  return answer.substr(start, answer.find("\r\n", start) - start);
}

std::string body_of(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

class ServedRuns : public testing::Test {
 protected:
  ServedRuns() { made_.add(1000, 25'600); }

  ServeOptions options() const {
    ServeOptions options{.runs = {made_.runs()}, .port = 0, .pages = {kLive, kPlan}};
    options.look_seconds = 0.1;
    return options;
  }
  MadeUpRuns made_;
};

TEST_F(ServedRuns, PagesAndDocumentsHaveTheirTypesAndHeaders) {
  LiveServer server(options());
  EXPECT_EQ(server.address(), "http://127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(server.token(), "");
  const std::pair<const char*, const char*> kExpected[] = {
      {"/", kPageType},           {"/planner", kPageType},
      {"/report", kPageType},     {"/api/studies", kJsonType},
      {"/api/runs", kJsonType},   {"/api/fit", kJsonType},
      {"/api/report", kJsonType}, {"/api/runs?where=P_w=16", kJsonType}};
  for (const auto& [target, type] : kExpected) {
    const std::string answer = answer_to(server.port(), get_text(target));
    ASSERT_EQ(status_in(answer), 200) << answer.substr(0, 500);
    EXPECT_EQ(header_of(answer, "Content-Type"), type) << target;
    if (type == std::string(kJsonType)) parse_json(body_of(answer), target);
  }
  for (const char* target : {"/", "/api/runs", "/nothing", "/planner", "/report"}) {
    const std::string answer = answer_to(server.port(), get_text(target));
    EXPECT_EQ(header_of(answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header_of(answer, "X-Frame-Options"), "DENY");
    EXPECT_EQ(header_of(answer, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(header_of(answer, "Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(header_of(answer, "Cross-Origin-Resource-Policy"), "same-origin");
    EXPECT_EQ(header_of(answer, "Cache-Control"), "no-store");
    const std::string policy = header_of(answer, "Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'")) << policy;
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe-eval"), std::string::npos);
  }
  const std::string head =
      answer_to(server.port(), "HEAD /api/runs HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_in(head), 200);
  EXPECT_EQ(body_of(head), "");
}

TEST_F(ServedRuns, AQuestionIsAnsweredAsElsewhere) {
  LiveServer server(options());
  const std::string question = "{\"verb\":\"plan\",\"options\":{\"compute\":1e20}}";
  const auto post = [&](const std::string& body, const std::string& headers) {
    return answer_to(server.port(),
                     "POST /api/ask HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body);
  };
  const std::string type = "Content-Type: application/json\r\n";
  const auto length = [](size_t bytes) {
    return "Content-Length: " + std::to_string(bytes) + "\r\n";
  };
  const Json answer = parse_json(body_of(post(question, type + length(question.size()))), "answer");
  EXPECT_GT(answer["optimum"]["N"].get<double>(), 1e6);
  const std::string wrong = post("{", type + length(1));
  EXPECT_EQ(status_in(wrong), 400);
  EXPECT_EQ(parse_json(body_of(wrong), "answer").count("error"), 1u);
  EXPECT_EQ(status_in(post(question, type)), 411);
  EXPECT_EQ(status_in(post(question, length(question.size()))), 415);
  EXPECT_EQ(status_in(post(question, type + "Content-Encoding: gzip\r\n" + length(9))), 415);
  EXPECT_EQ(status_in(post(question, "Content-Type: multipart/form-data; boundary=x\r\n" +
                                         length(question.size()))),
            415);
  EXPECT_EQ(status_in(post("", type + length(100'000'000))), 413);
  EXPECT_EQ(status_in(post("", type + "Content-Length: -1\r\n")), 411);
  EXPECT_EQ(status_in(post("", type + length(1) + length(2))), 411);
  EXPECT_EQ(status_in(post(question, type + "Transfer-Encoding: chunked\r\n")), 411);
}

TEST_F(ServedRuns, HostileRequestsAreRefusedAndTheNextOneIsAnswered) {
  made_.folder().write("secret", "secret of the folder");
  made_.folder().write("study/secret", "secret of the study");
  LiveServer server(options());
  const std::string id =
      parse_json(body_of(answer_to(server.port(), get_text("/api/runs"))), "runs")["rows"][0]["id"]
          .get<std::string>();
  const std::pair<std::string, int> kRequests[] = {
      {get_text("/api/runs/" + id + "/curve"), 200},
      {get_text("/api/runs/../../secret"), 404},
      {get_text("/api/runs/../secret/curve"), 404},
      {get_text("/api/runs/%2e%2e/%2e%2e/etc/passwd"), 404},
      {get_text("/api/runs/..%2fsecret/curve"), 404},
      {get_text("/api/runs/" + id + "/../secret"), 404},
      {get_text("/api/runs/" + id + "%00/curve"), 404},
      {get_text("/api/runs/" + id + "/curve/"), 404},
      {get_text("//etc/passwd"), 404},
      {get_text("/secret"), 404},
      {get_text("/api/runs?where=P_w"), 400},
      {get_text("/api/fit?study=../secret"), 400},
      {get_text("/api/report?study=../secret"), 400},
      {get_text("/?next=%0d%0aSet-Cookie:%20a=b"), 200},
      {get_text("/%0d%0aSet-Cookie:%20a=b"), 404},
      {get_text("/", "X: a%0d%0aSet-Cookie: a=b\r\n"), 200},
      {"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n", 421},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx", 405},
      {"DELETE /api/runs HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {get_text("/", "Content-Length: 5\r\n") + "hello", 400},
      {get_text("/", "Range: bytes=" + std::string(7000, '1') + "\r\n"), 200},
      {get_text("/" + std::string(5000, 'a')), 414},
      {get_text("/", "X: " + std::string(9000, 'a') + "\r\n"), 431},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'a'), 431},
      {get_text("/", "X: \x01\r\n"), 400},
      {std::string(2000, '\n') + "\r\n\r\n", 400},
      {"\x16\x03\x01\x02" + std::string(200, 'x') + "\r\n\r\n", 400},  // TLS
  };
  // Of RFC 9110 and RFC 6585.
  const std::map<int, std::string> kReasons = {{200, "OK"},
                                               {400, "Bad Request"},
                                               {404, "Not Found"},
                                               {405, "Method Not Allowed"},
                                               {414, "URI Too Long"},
                                               {421, "Misdirected Request"},
                                               {431, "Request Header Fields Too Large"},
                                               {505, "HTTP Version Not Supported"}};
  for (const auto& [request, status] : kRequests) {
    const std::string answer = answer_to(server.port(), request);
    EXPECT_EQ(status_in(answer), status) << request.substr(0, 100) << "\n" << answer.substr(0, 300);
    EXPECT_EQ(reason_in(answer), kReasons.at(status));
    if (status == 405) {
      EXPECT_NE(body_of(answer).find("POST /api/ask"), std::string::npos) << answer;
    }
    EXPECT_EQ(answer.find("secret of"), std::string::npos);
    EXPECT_EQ(header_of(answer, "Set-Cookie"), "") << request.substr(0, 100);
    EXPECT_NE(header_of(answer, "Content-Security-Policy"), "") << request.substr(0, 100);
  }
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/"))), 200);
}

TEST_F(ServedRuns, AnAddressOfOthersHasAToken) {
  ServeOptions everywhere = options();
  everywhere.listen = "0.0.0.0";
  LiveServer server(everywhere);
  ASSERT_GE(server.token().size(), kShortestToken);
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/runs"))), 401);
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/events"))), 401);
  const std::string with = "Authorization: Bearer " + server.token() + "\r\n";
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/runs", with))), 200);
  const std::string visit = answer_to(server.port(), get_text("/?token=" + server.token()));
  EXPECT_EQ(status_in(visit), 303);
  EXPECT_EQ(header_of(visit, "Location"), "/");
  const std::string cookie = header_of(visit, "Set-Cookie");
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos);
  const std::string sent = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/runs", sent))), 200);
  // A body is not read for somebody without the token.
  const std::string answer =
      answer_to(server.port(),
                "POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n"
                "Content-Type: application/json\r\n\r\n");
  EXPECT_EQ(status_in(answer), 401);
  everywhere.token = "short";
  EXPECT_NE(error_of([&] { LiveServer{everywhere}; }).find("expected 32"), std::string::npos);
}

TEST_F(ServedRuns, AddressesThatCannotBeListenedAtAreSaidSo) {
  LiveServer server(options());
  ServeOptions same = options();
  same.port = server.port();
  EXPECT_NE(error_of([&] { LiveServer{same}; }).find("choose another one"), std::string::npos);
  same = options();
  same.listen = "192.0.2.1";  // of no machine
  EXPECT_NE(error_of([&] { LiveServer{same}; }).find("192.0.2.1"), std::string::npos);
}

// Silent and slow ones hold no worker: there is one here.
TEST_F(ServedRuns, SilentClientsKeepNobodyOut) {
  ServeOptions one = options();
  one.limits.workers = 1;
  one.limits.unfinished = 32;
  one.limits.head_seconds = 3;
  LiveServer server(one);
  std::vector<Client> silent;
  for (int i = 0; i < 100; ++i) {
    silent.emplace_back(server.port());
    if (i % 2 == 0) silent.back().send("GET / HTTP/1.1\r\nHost: local");
  }
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/runs"))), 200);
  const double start = seconds();
  for (Client& each : silent) {
    each.read(15);
    EXPECT_TRUE(each.closed());
  }
  EXPECT_LT(seconds() - start, 10);
  EXPECT_EQ(status_in(silent.back().read()), 408);
  EXPECT_EQ(status_in(silent.front().read()), 503);  // the oldest of too many
}

TEST_F(ServedRuns, ABodyThatDoesNotArriveEnds) {
  ServeOptions quick = options();
  quick.limits.exchange.seconds = 0.3;
  LiveServer server(quick);
  Client client(server.port());
  client.send(
      "POST /api/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 100\r\n\r\n{");
  client.read(5);
  EXPECT_TRUE(client.closed());
}

TEST_F(ServedRuns, FiftyViewersGetTheSameBytesAndKeepNobodyOut) {
  ServeOptions one = options();
  one.limits.workers = 1;
  one.limits.viewers = 50;
  LiveServer server(one);
  std::vector<Client> viewers;
  for (int i = 0; i < 50; ++i) {
    viewers.emplace_back(server.port());
    viewers.back().send(get_text("/api/events"));
    ASSERT_NE(viewers.back().read(10, "event: hello").find("event: hello"), std::string::npos);
  }
  EXPECT_EQ(server.viewers(), 50u);
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/events"))), 503);
  const std::string run = made_.begin(2000, 25'600);
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/api/studies"))), 200);
  std::string first;
  for (Client& viewer : viewers) {
    const std::string text = body_of(viewer.read(10, run));
    const size_t place = text.find("event: look");
    ASSERT_NE(place, std::string::npos);
    const std::string event = text.substr(place, text.find("\n\n", place) - place);
    EXPECT_NE(event.find(run), std::string::npos);
    if (first.empty()) first = event;
    EXPECT_EQ(event, first);
  }
  viewers.clear();
  const double start = seconds();
  while (server.viewers() > 0 && seconds() - start < 10)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(server.viewers(), 0u);
  EXPECT_EQ(status_in(answer_to(server.port(), get_text("/"))), 200);
}

TEST(Door, LetsAViewerGoThatDoesNotRead) {
  DoorLimits limits;
  limits.viewer_bytes = 100'000;
  Door door("127.0.0.1", 0, limits);
  door.open(
      {.gate = [](const WebRequest&) { return std::optional<WebAnswer>(); },
       .answer = [](const WebRequest&) { return WebAnswer{.type = kEventsType, .events = true}; },
       .admit = {}},
      [] { return std::string("event: hello\n\n"); });
  Client client(door.port());
  client.send(get_text("/api/events"));
  client.read(10, "event: hello");
  ASSERT_EQ(door.viewers(), 1u);
  const std::string event = "data: " + std::string(50'000, 'x') + "\n\n";
  const double start = seconds();
  while (door.viewers() > 0 && seconds() - start < 20) {
    door.send(event);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(door.viewers(), 0u);
}

TEST_F(ServedRuns, EndsAtOnceWithViewersAndSilentClients) {
  auto server = std::make_unique<LiveServer>(options());
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(server->port());
    if (i % 2 == 0) clients.back().send(get_text("/api/events"));
  }
  clients[0].read(10, "event: hello");
  // What a fit takes until its next task is not the door's: the program does not wait for it.
  const double start = seconds();
  server.reset();
  EXPECT_LT(seconds() - start, 5);
  for (Client& client : clients) {
    client.read(5);
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(ServedRuns, NothingIsWritten) {
  const std::string before = made_.state();
  {
    LiveServer server(options());
    for (const char* target : {"/", "/api/runs", "/api/studies", "/api/fit", "/api/report",
                               "/report", "/planner", "/api/runs?where=N>1"})
      answer_to(server.port(), get_text(target));
  }
  EXPECT_EQ(made_.state(), before);
}

}  // namespace
}  // namespace bitlaw
