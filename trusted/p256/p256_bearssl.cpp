// SPDX-License-Identifier: Apache-2.0
// The door over BearSSL's ec_p256_m31: portable C, no assembly, about ten times slower than p256_s2n.cpp. For a build
// that wants no assembly, and the judge of the other one in tests.
#include <bearssl_ec.h>

#include "trusted/p256/domain.hpp"

namespace community::trusted::p256 {
namespace {

// 4, x, y: the only form BearSSL takes (SEC 1, 2.3.3).
using Encoded = std::array<std::uint8_t, 65>;

Encoded encode(PublicKeyView public_key) {
  Encoded encoded{4};
  base::copy(base::MutableByteView(encoded).subspan(1), public_key);
  return encoded;
}

// BearSSL cannot multiply by zero, and so refuses every signature of a digest that is 0 modulo n. As
//   0 / s G + r / s Q = -r t / s G + r / s (Q + t G),
// the key Q + t G and the digest -r t have the same signatures. t is 1, or -1 where Q + G is the point at infinity.
// False when the key is not on the curve.
bool replace_zero(Encoded& key, const Uint256& r, Bytes32& digest) {
  const Bytes32 one = Uint256(1).to_be(), minus_one = base::subtract(kOrder, Uint256(1))->to_be();
  const auto add_multiple = [&](const Bytes32& t) {
    Encoded sum = key;
    const bool done = br_ec_p256_m31.muladd(sum.data(), nullptr, sum.size(), one.data(), one.size(), t.data(), t.size(),
                                            BR_EC_secp256r1) == 1;
    if (done) key = sum;
    return done;
  };
  if (add_multiple(one)) {
    digest = base::subtract(kOrder, r)->to_be();
    return true;
  }
  digest = r.to_be();
  return add_multiple(minus_one);
}

}  // namespace

bool public_key_valid(PublicKeyView public_key) {
  if (!coordinates_reduced(public_key)) return false;
  // The check for the curve is part of BearSSL's decoder, and multiplication by one is the cheapest way to it.
  Encoded point = encode(public_key);
  const std::uint8_t one = 1;
  return br_ec_p256_m31.mul(point.data(), point.size(), &one, 1, BR_EC_secp256r1) == 1;
}

bool verify(PublicKeyView public_key, const Bytes32& digest, SignatureView signature) {
  if (!signature_in_range(signature) || !coordinates_reduced(public_key)) return false;
  Encoded point = encode(public_key);
  Bytes32 number = digest;
  const Uint256 e = Uint256::from_be(digest);
  if ((e.is_zero() || e == kOrder) && !replace_zero(point, Uint256::from_be(signature.first(32)), number)) return false;
  const br_ec_public_key key{BR_EC_secp256r1, point.data(), point.size()};
  return br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, number.data(), number.size(), &key, signature.data(),
                               signature.size()) == 1;
}

// BearSSL's multiplications are constant time in the scalar: a fixed number of doublings and additions, table entries
// taken by masks, 31-bit limbs multiplied by an instruction whose time does not depend on them.
bool public_key(const Bytes32& secret, std::span<std::uint8_t, 64> public_key) {
  if (!secret_in_range(secret)) return false;
  Encoded point;
  const std::size_t size = br_ec_p256_m31.mulgen(point.data(), secret.data(), secret.size(), BR_EC_secp256r1);
  wipe_stack_below();
  const bool done = size == point.size();
  if (done) base::copy(public_key, ByteView(point).subspan(1));
  base::wipe(point);
  return done;
}

bool ecdh_x(const Bytes32& secret, PublicKeyView peer, Bytes32& shared_x) {
  if (!secret_in_range(secret) || !coordinates_reduced(peer)) return false;
  Encoded point = encode(peer);
  const bool on_curve =
      br_ec_p256_m31.mul(point.data(), point.size(), secret.data(), secret.size(), BR_EC_secp256r1) == 1;
  wipe_stack_below();
  if (on_curve) base::copy(shared_x, ByteView(point).subspan(1, 32));
  base::wipe(point);
  return on_curve;
}

}  // namespace community::trusted::p256
