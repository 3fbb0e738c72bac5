// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 client with keep-alive connections. An interface, so that tests answer without a network.
#pragma once
#include "community/infra/api/http.hpp"

namespace community::infra {

struct HttpClientOptions {
  // Idle connections kept for one host; more may be open at the same time.
  std::size_t idle_per_host = 16;
  // Open connections for one host; further requests wait for one to become free.
  std::size_t max_per_host = 64;
  // An idle connection older than this is not used again: servers close theirs after a minute or so.
  Milliseconds idle{20'000};
};

struct HttpCall {
  // http:// or https:// with host, optional port, path and query.
  std::string url;
  std::string method = "GET";
  HttpHeaders headers;
  std::string body;
  // Over everything: waiting for a connection, connecting, sending, receiving.
  Milliseconds timeout{10'000};
  // too_large beyond. 16 MiB holds a block with all its receipts.
  std::uint64_t max_response_bytes = 16 * 1'024 * 1'024;
  // A request that may be repeated is sent again when a kept connection turns out to be closed by the peer.
  bool repeatable = true;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Any status is a response. Errors: timeout, transport, malformed, too_large.
  virtual Task<Result<HttpResponse>> send(HttpCall call) = 0;
};

struct HttpUrl {
  bool tls = false;
  std::string host;
  std::string port;
  std::string target;
  // For the Host field: with the port when it is not the scheme's own, IPv6 in brackets.
  std::string authority;
};
// malformed for other schemes, user information, or characters that would break the request line.
Result<HttpUrl> parse_http_url(std::string_view url);

}  // namespace community::infra
