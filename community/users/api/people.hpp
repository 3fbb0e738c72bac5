// SPDX-License-Identifier: Apache-2.0
// People as this node knows them: values without behaviour. Ids are UUIDs in lower case (RFC 9562); times are
// milliseconds since 1970; an empty text of a profile means that the person gave none.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "community/core/bytes.hpp"

namespace community::users {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;

// Languages that the node has texts for (BCP 47): "en", "zh-Hans", "th".
inline constexpr std::array<std::string_view, 3> kLocales{"en", "zh-Hans", "th"};

struct Person {
  std::string user_id;
  // Personal data, as every member below but the times: in no log line, label or audit entry.
  std::string email;
  std::string username;
  std::string avatar_url;
  // E.164.
  std::string phone_number;
  std::string locale;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  // Suspended by the operator otherwise: nothing logs the person in.
  bool is_active = true;
};

// What a request came from, and through which device the person says it was.
struct Client {
  // Network address in its canonical text (client_address.hpp).
  std::string address;
  // As the person named it; empty when not.
  std::string device_name;
  // What the browser keeps since an earlier log-in at this node; empty when it has none. Kept nowhere as it is.
  std::string device_token;
};

struct Session {
  std::string session_id;
  std::string user_id;
  // The passkey that it was begun with.
  std::string profile_id;
  std::int64_t created_ms = 0;
  // At most a minute old.
  std::int64_t last_used_ms = 0;
  std::int64_t expires_ms = 0;
  Client client;
};

// A session that was just made. The token leaves the node once, in a cookie; the database keeps its SHA-256.
struct NewSession {
  Session session;
  std::string token;
  // For the browser to keep, so that its person's next log-in from it is from a known device.
  std::string device_token;
};

// A passkey. No biometric data is ever received: "biometric" is the founders' word for what the device verifies itself.
struct PasskeyProfile {
  std::string profile_id;
  std::string user_id;
  std::string name;
  // Of the device that it was made on: one a registration.
  std::string device_id;
  Bytes credential_id;
  // P-256 x || y; its SHA-256 is the founders' template_hash.
  std::array<std::uint8_t, 64> public_key{};
  // Authenticator data of the registration (WebAuthn level 3, section 6.1): backup eligible and backed up are of use.
  std::uint8_t flags = 0;
  std::uint32_t sign_count = 0;
  std::array<std::uint8_t, 16> aaguid{};
  std::vector<std::string> transports;
  // The device answers WebAuthn's prf extension.
  bool prf = false;
  bool is_active = true;
  std::int64_t created_ms = 0;
  // 0: not since it was made.
  std::int64_t last_verified_ms = 0;

  bool backup_eligible() const { return (flags & 0x08) != 0; }
  bool backed_up() const { return (flags & 0x10) != 0; }
};

// What an account's address follows from (spec/wire-formats.md, section 2).
struct WalletOrigin {
  Address factory{};
  Address entry_point{};
  Bytes32 proxy_init_code_hash{};
  Bytes init_data;
  Address server_key{};
  Address escape_key{};
};

struct AccountOnChain {
  std::uint64_t chain_id = 0;
  Address address{};
};

// A sealed record of the trusted core with the accounts that it signs for.
struct Wallet {
  // The core's record id, written as a UUID.
  std::string wallet_id;
  std::string alias;
  bool is_primary = false;
  // On every chain the same, as long as its factory is.
  Address address{};
  std::vector<AccountOnChain> accounts;
  // Nothing for an account that began elsewhere.
  std::optional<WalletOrigin> origin;
  std::int64_t created_ms = 0;
  // 0: never.
  std::int64_t last_used_ms = 0;
  // The person said so.
  bool recovery_file_saved = false;
};

// --- what devices answer, as a page passes it on ---------------------------------------------------------------------

// To a registration.
struct NewPasskey {
  Bytes credential_id;
  Bytes client_data;
  Bytes attestation_object;
  // Hints of the device, any words.
  std::vector<std::string> transports;
  bool prf = false;
  // Of the recovery file, whose secret the page alone has.
  Address escape_key{};
  // What the person calls this device; empty: none given.
  std::string device_name;
};

// To a log-in.
struct LogInAssertion {
  Bytes credential_id;
  Bytes client_data;
  Bytes authenticator_data;
  // ECDSA in DER, as WebAuthn has it.
  Bytes signature;
  // Nothing when the device did not say.
  std::optional<Bytes> user_handle;
};

}  // namespace community::users
