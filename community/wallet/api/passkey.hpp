// SPDX-License-Identifier: Apache-2.0
// A passkey in software, for operators, the development chain and tests: it answers what a browser and an authenticator
// would. Not for people: nothing but the file's mode protects its key.
#pragma once
#include <memory>

#include "community/core/bytes.hpp"

namespace community::wallet {

using core::Bytes;
using core::Bytes32;

struct PasskeyAssertion {
  Bytes credential_id;
  Bytes client_data;
  Bytes authenticator_data;
  std::array<std::uint8_t, 64> signature{};
};

// What navigator.credentials.create() answers, with attestation "none" (WebAuthn level 3, section 8.7).
struct PasskeyRegistration {
  Bytes client_data;
  Bytes attestation_object;
};

class SoftwarePasskey {
 public:
  // From a secret of P-256 (is_secret); the same bytes are the same passkey.
  SoftwarePasskey(const Bytes32& secret, std::string rp_id, std::string origin);
  SoftwarePasskey(SoftwarePasskey&&) noexcept;
  SoftwarePasskey& operator=(SoftwarePasskey&&) noexcept;
  ~SoftwarePasskey();

  // Above zero and below the order of P-256.
  static bool is_secret(const Bytes32& secret);

  const Bytes& credential_id() const;
  const std::array<std::uint8_t, 64>& public_key() const;
  Bytes32 rp_id_hash() const;
  const std::string& origin() const;
  // User present and verified.
  PasskeyAssertion assert_challenge(const Bytes32& challenge) const;
  // User present and verified, too; says of the maker that there is none.
  PasskeyRegistration answer_registration(core::ByteView challenge) const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace community::wallet
