// SPDX-License-Identifier: Apache-2.0
// What needs no network: headers, targets, routes.
#include "community/infra/api/http.hpp"

#include <algorithm>

namespace community::infra {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> segments;
  std::size_t at = 1;
  while (at <= path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    segments.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

bool is_parameter(std::string_view segment) { return segment.size() > 2 && segment.front() == '{'; }

// The parameters when `path` fits the pattern.
std::optional<HttpRouter::Parameters> match(const std::vector<std::string>& pattern,
                                            const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  HttpRouter::Parameters parameters;
  for (std::size_t i = 0; i < pattern.size(); i++) {
    if (!is_parameter(pattern[i])) {
      if (pattern[i] != path[i]) return std::nullopt;
      continue;
    }
    auto decoded = percent_decode(path[i], false);
    if (!decoded || decoded->empty()) return std::nullopt;
    parameters.emplace_back(pattern[i].substr(1, pattern[i].size() - 2), std::move(*decoded));
  }
  return parameters;
}

}  // namespace

void HttpHeaders::add(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  text_ += name;
  text_ += value;
  entries_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

std::optional<std::string_view> HttpHeaders::find(std::string_view wanted) const {
  for (std::size_t i = 0; i < entries_.size(); i++)
    if (same_name(name(i), wanted)) return value(i);
  return std::nullopt;
}

std::string_view HttpRequest::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view HttpRequest::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view{} : std::string_view(target).substr(mark + 1);
}

std::optional<std::string> HttpRequest::query_value(std::string_view key) const {
  std::string_view rest = query();
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    const auto found = percent_decode(pair.substr(0, equals), true);
    if (!found || *found != key) continue;
    return equals == std::string_view::npos ? std::string{} : percent_decode(pair.substr(equals + 1), true);
  }
  return std::nullopt;
}

std::optional<std::string_view> HttpRequest::cookie(std::string_view name) const {
  std::string_view rest = headers.get("cookie");
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
  }
  return std::nullopt;
}

HttpResponse http_text(unsigned status, std::string body, std::string_view content_type) {
  HttpResponse response;
  response.status = status;
  response.headers.add("content-type", content_type);
  response.body = std::move(body);
  return response;
}

HttpResponse http_json(unsigned status, std::string body) {
  return http_text(status, std::move(body), "application/json");
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return out;
}

void HttpRouter::add(std::string_view method, std::string_view pattern, RouteHandler handler) {
  routes_.push_back({std::string(method), split_path(pattern), std::move(handler)});
}

void HttpRouter::add(std::string_view method, std::string_view pattern, HttpHandler handler) {
  add(method, pattern, RouteHandler([handler = std::move(handler)](HttpRequest request, const Parameters&) {
        return handler(std::move(request));
      }));
}

Task<HttpResponse> HttpRouter::handle(HttpRequest request) const {
  const auto path = split_path(request.path());
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  std::string allowed;
  for (const auto& route : routes_) {
    auto parameters = match(route.segments, path);
    if (!parameters) continue;
    if (route.method == method) co_return co_await route.handler(std::move(request), std::move(*parameters));
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
  }
  const std::string_view target = request.path();
  const bool is_below = refusal_ && target.starts_with(refused_prefix_) &&
                        (target.size() == refused_prefix_.size() || target[refused_prefix_.size()] == '/');
  if (!allowed.empty()) {
    auto response = is_below ? refusal_(405, allowed) : http_text(405, "this path answers " + allowed + "\n");
    response.headers.add("allow", allowed);
    co_return response;
  }
  if (is_below) co_return refusal_(404, {});
  if (otherwise_) co_return co_await otherwise_(std::move(request));
  co_return http_text(404, "nothing is served under this path\n");
}

void HttpRouter::refuse_below(std::string prefix, Refusal refusal) {
  refused_prefix_ = std::move(prefix);
  refusal_ = std::move(refusal);
}

HttpHandler HttpRouter::handler() const {
  return [this](HttpRequest request) { return handle(std::move(request)); };
}

}  // namespace community::infra
