// SPDX-License-Identifier: Apache-2.0
// The passkey's part, which dual signatures and votes share: r || s || length || authenticator data || client data
// tail.
#pragma once
#include "community/accounts/api/account.hpp"

namespace community::accounts {

// Errors of encode_dual_signature.
Result<Bytes> encode_passkey_part(const PasskeySignature& passkey);

}  // namespace community::accounts
