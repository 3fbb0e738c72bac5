// SPDX-License-Identifier: Apache-2.0
// The door over s2n-bignum: multiplication of the base point, encoding of a point and arithmetic modulo the order of
// the group are its functions, each proved correct against a model of the processor, none of whose time or addresses
// depend on a number. What is here is RFC 8032's order of steps, and the hashes.
#include <stddef.h>
#include <stdint.h>
extern "C" {
#include <s2n-bignum.h>
}

#include "trusted/base/sha2.hpp"
#include "trusted/ed25519/ed25519.hpp"

namespace community::trusted::ed25519 {
namespace {

using base::Sha512;

// A number below 2^256, least significant limb first.
struct Scalar {
  std::array<std::uint64_t, 4> limb{};
  Scalar() = default;
  Scalar(const Scalar&) = delete;
  Scalar& operator=(const Scalar&) = delete;
  ~Scalar() { base::wipe(limb.data(), sizeof limb); }
};

std::uint64_t load_le(const std::uint8_t* p) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | p[i];
  return value;
}

void store_le(std::uint8_t* p, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; i++) p[i] = static_cast<std::uint8_t>(value >> 8 * i);
}

// Steps 1 and 2 of section 5.1.5: the two halves of the secret's hash, the lower one with its bits set as they must be.
struct ExpandedSecret {
  Scalar scalar;
  base::Secret<32> prefix;

  explicit ExpandedSecret(const Bytes32& secret) {
    Sha512 hash;
    base::Secret<64> halves;
    halves.bytes = hash.add(secret).finish();
    hash.wipe_state();
    halves.bytes[0] &= 0xf8;
    halves.bytes[31] &= 0x7f;
    halves.bytes[31] |= 0x40;
    for (std::size_t i = 0; i < 4; i++) scalar.limb[i] = load_le(halves.data() + 8 * i);
    base::copy(prefix.bytes, ByteView(halves).last(32));
  }
};

// A hash of 64 bytes, least significant first, modulo the order of the group.
void reduce(const Sha512::Digest& hash, Scalar& out) {
  std::array<std::uint64_t, 8> wide;
  for (std::size_t i = 0; i < 8; i++) wide[i] = load_le(hash.data() + 8 * i);
  bignum_mod_n25519(out.limb.data(), wide.size(), wide.data());
  base::wipe(wide.data(), sizeof wide);
}

// scalar * B, encoded.
void multiply_base(const Scalar& scalar, std::uint8_t encoded[32]) {
  std::array<std::uint64_t, 8> point;
  edwards25519_scalarmulbase_alt(point.data(), scalar.limb.data());
  edwards25519_encode(encoded, point.data());
  base::wipe(point.data(), sizeof point);
}

// The nonce r of step 2 of section 5.1.6.
void make_nonce(const ExpandedSecret& secret, ByteView message, Scalar& nonce) {
  Sha512 hash;
  base::Secret<64> digest;
  digest.bytes = hash.add(secret.prefix).add(message).finish();
  hash.wipe_state();
  reduce(digest.bytes, nonce);
}

// Out of line, so that all they leave on the stack lies below their caller's frame and is wiped there.
[[gnu::noinline]] void make_public_key(const Bytes32& secret, Bytes32& public_key) {
  const ExpandedSecret expanded(secret);
  multiply_base(expanded.scalar, public_key.data());
}

[[gnu::noinline]] void make_signature(const Bytes32& secret, ByteView message, std::span<std::uint8_t, 64> signature) {
  const ExpandedSecret expanded(secret);
  Bytes32 public_key;
  multiply_base(expanded.scalar, public_key.data());
  Scalar nonce, challenge, s;
  make_nonce(expanded, message, nonce);
  multiply_base(nonce, signature.data());
  reduce(Sha512().add(signature.first(32)).add(public_key).add(message).finish(), challenge);
  bignum_madd_n25519_alt(s.limb.data(), challenge.limb.data(), expanded.scalar.limb.data(), nonce.limb.data());
  for (std::size_t i = 0; i < 4; i++) store_le(signature.data() + 32 + 8 * i, s.limb[i]);
}

// The deepest of the functions above, the multiplication of the base point, takes about two kilobytes.
[[gnu::noinline]] void wipe_stack_below() {
  std::array<std::uint8_t, 8192> below;
  base::wipe(below);
}

}  // namespace

void public_key(const Bytes32& secret, Bytes32& public_key) {
  make_public_key(secret, public_key);
  wipe_stack_below();
}

void sign(const Bytes32& secret, ByteView message, std::span<std::uint8_t, 64> signature) {
  make_signature(secret, message, signature);
  wipe_stack_below();
}

}  // namespace community::trusted::ed25519
