// SPDX-License-Identifier: Apache-2.0
// Calls into libsecp256k1.
#include "community/core/secp256k1.hpp"

#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include "community/core/secp256k1_context.hpp"
#include "trusted/base/keccak.hpp"

namespace community::core {

namespace {

const secp256k1_context* context() { return secp256k1_shared_context(); }

constexpr Bytes32 kHalfOrder = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                                0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

PublicKey serialize(const secp256k1_pubkey& key) {
  std::uint8_t sec1[65];
  std::size_t size = sizeof sec1;
  secp256k1_ec_pubkey_serialize(context(), sec1, &size, &key, SECP256K1_EC_UNCOMPRESSED);
  PublicKey out;
  std::copy(sec1 + 1, sec1 + 65, out.begin());
  return out;
}

bool load(secp256k1_pubkey& out, const PublicKey& key) {
  std::uint8_t sec1[65] = {4};
  std::copy(key.begin(), key.end(), sec1 + 1);
  return secp256k1_ec_pubkey_parse(context(), &out, sec1, sizeof sec1) == 1;
}

std::array<std::uint8_t, 64> compact(const Bytes32& r, const Bytes32& s) {
  std::array<std::uint8_t, 64> bytes;
  std::copy(r.begin(), r.end(), bytes.begin());
  std::copy(s.begin(), s.end(), bytes.begin() + 32);
  return bytes;
}

}  // namespace

const secp256k1_context* secp256k1_shared_context() {
  static const secp256k1_context* const shared = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  return shared;
}

std::array<std::uint8_t, 65> Signature::to_rsv() const {
  std::array<std::uint8_t, 65> bytes;
  std::copy(r.begin(), r.end(), bytes.begin());
  std::copy(s.begin(), s.end(), bytes.begin() + 32);
  bytes[64] = static_cast<std::uint8_t>(27 + y_parity);
  return bytes;
}

Result<Signature> parse_rsv(ByteView bytes) {
  if (bytes.size() != 65) return fail(ErrorCode::signature_length);
  Signature signature;
  std::copy(bytes.begin(), bytes.begin() + 32, signature.r.begin());
  std::copy(bytes.begin() + 32, bytes.begin() + 64, signature.s.begin());
  const std::uint8_t v = bytes[64] >= 27 ? static_cast<std::uint8_t>(bytes[64] - 27) : bytes[64];
  if (v > 1) return fail(ErrorCode::signature_y_parity);
  signature.y_parity = v;
  return signature;
}

Result<Signature> sign_digest(const Bytes32& private_key, const Bytes32& digest) {
  secp256k1_ecdsa_recoverable_signature raw;
  if (secp256k1_ecdsa_sign_recoverable(context(), &raw, digest.data(), private_key.data(), nullptr, nullptr) != 1)
    return fail(ErrorCode::private_key_out_of_range);
  std::uint8_t bytes[64];
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), bytes, &recovery_id, &raw);
  // A recovery id of 2 or 3 needs an r of the order of 2^-128 probability; it could not be written as a parity.
  if (recovery_id > 1) return fail(ErrorCode::signature_y_parity);
  Signature signature;
  std::copy(bytes, bytes + 32, signature.r.begin());
  std::copy(bytes + 32, bytes + 64, signature.s.begin());
  signature.y_parity = static_cast<std::uint8_t>(recovery_id);
  return signature;
}

Result<PublicKey> public_key_of(const Bytes32& private_key) {
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(context(), &key, private_key.data()) != 1)
    return fail(ErrorCode::private_key_out_of_range);
  return serialize(key);
}

CompressedPublicKey compress(const PublicKey& key) {
  CompressedPublicKey out;
  out[0] = static_cast<std::uint8_t>(2 + (key[63] & 1));
  std::copy(key.begin(), key.begin() + 32, out.begin() + 1);
  return out;
}

Result<PublicKey> parse_public_key(ByteView sec1) {
  const bool compressed = sec1.size() == 33 && (sec1[0] == 2 || sec1[0] == 3);
  const bool uncompressed = sec1.size() == 65 && sec1[0] == 4;
  secp256k1_pubkey key;
  if ((!compressed && !uncompressed) || secp256k1_ec_pubkey_parse(context(), &key, sec1.data(), sec1.size()) != 1)
    return fail(ErrorCode::public_key_invalid);
  return serialize(key);
}

Address address_of(const PublicKey& key) { return address_from_word(base::keccak256(key)); }

Result<PublicKey> recover_public_key(const Bytes32& digest, const Signature& signature) {
  if (signature.y_parity > 1) return fail(ErrorCode::signature_y_parity);
  if (base::is_zero(signature.r) || base::is_zero(signature.s)) return fail(ErrorCode::signature_out_of_range);
  secp256k1_ecdsa_recoverable_signature raw;
  const auto bytes = compact(signature.r, signature.s);
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &raw, bytes.data(), signature.y_parity) != 1)
    return fail(ErrorCode::signature_out_of_range);
  if (!is_low_s(signature.s)) return fail(ErrorCode::signature_high_s);
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recover(context(), &key, &raw, digest.data()) != 1)
    return fail(ErrorCode::signature_not_recoverable);
  return serialize(key);
}

Result<Address> recover_address(const Bytes32& digest, const Signature& signature) {
  const auto key = recover_public_key(digest, signature);
  if (!key) return tl::unexpected(key.error());
  return address_of(*key);
}

bool verify_secp256k1(const PublicKey& key, const Bytes32& digest, const Bytes32& r, const Bytes32& s) {
  secp256k1_pubkey point;
  secp256k1_ecdsa_signature raw, normal;
  const auto bytes = compact(r, s);
  if (!load(point, key) || secp256k1_ecdsa_signature_parse_compact(context(), &raw, bytes.data()) != 1) return false;
  // The library verifies low s only; the twin with the other s is the same statement.
  secp256k1_ecdsa_signature_normalize(context(), &normal, &raw);
  return secp256k1_ecdsa_verify(context(), &normal, digest.data(), &point) == 1;
}

Result<Bytes32> secp256k1_shared_x(const Bytes32& private_key, const PublicKey& peer) {
  secp256k1_pubkey key;
  if (!load(key, peer)) return fail(ErrorCode::public_key_invalid);
  // The library hashes the point unless it is told otherwise; the standard's shared secret is x itself.
  const auto take_x = [](unsigned char* out, const unsigned char* x, const unsigned char*, void*) {
    std::copy(x, x + 32, out);
    return 1;
  };
  Bytes32 shared;
  if (secp256k1_ecdh(context(), shared.data(), &key, private_key.data(), take_x, nullptr) != 1)
    return fail(ErrorCode::private_key_out_of_range);
  return shared;
}

Result<PublicKey> parse_secp256k1_spki(ByteView der) {
  // SEQUENCE { SEQUENCE { id-ecPublicKey, secp256k1 }, BIT STRING { 04 || x || y } }: always these 24 bytes.
  static constexpr std::uint8_t kPrefix[] = {0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                             0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00, 0x04};
  if (der.size() != sizeof kPrefix + 64 || !base::equal(der.first(sizeof kPrefix), kPrefix))
    return fail(ErrorCode::public_key_invalid);
  return parse_public_key(der.subspan(sizeof kPrefix - 1));
}

bool is_low_s(const Bytes32& s) { return s <= kHalfOrder; }

}  // namespace community::core
