// SPDX-License-Identifier: Apache-2.0
// The passkey's assertion (WebAuthn level 3, section 7.2): every way it can be wrong, by the name of the check.
#include <gtest/gtest.h>

#include "trusted/tests/support/world.hpp"
#include "trusted/webauthn/assertion.hpp"

namespace community::trusted::testing {
namespace {

class PasskeyAssertion : public ::testing::Test {
 protected:
  Error sign(const AssertionOptions& options) { return world.sign(world.good_userop(), options).error; }
  Error with_tail(std::string tail) {
    AssertionOptions options;
    options.tail = std::move(tail);
    return sign(options);
  }
  Error with_origin(std::string origin) {
    AssertionOptions options;
    options.origin = std::move(origin);
    return sign(options);
  }
  Error with_flags(std::uint8_t flags, Bytes extensions = {}) {
    AssertionOptions options;
    options.flags = flags;
    options.extensions = std::move(extensions);
    return sign(options);
  }
  Error with_client_data(std::string json) {
    AssertionOptions options;
    options.client_data = std::move(json);
    return sign(options);
  }
  std::string json(const AssertionOptions& options = {}) {
    return client_data_json(world.hash(world.good_userop()), options);
  }
  World world;
};

TEST_F(PasskeyAssertion, AcceptsWhatABrowserMakes) {
  EXPECT_EQ(sign({}), Error::ok);
  EXPECT_EQ(with_tail("}"), Error::ok);
  EXPECT_EQ(with_tail(",\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"do not compare\"}"), Error::ok);
}

TEST_F(PasskeyAssertion, AcceptsAHighS) {
  // Half of all signatures have one; which half does not matter to the core.
  const TestUserop userop = world.good_userop();
  const Bytes order = unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  SignedAssertion assertion = world.passkey.sign(world.hash(userop));
  EXPECT_EQ(world.sign(userop, assertion).error, Error::ok);
  const auto other = subtract(Uint256::from_be(order), Uint256::from_be(ByteView(assertion.signature).last(32)));
  base::copy(base::MutableByteView(assertion.signature).subspan(32), other->to_be());
  EXPECT_EQ(world.sign(userop, assertion).error, Error::ok);
}

TEST_F(PasskeyAssertion, RefusesAnotherPasskeysSignature) {
  const TestUserop userop = world.good_userop();
  SignedAssertion assertion = SoftPasskey(1234).sign(world.hash(userop));
  assertion.credential_hash = world.passkey.passkey().credential_hash;
  EXPECT_EQ(world.sign(userop, assertion).error, Error::passkey_signature_invalid);
}

TEST_F(PasskeyAssertion, RefusesASignatureWithAnyBitChanged) {
  const TestUserop userop = world.good_userop();
  const SignedAssertion good = world.passkey.sign(world.hash(userop));
  for (std::size_t i = 0; i < good.signature.size(); i += 7) {
    SignedAssertion bad = good;
    bad.signature[i] ^= 0x10;
    EXPECT_EQ(world.sign(userop, bad).error, Error::passkey_signature_invalid) << i;
  }
  SignedAssertion zero = good;
  zero.signature = {};
  EXPECT_EQ(world.sign(userop, zero).error, Error::passkey_signature_invalid);
}

TEST_F(PasskeyAssertion, RefusesAnUnknownCredential) {
  const TestUserop userop = world.good_userop();
  EXPECT_EQ(world.sign(userop, SoftPasskey(1234).sign(world.hash(userop))).error, Error::passkey_unknown);
}

TEST_F(PasskeyAssertion, RefusesAMissingUser) {
  EXPECT_EQ(with_flags(0x04), Error::user_not_present);
  EXPECT_EQ(with_flags(0x00), Error::user_not_present);
  EXPECT_EQ(with_flags(0x01), Error::user_not_verified);
}

TEST_F(PasskeyAssertion, ComparesTheWholeOrigin) {
  for (const char* origin :
       {"http://localhost:9001", "http://localhost", "https://localhost:9000", "http://localhost:9000/",
        "http://LOCALHOST:9000", "http://localhost.:9000", "http://localhost:9000.evil.example", "http://evil.example",
        "localhost:9000", "http://127.0.0.1:9000", "http://localhost:09000", " http://localhost:9000", ""})
    EXPECT_EQ(with_origin(origin), Error::origin_not_allowed) << origin;
}

TEST_F(PasskeyAssertion, RefusesAnOriginOfAnotherRelyingParty) {
  // Configured, but for a passkey of another rp id.
  EXPECT_EQ(with_origin("https://node.example"), Error::origin_not_allowed);
}

TEST_F(PasskeyAssertion, RefusesAForeignRpId) {
  AssertionOptions options;
  options.rp_id = "node.example";
  EXPECT_EQ(sign(options), Error::rp_id_mismatch);
  options.rp_id = "LOCALHOST";
  EXPECT_EQ(sign(options), Error::rp_id_mismatch);
}

TEST_F(PasskeyAssertion, RefusesAnotherType) {
  AssertionOptions options;
  for (const char* type : {"webauthn.create", "webauthn.get ", "Webauthn.get", "payment.get", ""}) {
    options.type = type;
    EXPECT_EQ(sign(options), Error::client_data_wrong_type) << type;
  }
}

TEST_F(PasskeyAssertion, RefusesCrossOriginUse) {
  EXPECT_EQ(with_tail(",\"crossOrigin\":true}"), Error::cross_origin);
  EXPECT_EQ(with_tail(",\"topOrigin\":\"http://localhost:9000\"}"), Error::cross_origin);
  EXPECT_EQ(with_tail(",\"crossOrigin\":false,\"topOrigin\":\"https://evil.example\"}"), Error::cross_origin);
  // Present at all means embedded (WebAuthn section 5.8.1).
  EXPECT_EQ(with_tail(",\"crossOrigin\":false,\"topOrigin\":\"\"}"), Error::cross_origin);
}

TEST_F(PasskeyAssertion, RefusesCrossOriginThatIsNoBoolean) {
  for (const char* value : {"null", "0", "1", "\"true\"", "\"false\"", "[]", "{}", "True"})
    EXPECT_EQ(with_tail(std::string(",\"crossOrigin\":") + value + "}"), Error::client_data_malformed) << value;
}

TEST_F(PasskeyAssertion, RefusesDuplicateMembers) {
  EXPECT_EQ(with_tail(",\"origin\":\"http://localhost:9000\"}"), Error::client_data_duplicate_member);
  EXPECT_EQ(with_tail(",\"type\":\"webauthn.get\"}"), Error::client_data_duplicate_member);
  EXPECT_EQ(with_tail(",\"challenge\":\"x\"}"), Error::client_data_duplicate_member);
  EXPECT_EQ(with_tail(",\"crossOrigin\":false,\"crossOrigin\":false}"), Error::client_data_duplicate_member);
  EXPECT_EQ(with_tail(",\"x\":1,\"x\":2}"), Error::client_data_duplicate_member);
}

TEST_F(PasskeyAssertion, RefusesDuplicateMembersInside) {
  EXPECT_EQ(with_tail(",\"x\":{\"a\":1,\"a\":2}}"), Error::client_data_duplicate_member);
  EXPECT_EQ(with_tail(",\"x\":[{\"b\":0,\"a\":1,\"b\":2}]}"), Error::client_data_duplicate_member);
  // The same name at another level is no duplicate.
  EXPECT_EQ(with_tail(",\"x\":{\"origin\":\"https://evil.example\"}}"), Error::ok);
}

TEST_F(PasskeyAssertion, RefusesAMemberNameThatHidesBehindAnEscape) {
  EXPECT_EQ(with_tail(",\"orig\\u0069n\":\"https://evil.example\"}"), Error::client_data_malformed);
  EXPECT_EQ(with_tail(",\"x\":{\"\\u0061\":1,\"a\":2}}"), Error::client_data_malformed);
  EXPECT_EQ(with_tail(",\"\\/\":1}"), Error::client_data_malformed);
}

TEST_F(PasskeyAssertion, RefusesEscapesInTheValuesThatDecide) {
  EXPECT_EQ(with_origin("http:\\/\\/localhost:9000"), Error::client_data_malformed);
  EXPECT_EQ(with_origin("http://localhost:900\\u0030"), Error::client_data_malformed);
  EXPECT_EQ(with_tail(",\"topOrigin\":\"\\u0061\"}"), Error::client_data_malformed);
  // Elsewhere they are ordinary JSON.
  EXPECT_EQ(with_tail(",\"note\":\"a \\\"quoted\\\" \\u00e4 \\/ \\n\"}"), Error::ok);
}

TEST_F(PasskeyAssertion, RefusesClientDataThatIsNotJson) {
  const std::string good = json();
  const std::string front = good.substr(0, good.size() - 1);
  for (const std::string& bad : {std::string(),
                                 std::string("null"),
                                 std::string("[]"),
                                 std::string("{"),
                                 front,
                                 good + "x",
                                 good + good,
                                 "\xef\xbb\xbf" + good,
                                 front + ",}",
                                 front + ",\"x\"}",
                                 front + ",\"x\":}",
                                 front + ",x:1}",
                                 front + ",\"x\":01}",
                                 front + ",\"x\":1.}",
                                 front + ",\"x\":.5}",
                                 front + ",\"x\":1e}",
                                 front + ",\"x\":-}",
                                 front + ",\"x\":+1}",
                                 front + ",\"x\":NaN}",
                                 front + ",\"x\":tru}",
                                 front + ",\"x\":'a'}",
                                 front + ",\"x\":\"\\x\"}",
                                 front + ",\"x\":\"\\u12g4\"}",
                                 front + ",\"x\":\"\n\"}",
                                 front + ",\"x\":[1,]}",
                                 front + ",\"x\":[1 2]}",
                                 front + ",\"x\":{\"a\"}}",
                                 front + " \"x\":1}",
                                 front + ",/**/\"x\":1}",
                                 good.substr(1),
                                 front + ";}"})
    EXPECT_EQ(with_client_data(bad), Error::client_data_malformed) << bad;
}

TEST_F(PasskeyAssertion, RefusesClientDataThatIsNotUtf8) {
  // A lone continuation, an overlong slash, a surrogate, above the last code point, cut off.
  for (const char* bytes : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"})
    EXPECT_EQ(with_tail(std::string(",\"x\":\"") + bytes + "\"}"), Error::client_data_malformed);
  EXPECT_EQ(with_tail(",\"x\":\"\xe0\xb8\x81 \xf0\x9f\x94\x91\"}"), Error::ok);
}

TEST_F(PasskeyAssertion, RefusesClientDataBeyondItsLimits) {
  std::string members;
  for (int i = 0; i < 13; i++) members += ",\"m" + std::to_string(i) + "\":0";
  EXPECT_EQ(with_tail(members + "}"), Error::ok);
  EXPECT_EQ(with_tail(members + ",\"m13\":0}"), Error::client_data_malformed);
  EXPECT_EQ(with_tail(",\"x\":[[{}]]}"), Error::ok);
  EXPECT_EQ(with_tail(",\"x\":[[[{}]]]}"), Error::client_data_malformed);
  EXPECT_EQ(with_tail(",\"x\":\"" + std::string(3'000, 'x') + "\"}"), Error::malformed_request);
}

TEST_F(PasskeyAssertion, MissingMembersAreRefusedByTheCheckThatNeedsThem) {
  EXPECT_EQ(with_client_data("{}"), Error::client_data_wrong_type);
  EXPECT_EQ(with_client_data("{\"type\":\"webauthn.get\"}"), Error::challenge_mismatch);
  const auto challenge = webauthn::base64url(world.hash(world.good_userop()));
  const std::string text(challenge.data(), challenge.size());
  EXPECT_EQ(with_client_data("{\"type\":\"webauthn.get\",\"challenge\":\"" + text + "\"}"), Error::origin_not_allowed);
}

TEST_F(PasskeyAssertion, RefusesOtherSpellingsOfTheChallenge) {
  std::string good = json();
  const std::size_t end = good.find("\",\"origin\"");
  std::string padded = good;
  padded.insert(end, "=");
  EXPECT_EQ(with_client_data(padded), Error::challenge_mismatch);
  // The last character carries two unused bits; another spelling of the same bytes is refused.
  std::string other = good;
  other[end - 1] = other[end - 1] == 'B' ? 'C' : static_cast<char>(other[end - 1] + 1);
  EXPECT_EQ(with_client_data(other), Error::challenge_mismatch);
  good.erase(end - 1, 1);
  EXPECT_EQ(with_client_data(good), Error::challenge_mismatch);
}

TEST_F(PasskeyAssertion, RefusesAuthenticatorDataThatIsTooShort) {
  AssertionOptions options;
  const Bytes good = world.passkey.sign(Bytes32{}).authenticator_data;
  for (std::size_t size = 0; size < 37; size++) {
    options.authenticator_data = Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(sign(options), Error::authenticator_data_malformed) << size;
  }
}

TEST_F(PasskeyAssertion, RefusesAuthenticatorDataWithTrailingBytes) {
  EXPECT_EQ(with_flags(0x05, Bytes{0}), Error::authenticator_data_malformed);
  // A map that no flag announces
  EXPECT_EQ(with_flags(0x05, Bytes{0xa0}), Error::authenticator_data_malformed);
  EXPECT_EQ(with_flags(0x85, Bytes{0xa0, 0x00}), Error::authenticator_data_malformed);
}

TEST_F(PasskeyAssertion, ReadsExtensionsOnlyAsOneCborMap) {
  // {"a": true}, {}, {"hmac-secret": h'0102'}
  EXPECT_EQ(with_flags(0x85, unhex("a16161f5")), Error::ok);
  EXPECT_EQ(with_flags(0x85, unhex("a0")), Error::ok);
  EXPECT_EQ(with_flags(0x85, unhex("a16b686d61632d736563726574420102")), Error::ok);
  EXPECT_EQ(with_flags(0x85), Error::authenticator_data_malformed);
  for (const std::string_view bad :
       {// array, text, cut off map, indefinite map, reserved length, map that claims 2^64 - 1 pairs, too deep
        "80", "6161", "a1", "a161", "a16161", "bf6161f5ff", "bc", "bbffffffffffffffff", "a16181818181818100",
        "a1615affff"})
    EXPECT_EQ(with_flags(0x85, unhex(bad)), Error::authenticator_data_malformed) << bad;
}

TEST_F(PasskeyAssertion, RefusesAttestedCredentialDataInAnAssertion) {
  EXPECT_EQ(with_flags(0x45), Error::authenticator_data_malformed);
  EXPECT_EQ(with_flags(0x45, Bytes(18 + 16, 1)), Error::authenticator_data_malformed);
}

TEST_F(PasskeyAssertion, RefusesBackedUpWithoutBeingEligible) {
  EXPECT_EQ(with_flags(0x15), Error::authenticator_data_malformed);
  EXPECT_EQ(with_flags(0x0d), Error::ok);
  EXPECT_EQ(with_flags(0x1d), Error::ok);
}

TEST_F(PasskeyAssertion, TheSignCountNeverRefuses) {
  AssertionOptions options;
  for (const std::uint32_t count : {7u, 3u, 0u, 0xffff'ffffu, 1u}) {
    options.sign_count = count;
    EXPECT_EQ(sign(options), Error::ok) << count;
  }
}

}  // namespace
}  // namespace community::trusted::testing
