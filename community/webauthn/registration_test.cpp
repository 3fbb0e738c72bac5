// SPDX-License-Identifier: Apache-2.0
// What a registration must say besides its attestation: client data, flags, credential. Each refusal by its name.
#include "community/webauthn/test_support/registration_test_base.hpp"

namespace community::webauthn {
namespace {

using namespace test_support;

class Registrations : public RegistrationTest {
 protected:
  std::string with_client_data(std::string client_data) {
    parts.client_data = std::move(client_data);
    return why_none();
  }
  std::string with_flags(std::uint8_t flags) {
    parts.flags = flags;
    return why_none();
  }
  std::string with_key(Bytes key) {
    parts.cose_key = std::move(key);
    return why_none();
  }
};

TEST_F(Registrations, TellTheCredential) {
  parts.flags = 0x5d;
  const auto registration = verify("none", cbor_map({}));
  ASSERT_TRUE(registration) << registration.error().text();
  EXPECT_EQ(registration->credential.credential_id, parts.credential_id);
  EXPECT_EQ(registration->credential.public_key, maker.credential.point());
  EXPECT_EQ(registration->credential.sign_count, 7u);
  EXPECT_TRUE(base::equal(registration->credential.aaguid, parts.aaguid));
  EXPECT_EQ(registration->format, "none");
  EXPECT_EQ(registration->type, AttestationType::none);
  EXPECT_FALSE(registration->trusted);
  EXPECT_TRUE(registration->user_verified());
  EXPECT_TRUE(registration->backup_eligible());
  EXPECT_TRUE(registration->backed_up());
  parts.flags = 0x45;
  const auto device_bound = verify("none", cbor_map({}));
  ASSERT_TRUE(device_bound);
  EXPECT_FALSE(device_bound->backup_eligible());
  EXPECT_FALSE(device_bound->backed_up());
}

TEST_F(Registrations, ClientDataAnswersTheCeremony) {
  EXPECT_EQ(why_none(), "accepted");
  EXPECT_EQ(with_client_data(Authenticator::client_data("webauthn.create", R"(,"extra":{"a":[1]})")), "accepted");
  EXPECT_EQ(with_client_data(Authenticator::client_data("webauthn.get")), "client_data_wrong_type");
  EXPECT_EQ(with_client_data(Authenticator::client_data() + " x"), "client_data_malformed");
  EXPECT_EQ(with_client_data(""), "client_data_malformed");
  EXPECT_EQ(with_client_data("{}"), "client_data_wrong_type");
  EXPECT_EQ(with_client_data(Authenticator::client_data("webauthn.create", R"(,"type":"webauthn.create")")),
            "client_data_duplicate_member");
  parts.client_data = Authenticator::client_data();
  for (const std::string_view other : {"", "a challenge of 25 letter", "a challenge of 25 letterS", "another"}) {
    ceremony.challenge = text(other);
    EXPECT_EQ(why_none(), "challenge_mismatch") << other;
  }
}

TEST_F(Registrations, ChallengesOfEveryLengthAreCompared) {
  // RFC 4648, section 10, in the alphabet for URLs.
  const std::pair<std::string_view, std::string_view> kPairs[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, encoded] : kPairs) {
    ceremony.challenge = text(bytes);
    parts.client_data =
        R"({"type":"webauthn.create","challenge":")" + std::string(encoded) + R"(","origin":"https://example.org"})";
    EXPECT_EQ(why_none(), "accepted") << encoded;
  }
}

TEST_F(Registrations, OriginsAreWholeAndExact) {
  for (const std::string_view other : {"https://example.org:444", "http://example.org", "https://example.org/",
                                       "https://www.example.org", "https://EXAMPLE.org", "example.org", ""}) {
    ceremony.origins = {std::string(other)};
    EXPECT_EQ(why_none(), "origin_not_allowed") << other;
  }
  ceremony.origins = {};
  EXPECT_EQ(why_none(), "origin_not_allowed");
}

TEST_F(Registrations, FramesNeedLeaveAndTheExpectedOutermostPage) {
  const auto framed = [&](std::string_view rest) {
    return with_client_data(Authenticator::client_data("webauthn.create", rest));
  };
  EXPECT_EQ(framed(R"(,"crossOrigin":true)"), "cross_origin");
  EXPECT_EQ(framed(R"(,"crossOrigin":false,"topOrigin":"https://a.example")"), "top_origin");
  ceremony.cross_origin_allowed = true;
  EXPECT_EQ(framed(R"(,"crossOrigin":true)"), "accepted");
  EXPECT_EQ(framed(R"(,"crossOrigin":true,"topOrigin":"https://a.example")"), "top_origin");
  ceremony.top_origins = {"https://b.example", "https://a.example"};
  EXPECT_EQ(framed(R"(,"crossOrigin":true,"topOrigin":"https://a.example")"), "accepted");
  EXPECT_EQ(framed(R"(,"crossOrigin":true,"topOrigin":"https://a.example:1")"), "top_origin");
  EXPECT_EQ(framed(R"(,"crossOrigin":false,"topOrigin":"https://a.example")"), "top_origin");
  EXPECT_EQ(framed(""), "accepted") << "the page itself";
}

TEST_F(Registrations, FlagsAreAskedFor) {
  EXPECT_EQ(with_flags(0x44), "user_not_present");
  EXPECT_EQ(with_flags(0x41), "user_not_verified");
  ceremony.user_verification_required = false;
  EXPECT_EQ(with_flags(0x41), "accepted");
  EXPECT_EQ(with_flags(0x51), "backed_up_but_not_eligible");
  EXPECT_EQ(with_flags(0x49), "accepted") << "eligible, not yet backed up";
  EXPECT_EQ(with_flags(0x05), "authenticator_data_malformed") << "no credential";
  EXPECT_EQ(with_flags(0xc5), "authenticator_data_malformed") << "no extensions behind the key";
  parts.behind = cbor_map({cbor_text("credProtect"), cbor_number(2)});
  EXPECT_EQ(with_flags(0xc5), "accepted");
  EXPECT_EQ(with_flags(0x45), "authenticator_data_malformed") << "bytes behind the key";
  parts.behind = {};
  parts.rp_id = "example.com";
  EXPECT_EQ(with_flags(0x45), "rp_id_mismatch");
}

TEST_F(Registrations, CredentialIdsHaveOneTo1023Bytes) {
  for (const std::size_t size : {1, 16, 255, 256, 1023}) {
    parts.credential_id = Bytes(size, 0x77);
    const auto registration = verify("none", cbor_map({}));
    ASSERT_TRUE(registration) << size;
    EXPECT_EQ(registration->credential.credential_id, parts.credential_id);
  }
  parts.credential_id = {};
  EXPECT_EQ(why_none(), "credential_id_empty");
  parts.credential_id = Bytes(1024);
  EXPECT_EQ(why_none(), "authenticator_data_malformed");
}

TEST_F(Registrations, OnlyP256KeysAreTaken) {
  const Bytes x(32, 1), y(32, 2);
  const auto key = [&](std::int64_t type, std::int64_t algorithm, std::int64_t curve) {
    return cbor_map({cbor_number(1), cbor_number(type), cbor_number(3), cbor_number(algorithm), cbor_number(-1),
                     cbor_number(curve), cbor_number(-2), cbor_bytes(x), cbor_number(-3), cbor_bytes(y)});
  };
  for (const std::int64_t other : {-8, -35, -36, -47, -257, -65535})
    EXPECT_EQ(with_key(key(2, other, 1)), "key_algorithm_unsupported");
  EXPECT_EQ(with_key(key(2, -7, 2)), "key_malformed");
  EXPECT_EQ(with_key(key(3, -7, 1)), "key_malformed");
  EXPECT_EQ(with_key(cbor_map({})), "key_malformed");
  EXPECT_EQ(with_key(key(2, -7, 1)), "key_not_on_curve");
  EXPECT_EQ(with_key({}), "authenticator_data_malformed");
  Bytes off = cose_key();
  off.back() ^= 1;
  EXPECT_EQ(with_key(off), "key_not_on_curve");
}

TEST_F(Registrations, AttestationObjectsAreOneMapOfThree) {
  const Bytes data = parts.auth_data();
  const auto object_why = [&](ByteView object) {
    const auto result = verify_registration(ceremony, policy, base::view(parts.client_data), object);
    return result ? "accepted" : std::string(name(result.error().code));
  };
  const Bytes whole = attestation_object("none", data, cbor_map({}));
  EXPECT_EQ(object_why(whole), "accepted");
  // Browsers of some years wrote the members in another order than CTAP2's.
  EXPECT_EQ(object_why(cbor_map({cbor_text("authData"), cbor_bytes(data), cbor_text("fmt"), cbor_text("none"),
                                 cbor_text("attStmt"), cbor_map({})})),
            "accepted");
  EXPECT_EQ(object_why(whole + Bytes{0}), "attestation_object_malformed");
  for (std::size_t size = 0; size < whole.size(); size++)
    ASSERT_EQ(object_why(ByteView(whole).first(size)), "attestation_object_malformed");
  EXPECT_EQ(object_why(cbor_map({cbor_text("fmt"), cbor_text("none"), cbor_text("authData"), cbor_bytes(data)})),
            "attestation_object_malformed");
  EXPECT_EQ(object_why(cbor_map({cbor_text("fmt"), cbor_text("none"), cbor_text("attStmt"), cbor_map({}),
                                 cbor_text("authData"), cbor_bytes(data), cbor_text("fmt"), cbor_text("none")})),
            "attestation_object_malformed")
      << "a duplicate";
  EXPECT_EQ(object_why(attestation_object("none", Bytes(32), cbor_map({}))), "authenticator_data_malformed");
}

TEST_F(Registrations, FormatsAreNamed) {
  EXPECT_EQ(why("none", cbor_map({cbor_text("alg"), cbor_number(-7)})), "attestation_statement_malformed");
  EXPECT_EQ(why("android-safetynet", cbor_map({})), "attestation_format_retired");
  EXPECT_EQ(why("Packed", cbor_map({})), "attestation_format_unknown");
  EXPECT_EQ(why("", cbor_map({})), "attestation_format_unknown");
}

}  // namespace
}  // namespace community::webauthn
