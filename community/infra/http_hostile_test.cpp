// SPDX-License-Identifier: Apache-2.0
// What strangers may try against the server, one attack in one test. Each ends with the server still serving.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "community/infra/api/http_server.hpp"

namespace community::infra {
namespace {

namespace asio = boost::asio;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class http_hostile_test : public testing::Test {
 protected:
  http_hostile_test() {
    // Short enough to wait for, long enough for a busy machine: no test measures them.
    options.limits.idle = Milliseconds(50);
    options.limits.header = Milliseconds(50);
    options.limits.body = Milliseconds(50);
    options.limits.write = Milliseconds(50);
    options.limits.body_bytes = 10'000;
    options.limits.header_bytes = 4'096;
    options.limits.connections = 4;
  }
  ~http_hostile_test() override {
    if (!server) return;
    EXPECT_EQ(talk(kGet).substr(0, 12), "HTTP/1.1 200");
    loop.block_on(server->stop());
  }
  void start() {
    server = std::make_unique<HttpServer>(loop, options, [this](HttpRequest request) -> Task<HttpResponse> {
      handled++;
      co_return http_text(200, std::string(answer_bytes, 'x') + request.body);
    });
    ASSERT_TRUE(server->start().has_value());
  }

  Task<asio::ip::tcp::socket> connect() {
    asio::ip::tcp::socket socket(loop.executor());
    const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), server->port());
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    co_return socket;
  }
  // What comes until the server closes.
  static Task<std::string> read_all(asio::ip::tcp::socket& socket) {
    std::string received;
    char buffer[4'096];
    for (;;) {
      const auto [error, size] = co_await socket.async_read_some(asio::buffer(buffer), kTuple);
      received.append(buffer, size);
      if (error) co_return received;
    }
  }
  Task<std::string> converse(std::string bytes) {
    auto socket = co_await connect();
    co_await asio::async_write(socket, asio::buffer(bytes), kTuple);
    co_return co_await read_all(socket);
  }
  std::string talk(std::string bytes) { return loop.block_on(converse(std::move(bytes))); }
  static std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) found++;
    return found;
  }

  EventLoop loop;
  HttpServerOptions options;
  std::unique_ptr<HttpServer> server;
  int handled = 0;
  std::size_t answer_bytes = 0;
};

