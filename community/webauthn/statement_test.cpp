// SPDX-License-Identifier: Apache-2.0
// Attestation statements of each format: one that is right, and for each rule one that breaks it and nothing else.
// Statements that others made are in tests/vectors and run through the tool.
#include <openssl/evp.h>

#include "community/webauthn/der.hpp"
#include "community/webauthn/test_support/registration_test_base.hpp"
#include "trusted/base/sha2.hpp"

namespace community::webauthn {
namespace {

using namespace test_support;

constexpr char kAaguid[] = "1.3.6.1.4.1.45724.1.1.4";

Bytes octets(ByteView content) { return der({0x04}, content); }

class Statements : public RegistrationTest {
 protected:
  // Certificate of an attestation key, issued by the line under the root.
  Issued issued(const CertificatePlan& plan = {}, const Key& key = Key()) const {
    return issue(plan, key, &maker.intermediate);
  }
  std::vector<Bytes> chain(const Issued& leaf) const { return {leaf.der, maker.intermediate.der}; }

  static Bytes x5c(const std::vector<Bytes>& certificates) {
    std::vector<Bytes> items;
    for (const Bytes& certificate : certificates) items.push_back(cbor_bytes(certificate));
    return cbor_array(items);
  }
  static Bytes statement(std::int64_t algorithm, ByteView signature, const std::vector<Bytes>& certificates) {
    return cbor_map({cbor_text("alg"), cbor_number(algorithm), cbor_text("sig"), cbor_bytes(signature),
                     cbor_text("x5c"), x5c(certificates)});
  }
  Bytes packed(const Issued& leaf, std::int64_t algorithm = -7, const EVP_MD* digest = EVP_sha256()) const {
    return statement(algorithm, leaf.key.sign(parts.signed_data(), digest), chain(leaf));
  }
  std::string why_packed(const CertificatePlan& plan) const { return why("packed", packed(issued(plan))); }
};

TEST_F(Statements, PackedSelfAttestationIsSignedByTheCredential) {
  const auto self = [&](std::int64_t algorithm, const Key& key) {
    return cbor_map(
        {cbor_text("alg"), cbor_number(algorithm), cbor_text("sig"), cbor_bytes(key.sign(parts.signed_data()))});
  };
  const auto registration = verify("packed", self(-7, maker.credential));
  ASSERT_TRUE(registration) << registration.error().text();
  EXPECT_EQ(registration->type, AttestationType::self);
  EXPECT_FALSE(registration->trusted);
  EXPECT_EQ(why("packed", self(-7, Key())), "attestation_signature_invalid");
  EXPECT_EQ(why("packed", self(-35, maker.credential)), "attestation_algorithm_mismatch");
  EXPECT_EQ(why("packed", cbor_map({})), "attestation_statement_malformed");
  EXPECT_EQ(why("packed", cbor_map({cbor_text("alg"), cbor_text("-7"), cbor_text("sig"), cbor_bytes({})})),
            "attestation_statement_malformed");
}

TEST_F(Statements, PackedCertificatesLeadToTheRoot) {
  const auto registration = verify("packed", packed(issued()));
  ASSERT_TRUE(registration) << registration.error().text();
  EXPECT_EQ(registration->type, AttestationType::basic);
  EXPECT_TRUE(registration->trusted);
  EXPECT_EQ(registration->format, "packed");
  EXPECT_EQ(why("packed", packed({Key(), issued().der})), "attestation_signature_invalid");
  EXPECT_EQ(why("packed", statement(-7, {}, chain(issued()))), "attestation_signature_invalid");
}

TEST_F(Statements, PackedSignaturesFollowTheirAlgorithm) {
  const Issued p384 = issued({}, Key("P-384")), p521 = issued({}, Key("P-521"));
  EXPECT_EQ(why("packed", packed(p384, -35, EVP_sha384())), "accepted");
  EXPECT_EQ(why("packed", packed(p521, -36, EVP_sha512())), "accepted");
  EXPECT_EQ(why("packed", packed(p384, -35, EVP_sha256())), "attestation_signature_invalid");
  EXPECT_EQ(why("packed", packed(p384, -7)), "attestation_algorithm_mismatch") << "another curve";
  EXPECT_EQ(why("packed", packed(issued(), -257)), "attestation_algorithm_mismatch") << "no RSA key";
  EXPECT_EQ(why("packed", packed(issued(), -65535)), "attestation_algorithm_unsupported") << "SHA-1";
}

TEST_F(Statements, PackedCertificatesSayWhoMadeTheAuthenticator) {
  CertificatePlan plan;
  for (std::size_t i = 0; i < plan.subject.size(); i++) {
    CertificatePlan less = plan;
    less.subject.erase(less.subject.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(why_packed(less), "certificate_subject") << plan.subject[i].first;
  }
  plan.subject[2].second = "Authenticator attestation";
  EXPECT_EQ(why_packed(plan), "certificate_subject");
  plan = {};
  plan.subject.push_back({"OU", "Authenticator Attestation"});
  EXPECT_EQ(why_packed(plan), "certificate_subject") << "which of the two";
  plan = {};
  plan.authority = true;
  EXPECT_EQ(why_packed(plan), "certificate_of_authority");
  plan = {};
  plan.constrained = false;
  EXPECT_EQ(why_packed(plan), "certificate_of_authority") << "basic constraints are missing";
  plan.version = 0;
  EXPECT_EQ(why_packed(plan), "certificate_version");
}

TEST_F(Statements, ACertificatesModelIsTheAuthenticators) {
  CertificatePlan plan;
  plan.extensions = {{kAaguid, octets(parts.aaguid)}};
  EXPECT_EQ(why_packed(plan), "accepted");
  plan.extensions[0].critical = true;
  EXPECT_EQ(why_packed(plan), "certificate_aaguid");
  plan.extensions = {{kAaguid, octets(Bytes(16, 0xab))}};
  EXPECT_EQ(why_packed(plan), "certificate_aaguid");
  plan.extensions = {{kAaguid, parts.aaguid}};
  EXPECT_EQ(why_packed(plan), "certificate_aaguid") << "no OCTET STRING inside";
}

TEST_F(Statements, ChainsEndAtATrustRootInTime) {
  const Issued leaf = issued();
  const Bytes good = packed(leaf);
  const Bytes alone = statement(-7, leaf.key.sign(parts.signed_data()), {leaf.der});
  EXPECT_EQ(why("packed", alone), "certificate_chain_untrusted") << "the line's certificate is missing";
  policy.trust_roots = {maker.intermediate.der};
  EXPECT_EQ(why("packed", alone), "accepted") << "the line itself is trusted";
  policy.trust_roots = {leaf.der};
  EXPECT_EQ(why("packed", alone), "accepted") << "this very certificate is";
  policy.trust_roots = {Authenticator().root.der};
  EXPECT_EQ(why("packed", good), "certificate_chain_untrusted") << "another maker of the same name";
  policy.trust_roots.push_back(maker.root.der);
  EXPECT_EQ(why("packed", good), "accepted") << "one of several roots";
  policy.now_s = 4'000'000'001;
  EXPECT_EQ(why("packed", good), "certificate_chain_untrusted") << "expired";
  policy.now_s = -1;
  EXPECT_EQ(why("packed", good), "certificate_chain_untrusted") << "not yet valid";
  policy.trust_roots = {Bytes{0x30, 0x00}};
  EXPECT_EQ(why("packed", good), "trust_root_malformed");
  policy.trust_roots = {};
  const auto unknown = verify("packed", good);
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(unknown->trusted) << "nobody vouches";
}

TEST_F(Statements, ChainsAreShortAndWellFormed) {
  const Issued leaf = issued();
  const Bytes signature = leaf.key.sign(parts.signed_data());
  EXPECT_EQ(why("packed", statement(-7, signature, {})), "attestation_statement_malformed");
  EXPECT_EQ(why("packed", statement(-7, signature, std::vector<Bytes>(kMaxCertificates + 1, leaf.der))),
            "attestation_statement_malformed");
  EXPECT_EQ(why("packed", statement(-7, signature, {leaf.der + Bytes{0}, maker.intermediate.der})),
            "certificate_malformed");
  EXPECT_EQ(why("packed", statement(-7, signature, {leaf.der, Bytes{}})), "certificate_malformed");
  const Bytes more = cbor_map({cbor_text("alg"), cbor_number(-7), cbor_text("sig"), cbor_bytes(signature),
                               cbor_text("x5c"), x5c(chain(leaf)), cbor_text("ecdaaKeyId"), cbor_bytes({})});
  EXPECT_EQ(why("packed", more), "attestation_statement_malformed");
  EXPECT_EQ(why("packed", cbor_map({cbor_text("alg"), cbor_number(-7), cbor_text("sig"), cbor_bytes(signature),
                                    cbor_text("x5c"), cbor_array({cbor_text("certificate")})})),
            "attestation_statement_malformed");
}

TEST_F(Statements, FidoU2fSignsItsOwnMessage) {
  const auto u2f = [&](const Key& key, const std::vector<Bytes>& certificates) {
    const auto point = maker.credential.point();
    const Bytes message = Bytes{0} + base::sha256(base::view(parts.rp_id)) + parts.client_data_hash() +
                          parts.credential_id + Bytes{4} + point;
    return cbor_map({cbor_text("sig"), cbor_bytes(key.sign(message)), cbor_text("x5c"), x5c(certificates)});
  };
  policy.trust_roots.push_back(maker.intermediate.der);
  const Issued leaf = issued();
  const auto registration = verify("fido-u2f", u2f(leaf.key, {leaf.der}));
  ASSERT_TRUE(registration) << registration.error().text();
  EXPECT_EQ(registration->type, AttestationType::basic);
  EXPECT_TRUE(registration->trusted);
  EXPECT_EQ(why("fido-u2f", u2f(Key(), {leaf.der})), "attestation_signature_invalid");
  EXPECT_EQ(why("fido-u2f", u2f(leaf.key, chain(leaf))), "attestation_statement_malformed") << "one certificate only";
  const Issued p384 = issued({}, Key("P-384"));
  EXPECT_EQ(why("fido-u2f", u2f(p384.key, {p384.der})), "certificate_key");
  EXPECT_EQ(why("fido-u2f", packed(leaf)), "attestation_statement_malformed");
  const Issued other = issue({}, Key(), nullptr);
  EXPECT_EQ(why("fido-u2f", u2f(other.key, {other.der})), "certificate_chain_untrusted");
}

TEST_F(Statements, AppleCertifiesTheCredentialsKeyForThisRegistration) {
  const auto apple = [&](ByteView extension, const Key& key) {
    CertificatePlan plan;
    if (!extension.empty()) plan.extensions = {{"1.2.840.113635.100.8.2", core::to_bytes(extension)}};
    return cbor_map({cbor_text("x5c"), x5c(chain(issued(plan, key)))});
  };
  const Bytes nonce = core::to_bytes(base::sha256(parts.signed_data()));
  const Bytes right = der({0x30}, der({0xa1}, octets(nonce)));
  const auto registration = verify("apple", apple(right, maker.credential));
  ASSERT_TRUE(registration) << registration.error().text();
  EXPECT_EQ(registration->type, AttestationType::anon_ca);
  EXPECT_TRUE(registration->trusted);
  EXPECT_EQ(why("apple", apple(right, Key())), "certificate_key");
  EXPECT_EQ(why("apple", apple({}, maker.credential)), "apple_nonce");
  EXPECT_EQ(why("apple", apple(der({0x30}, octets(nonce)), maker.credential)), "apple_nonce") << "no [1]";
  EXPECT_EQ(why("apple", apple(right + Bytes{5, 0}, maker.credential)), "apple_nonce") << "bytes behind it";
  parts.flags ^= 0x18;
  EXPECT_EQ(why("apple", apple(right, maker.credential)), "apple_nonce") << "of another registration";
  EXPECT_EQ(why("apple", packed(issued())), "attestation_statement_malformed");
}

class AndroidStatements : public Statements {
 protected:
  static Bytes integer(std::uint8_t value) { return der({0x02}, Bytes{value}); }
  static Bytes purpose(const std::vector<std::uint8_t>& purposes) {
    Bytes set;
    for (const std::uint8_t one : purposes) set = set + integer(one);
    return der({0xa1}, der({0x31}, set));
  }
  static Bytes origin(std::uint8_t value) { return der({0xbf, 0x85, 0x3e}, integer(value)); }
  static Bytes all_applications() { return der({0xbf, 0x84, 0x58}, Bytes{0x05, 0x00}); }

  Bytes description(ByteView software, ByteView tee) const {
    const Bytes levels = integer(3) + der({0x0a}, Bytes{1}) + integer(4) + der({0x0a}, Bytes{1});
    return der({0x30}, levels + octets(challenge_) + octets({}) + der({0x30}, software) + der({0x30}, tee));
  }
  std::string why_android(ByteView extension) const {
    CertificatePlan plan;
    plan.extensions = {{"1.3.6.1.4.1.11129.2.1.17", core::to_bytes(extension)}};
    const Issued leaf = issued(plan, maker.credential);
    return why("android-key", statement(-7, leaf.key.sign(parts.signed_data()), chain(leaf)));
  }

  Bytes challenge_ = parts.client_data_hash();
};

TEST_F(AndroidStatements, DescribeAKeyThatWasMadeToSign) {
  EXPECT_EQ(why_android(description({}, purpose({2}) + origin(0))), "accepted");
  EXPECT_EQ(why_android(description(origin(0), purpose({3, 2}))), "accepted") << "the lists count together";
  EXPECT_EQ(why_android(description(origin(2), purpose({2}) + origin(0))), "android_origin") << "imported";
  EXPECT_EQ(why_android(description({}, purpose({2}))), "android_origin");
  EXPECT_EQ(why_android(description({}, origin(0))), "android_purpose");
  EXPECT_EQ(why_android(description({}, purpose({3}) + origin(0))), "android_purpose");
  EXPECT_EQ(why_android(description(all_applications(), purpose({2}) + origin(0))), "android_all_applications");
  EXPECT_EQ(why_android(description({}, purpose({2}) + all_applications() + origin(0))), "android_all_applications");
  policy.android_description_may_be_empty = true;
  EXPECT_EQ(why_android(description({}, {})), "accepted");
  EXPECT_EQ(why_android(description({}, origin(2))), "android_origin");
  EXPECT_EQ(why_android(description({}, purpose({3}))), "android_purpose");
  EXPECT_EQ(why_android(description(all_applications(), {})), "android_all_applications");
}

TEST_F(AndroidStatements, AreRefusedByName) {
  const Bytes right = description({}, purpose({2}) + origin(0));
  EXPECT_EQ(why_android(right + Bytes{5, 0}), "android_description_malformed");
  EXPECT_EQ(why_android(ByteView(right).first(right.size() - 1)), "android_description_malformed");
  EXPECT_EQ(why_android(description({}, der({0xa1}, integer(2)) + origin(0))), "android_description_malformed");
  EXPECT_EQ(why_android(description(Bytes{0x02}, {})), "android_description_malformed");
  EXPECT_EQ(why("android-key", packed(issued({}, maker.credential))), "android_description_malformed");
  EXPECT_EQ(why("android-key", packed(issued())), "certificate_key");
  EXPECT_EQ(why("android-key", packed({Key(), issued({}, maker.credential).der})), "attestation_signature_invalid");
  EXPECT_EQ(why("android-key", cbor_map({})), "attestation_statement_malformed");
  challenge_ = Bytes(32);
  EXPECT_EQ(why_android(description({}, purpose({2}) + origin(0))), "android_challenge");
}

class TpmStatements : public Statements {
 protected:
  TpmStatements() {
    plan.subject = {};
    plan.extensions = {{"2.5.29.17", names({1, 2, 3}), true}, {"2.5.29.37", der({0x30}, kAikUsage), false}};
  }

  static Bytes u16(std::size_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  }
  static Bytes sized(ByteView bytes) { return u16(bytes.size()) + bytes; }
  // SubjectAltName with attributes 2.23.133.2.N of a directory name.
  static Bytes names(const std::vector<std::uint8_t>& attributes) {
    Bytes set;
    for (const std::uint8_t attribute : attributes)
      set = set + der({0x30}, Bytes{0x06, 0x05, 0x67, 0x81, 0x05, 0x02, attribute} + der({0x0c}, text("id:00000000")));
    return der({0x30}, der({0xa4}, der({0x30}, der({0x31}, set))));
  }
  Bytes public_area() const {
    const auto point = maker.credential.point();
    return u16(type) + u16(name_algorithm) + Bytes{0, 4, 0, 0} + sized({}) + parameters +
           sized(ByteView(point).first(32)) + sized(ByteView(point).subspan(32));
  }
  Bytes certify_info() const {
    Bytes name_hash(32);
    EVP_Digest(public_area().data(), public_area().size(), name_hash.data(), nullptr, EVP_sha256(), nullptr);
    return magic + sized(text("signer")) + sized(extra_data) + Bytes(25, 0x11) +
           sized(u16(name_algorithm) + name_hash) + sized({}) + behind_info;
  }
  Bytes tpm(const Issued& leaf, std::string_view version = "2.0") const {
    const Bytes info = certify_info();
    return cbor_map({cbor_text("alg"), cbor_number(-7), cbor_text("sig"), cbor_bytes(leaf.key.sign(info)),
                     cbor_text("ver"), cbor_text(version), cbor_text("x5c"), x5c(chain(leaf)), cbor_text("pubArea"),
                     cbor_bytes(public_area() + behind_area), cbor_text("certInfo"), cbor_bytes(info)});
  }
  std::string why_tpm() const { return why("tpm", tpm(issued(plan))); }

  // 2.23.133.8.3
  static inline const Bytes kAikUsage{0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x03};
  CertificatePlan plan;
  std::size_t type = 0x23, name_algorithm = 0x0b;
  // No symmetric cipher, no scheme, P-256, no key derivation.
  Bytes parameters{0x00, 0x10, 0x00, 0x10, 0x00, 0x03, 0x00, 0x10};
  Bytes magic{0xff, 'T', 'C', 'G', 0x80, 0x17};
  Bytes extra_data = core::to_bytes(base::sha256(parts.signed_data()));
  Bytes behind_area, behind_info;
};

TEST_F(TpmStatements, CertifyTheCredentialsKey) {
  const auto registration = verify("tpm", tpm(issued(plan)));
  ASSERT_TRUE(registration) << registration.error().text();
  EXPECT_EQ(registration->type, AttestationType::att_ca);
  EXPECT_TRUE(registration->trusted);
  // A scheme and a cipher have parameters of their own.
  parameters = {0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x18, 0x00, 0x0b, 0x00, 0x03, 0x00, 0x10};
  EXPECT_EQ(why_tpm(), "accepted");
}

TEST_F(TpmStatements, SayThisKeyForThisRegistration) {
  const auto changed = [&](auto& value, auto other) {
    const auto before = std::exchange(value, other);
    const std::string answer = why_tpm();
    value = before;
    return answer;
  };
  EXPECT_EQ(changed(type, std::size_t{1}), "tpm_public_area_of_other_key");
  EXPECT_EQ(changed(parameters, Bytes{0, 0x10, 0, 0x10, 0, 4, 0, 0x10}), "tpm_public_area_of_other_key") << "P-384";
  EXPECT_EQ(changed(parameters, Bytes{0, 0x10, 0, 0x10, 0, 3}), "tpm_public_area_malformed");
  EXPECT_EQ(changed(behind_area, Bytes{0}), "tpm_public_area_malformed");
  EXPECT_EQ(changed(magic, Bytes{0xff, 'T', 'C', 'H', 0x80, 0x17}), "tpm_certify_info_malformed");
  EXPECT_EQ(changed(magic, Bytes{0xff, 'T', 'C', 'G', 0x80, 0x18}), "tpm_certify_info_malformed") << "a quote";
  EXPECT_EQ(changed(behind_info, Bytes{0}), "tpm_certify_info_malformed");
  EXPECT_EQ(changed(extra_data, Bytes(32)), "tpm_extra_data");
  EXPECT_EQ(changed(name_algorithm, std::size_t{4}), "tpm_name") << "SHA-1";
  EXPECT_EQ(changed(name_algorithm, std::size_t{0x0c}), "tpm_name") << "not SHA-384 of the area";
  EXPECT_EQ(why("tpm", tpm(issued(plan), "1.2")), "tpm_version");
  EXPECT_EQ(why("tpm", tpm({Key(), issued(plan).der})), "attestation_signature_invalid");
  EXPECT_EQ(why("tpm", packed(issued(plan))), "attestation_statement_malformed");
  EXPECT_EQ(why_tpm(), "accepted");
}

TEST_F(TpmStatements, ComeFromACertifiedTpm) {
  const CertificatePlan right = plan;
  plan.subject = {{"CN", "TPM"}};
  EXPECT_EQ(why_tpm(), "certificate_subject");
  plan = right;
  plan.extensions[0].value = names({1, 2});
  EXPECT_EQ(why_tpm(), "certificate_names") << "no version";
  plan.extensions.erase(plan.extensions.begin());
  EXPECT_EQ(why_tpm(), "certificate_names");
  plan = right;
  plan.extensions[1].value = der({0x30}, Bytes{0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02});
  EXPECT_EQ(why_tpm(), "certificate_usage");
  plan.extensions.pop_back();
  EXPECT_EQ(why_tpm(), "certificate_usage");
  plan = right;
  plan.constrained = false;
  EXPECT_EQ(why_tpm(), "certificate_of_authority");
  plan = right;
  plan.extensions.push_back({kAaguid, octets(Bytes(16, 1))});
  EXPECT_EQ(why_tpm(), "certificate_aaguid");
}

TEST(Der, TakesTheShortestFormOnly) {
  const auto takes = [](const Bytes& bytes) {
    ByteView rest = bytes;
    const auto element = der_take(rest);
    return element && rest.empty();
  };
  EXPECT_TRUE(takes({0x04, 0x00}));
  EXPECT_TRUE(takes({0xbf, 0x84, 0x58, 0x02, 0x05, 0x00}));
  EXPECT_TRUE(takes(der({0x04}, Bytes(128))));
  EXPECT_TRUE(takes(der({0x04}, Bytes(300))));
  EXPECT_FALSE(takes({}));
  EXPECT_FALSE(takes({0x04}));
  EXPECT_FALSE(takes({0x04, 0x01}));
  EXPECT_FALSE(takes({0x30, 0x80, 0x00, 0x00})) << "indefinite";
  EXPECT_FALSE(takes({0x04, 0x81, 0x01, 0x00})) << "long form of a short length";
  EXPECT_FALSE(takes(Bytes{0x04, 0x82, 0x00, 0x80} + Bytes(128))) << "leading zero";
  EXPECT_FALSE(takes({0xbf, 0x1e, 0x00})) << "long form of a small tag";
  EXPECT_FALSE(takes({0xbf, 0x80, 0x58, 0x00})) << "leading zero of a tag";
  EXPECT_FALSE(takes({0xbf, 0x84})) << "cut off";
  EXPECT_EQ(der_number(Bytes{0x00, 0xff}), 255u);
  EXPECT_EQ(der_number(Bytes{0x7f}), 127u);
  EXPECT_EQ(der_number(Bytes{0xff}), std::nullopt) << "negative";
  EXPECT_EQ(der_number(Bytes{0x00, 0x7f}), std::nullopt) << "not the shortest";
  EXPECT_EQ(der_number(Bytes(6, 1)), std::nullopt);
  EXPECT_EQ(der_number({}), std::nullopt);
}

}  // namespace
}  // namespace community::webauthn
