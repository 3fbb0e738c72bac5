// SPDX-License-Identifier: Apache-2.0
// What a browser sends about itself. The endpoint is an address that the node will call: it is read strictly, and only
// hosts of the configuration are called.
#include <algorithm>

#include "community/core/base64url.hpp"
#include "community/core/ecdsa.hpp"
#include "community/notifications/api/push_subscription.hpp"

namespace community::notifications {
namespace {

// Those of today's services have 150 to 700 characters; PostgreSQL's indexes take 2,700 bytes.
constexpr std::size_t kMaxEndpoint = 1'024;
constexpr std::size_t kMaxHost = 253, kMaxLabel = 63;

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
         label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool is_host(std::string_view host) {
  if (host.size() > kMaxHost || host.find('.') == std::string_view::npos) return false;
  std::string_view last;
  while (!host.empty()) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    last = host.substr(0, dot);
    if (!is_label(last) || dot + 1 == host.size()) return false;
    host.remove_prefix(std::min(dot + 1, host.size()));
  }
  // Digits alone would be the end of an IPv4 address.
  return last.find_first_not_of("0123456789") != std::string_view::npos;
}

}  // namespace

Result<PushEndpoint> parse_push_endpoint(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  const auto refused = [](const char* why) { return fail(ErrorCode::endpoint_syntax, why); };
  if (url.size() > kMaxEndpoint) return refused("longer than 1,024 characters");
  if (!url.starts_with(kScheme)) return refused("it does not begin with https://");
  if (!std::ranges::all_of(url, [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
      }))
    return refused("it holds characters that no URL has, or a fragment");
  const std::size_t slash = url.find('/', kScheme.size());
  if (slash == std::string_view::npos) return refused("it has no path");
  const std::string_view host = url.substr(kScheme.size(), slash - kScheme.size());
  if (!is_host(host)) return refused("its host is no name in lower case, or it names a port or a user");
  return PushEndpoint{std::string(url.substr(0, slash)), std::string(host), std::string(url)};
}

bool is_push_service(std::string_view host, std::span<const std::string> services) {
  return std::ranges::any_of(services, [host](const std::string& service) {
    if (service.empty() || !host.ends_with(service)) return false;
    return host.size() == service.size() || host[host.size() - service.size() - 1] == '.';
  });
}

Result<PushSubscription> parse_push_subscription(const core::json::object& subscription) {
  PushSubscription read;
  const auto endpoint = core::string_member(subscription, "endpoint");
  if (!endpoint) return fail(ErrorCode::endpoint_syntax, endpoint.error().message);
  read.endpoint = std::string(*endpoint);
  if (const auto parsed = parse_push_endpoint(read.endpoint); !parsed) return tl::unexpected(parsed.error());
  const auto keys = core::object_member(subscription, "keys");
  if (!keys) return fail(ErrorCode::subscription_key, keys.error().message);
  const auto point = core::string_member(**keys, "p256dh");
  if (!point) return fail(ErrorCode::subscription_key, point.error().message);
  const auto bytes = core::parse_base64url(*point, read.p256dh.size());
  std::array<std::uint8_t, 64> rest{};
  if (!bytes || bytes->size() != read.p256dh.size() || bytes->front() != 0x04)
    return fail(ErrorCode::subscription_key, "p256dh is no uncompressed point in base64url");
  std::copy(bytes->begin() + 1, bytes->end(), rest.begin());
  if (!core::is_p256_point(rest)) return fail(ErrorCode::subscription_key, "p256dh is not on the curve");
  std::copy(bytes->begin(), bytes->end(), read.p256dh.begin());
  const auto auth = core::string_member(**keys, "auth");
  if (!auth) return fail(ErrorCode::subscription_auth, auth.error().message);
  const auto secret = core::parse_base64url(*auth, read.auth.size());
  if (!secret || secret->size() != read.auth.size())
    return fail(ErrorCode::subscription_auth, "auth is not 16 bytes in base64url");
  std::copy(secret->begin(), secret->end(), read.auth.begin());
  return read;
}

}  // namespace community::notifications
