// SPDX-License-Identifier: Apache-2.0
// The node's own cookies in the Cookie fields of a request (RFC 6265, section 4.2).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace community::gateway::api_v1 {

inline constexpr std::string_view kSessionCookie = "session";
// By which a browser is known at its person's next log-in. Over TLS its name begins with a prefix that no other host
// of the domain can set (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
inline constexpr std::string_view kDeviceCookie = "device", kSecureDeviceCookie = "__Host-device";

// The value of the one cookie of this name, when it is 43 characters of base64url; empty otherwise. Several are
// nobody's: a page of another port of this machine can set one beside ours, and browsers do not say which is whose.
std::string cookie_token(const std::vector<std::string_view>& cookie_fields, std::string_view name);

}  // namespace community::gateway::api_v1
