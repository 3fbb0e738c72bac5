// SPDX-License-Identifier: Apache-2.0
// Relying party id and origin of a node's page: what passkeys are bound to, for good. A node that changes its id loses
// every passkey, so a configuration in which the two do not fit is refused before anybody registers.
#pragma once
#include <string>

#include "community/users/api/error.hpp"

namespace community::users {

// The longest origin that the trusted core is told (protocol::kMaxOrigin).
inline constexpr std::size_t kMaxOriginBytes = 128;

// Nothing when they fit, otherwise why not, for whoever wrote the configuration. The origin is as browsers write it
// (RFC 6454, section 6.2): https (or http for localhost, where browsers allow passkeys without TLS), a lower-case host,
// a port unless it is the scheme's own, and nothing behind. The id is the origin's host or a parent domain of it
// (WebAuthn level 3, section 5.1.2) of two labels at least; which of those are public suffixes only browsers know.
std::optional<std::string> misfit(std::string_view rp_id, std::string_view origin);

}  // namespace community::users
