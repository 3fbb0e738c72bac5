// SPDX-License-Identifier: Apache-2.0
// The listener: binds, accepts, counts, drains.
#include "community/infra/api/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "community/infra/http_connection.hpp"

namespace community::infra {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
// Connections beyond the limit that are told so with 503 at the same time; further ones are closed without a word.
constexpr std::size_t kMaxRefusals = 64;
// After accept() failed for want of descriptors.
constexpr Milliseconds kAcceptPause{50};

struct BindAddress {
  std::vector<asio::ip::address> addresses;
  std::uint16_t port = 0;
};

std::optional<BindAddress> parse_bind(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  BindAddress bind;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), bind.port);
  if (problem != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  std::string host(text.substr(0, colon));
  if (host == "localhost") {
    bind.addresses = {asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
    return bind;
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  bind.addresses.push_back(asio::ip::make_address(host, error));
  if (error) return std::nullopt;
  return bind;
}
}  // namespace

HttpServerMetrics::HttpServerMetrics(Metrics& metrics, const std::string& server)
    : refused_connections(metrics.counter("community_http_refused_connections_total",
                                          "Connections refused because of the limit", {{"server", server}})),
      connections(metrics.gauge("community_http_connections", "Open connections", {{"server", server}})),
      seconds(metrics.histogram("community_http_request_duration_seconds", "From the first byte to the last",
                                Buckets::seconds, {{"server", server}})) {
  for (const char* status : {"1xx", "2xx", "3xx", "4xx", "5xx"})
    responses.push_back(
        metrics.counter("community_http_responses_total", "Responses sent", {{"server", server}, {"status", status}}));
}

struct HttpServer::Body : std::enable_shared_from_this<HttpServer::Body> {
  explicit Body(EventLoop& l)
      : loop(l), listening(l.executor()), serving(l.executor()), shared(std::make_shared<HttpServerShared>()) {}

  EventLoop& loop;
  TaskGroup listening;
  TaskGroup serving;
  std::shared_ptr<HttpServerShared> shared;
  std::uint16_t port = 0;

  Result<tcp::acceptor> listen(const asio::ip::address& address, std::uint16_t wanted) {
    tcp::acceptor acceptor(loop.executor());
    const tcp::endpoint endpoint(address, wanted);
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return fail(ErrorCode::transport,
                  "cannot listen on " + address.to_string() + ":" + std::to_string(wanted) + ": " + error.message());
    return acceptor;
  }

  Task<void> accept(tcp::acceptor acceptor) {
    const auto self = shared_from_this();
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        co_await sleep_real(kAcceptPause);
        continue;
      }
      const std::size_t open = serving.size();
      const auto& limits = shared->options.limits;
      if (open < limits.connections) {
        serving.spawn(serve(std::move(socket)));
      } else {
        if (shared->metrics) shared->metrics->refused_connections.add();
        if (open < limits.connections + kMaxRefusals) serving.spawn(refuse_http_connection(shared, std::move(socket)));
      }
    }
  }

  Task<void> serve(tcp::socket socket) {
    const auto self = shared_from_this();
    struct Count {
      HttpServerShared& shared;
      ~Count() {
        if (shared.metrics) shared.metrics->connections.add(-1);
      }
    } count{*shared};
    if (shared->metrics) shared->metrics->connections.add(1);
    co_await serve_http_connection(shared, std::move(socket));
  }
};

HttpServer::HttpServer(EventLoop& loop, HttpServerOptions options, HttpHandler handler, Metrics* metrics)
    : body_(std::make_shared<Body>(loop)) {
  if (metrics != nullptr) body_->shared->metrics.emplace(*metrics, options.name);
  body_->shared->options = std::move(options);
  body_->shared->handler = std::move(handler);
}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::start() {
  const std::string& text = body_->shared->options.bind;
  const auto bind = parse_bind(text);
  if (!bind) return fail(ErrorCode::config_value, "'" + text + "' is not host:port with a literal host or localhost");
  bool loopback = true;
  std::uint16_t port = bind->port;
  std::vector<tcp::acceptor> acceptors;
  for (const auto& address : bind->addresses) {
    loopback = loopback && address.is_loopback();
    auto acceptor = body_->listen(address, port);
    if (!acceptor) {
      // A machine without IPv6 still has localhost.
      if (address.is_v6() && !acceptors.empty()) {
        log_info("no IPv6 loopback", {{"server", body_->shared->options.name}, {"why", acceptor.error().message}});
        continue;
      }
      return tl::unexpected(acceptor.error());
    }
    port = acceptor->local_endpoint().port();
    acceptors.push_back(std::move(*acceptor));
  }
  body_->port = port;
  body_->shared->loopback_only = loopback;
  for (auto& acceptor : acceptors) body_->listening.spawn(body_->accept(std::move(acceptor)));
  return {};
}

std::uint16_t HttpServer::port() const { return body_->port; }
std::size_t HttpServer::connections() const { return body_->serving.size(); }

Task<void> HttpServer::stop() {
  auto body = body_;
  body->listening.cancel();
  co_await body->listening.join();
  body->shared->stopping = true;
  auto& closers = body->shared->close_when_idle;
  for (auto it = closers.begin(); it != closers.end();) (*it++)();
  const auto drained = co_await with_timeout(body->shared->options.limits.drain, body->serving.join());
  // The time-out cancelled join(), and a cancelled join() cancels its children and waits for them.
  if (!drained) log_warning("http requests were cut at shutdown", {{"server", body->shared->options.name}});
}

}  // namespace community::infra
