// SPDX-License-Identifier: Apache-2.0
// The server and the client of this module against each other, and routes.
#include <gtest/gtest.h>

#include "community/infra/api/http_client.hpp"
#include "community/infra/api/http_server.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/http_connection.hpp"

namespace community::infra {
namespace {

class http_test : public testing::Test {
 protected:
  void start(HttpHandler handler, HttpServerOptions options = {}) {
    server = std::make_unique<HttpServer>(loop, std::move(options), std::move(handler), &metrics);
    const auto started = server->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  ~http_test() override {
    if (server) loop.block_on(server->stop());
  }
  std::string url(std::string_view target = "/") const {
    return "http://localhost:" + std::to_string(server->port()) + std::string(target);
  }
  Result<HttpResponse> send(HttpCall call) { return loop.block_on(client->send(std::move(call))); }
  Result<HttpResponse> get(std::string_view target) {
    HttpCall call;
    call.url = url(target);
    return send(std::move(call));
  }

  EventLoop loop;
  Metrics metrics;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<HttpClient> client = make_http_client({});
};

Task<HttpResponse> echo(HttpRequest request) {
  co_return http_text(200, request.method + " " + request.target + " " + request.body);
}

TEST_F(http_test, ARequestComesBack) {
  start(echo);
  HttpCall call;
  call.url = url("/a?b=c");
  call.method = "POST";
  call.body = "hello";
  const auto response = send(std::move(call));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200u);
  EXPECT_EQ(response->body, "POST /a?b=c hello");
}

TEST_F(http_test, BothLoopbackFamiliesAreServed) {
  start(echo);
  for (const char* host : {"127.0.0.1", "[::1]"}) {
    HttpCall call;
    call.url = std::string("http://") + host + ":" + std::to_string(server->port());
    EXPECT_TRUE(send(std::move(call)).has_value()) << host;
  }
}

TEST_F(http_test, OneConnectionServesManyRequests) {
  start(echo);
  for (int i = 0; i < 20; i++) EXPECT_TRUE(get("/").has_value());
  EXPECT_EQ(server->connections(), 1u);
}

TEST_F(http_test, AKeptConnectionThatTheServerClosedIsReplaced) {
  start(echo);
  EXPECT_TRUE(get("/").has_value());
  const auto port = server->port();
  loop.block_on(server->stop());
  HttpServerOptions options;
  options.bind = "localhost:" + std::to_string(port);
  start(echo, options);
  EXPECT_TRUE(get("/").has_value());
}

TEST_F(http_test, HeadHasTheLengthAndNoBody) {
  HttpRouter router;
  router.add("GET", "/file", HttpHandler(echo));
  start(router.handler());
  HttpCall call;
  call.url = url("/file");
  call.method = "HEAD";
  const auto response = send(std::move(call));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200u);
  EXPECT_EQ(response->headers.get("content-length"), "11");
  EXPECT_EQ(response->body, "");
}

TEST_F(http_test, AnExceptionOfTheHandlerIs500AndTheServerGoesOn) {
  start([](HttpRequest request) -> Task<HttpResponse> {
    if (request.target == "/bug") throw std::logic_error("secret detail");
    co_return http_text(200, "fine");
  });
  const auto response = get("/bug");
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 500u);
  EXPECT_EQ(response->body.find("secret"), std::string::npos);
  EXPECT_EQ(get("/").value().status, 200u);
}

TEST_F(http_test, AStreamArrivesPieceByPieceUntilItsEnd) {
  start([](HttpRequest) -> Task<HttpResponse> {
    HttpResponse response;
    response.headers.add("content-type", "text/event-stream");
    response.stream = [](BodyWriter& out) -> Task<void> {
      for (int i = 0; i < 3; i++) co_await out.write("data: " + std::to_string(i) + "\n\n");
    };
    co_return response;
  });
  const auto response = get("/");
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
}

TEST_F(http_test, StopLetsARunningRequestFinish) {
  Event entered, release;
  start([&](HttpRequest) -> Task<HttpResponse> {
    entered.set();
    co_await release.wait();
    co_return http_text(200, "done");
  });
  auto ask = [&]() -> Task<void> {
    HttpCall call;
    call.url = url();
    const auto response = co_await client->send(std::move(call));
    EXPECT_TRUE(response && response->body == "done");
  };
  auto stop = [&]() -> Task<void> {
    co_await entered.wait();
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(server->stop());
    co_await reschedule();
    release.set();
    co_await group.join();
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(ask());
    group.spawn(stop());
    co_await group.join();
  };
  loop.block_on(test());
  EXPECT_EQ(server->connections(), 0u);
}

TEST_F(http_test, StopCutsWhatDoesNotFinish) {
  Event entered;
  HttpServerOptions options;
  options.limits.drain = Milliseconds(1);
  start(
      [&](HttpRequest) -> Task<HttpResponse> {
        entered.set();
        Event never;
        co_await never.wait();
        co_return http_text(200, "");
      },
      options);
  auto ask = [&]() -> Task<void> {
    HttpCall call;
    call.url = url();
    const auto response = co_await client->send(std::move(call));
    EXPECT_EQ(response.error().code, ErrorCode::transport);
  };
  auto stop = [&]() -> Task<void> {
    co_await entered.wait();
    co_await server->stop();
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(ask());
    group.spawn(stop());
    co_await group.join();
  };
  loop.block_on(test());
}

