// SPDX-License-Identifier: Apache-2.0
// BIP-32 over libsecp256k1's tweaks. RIPEMD-160, which only names the parent here, comes from OpenSSL.
#include "community/core/hd.hpp"

#include <openssl/ripemd.h>

#include "community/core/base58.hpp"
#include "community/core/secp256k1_context.hpp"
#include "trusted/base/sha2.hpp"

namespace community::core {

namespace {

// "Serialization format" of BIP-32: version, depth, parent, child number, chain code, key.
constexpr std::size_t kSerializedSize = 4 + 1 + 4 + 4 + 32 + 33;
constexpr std::uint32_t kPublicVersion = 0x0488b21e, kPrivateVersion = 0x0488ade4;

Result<CompressedPublicKey> public_point(const Bytes32& private_key) {
  const auto key = public_key_of(private_key);
  if (!key) return fail(ErrorCode::bip32_key_invalid);
  return compress(*key);
}

// First four bytes of RIPEMD-160(SHA-256(public key)).
std::array<std::uint8_t, 4> fingerprint(const CompressedPublicKey& key) {
  const Bytes32 inner = base::sha256(key);
  std::uint8_t outer[RIPEMD160_DIGEST_LENGTH];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  RIPEMD160(inner.data(), inner.size(), outer);
#pragma GCC diagnostic pop
  return {outer[0], outer[1], outer[2], outer[3]};
}

Result<CompressedPublicKey> add_to_point(const CompressedPublicKey& point, const std::uint8_t* tweak) {
  const auto* context = secp256k1_shared_context();
  secp256k1_pubkey key;
  CompressedPublicKey out;
  std::size_t size = out.size();
  if (secp256k1_ec_pubkey_parse(context, &key, point.data(), point.size()) != 1 ||
      secp256k1_ec_pubkey_tweak_add(context, &key, tweak) != 1)
    return fail(ErrorCode::bip32_key_invalid);
  secp256k1_ec_pubkey_serialize(context, out.data(), &size, &key, SECP256K1_EC_COMPRESSED);
  return out;
}

}  // namespace

ExtendedKey ExtendedKey::neutered() const {
  ExtendedKey key = *this;
  if (key.private_key) base::wipe(*key.private_key);
  key.private_key.reset();
  return key;
}

std::string ExtendedKey::text() const {
  Bytes bytes(13);
  base::store_be(bytes.data(), private_key ? kPrivateVersion : kPublicVersion);
  bytes[4] = depth;
  std::copy(parent_fingerprint.begin(), parent_fingerprint.end(), bytes.begin() + 5);
  base::store_be(bytes.data() + 9, child_number);
  append(bytes, chain_code);
  if (private_key) {
    bytes.push_back(0);
    append(bytes, *private_key);
  } else {
    append(bytes, public_key);
  }
  std::string text = base58check_encode(bytes);
  base::wipe(bytes);
  return text;
}

Result<ExtendedKey> master_key(ByteView seed) {
  if (seed.size() < 16 || seed.size() > 64) return fail(ErrorCode::bip32_seed_length);
  auto digest = base::Hmac<base::Sha512>(base::view("Bitcoin seed")).add(seed).finish();
  ExtendedKey key;
  key.private_key.emplace();
  std::copy_n(digest.begin(), 32, key.private_key->begin());
  std::copy_n(digest.begin() + 32, 32, key.chain_code.begin());
  base::wipe(digest);
  const auto point = public_point(*key.private_key);
  if (!point) return tl::unexpected(point.error());
  key.public_key = *point;
  return key;
}

Result<ExtendedKey> derive_child(const ExtendedKey& parent, std::uint32_t index) {
  if (parent.depth == kMaxPathDepth) return fail(ErrorCode::bip32_path_too_deep);
  const bool hardened = index >= kHardened;
  if (hardened && !parent.private_key) return fail(ErrorCode::bip32_hardened_from_public);
  base::Hmac<base::Sha512> mac(parent.chain_code);
  static constexpr std::uint8_t kZero[1] = {0};
  if (hardened) {
    mac.add(kZero).add(*parent.private_key);
  } else {
    mac.add(parent.public_key);
  }
  std::uint8_t number[4];
  base::store_be(number, index);
  auto digest = mac.add(number).finish();
  ExtendedKey child;
  child.depth = static_cast<std::uint8_t>(parent.depth + 1);
  child.parent_fingerprint = fingerprint(parent.public_key);
  child.child_number = index;
  std::copy_n(digest.begin() + 32, 32, child.chain_code.begin());
  Result<CompressedPublicKey> point = fail(ErrorCode::bip32_key_invalid);
  if (parent.private_key) {
    child.private_key = parent.private_key;
    if (secp256k1_ec_seckey_tweak_add(secp256k1_shared_context(), child.private_key->data(), digest.data()) == 1)
      point = public_point(*child.private_key);
  } else {
    point = add_to_point(parent.public_key, digest.data());
  }
  base::wipe(digest);
  if (!point) return tl::unexpected(point.error());
  child.public_key = *point;
  return child;
}

Result<std::vector<std::uint32_t>> parse_path(std::string_view path) {
  if (path.empty() || (path[0] != 'm' && path[0] != 'M')) return fail(ErrorCode::bip32_path_syntax, "begins with m");
  path.remove_prefix(1);
  std::vector<std::uint32_t> indexes;
  while (!path.empty()) {
    if (path[0] != '/') return fail(ErrorCode::bip32_path_syntax, "separator");
    path.remove_prefix(1);
    if (indexes.size() == kMaxPathDepth) return fail(ErrorCode::bip32_path_too_deep);
    std::uint64_t index = 0;
    std::size_t digits = 0;
    while (digits < path.size() && path[digits] >= '0' && path[digits] <= '9' && index < kHardened)
      index = index * 10 + static_cast<std::uint64_t>(path[digits++] - '0');
    if (digits == 0 || index >= kHardened || (digits > 1 && path[0] == '0'))
      return fail(ErrorCode::bip32_path_syntax, "index");
    path.remove_prefix(digits);
    if (!path.empty() && (path[0] == '\'' || path[0] == 'h' || path[0] == 'H')) {
      index |= kHardened;
      path.remove_prefix(1);
    }
    indexes.push_back(static_cast<std::uint32_t>(index));
  }
  return indexes;
}

Result<ExtendedKey> derive_path(const ExtendedKey& root, std::string_view path) {
  const auto indexes = parse_path(path);
  if (!indexes) return tl::unexpected(indexes.error());
  Result<ExtendedKey> key = root;
  for (std::size_t i = 0; key && i < indexes->size(); i++) key = derive_child(*key, (*indexes)[i]);
  return key;
}

Result<ExtendedKey> parse_extended_key(std::string_view text) {
  const auto bytes = base58check_decode(text);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != kSerializedSize) return fail(ErrorCode::bip32_length);
  const auto version = base::load_be<std::uint32_t>(bytes->data());
  if (version != kPublicVersion && version != kPrivateVersion) return fail(ErrorCode::bip32_version);
  ExtendedKey key;
  key.depth = (*bytes)[4];
  std::copy_n(bytes->begin() + 5, 4, key.parent_fingerprint.begin());
  key.child_number = base::load_be<std::uint32_t>(bytes->data() + 9);
  std::copy_n(bytes->begin() + 13, 32, key.chain_code.begin());
  if (key.depth == 0 && !base::is_zero(key.parent_fingerprint)) return fail(ErrorCode::bip32_depth_zero_with_parent);
  if (key.depth == 0 && key.child_number != 0) return fail(ErrorCode::bip32_depth_zero_with_index);
  const ByteView point = ByteView(*bytes).last(33);
  if (version == kPrivateVersion) {
    if (point[0] != 0) return fail(ErrorCode::bip32_key_prefix);
    key.private_key.emplace();
    std::copy_n(point.begin() + 1, 32, key.private_key->begin());
    const auto own = public_point(*key.private_key);
    if (!own) return tl::unexpected(own.error());
    key.public_key = *own;
    return key;
  }
  if (point[0] != 2 && point[0] != 3) return fail(ErrorCode::bip32_key_prefix);
  if (!parse_public_key(point)) return fail(ErrorCode::bip32_key_invalid);
  std::copy_n(point.begin(), 33, key.public_key.begin());
  return key;
}

}  // namespace community::core
