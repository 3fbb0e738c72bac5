// SPDX-License-Identifier: Apache-2.0
// The origin of a web app as browsers write it (RFC 6454, section 6.2; HTML, "serialization of an origin"). Two origins
// are the same exactly when their texts are.
#pragma once
#include <string_view>

namespace community::apps {

// "https://" with a name of 253 characters and a port are 267.
inline constexpr std::size_t kMaxOrigin = 267;

// Whether an app may have this origin: https, or http on this machine (localhost, names below it, loopback addresses:
// what browsers call potentially trustworthy), with a host in lower case (international names in their ASCII form) and
// a port only where it is not the scheme's own. "null", paths and everything else are refused.
bool is_app_origin(std::string_view text);

}  // namespace community::apps