TEST_F(http_test, TheClientNamesWhatWentWrong) {
  HttpServerOptions options;
  options.limits.drain = Milliseconds(1);
  start(
      [](HttpRequest request) -> Task<HttpResponse> {
        Event never;
        if (request.target == "/never") co_await never.wait();
        co_return http_text(200, std::string(1'000, 'x'));
      },
      options);
  HttpCall large;
  large.url = url();
  large.max_response_bytes = 999;
  EXPECT_EQ(send(std::move(large)).error().code, ErrorCode::too_large);
  HttpCall slow;
  slow.url = url("/never");
  slow.timeout = Milliseconds(20);
  EXPECT_EQ(send(std::move(slow)).error().code, ErrorCode::timeout);
  HttpCall closed;
  closed.url = "http://127.0.0.1:1/";
  EXPECT_EQ(send(std::move(closed)).error().code, ErrorCode::transport);
  HttpCall scheme;
  scheme.url = "ftp://localhost/";
  EXPECT_EQ(send(std::move(scheme)).error().code, ErrorCode::malformed);
}

TEST_F(http_test, NoMoreConnectionsThanAllowedAreOpened) {
  std::size_t most = 0;
  start([&](HttpRequest) -> Task<HttpResponse> {
    most = std::max(most, server->connections());
    co_await reschedule();
    co_return http_text(200, "");
  });
  HttpClientOptions options;
  options.max_per_host = 4;
  client = make_http_client(options);
  std::function<Task<void>(std::size_t)> work = [&](std::size_t) -> Task<void> {
    HttpCall call;
    call.url = url();
    const auto response = co_await client->send(std::move(call));
    EXPECT_TRUE(response.has_value());
  };
  loop.block_on(for_each_bounded(40, 40, work));
  EXPECT_LE(most, 4u);
}

TEST(http_router_test, PathsMethodsAndParameters) {
  EventLoop loop;
  HttpRouter router;
  std::string seen;
  router.add("GET", "/users/{id}",
             HttpRouter::RouteHandler([&](HttpRequest, HttpRouter::Parameters p) -> Task<HttpResponse> {
               seen = p.at(0).first + "=" + p.at(0).second;
               co_return http_text(200, "");
             }));
  auto status = [&](const char* method, const char* target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    return loop.block_on(router.handle(request)).status;
  };
  EXPECT_EQ(status("GET", "/users/a%20b?x=1"), 200u);
  EXPECT_EQ(seen, "id=a b");
  EXPECT_EQ(status("HEAD", "/users/1"), 200u);
  EXPECT_EQ(status("POST", "/users/1"), 405u);
  EXPECT_EQ(status("GET", "/users/"), 404u);
  EXPECT_EQ(status("GET", "/users/1/more"), 404u);
  EXPECT_EQ(status("GET", "/users/%zz"), 404u);
}

TEST(http_access_test, OriginsOfStrangersAreRefused) {
  HttpServerOptions options;
  options.allowed_origins = {"https://app.example"};
  const auto verdict = [&](std::string_view origin) { return check_origin(options, origin, "node.example:9000"); };
  EXPECT_EQ(verdict(""), OriginVerdict::none);
  EXPECT_EQ(verdict("https://app.example"), OriginVerdict::allowed);
  EXPECT_EQ(verdict("http://localhost:5173"), OriginVerdict::allowed);
  EXPECT_EQ(verdict("http://[::1]:5173"), OriginVerdict::allowed);
  EXPECT_EQ(verdict("https://node.example:9000"), OriginVerdict::allowed);
  EXPECT_EQ(verdict("https://app.example.evil.com"), OriginVerdict::refused);
  EXPECT_EQ(verdict("http://localhost.evil.com"), OriginVerdict::refused);
  EXPECT_EQ(verdict("null"), OriginVerdict::refused);
}

TEST(http_access_test, SomePathsAreForAnyOriginAndNoOthersAre) {
  HttpServerOptions options;
  EXPECT_FALSE(is_of_any_origin(options, "/api/v1/apps/calls"));
  options.paths_of_any_origin = {"/api/v1/apps/", "/provider.js"};
  for (const char* open :
       {"/api/v1/apps/calls", "/api/v1/apps/calls?x=/", "/api/v1/apps/", "/provider.js", "/provider.js?1"})
    EXPECT_TRUE(is_of_any_origin(options, open)) << open;
  for (const char* own : {"/", "", "/api/v1/apps", "/api/v1/me", "/provider.jsx", "/x?/api/v1/apps/", "/provider.js/x",
                          "http://node/provider.js"})
    EXPECT_FALSE(is_of_any_origin(options, own)) << own;
}

TEST(http_access_test, NamesPointedAtThisMachineAreRefused) {
  HttpServerOptions options;
  EXPECT_TRUE(check_host(options, true, "localhost:3000"));
  EXPECT_TRUE(check_host(options, true, "127.0.0.1:3000"));
  EXPECT_TRUE(check_host(options, true, "[::1]:3000"));
  EXPECT_FALSE(check_host(options, true, "evil.com:3000"));
  EXPECT_TRUE(check_host(options, false, "node.example"));
  options.allowed_hosts = {"node.example"};
  EXPECT_TRUE(check_host(options, false, "NODE.example:443"));
  EXPECT_FALSE(check_host(options, false, "evil.com"));
}

TEST(http_url_test, OnlyPlainUrlsAreAccepted) {
  const auto url = parse_http_url("https://[::1]:8443?x=1#f");
  ASSERT_TRUE(url.has_value());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, "8443");
  EXPECT_EQ(url->target, "/?x=1");
  EXPECT_EQ(url->authority, "[::1]:8443");
  EXPECT_EQ(parse_http_url("http://a/b")->authority, "a");
  for (const char* bad : {"", "a", "http://", "http://u:p@a/", "http://a:0/", "http://a:99999/", "http://a:b/",
                          "http://a/\r\nX: y", "http://[::1", "http://[::1]x"})
    EXPECT_FALSE(parse_http_url(bad).has_value()) << bad;
}

}  // namespace
}  // namespace community::infra
