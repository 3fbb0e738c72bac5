// SPDX-License-Identifier: Apache-2.0
// Phrases, hierarchical keys, DER signatures, CBOR and WebAuthn registrations: what is refused and under which name.
// Answers of other implementations to many inputs are in tests/vectors and run through the tool.
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>

#include "community/core/base58.hpp"
#include "community/core/bip39.hpp"
#include "community/core/curve25519.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/hd.hpp"
#include "community/core/secp256k1.hpp"
#include "community/core/webauthn.hpp"
#include "trusted/base/sha2.hpp"

namespace community::core {
namespace {

template <class T>
std::string why(const Result<T>& result) {
  return result ? "accepted" : std::string(name(result.error().code));
}

Bytes hex(std::string_view text) { return parse_hex(text, HexPrefix::optional).value(); }

constexpr std::string_view kAbandon =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

TEST(Bip39, AnswersTheFirstReferenceVector) {
  EXPECT_EQ(mnemonic_from_entropy(Language::english, Bytes(16)).value(), kAbandon);
  EXPECT_EQ(entropy_from_mnemonic(Language::english, kAbandon).value(), Bytes(16));
  EXPECT_EQ(to_plain_hex(seed_from_mnemonic(kAbandon, "TREZOR").value()).substr(0, 32),
            "c55257c360c07c72029aebc1b53c05ed");
}

TEST(Bip39, EveryLanguageHas2048Words) {
  for (int i = 0; i <= static_cast<int>(Language::portuguese); i++) {
    const auto language = static_cast<Language>(i);
    for (int fill : {0x00, 0x5a, 0xff}) {
      const Bytes entropy(32, static_cast<std::uint8_t>(fill));
      EXPECT_EQ(entropy_from_mnemonic(language, mnemonic_from_entropy(language, entropy).value()).value(), entropy);
    }
  }
}

TEST(Bip39, RefusesByName) {
  const auto read = [](std::string_view phrase) { return why(entropy_from_mnemonic(Language::english, phrase)); };
  EXPECT_EQ(read(kAbandon.substr(8)), "bip39_word_count");
  EXPECT_EQ(read(std::string(kAbandon.substr(0, kAbandon.size() - 5)) + "above"), "bip39_bad_checksum");
  EXPECT_EQ(read(std::string(kAbandon.substr(0, kAbandon.size() - 5)) + "abou"), "bip39_word_unknown");
  EXPECT_EQ(read(std::string(kAbandon.substr(0, kAbandon.size() - 5)) + "\nabout"), "bip39_word_unknown");
  EXPECT_EQ(read(""), "bip39_word_count");
  EXPECT_EQ(read("\xff"), "utf8_invalid");
  EXPECT_EQ(why(mnemonic_from_entropy(Language::english, Bytes(18))), "bip39_entropy_length");
  EXPECT_EQ(why(parse_language("elvish")), "bip39_language_unknown");
  EXPECT_EQ(parse_language("zh-TW").value(), Language::chinese_traditional);
}

TEST(Bip32, PublicDerivationMeetsPrivateDerivation) {
  const ExtendedKey root = master_key(Bytes(32, 7)).value();
  for (std::uint32_t index : {0u, 1u, 77u, kHardened - 1}) {
    const ExtendedKey secret = derive_child(root, index).value();
    EXPECT_EQ(derive_child(root.neutered(), index).value(), secret.neutered());
    EXPECT_EQ(parse_extended_key(secret.text()).value(), secret);
    EXPECT_EQ(parse_extended_key(secret.neutered().text()).value(), secret.neutered());
  }
}

TEST(Bip32, RefusesByName) {
  const ExtendedKey root = master_key(Bytes(32, 7)).value();
  EXPECT_EQ(why(derive_child(root.neutered(), kHardened)), "bip32_hardened_from_public");
  EXPECT_EQ(why(master_key(Bytes(15))), "bip32_seed_length");
  EXPECT_EQ(why(master_key(Bytes(65))), "bip32_seed_length");
  EXPECT_EQ(why(parse_path("44/60")), "bip32_path_syntax");
  EXPECT_EQ(why(parse_path("m/2147483648")), "bip32_path_syntax");
  std::string deep = "m";
  for (int i = 0; i < 256; i++) deep += "/1";
  EXPECT_EQ(why(parse_path(deep)), "bip32_path_too_deep");
  ExtendedKey deepest = root;
  deepest.depth = 255;
  EXPECT_EQ(why(derive_child(deepest, 0)), "bip32_path_too_deep");
  const auto with = [&](std::size_t place, std::uint8_t byte) {
    Bytes payload = base58check_decode(root.text()).value();
    payload[place] = byte;
    return why(parse_extended_key(base58check_encode(payload)));
  };
  EXPECT_EQ(with(3, 0xe5), "bip32_version");
  EXPECT_EQ(with(5, 1), "bip32_depth_zero_with_parent");
  EXPECT_EQ(with(12, 1), "bip32_depth_zero_with_index");
  EXPECT_EQ(with(45, 1), "bip32_key_prefix");
  EXPECT_EQ(why(parse_extended_key(base58check_encode(Bytes(77)))), "bip32_length");
  EXPECT_EQ(why(parse_extended_key("xprv")), "base58_bad_checksum");
  EXPECT_EQ(why(parse_extended_key("xprvO")), "base58_bad_digit");
  EXPECT_EQ(why(parse_extended_key(std::string(kMaxBase58Text + 1, '1'))), "base58_too_long");
  Bytes zero_key = base58check_decode(root.text()).value();
  std::fill(zero_key.begin() + 46, zero_key.end(), 0);
  EXPECT_EQ(why(parse_extended_key(base58check_encode(zero_key))), "bip32_key_invalid");
}

TEST(Base58, KeepsLeadingZeros) {
  for (std::size_t zeros = 0; zeros < 5; zeros++) {
    const std::string text = std::string(zeros, '\0') + "payload";
    const Bytes payload = to_bytes(base::view(text));
    EXPECT_EQ(base58check_decode(base58check_encode(payload)).value(), payload);
  }
}

TEST(Der, RefusesByName) {
  const std::string one = "020101", body = one + one;
  EXPECT_EQ(why(parse_der_signature(hex("3006" + body))), "accepted");
  EXPECT_EQ(why(parse_der_signature(hex("3006" + body + "00"))), "der_syntax");
  EXPECT_EQ(why(parse_der_signature(hex("308106" + body))), "der_syntax") << "long length";
  EXPECT_EQ(why(parse_der_signature(hex("3080" + body + "0000"))), "der_syntax") << "indefinite length";
  EXPECT_EQ(why(parse_der_signature(hex("3106" + body))), "der_syntax");
  EXPECT_EQ(why(parse_der_signature(hex("300702020001" + one))), "der_syntax") << "integer not minimal";
  EXPECT_EQ(why(parse_der_signature(hex("3006020181" + one))), "der_syntax") << "negative";
  EXPECT_EQ(why(parse_der_signature(hex("30050200" + one))), "der_syntax") << "empty integer";
  EXPECT_EQ(why(parse_der_signature(hex("3009" + body + one))), "der_syntax");
  EXPECT_EQ(why(parse_der_signature(hex("3003" + one))), "der_syntax");
  EXPECT_EQ(why(parse_der_signature(hex("3006020100" + one))), "signature_out_of_range");
  EXPECT_EQ(why(parse_der_signature(hex("30260221" + std::string(66, '1') + one))), "signature_out_of_range");
  EXPECT_EQ(why(parse_der_signature({})), "der_syntax");
  EXPECT_EQ(why(parse_p1363_signature(Bytes(63))), "signature_length");
}

TEST(P256, VerifiesWhatOpenSslSigned) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  std::uint8_t point[65];
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_get_octet_string_param(key.get(), "pub", point, sizeof point, &size), 1);
  std::array<std::uint8_t, 64> public_key;
  std::copy(point + 1, point + 65, public_key.begin());
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                            &EVP_PKEY_CTX_free);
  ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
  for (int i = 0; i < 20; i++) {
    Bytes32 digest = base::sha256(Bytes{static_cast<std::uint8_t>(i)});
    std::uint8_t der[80];
    size = sizeof der;
    ASSERT_EQ(EVP_PKEY_sign(context.get(), der, &size, digest.data(), digest.size()), 1);
    EcdsaSignature signature = parse_der_signature(ByteView(der, size)).value();
    EXPECT_TRUE(verify_p256(public_key, digest, signature));
    digest[5] ^= 1;
    EXPECT_FALSE(verify_p256(public_key, digest, signature));
    digest[5] ^= 1;
    signature.r = {};
    EXPECT_FALSE(verify_p256(public_key, digest, signature));
  }
  public_key[10] ^= 1;
  EXPECT_FALSE(verify_p256(public_key, Bytes32{}, {})) << "not on the curve";
}

