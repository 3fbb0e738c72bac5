// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 connection of the server, over Beast: read a header, a body, answer, repeat. One request at a time;
// what a client pipelines beyond that stays in its own socket, so a flood costs the flooder.
#include "community/infra/http_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace community::infra {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Bodies of all connections together: 32 of the default limit. With 1,024 connections a full body each would be 1 GiB.
constexpr std::uint64_t kMaxBodyBytesInFlight = 32ull << 20;
// Large bodies (HttpServerOptions::large_bodies) together: two of 16 MiB.
constexpr std::uint64_t kMaxLargeBytesInFlight = 32ull << 20;
// An idle connection keeps no more buffer than this.
constexpr std::size_t kIdleBufferBytes = 4'096;
// What is read and thrown away after a refusal, so that the peer reads the answer before it sees a reset.
constexpr std::size_t kMaxDiscardedBytes = 4u << 20;
constexpr Milliseconds kDiscardTime{2'000};

constexpr std::string_view kCorsMethods = "GET, POST, PUT, PATCH, DELETE";
constexpr std::string_view kCorsHeaders = "content-type, authorization, x-api-key, x-csrf-token, last-event-id";

using Parser = http::request_parser<http::string_body>;
using Fields = http::response_header<>;

std::string_view sv(beast::string_view text) { return {text.data(), text.size()}; }
beast::string_view bsv(std::string_view text) { return {text.data(), text.size()}; }

// A value with a line break would let a handler's input write header fields.
bool is_field_value(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

class Connection final : public BodyWriter {
 public:
  Connection(std::shared_ptr<HttpServerShared> shared, asio::ip::tcp::socket socket)
      : shared_(std::move(shared)),
        stream_(std::move(socket)),
        buffer_(std::max<std::size_t>(shared_->options.limits.header_bytes, 64 * 1'024)) {
    error_code ignored;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto peer = stream_.socket().remote_endpoint(ignored);
    if (!ignored) remote_ = peer.address().to_string();
    place_ = shared_->close_when_idle.insert(shared_->close_when_idle.end(), [this] {
      if (idle_) close();
    });
  }
  ~Connection() override { shared_->close_when_idle.erase(place_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Task<void> run() {
    while (co_await wait_for_request()) {
      const auto started = std::chrono::steady_clock::now();
      if (!co_await serve_one(started)) break;
    }
    close();
  }

  Task<bool> write(std::string piece) override {
    if (piece.empty()) co_return true;
    if (shared_->stopping || broken_) co_return false;
    stream_.expires_after(limits().write);
    error_code error;
    if (chunked_) {
      error = std::get<0>(co_await asio::async_write(stream_, http::make_chunk(asio::buffer(piece)), kTuple));
    } else {
      error = std::get<0>(co_await asio::async_write(stream_, asio::buffer(piece), kTuple));
    }
    stream_.expires_never();
    broken_ = static_cast<bool>(error);
    co_return !error;
  }

  Task<void> refuse(HttpResponse response) {
    keep_alive_ = false;
    co_await send(std::move(response), false);
    co_await discard();
    close();
  }

 private:
  const HttpServerLimits& limits() const { return shared_->options.limits; }
  void close() {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  // The bytes of one body, taken from and given back to the common budget.
  struct BodyReservation {
    std::uint64_t* in_flight = nullptr;
    std::uint64_t bytes = 0;
    bool take(std::uint64_t& common, std::uint64_t most, std::uint64_t wanted) {
      if (common + wanted > most && common > 0) return false;
      common += wanted;
      in_flight = &common;
      bytes = wanted;
      return true;
    }
    ~BodyReservation() {
      if (in_flight != nullptr) *in_flight -= bytes;
    }
  };

  // Whether such a request may carry more than others.
  const HttpServerOptions::LargeBody* find_large(std::string_view method, std::string_view target) const {
    const std::string_view path = target.substr(0, target.find('?'));
    for (const auto& large : shared_->options.large_bodies)
      if (large.method == method && large.path == path) return &large;
    return nullptr;
  }
  std::uint64_t largest_body() const {
    std::uint64_t most = limits().body_bytes;
    for (const auto& large : shared_->options.large_bodies) most = std::max(most, large.bytes);
    return most;
  }

  Task<bool> wait_for_request() {
    if (shared_->stopping) co_return false;
    if (buffer_.size() > 0) co_return true;
    if (buffer_.capacity() > kIdleBufferBytes) {
      buffer_.consume(buffer_.size());
      buffer_.shrink_to_fit();
    }
    stream_.expires_after(limits().idle);
    idle_ = true;
    const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kIdleBufferBytes), kTuple);
    idle_ = false;
    if (error) co_return false;
    buffer_.commit(size);
    co_return true;
  }

  // True when the connection can take another request.
  Task<bool> serve_one(SteadyTime started) {
    Parser parser;
    parser.header_limit(limits().header_bytes);
    parser.body_limit(largest_body());
    stream_.expires_after(limits().header);
    auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kTuple);
    if (error) co_return co_await answer_unreadable(error);
    keep_alive_ = parser.keep_alive();
    http10_ = parser.get().version() < 11;
    const auto& fields = parser.get();
    const std::string_view host = sv(fields[http::field::host]);
    origin_ = sv(fields[http::field::origin]);
    is_open_ = is_of_any_origin(shared_->options, sv(parser.get().target()));
    if (auto refusal = check_access(fields, host)) {
      co_await refuse(std::move(*refusal));
      co_return false;
    }
    BodyReservation reservation;
    HttpAdmission admission;
    if (!parser.is_done()) {
      const auto length = parser.content_length();
      const auto* large = find_large(sv(fields.method_string()), sv(fields.target()));
      const std::uint64_t ordinary =
          large != nullptr ? std::min(limits().body_bytes, kOrdinaryBodyBytes) : limits().body_bytes;
      // Who does not say how much comes has no more room than others.
      const std::uint64_t most = large != nullptr && length ? large->bytes : ordinary;
      if (length && *length > most) co_return co_await refuse_body(most);
      parser.body_limit(most);
      const bool is_large = length && *length > ordinary;
      if (is_large && large->admit) {
        const HttpRequest head = head_of(fields);
        admission = co_await call_gate(large->admit, head);
        if (admission.refusal) {
          co_await refuse(std::move(*admission.refusal));
          co_return false;
        }
      }
      const bool has_room =
          is_large ? reservation.take(shared_->large_bytes_in_flight, kMaxLargeBytesInFlight, *length)
                   : reservation.take(shared_->body_bytes_in_flight, kMaxBodyBytesInFlight, length ? *length : most);
      if (!has_room) {
        co_await refuse(http_text(503, "too many request bodies at the same time, try again\n"));
        co_return false;
      }
      if (sv(fields[http::field::expect]) == "100-continue" && !co_await send_continue()) co_return false;
      stream_.expires_after(is_large ? limits().large_body : limits().body);
      std::tie(error, size) = co_await http::async_read(stream_, buffer_, parser, kTuple);
      if (error) co_return co_await answer_unreadable(error);
    }
    stream_.expires_never();
    co_return co_await answer(parser.release(), started);
  }

  std::optional<HttpResponse> check_access(const Parser::value_type& fields, std::string_view host) const {
    if (fields.count(http::field::host) > 1 || (fields.version() >= 11 && fields.count(http::field::host) == 0))
      return http_text(400, "exactly one Host field is needed\n");
    if (!check_host(shared_->options, shared_->loopback_only, host))
      return http_text(403, "this Host is not in allowed_hosts\n");
    if (!is_open_ && check_origin(shared_->options, origin_, host) == OriginVerdict::refused)
      return http_text(403, "this Origin is not in allowed_origins\n");
    return std::nullopt;
  }

  Task<bool> send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(limits().write);
    const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(kContinue), kTuple);
    co_return !error;
  }

  Task<bool> refuse_body(std::uint64_t most) {
    co_await refuse(http_text(413, "the body is larger than " + std::to_string(most) + " bytes\n"));
    co_return false;
  }

  Task<bool> answer_unreadable(error_code error) {
    if (error == http::error::body_limit) co_return co_await refuse_body(largest_body());
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      co_await refuse(
          http_text(431, "the header is larger than " + std::to_string(limits().header_bytes) + " bytes\n"));
    } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      co_await refuse(http_text(400, "not HTTP/1.1: " + error.message() + "\n"));
    }
    co_return false;
  }

  HttpRequest head_of(const Parser::value_type& message) const {
    HttpRequest request;
    request.method = sv(message.method_string());
    request.target = sv(message.target());
    request.remote = remote_;
    for (const auto& field : message) request.headers.add(sv(field.name_string()), sv(field.value()));
    return request;
  }

  Task<bool> answer(Parser::value_type message, SteadyTime started) {
    HttpRequest request = head_of(message);
    request.body = std::move(message.body());
    const bool head = request.method == "HEAD";
    HttpResponse response;
    if (request.method == "OPTIONS" && !is_open_) {
      response = preflight(request);
    } else {
      response = co_await call_handler(std::move(request));
    }
    const bool sent = co_await send(std::move(response), head);
    if (shared_->metrics) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
      shared_->metrics->seconds.observe(took.count());
    }
    co_return sent&& keep_alive_;
  }

  // A gate that fails lets nothing in.
  Task<HttpAdmission> call_gate(const HttpGate& gate, const HttpRequest& head) {
    std::string failure;
    try {
      co_return co_await gate(head);
    } catch (const std::exception& e) {
      if (is_cancellation(e)) throw;
      failure = e.what();
    }
    log_error("http gate failed", {{"server", shared_->options.name}, {"why", failure}});
    HttpAdmission refused;
    refused.refusal = http_text(500, "internal error\n");
    co_return refused;
  }

  Task<HttpResponse> call_handler(HttpRequest request) {
    std::string failure;
    try {
      co_return co_await shared_->handler(std::move(request));
    } catch (const std::exception& e) {
      if (is_cancellation(e)) throw;
      failure = e.what();
    }
    log_error("http handler failed", {{"server", shared_->options.name}, {"why", failure}});
    co_return http_text(500, "internal error\n");
  }

  static HttpResponse preflight(const HttpRequest& request) {
    HttpResponse response;
    response.status = 204;
    if (!request.headers.find("access-control-request-method")) {
      response.headers.add("allow", kCorsMethods);
      return response;
    }
    response.headers.add("access-control-allow-methods", kCorsMethods);
    response.headers.add("access-control-allow-headers", kCorsHeaders);
    response.headers.add("access-control-max-age", "600");
    if (request.headers.get("access-control-request-private-network") == "true")
      response.headers.add("access-control-allow-private-network", "true");
    return response;
  }

  void fill_head(Fields& head, const HttpResponse& response) const {
    head.result(response.status);
    head.version(http10_ ? 10 : 11);
    for (std::size_t i = 0; i < response.headers.size(); i++) {
      if (!is_field_value(response.headers.value(i))) continue;
      head.insert(bsv(response.headers.name(i)), bsv(response.headers.value(i)));
    }
    if (origin_.empty() || is_open_) return;
    head.insert(http::field::vary, "origin");
    if (response.status != 403) head.set(http::field::access_control_allow_origin, bsv(origin_));
  }

  Task<bool> send(HttpResponse response, bool head_only) {
    if (shared_->stopping || response.stream) keep_alive_ = false;
    if (shared_->metrics) shared_->metrics->responses[std::min(response.status / 100, 5u) - 1].add();
    if (response.stream && !head_only) co_return co_await send_stream(std::move(response));
    stream_.expires_after(limits().write);
    error_code error;
    if (head_only || response.status == 204 || response.status == 304) {
      http::response<http::empty_body> message;
      fill_head(message.base(), response);
      message.keep_alive(keep_alive_);
      if (head_only && !response.stream) message.content_length(response.content().size());
      error = std::get<0>(co_await http::async_write(stream_, message, kTuple));
    } else {
      http::response<http::span_body<const char>> message;
      fill_head(message.base(), response);
      message.body() = beast::span<const char>(response.content().data(), response.content().size());
      message.keep_alive(keep_alive_);
      message.content_length(response.content().size());
      error = std::get<0>(co_await http::async_write(stream_, message, kTuple));
    }
    stream_.expires_never();
    co_return !error;
  }

  Task<bool> send_stream(HttpResponse response) {
    chunked_ = !http10_;
    http::response<http::empty_body> message;
    fill_head(message.base(), response);
    message.keep_alive(false);
    message.chunked(chunked_);
    http::response_serializer<http::empty_body> serializer(message);
    stream_.expires_after(limits().write);
    const auto [error, size] = co_await http::async_write_header(stream_, serializer, kTuple);
    stream_.expires_never();
    if (error) co_return false;
    std::string failure;
    try {
      co_await response.stream(*this);
    } catch (const std::exception& e) {
      if (is_cancellation(e)) throw;
      failure = e.what();
    }
    if (!failure.empty()) {
      // Without the last chunk the peer sees that the answer was cut short.
      log_error("http stream failed", {{"server", shared_->options.name}, {"why", failure}});
      co_return false;
    }
    if (chunked_ && !broken_) {
      stream_.expires_after(limits().write);
      co_await asio::async_write(stream_, http::make_chunk_last(), kTuple);
    }
    co_return false;
  }

  Task<void> discard() {
    error_code error;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
    stream_.expires_after(kDiscardTime);
    buffer_.consume(buffer_.size());
    std::size_t discarded = 0;
    while (!error && discarded < std::max<std::uint64_t>(kMaxDiscardedBytes, largest_body())) {
      const auto [failed, size] = co_await stream_.async_read_some(buffer_.prepare(kIdleBufferBytes), kTuple);
      error = failed;
      discarded += size;
    }
  }

  std::shared_ptr<HttpServerShared> shared_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::string remote_;
  std::string origin_;
  // The handler looks at the origin itself.
  bool is_open_ = false;
  std::list<std::function<void()>>::iterator place_;
  bool idle_ = false;
  bool keep_alive_ = false;
  bool http10_ = false;
  bool chunked_ = false;
  bool broken_ = false;
};

}  // namespace

Task<void> serve_http_connection(std::shared_ptr<HttpServerShared> shared, asio::ip::tcp::socket socket) {
  Connection connection(std::move(shared), std::move(socket));
  co_await connection.run();
}

Task<void> refuse_http_connection(std::shared_ptr<HttpServerShared> shared, asio::ip::tcp::socket socket) {
  const std::string limit = std::to_string(shared->options.limits.connections);
  Connection connection(std::move(shared), std::move(socket));
  co_await connection.refuse(http_text(503, "more than " + limit + " connections\n"));
}

}  // namespace community::infra
