// SPDX-License-Identifier: Apache-2.0
// The client's connections over Beast: a pool for each host, TLS by OpenSSL with the system's certificates.
#include "community/infra/api/http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <list>
#include <map>

#include "community/infra/factory.hpp"

namespace community::infra {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Response headers of public services with their cookies and policies reach 16 KiB.
constexpr std::uint32_t kMaxResponseHeaderBytes = 64 * 1'024;
constexpr std::size_t kReadBytes = 64 * 1'024;
// Pools of hosts without open connections are dropped beyond this number.
constexpr std::size_t kMaxHosts = 256;

using TlsStream = beast::ssl_stream<beast::tcp_stream>;

struct Connection {
  std::optional<beast::tcp_stream> plain;
  std::optional<TlsStream> tls;
  beast::flat_buffer buffer;
  SteadyTime idle_since;

  beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }
};

struct Host {
  std::list<std::unique_ptr<Connection>> idle;
  std::size_t open = 0;
  Event free;
};

// Counts one open connection for as long as a request uses it.
struct Slot {
  explicit Slot(std::shared_ptr<Host> h) : host(std::move(h)) { host->open++; }
  ~Slot() {
    host->open--;
    host->free.set();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  std::shared_ptr<Host> host;
};

struct Attempt {
  Result<HttpResponse> result;
  // The peer closed a kept connection before it sent anything: the request was not handled.
  bool stale = false;
};

Error transport(std::string_view what, const HttpUrl& url, const error_code& error) {
  return {ErrorCode::transport, std::string(what) + " " + url.authority + ": " + error.message()};
}

std::string_view sv(beast::string_view text) { return {text.data(), text.size()}; }

http::request<http::string_body> make_request(HttpCall& call, const HttpUrl& url) {
  http::request<http::string_body> request;
  request.method_string(call.method);
  request.target(url.target);
  request.version(11);
  request.set(http::field::host, url.authority);
  request.set(http::field::user_agent, "community-node");
  for (std::size_t i = 0; i < call.headers.size(); i++) {
    const auto name = call.headers.name(i), value = call.headers.value(i);
    request.insert(beast::string_view(name.data(), name.size()), beast::string_view(value.data(), value.size()));
  }
  request.body() = call.repeatable ? call.body : std::move(call.body);
  request.prepare_payload();
  return request;
}

template <class Stream>
Task<Attempt> exchange(Stream& stream, Connection& connection, const http::request<http::string_body>& request,
                       const HttpUrl& url, std::uint64_t max_bytes, bool& keep) {
  Attempt attempt;
  auto [error, size] = co_await http::async_write(stream, request, kTuple);
  if (error) {
    attempt.stale = true;
    attempt.result = tl::unexpected(transport("cannot send to", url, error));
    co_return attempt;
  }
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxResponseHeaderBytes);
  parser.body_limit(max_bytes);
  if (request.method() == http::verb::head) parser.skip(true);
  // Beast reads as much at a time as the buffer has room for, and half a kilobyte where it has none.
  connection.buffer.reserve(kReadBytes);
  std::tie(error, size) = co_await http::async_read(stream, connection.buffer, parser, kTuple);
  if (error == http::error::body_limit || error == http::error::header_limit) {
    attempt.result = fail(ErrorCode::too_large, "the response of " + url.authority + " is larger than " +
                                                    std::to_string(max_bytes) + " bytes");
  } else if (error && !parser.got_some()) {
    attempt.stale = true;
    attempt.result = tl::unexpected(transport("no response from", url, error));
  } else if (error == http::error::end_of_stream || error == http::error::partial_message) {
    attempt.result = tl::unexpected(transport("response cut short by", url, error));
  } else if (error && error.category() == http::make_error_code(http::error::bad_method).category()) {
    attempt.result = fail(ErrorCode::malformed, "not HTTP/1.1 from " + url.authority + ": " + error.message());
  } else if (error) {
    attempt.result = tl::unexpected(transport("no response from", url, error));
  } else {
    keep = parser.keep_alive();
    auto message = parser.release();
    HttpResponse response;
    response.status = message.result_int();
    for (const auto& field : message) response.headers.add(sv(field.name_string()), sv(field.value()));
    response.body = std::move(message.body());
    attempt.result = std::move(response);
  }
  co_return attempt;
}

class PooledClient final : public HttpClient {
 public:
  explicit PooledClient(HttpClientOptions options) : options_(std::move(options)) {}

  Task<Result<HttpResponse>> send(HttpCall call) override {
    auto url = parse_http_url(call.url);
    if (!url) co_return tl::unexpected(url.error());
    const Milliseconds timeout = call.timeout;
    auto answer = co_await with_timeout(timeout, send_within(std::move(call), std::move(*url)));
    if (!answer) co_return fail(ErrorCode::timeout, answer.error().message);
    co_return std::move(*answer);
  }

 private:
  Task<Result<HttpResponse>> send_within(HttpCall call, HttpUrl url) {
    const auto host = find_host(url);
    const auto request = make_request(call, url);
    while (host->open >= options_.max_per_host) {
      host->free.reset();
      co_await host->free.wait();
    }
    const Slot slot(host);
    for (;;) {
      auto connection = take_idle(*host);
      const bool reused = connection != nullptr;
      if (!reused) {
        connection = std::make_unique<Connection>();
        auto connected = co_await connect(*connection, url);
        if (!connected) co_return tl::unexpected(connected.error());
      }
      bool keep = false;
      Attempt attempt;
      if (connection->tls) {
        attempt = co_await exchange(*connection->tls, *connection, request, url, call.max_response_bytes, keep);
      } else {
        attempt = co_await exchange(*connection->plain, *connection, request, url, call.max_response_bytes, keep);
      }
      if (attempt.stale && reused && call.repeatable) continue;
      if (keep) keep_idle(*host, std::move(connection));
      co_return std::move(attempt.result);
    }
  }

