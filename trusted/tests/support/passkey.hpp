// SPDX-License-Identifier: Apache-2.0
// A passkey in software (P-256 by OpenSSL) that answers as a browser and its authenticator would, or wrongly in the one
// way that a test asks for.
#pragma once
#include <memory>
#include <optional>

#include "trusted/protocol/messages.hpp"
#include "trusted/tests/support/bytes.hpp"

struct ec_key_st;

namespace community::trusted::testing {

// An assertion that owns its bytes.
struct SignedAssertion {
  Bytes32 credential_hash{};
  Bytes client_data;
  Bytes authenticator_data;
  std::array<std::uint8_t, 64> signature{};
  protocol::Assertion view() const { return {credential_hash, client_data, authenticator_data, signature}; }
};

struct AssertionOptions {
  std::string type = "webauthn.get";
  std::string origin = "http://localhost:9000";
  std::string rp_id = "localhost";
  // What stands behind the origin, from the comma on.
  std::string tail = ",\"crossOrigin\":false}";
  std::uint8_t flags = 0x05;
  std::uint32_t sign_count = 0;
  Bytes extensions;
  // Stand instead of the parts above.
  std::optional<std::string> client_data;
  std::optional<Bytes> authenticator_data;
};

class SoftPasskey {
 public:
  // Keys and credential ids follow from the seed.
  explicit SoftPasskey(std::uint64_t seed, std::string_view rp_id = "localhost");

  const protocol::Passkey& passkey() const { return passkey_; }
  SignedAssertion sign(const Bytes32& challenge, const AssertionOptions& options = {}) const;
  // r || s over a digest
  std::array<std::uint8_t, 64> sign_digest(const Bytes32& digest) const;

 private:
  std::shared_ptr<ec_key_st> key_;
  protocol::Passkey passkey_;
};

std::string client_data_json(const Bytes32& challenge, const AssertionOptions& options);

}  // namespace community::trusted::testing
