// SPDX-License-Identifier: Apache-2.0
// Requests and responses as plain values; no header of Beast reaches the rest of the program.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "community/infra/api/task.hpp"

namespace community::infra {

// Fields in the order they came; names compare without regard to case. All text lies in one string.
class HttpHeaders {
 public:
  void add(std::string_view name, std::string_view value);
  // The first value; nothing when there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view{}); }
  std::size_t size() const { return entries_.size(); }
  std::string_view name(std::size_t i) const { return part(entries_[i].name, entries_[i].name_size); }
  std::string_view value(std::size_t i) const { return part(entries_[i].value, entries_[i].value_size); }

 private:
  struct Entry {
    std::uint32_t name, name_size, value, value_size;
  };
  std::string_view part(std::uint32_t at, std::uint32_t size) const { return {text_.data() + at, size}; }
  std::string text_;
  std::vector<Entry> entries_;
};

struct HttpRequest {
  // Upper case: GET, POST, …
  std::string method = "GET";
  // Path and query as sent, percent-encoded: "/a%20b?x=1".
  std::string target = "/";
  HttpHeaders headers;
  std::string body;
  // Textual address of the peer, without port; empty for requests made in tests.
  std::string remote;

  std::string_view path() const;
  std::string_view query() const;
  // The decoded value of a query parameter; nothing when absent or badly encoded.
  std::optional<std::string> query_value(std::string_view key) const;
  // The decoded value of a cookie as sent; nothing when absent.
  std::optional<std::string_view> cookie(std::string_view name) const;
};

// Writes pieces of a response whose end is not known: server-sent events, exports.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  // False when the peer is gone or the server stops: leave then.
  virtual Task<bool> write(std::string piece) = 0;
};

struct HttpResponse {
  unsigned status = 200;
  HttpHeaders headers;
  std::string body;
  // Instead of `body`: bytes shared by many responses, such as a static file kept in memory.
  std::shared_ptr<const std::string> shared_body;
  // Instead of `body`: called once the head is sent; the connection closes afterwards.
  std::function<Task<void>(BodyWriter&)> stream;

  std::string_view content() const { return shared_body ? std::string_view(*shared_body) : std::string_view(body); }
};

HttpResponse http_text(unsigned status, std::string body, std::string_view content_type = "text/plain; charset=utf-8");
HttpResponse http_json(unsigned status, std::string body);

using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

// %41 to A; '+' to space only where asked. Nothing when an escape is malformed.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Paths to handlers. A pattern's segment "{name}" takes any non-empty segment. An unknown path answers 404, a known
// path with another method 405 with Allow; HEAD is answered by GET's handler. Patterns are few: a linear search.
class HttpRouter {
 public:
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  using RouteHandler = std::function<Task<HttpResponse>(HttpRequest, Parameters)>;

  void add(std::string_view method, std::string_view pattern, RouteHandler handler);
  void add(std::string_view method, std::string_view pattern, HttpHandler handler);
  // What is answered at `prefix` and below it in place of the plain 404 and 405: an API has its own form of errors.
  // Comes before otherwise(). `allowed` is the value of Allow, which is added to the answer; empty for 404.
  using Refusal = std::function<HttpResponse(unsigned status, std::string_view allowed)>;
  void refuse_below(std::string prefix, Refusal refusal);
  // Answers what no pattern matches, in place of 404.
  void otherwise(HttpHandler handler) { otherwise_ = std::move(handler); }

  Task<HttpResponse> handle(HttpRequest request) const;
  // A handler that refers to this router, which must outlive it.
  HttpHandler handler() const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    RouteHandler handler;
  };
  std::vector<Route> routes_;
  HttpHandler otherwise_;
  std::string refused_prefix_;
  Refusal refusal_;
};

}  // namespace community::infra
