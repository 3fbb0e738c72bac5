// SPDX-License-Identifier: Apache-2.0
// Checks of a WebAuthn assertion (WebAuthn level 3, section 7.2) that need no cryptography: client data and
// authenticator data. Strict where the browser's own serialisation is strict; used by the trusted core and by hosted
// code.
#pragma once
#include "trusted/base/bytes.hpp"

namespace community::webauthn {

using base::Bytes32;
using base::ByteView;

enum class AssertionError : std::uint8_t {
  none,
  client_data_malformed,
  client_data_duplicate_member,
  client_data_wrong_type,
  challenge_mismatch,
  origin_not_allowed,
  cross_origin,
  authenticator_data_malformed,
  rp_id_mismatch,
  user_not_present,
  user_not_verified,
};

// The members of client data that decide. Views into the JSON text; `challenge` is still base64url.
struct ClientData {
  std::string_view type;
  std::string_view challenge;
  std::string_view origin;
  std::string_view top_origin;
  bool cross_origin = false;
};

// Reads the JSON text: one object, no duplicate members at any level, valid UTF-8, no escapes in member names or in the
// values above, at most 16 members an object and 4 levels.
AssertionError read_client_data(ByteView json, ClientData& out);

// Text of 32 bytes in base64url without padding: 43 characters.
std::array<char, 43> base64url(const Bytes32& bytes);

struct AuthenticatorData {
  Bytes32 rp_id_hash{};
  std::uint8_t flags = 0;
  std::uint32_t sign_count = 0;
};

inline constexpr std::uint8_t kUserPresent = 0x01;
inline constexpr std::uint8_t kUserVerified = 0x04;
inline constexpr std::uint8_t kBackupEligible = 0x08;
inline constexpr std::uint8_t kBackedUp = 0x10;
inline constexpr std::uint8_t kAttestedCredential = 0x40;
inline constexpr std::uint8_t kExtensions = 0x80;

// Reads the authenticator data of an assertion (WebAuthn section 6.1): exactly 37 bytes, or one CBOR map of extensions
// behind them when the flag says so. Attested credential data does not belong into an assertion.
AssertionError read_authenticator_data(ByteView bytes, AuthenticatorData& out);

}  // namespace community::webauthn