std::string why_cbor(std::string_view text) {
  const Bytes bytes = hex(text);
  ByteView rest = bytes;
  return why(cbor_take(rest));
}

Bytes32 word(std::string_view text) { return parse_bytes32(text, HexPrefix::optional).value(); }

TEST(Secp256k1, BothSidesAgreeAndRefuseByName) {
  const Bytes32 anna = word(std::string(63, '0') + "3"), boris = word(std::string(62, '0') + "77");
  const PublicKey annas = public_key_of(anna).value(), boriss = public_key_of(boris).value();
  const Bytes32 shared = secp256k1_shared_x(anna, boriss).value();
  EXPECT_EQ(secp256k1_shared_x(boris, annas).value(), shared);
  // 3 times 0x77 is 0x165: the secret is that key's x.
  const PublicKey product = public_key_of(word(std::string(61, '0') + "165")).value();
  EXPECT_TRUE(base::equal(shared, ByteView(product).first(32)));
  PublicKey off = boriss;
  off[63] ^= 1;
  EXPECT_EQ(why(secp256k1_shared_x(anna, off)), "public_key_invalid");
  EXPECT_EQ(why(secp256k1_shared_x(Bytes32{}, boriss)), "private_key_out_of_range");
  Bytes spki = hex("3056301006072a8648ce3d020106052b8104000a03420004");
  append(spki, annas);
  EXPECT_EQ(parse_secp256k1_spki(spki).value(), annas);
  EXPECT_EQ(why(parse_secp256k1_spki(ByteView(spki).first(87))), "public_key_invalid");
  spki[19] ^= 1;
  EXPECT_EQ(why(parse_secp256k1_spki(spki)), "public_key_invalid") << "another curve";
}

