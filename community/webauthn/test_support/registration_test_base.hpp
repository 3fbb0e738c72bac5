// SPDX-License-Identifier: Apache-2.0
// One registration that is right, and the name of the rule that a changed one breaks.
#pragma once
#include <gtest/gtest.h>

#include "community/webauthn/test_support/authenticator.hpp"

namespace community::webauthn::test_support {

class RegistrationTest : public ::testing::Test {
 protected:
  RegistrationTest() {
    parts.client_data = Authenticator::client_data();
    parts.cose_key = cose_key();
  }

  Bytes cose_key() const {
    const auto point = maker.credential.point();
    return cbor_map({cbor_number(1), cbor_number(2), cbor_number(3), cbor_number(-7), cbor_number(-1), cbor_number(1),
                     cbor_number(-2), cbor_bytes(ByteView(point).first(32)), cbor_number(-3),
                     cbor_bytes(ByteView(point).subspan(32))});
  }

  Result<Registration> verify(std::string_view format, ByteView statement) const {
    return verify_registration(ceremony, policy, base::view(parts.client_data),
                               attestation_object(format, parts.auth_data(), statement));
  }
  // "accepted", or the rule.
  std::string why(std::string_view format, ByteView statement) const {
    const auto result = verify(format, statement);
    return result ? "accepted" : std::string(name(result.error().code));
  }
  std::string why_none() const { return why("none", cbor_map({})); }

  Authenticator maker;
  Ceremony ceremony = maker.ceremony();
  AttestationPolicy policy = maker.policy();
  Parts parts;
};

}  // namespace community::webauthn::test_support
