// SPDX-License-Identifier: Apache-2.0
// The session's cookie in the Cookie fields of a request (RFC 6265, section 4.2).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace community::gateway::api_v1 {

inline constexpr std::string_view kSessionCookie = "session";

// The value of the one cookie of this name, when it is 43 characters of base64url; empty otherwise. Several are
// nobody's: a page of another port of this machine can set one beside ours, and browsers do not say which is whose.
std::string session_token(const std::vector<std::string_view>& cookie_fields);

}  // namespace community::gateway::api_v1