TEST_F(http_hostile_test, ASilentConnectionIsClosed) {
  start();
  EXPECT_EQ(talk(""), "");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, AHeaderThatDripsIsCutHoweverOftenAByteComes) {
  start();
  auto drip = [&]() -> Task<void> {
    auto socket = co_await connect();
    std::string byte = "G";
    const std::string text = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
    for (std::size_t i = 0;; i++) {
      byte[0] = i < text.size() ? text[i] : 'x';
      const auto [error, size] = co_await asio::async_write(socket, asio::buffer(byte), kTuple);
      if (error) co_return;
      co_await sleep_real(Milliseconds(2));
    }
  };
  loop.block_on(drip());
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, ABodyThatDoesNotComeIsCut) {
  start();
  EXPECT_EQ(talk("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"), "");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, AnAnnouncedLargeBodyIsRefusedWithTheLimit) {
  start();
  const auto answer = talk("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10001\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 413");
  EXPECT_NE(answer.find("10000 bytes"), std::string::npos);
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, ALargeBodyInChunksIsRefusedToo) {
  start();
  std::string request = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; i++) request += "400\r\n" + std::string(1'024, 'x') + "\r\n";
  EXPECT_EQ(talk(request).substr(0, 12), "HTTP/1.1 413");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, ABodyAtTheLimitIsServed) {
  start();
  const auto answer = talk("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 10000\r\n\r\n" +
                           std::string(10'000, 'b'));
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
}

TEST_F(http_hostile_test, LargeBodiesGoToTheirPathAlone) {
  options.large_bodies = {{"POST", "/large", 50'000, {}}};
  options.limits.large_body = Milliseconds(5'000);
  start();
  const auto post = [this](const std::string& path, std::size_t size, std::size_t announced) {
    return talk("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(announced) +
                "\r\n\r\n" + std::string(size, 'x'))
        .substr(0, 12);
  };
  EXPECT_EQ(post("/large", 50'000, 50'000), "HTTP/1.1 200");
  EXPECT_EQ(post("/large?more", 10'001, 10'001), "HTTP/1.1 200");
  EXPECT_EQ(post("/large", 0, 50'001), "HTTP/1.1 413");
  EXPECT_EQ(post("/large/below", 0, 10'001), "HTTP/1.1 413");
  EXPECT_EQ(post("/", 0, 10'001), "HTTP/1.1 413");
  EXPECT_EQ(talk("PUT /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10001\r\n\r\n").substr(0, 12),
            "HTTP/1.1 413");
  EXPECT_EQ(handled, 2);
  // Who does not say how much comes has no more room than others.
  std::string chunks = "POST /large HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 12; i++) chunks += "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
  EXPECT_EQ(talk(chunks + "0\r\n\r\n").substr(0, 12), "HTTP/1.1 413");
  EXPECT_EQ(handled, 2);
}

TEST_F(http_hostile_test, LargeBodiesHaveTheirOwnBudget) {
  constexpr std::uint64_t kLarge = 16ull << 20;
  options.large_bodies = {{"POST", "/large", kLarge, {}}};
  options.limits.large_body = Milliseconds(60'000);
  start();
  const std::string head =
      "POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(kLarge) + "\r\n\r\n";
  auto fill = [&]() -> Task<void> {
    // Two that come slowly fill the budget.
    auto first = co_await connect(), second = co_await connect();
    co_await asio::async_write(first, asio::buffer(head), asio::use_awaitable);
    co_await asio::async_write(second, asio::buffer(head), asio::use_awaitable);
    while (server->connections() < 2) co_await reschedule();
    // Both headers are read before a third connection is accepted: what is there is served in the order it came.
    for (int i = 0; i < 1'000; i++) co_await reschedule();
    const std::string third = co_await converse(head);
    EXPECT_EQ(third.substr(0, 12), "HTTP/1.1 503");
    const std::string small =
        "POST /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9000\r\n\r\n";
    const std::string other = co_await converse(small + std::string(9'000, 'x'));
    EXPECT_EQ(other.substr(0, 12), "HTTP/1.1 200");
  };
  loop.block_on(fill());
}

TEST_F(http_hostile_test, WhoIsNotAdmittedTakesNoRoomOfLargeBodies) {
  constexpr std::uint64_t kLarge = 16ull << 20;
  std::vector<std::string> asked;
  const HttpGate admit = [&asked](const HttpRequest& head) -> Task<HttpAdmission> {
    asked.push_back(head.method + " " + head.target + " " + head.body);
    co_await reschedule();
    if (head.headers.get("cookie") == "throw") throw std::runtime_error("the gate fails");
    HttpAdmission admission;
    if (head.headers.get("cookie") != "known") admission.refusal = http_text(401, "who are you?\n");
    co_return admission;
  };
  options.large_bodies = {{"POST", "/large", kLarge, admit}};
  options.limits.large_body = Milliseconds(60'000);
  start();
  const auto head = [](const std::string& cookie, std::uint64_t length) {
    return "POST /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: " + cookie +
           "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  };
  // They announce all there is room for, and are answered without having sent any of it.
  for (int i = 0; i < 8; i++) EXPECT_EQ(talk(head("unknown", kLarge)).substr(0, 12), "HTTP/1.1 401");
  EXPECT_EQ(talk(head("throw", kLarge)).substr(0, 12), "HTTP/1.1 500");
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(asked.size(), 9u);
  EXPECT_EQ(asked[0], "POST /large ");
  // Who sends it all the same reads the answer.
  EXPECT_EQ(talk(head("unknown", kLarge) + std::string(kLarge, 'x')).substr(0, 12), "HTTP/1.1 401");
  EXPECT_EQ(talk(head("known", 50'000) + std::string(50'000, 'x')).substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(asked.size(), 11u);
  // A small body is read before anybody asks, from the budget of all others.
  EXPECT_EQ(talk(head("unknown", 9'000) + std::string(9'000, 'x')).substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(asked.size(), 11u);
}

TEST_F(http_hostile_test, APlaceIsKeptUntilTheRequestIsOver) {
  constexpr std::uint64_t kLarge = 16ull << 20;
  const auto places = std::make_shared<int>(0);
  const HttpGate admit = [places](const HttpRequest&) -> Task<HttpAdmission> {
    HttpAdmission admission;
    if (*places > 0) {
      admission.refusal = http_text(429, "one at a time\n");
      co_return admission;
    }
    ++*places;
    admission.place = std::shared_ptr<void>(places.get(), [places](void*) { --*places; });
    co_return admission;
  };
  options.large_bodies = {{"POST", "/large", kLarge, admit}};
  options.limits.large_body = Milliseconds(60'000);
  start();
  const auto head = [](std::uint64_t length) {
    return "POST /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
  };
  const std::string all = head(50'000) + std::string(50'000, 'x');
  auto take_turns = [&]() -> Task<void> {
    {
      auto slow = co_await connect();
      const std::string begun = head(kLarge) + "x";
      co_await asio::async_write(slow, asio::buffer(begun), asio::use_awaitable);
      while (*places == 0) co_await reschedule();
      const std::string refused = co_await converse(all);
      EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 429");
    }
    // The slow one went away.
    while (*places > 0) co_await reschedule();
    const std::string served = co_await converse(all);
    EXPECT_EQ(served.substr(0, 12), "HTTP/1.1 200");
    while (*places > 0) co_await reschedule();
  };
  loop.block_on(take_turns());
  EXPECT_EQ(handled, 1);
}

TEST_F(http_hostile_test, LargeBodiesStayLargeWhereOthersMayBeAsLarge) {
  constexpr std::uint64_t kLarge = 4ull << 20;
  int asked = 0;
  const HttpGate admit = [&asked](const HttpRequest&) -> Task<HttpAdmission> {
    asked++;
    co_return HttpAdmission();
  };
  options.large_bodies = {{"POST", "/large", kLarge, admit}};
  options.limits.body_bytes = 2 * kLarge;
  options.limits.body = options.limits.large_body = Milliseconds(60'000);
  start();
  const auto post = [this](const std::string& path, std::uint64_t size) {
    return talk("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
                std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'))
        .substr(0, 12);
  };
  EXPECT_EQ(post("/", kLarge + 1), "HTTP/1.1 200");
  EXPECT_EQ(post("/large", kOrdinaryBodyBytes), "HTTP/1.1 200");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(post("/large", kOrdinaryBodyBytes + 1), "HTTP/1.1 200");
  EXPECT_EQ(post("/large", kLarge), "HTTP/1.1 200");
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(post("/large", kLarge + 1), "HTTP/1.1 413");
  // In chunks, without saying how much it will be, it would be large unasked.
  std::string chunks = "POST /large HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 17; i++) chunks += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  EXPECT_EQ(talk(chunks + "0\r\n\r\n").substr(0, 12), "HTTP/1.1 413");
  EXPECT_EQ(asked, 2);
}

TEST_F(http_hostile_test, AHeaderBombIsRefused) {
  start();
  std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 1'000; i++) request += "X-" + std::to_string(i) + ": " + std::string(20, 'y') + "\r\n";
  EXPECT_EQ(talk(request + "\r\n").substr(0, 12), "HTTP/1.1 431");
  EXPECT_EQ(talk("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n").substr(0, 12), "HTTP/1.1 431");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, GarbageIsRefused) {
  start();
  EXPECT_EQ(talk("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello TLS\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(talk("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(talk("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, TwoLengthsOrLengthAndChunksAreRefused) {
  start();
  const std::string head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_EQ(talk(head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(talk(head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").substr(0, 12),
            "HTTP/1.1 400");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, TwoHostsOrNoneAreRefused) {
  start();
  EXPECT_EQ(talk("GET / HTTP/1.1\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n").substr(0, 12), "HTTP/1.1 403");
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, APageOfAStrangerCannotCall) {
  start();
  const auto answer =
      talk("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.com\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 403");
  EXPECT_EQ(count(answer, "Access-Control-Allow-Origin"), 0u);
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, APageOfThisMachineIsToldThatItMay) {
  start();
  const auto answer = talk(
      "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:5173\r\n"
      "Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 204");
  EXPECT_EQ(count(answer, "Access-Control-Allow-Origin: http://localhost:5173"), 1u);
  EXPECT_EQ(handled, 0);
}

TEST_F(http_hostile_test, APipeliningFloodIsServedInOrderOnOneConnection) {
  start();
  std::string flood;
  for (int i = 0; i < 2'000; i++) flood += kGet;
  EXPECT_EQ(count(talk(flood), "HTTP/1.1 200"), 2'000u);
  EXPECT_EQ(handled, 2'000);
}

TEST_F(http_hostile_test, AHalfClosedClientStillGetsItsAnswer) {
  start();
  auto test = [&]() -> Task<void> {
    auto socket = co_await connect();
    const std::string request = kGet;
    co_await asio::async_write(socket, asio::buffer(request), kTuple);
    socket.shutdown(asio::ip::tcp::socket::shutdown_send);
    const auto answer = co_await read_all(socket);
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
  };
  loop.block_on(test());
}

TEST_F(http_hostile_test, AConnectionBeyondTheLimitIsTold503) {
  options.limits.idle = Milliseconds(60'000);
  start();
  auto test = [&]() -> Task<void> {
    std::vector<asio::ip::tcp::socket> open;
    for (int i = 0; i < 4; i++) {
      auto socket = co_await connect();
      open.push_back(std::move(socket));
    }
    while (server->connections() < 4) co_await reschedule();
    auto socket = co_await connect();
    const auto answer = co_await read_all(socket);
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
    socket.close();
    open.clear();
    while (server->connections() > 0) co_await reschedule();
  };
  loop.block_on(test());
  options.limits.idle = Milliseconds(50);
  loop.block_on(server->stop());
  start();
}

TEST_F(http_hostile_test, AClientThatDoesNotReadIsCut) {
  answer_bytes = 32u << 20;
  start();
  auto test = [&]() -> Task<void> {
    auto socket = co_await connect();
    const std::string request = kGet;
    co_await asio::async_write(socket, asio::buffer(request), kTuple);
    while (server->connections() == 0) co_await reschedule();
    while (server->connections() > 0) co_await reschedule();
  };
  loop.block_on(test());
  answer_bytes = 0;
}

TEST_F(http_hostile_test, AHandlersLineBreakCannotWriteAHeader) {
  HttpServerOptions own = options;
  server = std::make_unique<HttpServer>(loop, own, [](HttpRequest) -> Task<HttpResponse> {
    auto response = http_text(200, "");
    response.headers.add("x-echo", "a\r\nSet-Cookie: b=c");
    co_return response;
  });
  ASSERT_TRUE(server->start().has_value());
  EXPECT_EQ(talk(kGet).find("Set-Cookie"), std::string::npos);
}

}  // namespace
}  // namespace community::infra
