// SPDX-License-Identifier: Apache-2.0
#include "trusted/hpke/hpke.hpp"

#include "trusted/base/sha2.hpp"

namespace community::hpke {
namespace {

constexpr std::uint8_t kPoint = 4;
// kem id 0x0010 of DHKEM(P-256, HKDF-SHA256)
constexpr std::array<std::uint8_t, 5> kKemSuite{'K', 'E', 'M', 0, 0x10};
constexpr std::string_view kVersion = "HPKE-v1";

using Suite = std::array<std::uint8_t, 10>;

// "HPKE" || kem id || kdf id || aead id
constexpr Suite suite_of(std::uint16_t aead) {
  return {'H', 'P', 'K', 'E', 0, 0x10, 0, 1, static_cast<std::uint8_t>(aead >> 8), static_cast<std::uint8_t>(aead)};
}

// Section 4: LabeledExtract
void extract(ByteView suite, ByteView salt, std::string_view label, ByteView secret, Bytes32& out) {
  base::Hmac<base::Sha256> mac(salt);
  auto digest = mac.add(base::view(kVersion)).add(suite).add(base::view(label)).add(secret).finish();
  base::copy(out, digest);
  base::wipe(digest);
}

// Section 4: LabeledExpand. Nothing longer than one digest is needed, so there is one round.
void expand(ByteView suite, const Bytes32& key, std::string_view label, std::initializer_list<ByteView> context,
            MutableByteView out) {
  const std::array<std::uint8_t, 2> length{0, static_cast<std::uint8_t>(out.size())};
  constexpr std::array<std::uint8_t, 1> kRound{1};
  base::Hmac<base::Sha256> mac(key);
  mac.add(length).add(base::view(kVersion)).add(suite).add(base::view(label));
  for (const ByteView part : context) mac.add(part);
  auto digest = mac.add(kRound).finish();
  base::copy(out, ByteView(digest).first(out.size()));
  base::wipe(digest);
}

}  // namespace

bool make_key_pair(const Port& port, Bytes32& secret, PublicKey& public_key) {
  public_key[0] = kPoint;
  // Outside the range of a secret once in 2^32 times.
  do {
    if (!port.random(port.context, secret)) return false;
  } while (!port.p256_public_key(port.context, secret, public_key.data() + 1));
  return true;
}

bool shared_secret(const Port& port, const Bytes32& own_secret, const PublicKey& peer, const PublicKey& enc,
                   const PublicKey& recipient, Bytes32& shared) {
  base::Secret<32> dh, key;
  if (peer[0] != kPoint || !port.p256_ecdh(port.context, own_secret, peer.data() + 1, dh.bytes)) return false;
  extract(kKemSuite, {}, "eae_prk", dh, key.bytes);
  expand(kKemSuite, key.bytes, "shared_secret", {enc, recipient}, shared);
  return true;
}

void key_schedule(std::uint16_t aead, std::size_t key_size, const Bytes32& shared, ByteView info, Schedule& out) {
  const Suite suite = suite_of(aead);
  constexpr std::array<std::uint8_t, 1> kBaseMode{0};
  Bytes32 psk_id_hash, info_hash;
  extract(suite, {}, "psk_id_hash", {}, psk_id_hash);
  extract(suite, {}, "info_hash", info, info_hash);
  base::Secret<32> secret;
  extract(suite, shared, "secret", {}, secret.bytes);
  const std::initializer_list<ByteView> context{kBaseMode, psk_id_hash, info_hash};
  expand(suite, secret.bytes, "key", context, MutableByteView(out.key.bytes).first(key_size));
  expand(suite, secret.bytes, "base_nonce", context, out.base_nonce);
  expand(suite, secret.bytes, "exp", context, out.exporter_secret.bytes);
}

bool seal_with(const Port& port, const Bytes32& ephemeral, const PublicKey& recipient, ByteView info,
               ByteView associated, ByteView plain, PublicKey& enc, MutableByteView cipher) {
  enc[0] = kPoint;
  base::Secret<32> shared;
  if (!port.p256_public_key(port.context, ephemeral, enc.data() + 1) ||
      !shared_secret(port, ephemeral, recipient, enc, recipient, shared.bytes))
    return false;
  Schedule schedule;
  key_schedule(kAes256Gcm, 32, shared.bytes, info, schedule);
  return port.aes_gcm_seal(port.context, schedule.key.bytes, schedule.base_nonce.data(), associated, plain,
                           cipher.first(plain.size()), cipher.data() + plain.size());
}

bool seal(const Port& port, const PublicKey& recipient, ByteView info, ByteView associated, ByteView plain,
          PublicKey& enc, MutableByteView cipher) {
  base::Secret<32> ephemeral;
  return make_key_pair(port, ephemeral.bytes, enc) &&
         seal_with(port, ephemeral.bytes, recipient, info, associated, plain, enc, cipher);
}

bool open(const Port& port, const Bytes32& secret, const PublicKey& public_key, const PublicKey& enc, ByteView info,
          ByteView associated, ByteView cipher, MutableByteView plain) {
  if (cipher.size() < kTag || plain.size() != cipher.size() - kTag) return false;
  base::Secret<32> shared;
  if (!shared_secret(port, secret, enc, enc, public_key, shared.bytes)) return false;
  Schedule schedule;
  key_schedule(kAes256Gcm, 32, shared.bytes, info, schedule);
  return port.aes_gcm_open(port.context, schedule.key.bytes, schedule.base_nonce.data(), associated,
                           cipher.first(plain.size()), cipher.data() + plain.size(), plain);
}

}  // namespace community::hpke
