// SPDX-License-Identifier: Apache-2.0
#include "community/users/api/relying_party.hpp"

#include <algorithm>
#include <charconv>

namespace community::users {
namespace {

constexpr std::string_view kHttps = "https://", kHttp = "http://", kLocalhost = "localhost";
constexpr std::string_view kBelowLocalhost = ".localhost";

bool is_host(std::string_view text) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos || !std::all_of(text.begin(), text.end(), good)) return false;
  // A last label of digits alone is an address, which no passkey is bound to.
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return !std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_port(std::string_view text, unsigned standard) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65'535 && port != standard &&
         text.front() != '0';
}

}  // namespace

std::optional<std::string> misfit(std::string_view rp_id, std::string_view origin) {
  const bool is_https = origin.starts_with(kHttps), is_http = origin.starts_with(kHttp);
  if (!is_https && !is_http) return "the origin begins with https:// (http:// for localhost)";
  if (origin.size() > kMaxOriginBytes) return "the origin has more than 128 characters";
  const std::string_view authority = origin.substr(is_https ? kHttps.size() : kHttp.size());
  const std::size_t colon = authority.find(':');
  const std::string_view host = authority.substr(0, colon);
  if (!is_host(host)) return "the origin is a scheme, a host in lower case and no more, as https://example.org";
  if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1), is_https ? 443 : 80))
    return "the origin's port is a number, and left out where it is the scheme's own";
  // Names below localhost are this machine, too (RFC 6761, section 6.3), and contexts that browsers trust.
  if (is_http && host != kLocalhost && !host.ends_with(kBelowLocalhost))
    return "without TLS (https://) browsers make passkeys on localhost alone";
  if (!is_host(rp_id)) return "the relying party id is a domain in lower case, without scheme and port";
  if (rp_id == host) return std::nullopt;
  if (!host.ends_with("." + std::string(rp_id)))
    return "the relying party id is neither the origin's host nor a parent of it";
  if (rp_id.find('.') == std::string_view::npos) return "the relying party id is a whole top-level domain";
  return std::nullopt;
}

}  // namespace community::users
