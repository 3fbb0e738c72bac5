// SPDX-License-Identifier: Apache-2.0
// Which web pages and which names may reach a server that listens on a person's own machine. A browser sends simple
// POST requests to any address without asking first, so a foreign origin is refused and not merely left without CORS
// fields; and a name that an attacker points at 127.0.0.1 is refused by the Host field.
#include <algorithm>
#include <cctype>

#include "community/infra/http_connection.hpp"

namespace community::infra {
namespace {

// "localhost:3000", "[::1]:3000", "127.0.0.1" to the name alone, brackets kept.
std::string_view without_port(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    return close == std::string_view::npos ? authority : authority.substr(0, close + 1);
  }
  return authority.substr(0, authority.find(':'));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

bool is_ipv4_literal(std::string_view name) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v4(std::string(name), error);
  return !error;
}

bool is_local_name(const std::string& name) {
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" || name.ends_with(".localhost");
}

bool listed(const std::vector<std::string>& list, std::string_view value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return entry == "*" || entry == value; });
}

}  // namespace

OriginVerdict check_origin(const HttpServerOptions& options, std::string_view origin, std::string_view host) {
  if (origin.empty()) return OriginVerdict::none;
  const std::string value = lower(origin);
  if (listed(options.allowed_origins, value)) return OriginVerdict::allowed;
  const std::size_t scheme_end = value.find("://");
  if (scheme_end == std::string::npos) return OriginVerdict::refused;
  const std::string_view authority = std::string_view(value).substr(scheme_end + 3);
  if (is_local_name(std::string(without_port(authority)))) return OriginVerdict::allowed;
  // The page came from this server: its host name was checked already.
  if (authority == lower(host)) return OriginVerdict::allowed;
  return OriginVerdict::refused;
}

bool is_of_any_origin(const HttpServerOptions& options, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return std::any_of(options.paths_of_any_origin.begin(), options.paths_of_any_origin.end(),
                     [&](const auto& open) { return open.ends_with('/') ? path.starts_with(open) : path == open; });
}

bool check_host(const HttpServerOptions& options, bool loopback_only, std::string_view host) {
  if (!loopback_only && options.allowed_hosts.empty()) return true;
  // HTTP/1.0 has no Host field; no browser speaks it.
  if (host.empty()) return true;
  const std::string name = lower(without_port(host));
  if (is_local_name(name) || name.front() == '[' || is_ipv4_literal(name)) return true;
  return listed(options.allowed_hosts, name);
}

}  // namespace community::infra
