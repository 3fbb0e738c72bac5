// SPDX-License-Identifier: Apache-2.0
// What the listener and its connections share. Inside of the module.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <list>

#include "community/infra/api/http_server.hpp"
#include "community/infra/api/log.hpp"

namespace community::infra {

struct HttpServerMetrics {
  HttpServerMetrics(Metrics& metrics, const std::string& server);
  // By the first digit of the status: 1xx … 5xx.
  std::vector<Counter> responses;
  Counter refused_connections;
  Gauge connections;
  Histogram seconds;
};

struct HttpServerShared {
  HttpServerOptions options;
  HttpHandler handler;
  std::optional<HttpServerMetrics> metrics;
  bool loopback_only = false;
  bool stopping = false;
  // Bytes of request bodies being received or handled, of all connections.
  std::uint64_t body_bytes_in_flight = 0;
  // Of those that are larger than the limit of others.
  std::uint64_t large_bytes_in_flight = 0;
  // Called by stop() on every connection; a connection closes itself there unless it is in the middle of a request.
  std::list<std::function<void()>> close_when_idle;
};

// Serves one connection to its end.
Task<void> serve_http_connection(std::shared_ptr<HttpServerShared> shared, boost::asio::ip::tcp::socket socket);
// Sends 503 to a connection beyond the limit.
Task<void> refuse_http_connection(std::shared_ptr<HttpServerShared> shared, boost::asio::ip::tcp::socket socket);

// The decisions about who may call, apart from the network.
enum class OriginVerdict : std::uint8_t { none, allowed, refused };
bool is_of_any_origin(const HttpServerOptions& options, std::string_view target);
OriginVerdict check_origin(const HttpServerOptions& options, std::string_view origin, std::string_view host);
bool check_host(const HttpServerOptions& options, bool loopback_only, std::string_view host);

}  // namespace community::infra
