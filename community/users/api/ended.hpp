// SPDX-License-Identifier: Apache-2.0
// Why a session is over, as far as its browser may be told: the message of not_logged_in.
#pragma once
#include <string_view>

namespace community::users {

// The passkey that began it was removed: by the person, or since an escape, a recovery or a change of keys took it from
// their accounts.
inline constexpr std::string_view kPasskeyRemoved = "passkey-removed";

}  // namespace community::users