  std::shared_ptr<Host> find_host(const HttpUrl& url) {
    if (hosts_.size() >= kMaxHosts) std::erase_if(hosts_, [](const auto& entry) { return entry.second->open == 0; });
    auto& host = hosts_[(url.tls ? "https://" : "http://") + url.host + ":" + url.port];
    if (!host) host = std::make_shared<Host>();
    return host;
  }

  std::unique_ptr<Connection> take_idle(Host& host) {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!host.idle.empty()) {
      auto connection = std::move(host.idle.back());
      host.idle.pop_back();
      if (now - connection->idle_since < options_.idle) return connection;
      // The others have waited even longer.
      host.idle.clear();
    }
    return nullptr;
  }

  void keep_idle(Host& host, std::unique_ptr<Connection> connection) {
    // Bytes beyond the response are not ours to interpret.
    if (connection->buffer.size() > 0) return;
    connection->buffer.shrink_to_fit();
    connection->idle_since = std::chrono::steady_clock::now();
    host.idle.push_back(std::move(connection));
    if (host.idle.size() > options_.idle_per_host) host.idle.pop_front();
  }

  static Task<Result<std::vector<tcp::endpoint>>> resolve(const HttpUrl& url) {
    std::uint16_t port = static_cast<std::uint16_t>(std::stoul(url.port));
    std::vector<tcp::endpoint> endpoints;
    error_code error;
    const auto literal = asio::ip::make_address(url.host, error);
    if (!error) {
      endpoints.emplace_back(literal, port);
    } else if (url.host == "localhost") {
      // Known without asking; the resolver would start a thread.
      endpoints.emplace_back(asio::ip::address_v4::loopback(), port);
      endpoints.emplace_back(asio::ip::address_v6::loopback(), port);
    } else {
      tcp::resolver resolver(co_await asio::this_coro::executor);
      auto [failed, found] = co_await resolver.async_resolve(url.host, url.port, kTuple);
      if (failed) co_return tl::unexpected(transport("cannot resolve", url, failed));
      for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    }
    co_return endpoints;
  }

  Task<Result<void>> connect(Connection& connection, const HttpUrl& url) {
    auto endpoints = co_await resolve(url);
    if (!endpoints) co_return tl::unexpected(endpoints.error());
    const auto executor = co_await asio::this_coro::executor;
    if (url.tls) {
      if (auto ready = prepare_tls(); !ready) co_return ready;
      connection.tls.emplace(executor, *tls_context_);
    } else {
      connection.plain.emplace(executor);
    }
    auto& socket = connection.lowest().socket();
    auto [error, endpoint] = co_await asio::async_connect(socket, *endpoints, kTuple);
    if (error) co_return tl::unexpected(transport("cannot connect to", url, error));
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (!url.tls) co_return Result<void>{};
    connection.tls->set_verify_callback(ssl::host_name_verification(url.host));
    if (SSL_set_tlsext_host_name(connection.tls->native_handle(), url.host.c_str()) != 1)
      co_return fail(ErrorCode::transport, "the name " + url.host + " does not fit TLS");
    std::tie(error) = co_await connection.tls->async_handshake(ssl::stream_base::client, kTuple);
    if (error) co_return tl::unexpected(transport("TLS handshake failed with", url, error));
    co_return Result<void>{};
  }

  // Loading the system's certificates costs memory: only when the first https:// address is used.
  Result<void> prepare_tls() {
    if (tls_context_) return {};
    tls_context_.emplace(ssl::context::tls_client);
    error_code error;
    tls_context_->set_default_verify_paths(error);
    if (!error) tls_context_->set_verify_mode(ssl::verify_peer, error);
    if (!error)
      tls_context_->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1,
                                error);
    if (error) return fail(ErrorCode::transport, "cannot prepare TLS: " + error.message());
    return {};
  }

  HttpClientOptions options_;
  std::map<std::string, std::shared_ptr<Host>> hosts_;
  std::optional<ssl::context> tls_context_;
};

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view text) {
  HttpUrl url;
  std::string_view rest = text;
  for (const char c : text)
    if (c <= ' ' || c == 0x7f) return fail(ErrorCode::malformed, "a URL holds no blanks or control characters");
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else {
    return fail(ErrorCode::malformed, "the URL does not start with http:// or https://");
  }
  rest = rest.substr(0, rest.find('#'));
  std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  url.target = rest.empty() || rest.front() == '?' ? "/" + std::string(rest) : std::string(rest);
  if (authority.find('@') != std::string_view::npos)
    return fail(ErrorCode::malformed, "a URL with a user name or password is not accepted");
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return fail(ErrorCode::malformed, "the IPv6 address has no closing bracket");
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':') return fail(ErrorCode::malformed, "unexpected text after the address");
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (url.host.empty()) return fail(ErrorCode::malformed, "the URL names no host");
  const bool default_port = port.size() <= 1;
  if (!default_port) port.remove_prefix(1);
  if (port.size() > 5 || (!default_port && port.find_first_not_of("0123456789") != std::string_view::npos))
    return fail(ErrorCode::malformed, "the port is not a number");
  url.port = default_port ? (url.tls ? "443" : "80") : std::string(port);
  if (std::stoul(url.port) > 65'535 || std::stoul(url.port) == 0)
    return fail(ErrorCode::malformed, "the port is not between 1 and 65535");
  const std::string shown = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  url.authority = url.port == (url.tls ? "443" : "80") ? shown : shown + ":" + url.port;
  return url;
}

std::unique_ptr<HttpClient> make_http_client(HttpClientOptions options) {
  return std::make_unique<PooledClient>(std::move(options));
}

}  // namespace community::infra