TEST(Ed25519, VerifiesTheFirstVectorsOfTheRfc) {
  // RFC 8032, section 7.1, tests 1 and 2.
  const Bytes32 key = word("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const Bytes signature =
      hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
          "be2465"
          "5141438e7a100b");
  EXPECT_TRUE(verify_ed25519(key, {}, signature));
  EXPECT_FALSE(verify_ed25519(key, hex("72"), signature));
  EXPECT_FALSE(verify_ed25519(key, {}, ByteView(signature).first(63)));
  EXPECT_TRUE(verify_ed25519(word("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), hex("72"),
                             hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3"
                                 "613d0f11d8c387b2eaeb4302a"
                                 "eeb00d291612bb0c00")));
}

TEST(X25519, AgreesAndRefusesPeersOfSmallOrder) {
  // RFC 7748, section 6.1; the base point is 9.
  const Bytes32 bob = word("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const Bytes32 bobs = word("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const Bytes32 alices = word("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_plain_hex(x25519(bob, alices).value()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  const Bytes32 base_point{9}, carol{1, 2, 3};
  EXPECT_EQ(x25519(bob, base_point).value(), bobs);
  EXPECT_EQ(x25519(carol, bobs).value(), x25519(bob, x25519(carol, base_point).value()).value());
  Bytes32 one{};
  EXPECT_EQ(why(x25519(bob, one)), "shared_secret_zero");
  one[0] = 1;
  EXPECT_EQ(why(x25519(bob, one)), "shared_secret_zero");
  Bytes spki = hex("302a300506032b656e032100");
  append(spki, bobs);
  EXPECT_EQ(parse_x25519_spki(spki).value(), bobs);
  // 1.3.101.112 is Ed25519.
  spki[8] = 0x70;
  EXPECT_EQ(why(parse_x25519_spki(spki)), "public_key_invalid");
}

TEST(Cbor, TakesOnlyTheShortestForm) {
  for (auto good : {"00", "17", "1818", "190100", "1a00010000", "20", "3903e7", "43010203", "6161", "80", "a10102",
                    "f4", "f5", "f6", "1b0000000100000000"})
    EXPECT_EQ(why_cbor(good), "accepted") << good;
  for (auto bad :
       {"", "1817", "190001", "1a0000ffff", "1b00000000ffffffff", "1bffffffffffffffff", "1c", "4301", "5f", "9f01ff",
        "bf", "c001", "f7", "f800", "f97e00", "fb0000000000000000", "ff", "9b7fffffffffffffff", "a101"})
    EXPECT_EQ(why_cbor(bad), "cbor_syntax") << bad;
  EXPECT_EQ(why_cbor("a201020103"), "cbor_duplicate_key");
  EXPECT_EQ(why_cbor("61ff"), "utf8_invalid");
  EXPECT_EQ(why_cbor("818181818181818181818101"), "cbor_too_deep");
  EXPECT_EQ(why_cbor("990800" + std::string(4096, '0')), "cbor_too_deep") << "too many items";
}

TEST(WebAuthn, ReadsACoseKeyOfTheRightKindOnly) {
  const std::string x(64, '1'), y(64, '2');
  const auto parse = [](const std::string& text) {
    const Bytes bytes = hex(text);
    ByteView rest = bytes;
    return why(parse_cose_key(cbor_take(rest).value()));
  };
  EXPECT_EQ(parse("a5010203262001215820" + x + "225820" + y), "accepted");
  EXPECT_EQ(parse("a5010203272001215820" + x + "225820" + y), "webauthn_key_algorithm") << "EdDSA";
  EXPECT_EQ(parse("a5010203262002215820" + x + "225820" + y), "webauthn_key_malformed") << "P-384";
  EXPECT_EQ(parse("a401020326200121582011" + x.substr(2)), "webauthn_key_malformed");
  EXPECT_EQ(parse("a40102200121582011" + x.substr(2) + "225820" + y), "webauthn_key_malformed") << "no alg";
  EXPECT_EQ(parse("a601020326200121582011" + x.substr(2) + "225820" + y + "0541aa"), "webauthn_key_malformed")
      << "one member more";
  EXPECT_EQ(why(parse_p256_spki(Bytes(91))), "webauthn_key_algorithm");
}

TEST(WebAuthn, RefusesAuthenticatorDataByName) {
  const std::string head(64, 'a'),
      key = "a5010203262001215820" + std::string(64, '1') + "225820" + std::string(64, '2');
  const auto parse = [&](const std::string& flags, const std::string& rest) {
    return why(parse_attested_credential(hex(head + flags + "00000001" + std::string(32, '0') + rest)));
  };
  EXPECT_EQ(parse("45", "0002beef" + key), "accepted");
  EXPECT_EQ(parse("05", "0002beef" + key), "webauthn_authenticator_data") << "flag AT missing";
  EXPECT_EQ(parse("45", "0002beef" + key + "00"), "webauthn_authenticator_data") << "bytes left";
  EXPECT_EQ(parse("c5", "0002beef" + key), "cbor_syntax") << "flag ED without extensions";
  EXPECT_EQ(parse("c5", "0002beef" + key + "a0"), "accepted");
  EXPECT_EQ(parse("c5", "0002beef" + key + "80"), "webauthn_authenticator_data") << "extensions are a map";
  EXPECT_EQ(parse("45", "04000000"), "webauthn_authenticator_data") << "id longer than 1023 bytes";
  EXPECT_EQ(why(parse_attested_credential(Bytes(37))), "webauthn_authenticator_data");
  EXPECT_EQ(why(parse_attestation_object(hex("a0"))), "webauthn_attestation");
}

}  // namespace
}  // namespace community::core
