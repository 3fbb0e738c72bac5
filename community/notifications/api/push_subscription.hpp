// SPDX-License-Identifier: Apache-2.0
// What a browser tells about itself so that notices reach it. Pure.
#pragma once
#include <array>
#include <span>
#include <string>

#include "community/core/json.hpp"
#include "community/notifications/api/error.hpp"

namespace community::notifications {

// Where a browser takes notices. A capability: whoever knows it may send there; in no log line.
struct PushEndpoint {
  // "https://fcm.googleapis.com"; what VAPID calls the audience.
  std::string origin;
  std::string host;
  std::string url;
};
// https, a host of lower-case labels without a port, a path; at most 1,024 printable ASCII characters. endpoint_syntax.
Result<PushEndpoint> parse_push_endpoint(std::string_view url);
// Whether the host is one of the services, or below one.
bool is_push_service(std::string_view host, std::span<const std::string> services);

struct PushSubscription {
  std::string endpoint;
  // Uncompressed point of the browser's key: 0x04 || x || y.
  std::array<std::uint8_t, 65> p256dh{};
  std::array<std::uint8_t, 16> auth{};
};
// What PushSubscription.toJSON() of a browser gives: endpoint, and keys with p256dh and auth in base64url; other
// members are ignored (Push API, section 8.1). endpoint_syntax, subscription_key (also for a point off the curve),
// subscription_auth.
Result<PushSubscription> parse_push_subscription(const core::json::object& subscription);

// One record of 4,096 bytes less header, tag and delimiter (RFC 8291, section 4).
inline constexpr std::size_t kMaxPushBytes = 3'993;

}  // namespace community::notifications
