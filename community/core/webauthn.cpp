// SPDX-License-Identifier: Apache-2.0
// Fixed layouts first, CBOR where the standard puts it.
#include "community/core/webauthn.hpp"

namespace community::core {

namespace {

constexpr std::uint8_t kAttestedFlag = 0x40, kExtensionFlag = 0x80;
// rpIdHash, flags, signCount.
constexpr std::size_t kFixedBytes = 37;

using Kind = CborItem::Kind;

bool is_number(const CborItem* item, std::int64_t expected) {
  return item != nullptr && item->kind == Kind::integer && item->number == expected;
}
bool is_coordinate(const CborItem* item) {
  return item != nullptr && item->kind == Kind::bytes && item->bytes.size() == 32;
}

}  // namespace

Result<AttestationObject> parse_attestation_object(ByteView bytes) {
  if (bytes.size() > kMaxAttestationBytes) return fail(ErrorCode::webauthn_attestation, "too long");
  const auto item = cbor_take(bytes);
  if (!item) return tl::unexpected(item.error());
  const CborItem* format = item->find("fmt");
  const CborItem* data = item->find("authData");
  const CborItem* statement = item->find("attStmt");
  if (!bytes.empty() || format == nullptr || format->kind != Kind::text || data == nullptr ||
      data->kind != Kind::bytes || statement == nullptr || statement->kind != Kind::map)
    return fail(ErrorCode::webauthn_attestation);
  return AttestationObject{std::string(base::text(format->bytes)), to_bytes(data->bytes), to_bytes(statement->encoded)};
}

Result<AttestedCredential> parse_attested_credential(ByteView data) {
  // Fixed part, AAGUID, length of the credential id.
  if (data.size() < kFixedBytes + 18) return fail(ErrorCode::webauthn_authenticator_data);
  AttestedCredential credential;
  std::copy_n(data.begin(), 32, credential.rp_id_hash.begin());
  credential.flags = data[32];
  credential.sign_count = base::load_be<std::uint32_t>(data.data() + 33);
  if ((credential.flags & kAttestedFlag) == 0) return fail(ErrorCode::webauthn_authenticator_data);
  std::copy_n(data.begin() + kFixedBytes, 16, credential.aaguid.begin());
  const std::size_t id_size = base::load_be<std::uint16_t>(data.data() + kFixedBytes + 16);
  ByteView rest = data.subspan(kFixedBytes + 18);
  if (id_size > kMaxCredentialIdBytes || rest.size() < id_size) return fail(ErrorCode::webauthn_authenticator_data);
  credential.credential_id = to_bytes(rest.first(id_size));
  rest = rest.subspan(id_size);
  const auto key_item = cbor_take(rest);
  if (!key_item) return tl::unexpected(key_item.error());
  if ((credential.flags & kExtensionFlag) != 0) {
    const auto extensions = cbor_take(rest);
    if (!extensions) return tl::unexpected(extensions.error());
    if (extensions->kind != Kind::map) return fail(ErrorCode::webauthn_authenticator_data);
  }
  if (!rest.empty()) return fail(ErrorCode::webauthn_authenticator_data);
  const auto key = parse_cose_key(*key_item);
  if (!key) return tl::unexpected(key.error());
  credential.public_key = *key;
  return credential;
}

Result<std::array<std::uint8_t, 64>> parse_cose_key(const CborItem& key) {
  // Labels of RFC 9052, section 7: 1 kty, 3 alg, -1 crv, -2 x, -3 y.
  const CborItem* algorithm = key.find(3);
  const CborItem* x = key.find(-2);
  const CborItem* y = key.find(-3);
  if (algorithm != nullptr && algorithm->kind == Kind::integer && algorithm->number != -7)
    return fail(ErrorCode::webauthn_key_algorithm, std::to_string(algorithm->number));
  if (key.items.size() != 10 || !is_number(key.find(1), 2) || !is_number(algorithm, -7) ||
      !is_number(key.find(-1), 1) || !is_coordinate(x) || !is_coordinate(y))
    return fail(ErrorCode::webauthn_key_malformed);
  std::array<std::uint8_t, 64> out;
  std::copy(x->bytes.begin(), x->bytes.end(), out.begin());
  std::copy(y->bytes.begin(), y->bytes.end(), out.begin() + 32);
  return out;
}

Result<std::array<std::uint8_t, 64>> parse_p256_spki(ByteView der) {
  // SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04 || x || y } }: always these 27 bytes.
  static constexpr std::uint8_t kPrefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                             0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                             0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
  if (der.size() != sizeof kPrefix + 64 || !base::equal(der.first(sizeof kPrefix), kPrefix))
    return fail(ErrorCode::webauthn_key_algorithm);
  std::array<std::uint8_t, 64> out;
  std::copy_n(der.begin() + sizeof kPrefix, 64, out.begin());
  return out;
}

}  // namespace community::core
