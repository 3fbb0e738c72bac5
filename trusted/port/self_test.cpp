// SPDX-License-Identifier: Apache-2.0
#include "trusted/port/self_test.hpp"

#include "trusted/base/sha2.hpp"

namespace community::trusted {
namespace {

template <std::size_t N>
constexpr std::array<std::uint8_t, N> from_hex(const char (&digits)[2 * N + 1]) {
  std::array<std::uint8_t, N> bytes{};
  auto nibble = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  for (std::size_t i = 0; i < N; i++)
    bytes[i] = static_cast<std::uint8_t>(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
  return bytes;
}

// RFC 6979, A.2.5: P-256, SHA-256, message "sample".
constexpr auto kP256Key = from_hex<64>(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
constexpr auto kP256Signature = from_hex<64>(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
// RFC 5903, section 8.1: both secrets, one public key, x of the shared point.
constexpr auto kEcdhSecret = from_hex<32>("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
constexpr auto kEcdhPublic = from_hex<64>(
    "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
    "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3");
constexpr auto kEcdhPeer = from_hex<64>(
    "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
    "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab");
constexpr auto kEcdhShared = from_hex<32>("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
// AES-256-GCM of 16 zero bytes under a zero key and nonce (McGrew and Viega, test case 14).
constexpr auto kGcmCipher = from_hex<16>("cea7403d4d606b6e074ec5d3baf39d18");
constexpr auto kGcmTag = from_hex<16>("d0d1c8a799996bf0265b98b5d48ab919");
// The generator of secp256k1 is the public key of the secret 1.
constexpr auto kSecpGenerator = from_hex<64>(
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");

// RFC 8032, section 7.1, test 3.
constexpr auto kEd25519Secret = from_hex<32>("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
constexpr auto kEd25519Public = from_hex<32>("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
constexpr auto kEd25519Signature = from_hex<64>(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");

bool ed25519_works(const Port& port) {
  constexpr std::array<std::uint8_t, 2> message{0xaf, 0x82};
  Bytes32 public_key{};
  std::array<std::uint8_t, 64> signature{};
  return port.ed25519_public_key(port.context, kEd25519Secret, public_key) && public_key == kEd25519Public &&
         port.ed25519_sign(port.context, kEd25519Secret, message, signature.data()) && signature == kEd25519Signature;
}

// Wycheproof, rsa_pss_3072_sha256_mgf1_32_test.json, test 2: modulus, SHA-256 of the message, signature.
constexpr auto kRsaModulus = from_hex<384>(
    "c6fe23792566023c265287c5ac6f71541c0994d11d059ee6403986efa21c24b51bd91d8862f9df79a4e328e3e27c83df"
    "260b25a9b43420affc44b51e8d7525b6f29c372a405104732007527a62ed82fac73f4892a80e09682a41a58cd347017f"
    "3be7d801334f92d9321aafd53b51bffabfc752cfccae0b1ee03bdaff9e428cc1c117f1ac96b4fe23f8c23e6381186a66"
    "fd59289339ae55c4bcdadbff84abdaa532240d4e1d28b2d0481dadd3b246557ca8fe18092817730b39e6ee378ffcc85b"
    "19ffdc916a9b991a6b66d4a9c7bab5f5e7a3722101142e7a4108c15d573b15289e07e46eaea07b42c2abcba330e99554"
    "b4656165bb4c0db2b6393a07eca575c51a93c4e15bdb0f747909447e3efe34c67ca8954b530e56a20a1b6d84d45ed1bc"
    "d3aa58ec06f184ee5857aaa819e1cca9a26f4e28d6b977d33916db9896d252d1afa762e287cb0d384cc75bfe53f4e922"
    "d02dd0a481c042e2d306b4b3c189371e575b25e0005a164cf69dd0976e4d5be476806ea6be6084e71ab4f5ac5c1b1203");
constexpr auto kRsaDigest = from_hex<32>("de47c9b27eb8d300dbb5f2c353e632c393262cf06340c4fa7f1b40c4cbd36f90");
constexpr auto kRsaSignature = from_hex<384>(
    "8e10f23f49011d761946b283d7152e851ee76e5caa1741b0901eea317d8945f2a0368551b3f2b3a6a0d6a939aebded8f"
    "ea0a96dd1d037be33b1c35ce78dc89693918a99d547a1d892f4047c09fff7a6523acb0cb0cddebcd4a6fdcc309a466ca"
    "9580fedf032bf56154f8d79d5c4686abfd2c7abd342b37e5373b59a07fa865b118c44f2c44b851306dc97eaeeb638f14"
    "bafbb09c81996beabaaec28c19f06ffd59dbe3080e0124e2386418052735f541d496322c03ebee6e4dcaba24dde9772a"
    "9f079973df26e854c255eb48df50c01d49831e54b64d0ff862d03fb4d82ff204d303b537176c50ea56761a83d0aed8ed"
    "2deecbbba981c8aacd1300051a864d1efdc897f31383ccd6f181bf976a75e7a7613b60b3cb2a6f7ab8636f672990c130"
    "17f2981c11ba36096cbea898f016c581ee859e950bec195cc4e376e134341b2fd3e3d6181ba4d377b2aab6a148c6ea8c"
    "ca9ee3478297e901856ab18f61c0233c899841e5da125516cf5274dc1b22e2a51c922daeeccfad0f2a8bf84e531bc4f8");

}  // namespace

bool self_test_passes(const Port& port) {
  Bytes32 noise{};
  if (!port.random(port.context, noise) || base::is_zero(noise)) return false;

  const Bytes32 zero_key{};
  const std::uint8_t nonce[12] = {};
  std::array<std::uint8_t, 16> cipher{}, tag{}, plain{};
  bool ok = port.aes_gcm_seal(port.context, zero_key, nonce, {}, plain, cipher, tag.data()) && cipher == kGcmCipher &&
            tag == kGcmTag && port.aes_gcm_open(port.context, zero_key, nonce, {}, cipher, tag.data(), plain) &&
            base::is_zero(plain);
  tag[0] ^= 1;
  ok = ok && !port.aes_gcm_open(port.context, zero_key, nonce, {}, cipher, tag.data(), plain);

  Bytes32 digest = base::sha256(base::view("sample"));
  ok = ok && port.p256_public_key_valid(port.context, kP256Key.data()) &&
       port.p256_verify(port.context, kP256Key.data(), digest, kP256Signature.data());
  std::array<std::uint8_t, 64> p256_key{};
  Bytes32 shared{};
  ok = ok && port.p256_public_key(port.context, kEcdhSecret, p256_key.data()) && p256_key == kEcdhPublic &&
       port.p256_ecdh(port.context, kEcdhSecret, kEcdhPeer.data(), shared) && shared == kEcdhShared;
  Bytes32 secret{};
  secret[31] = 1;
  std::array<std::uint8_t, 64> public_key{};
  std::array<std::uint8_t, 65> signature{};
  ok = ok && port.secp256k1_public_key(port.context, secret, public_key.data()) && public_key == kSecpGenerator &&
       port.secp256k1_sign(port.context, secret, digest, signature.data()) &&
       port.secp256k1_verify(port.context, public_key.data(), digest, signature.data());
  digest[0] ^= 1;
  return ok && ed25519_works(port) && !port.p256_verify(port.context, kP256Key.data(), digest, kP256Signature.data()) &&
         !port.secp256k1_verify(port.context, public_key.data(), digest, signature.data());
}

bool rsa_self_test_passes(const Port& port) {
  static decltype(port.rsa_pss_verify) passed = nullptr;
  if (passed == port.rsa_pss_verify) return true;
  Bytes32 digest = kRsaDigest;
  bool ok = port.rsa_pss_verify(port.context, kRsaModulus.data(), digest, kRsaSignature.data());
  digest[0] ^= 1;
  ok = ok && !port.rsa_pss_verify(port.context, kRsaModulus.data(), digest, kRsaSignature.data());
  if (ok) passed = port.rsa_pss_verify;
  return ok;
}

}  // namespace community::trusted
