// SPDX-License-Identifier: Apache-2.0
// HPKE (RFC 9180), base mode, one message a key: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, which WebCrypto
// has all parts of (docs/adr/0011-hpke-suite.md). The core both sends and receives.
#pragma once
#include "trusted/port/port.hpp"

namespace community::hpke {

using base::Bytes32;
using base::ByteView;
using base::MutableByteView;
using trusted::Port;

// 4, x, y
using PublicKey = std::array<std::uint8_t, 65>;

inline constexpr std::uint16_t kAes256Gcm = 2;
inline constexpr std::size_t kTag = 16;

// A new key pair; false when there is no randomness.
bool make_key_pair(const Port& port, Bytes32& secret, PublicKey& public_key);

// The shared secret of the key encapsulation (section 4.1): of one's own secret, the other's key, and the two keys as
// they were sent. False for a key that is no point of the curve, or is not serialised as one.
bool shared_secret(const Port& port, const Bytes32& own_secret, const PublicKey& peer, const PublicKey& enc,
                   const PublicKey& recipient, Bytes32& shared);

// What follows from the shared secret (section 5.1). The cipher is a parameter for the published vectors: a key of 16
// bytes goes to the first half.
struct Schedule {
  base::Secret<32> key;
  std::array<std::uint8_t, 12> base_nonce{};
  base::Secret<32> exporter_secret;
};
void key_schedule(std::uint16_t aead, std::size_t key_size, const Bytes32& shared, ByteView info, Schedule& out);

// Encrypts one message to `recipient`; `cipher` is as long as `plain` and the tag.
bool seal(const Port& port, const PublicKey& recipient, ByteView info, ByteView associated, ByteView plain,
          PublicKey& enc, MutableByteView cipher);
// The same with an ephemeral key that the caller chose: for vectors.
bool seal_with(const Port& port, const Bytes32& ephemeral, const PublicKey& recipient, ByteView info,
               ByteView associated, ByteView plain, PublicKey& enc, MutableByteView cipher);

// Opens one message; `plain` is as long as `cipher` without the tag.
bool open(const Port& port, const Bytes32& secret, const PublicKey& public_key, const PublicKey& enc, ByteView info,
          ByteView associated, ByteView cipher, MutableByteView plain);

}  // namespace community::hpke
