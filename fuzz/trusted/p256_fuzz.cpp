// SPDX-License-Identifier: Apache-2.0
// trusted/p256 against OpenSSL: both answer the same to everything. Random bytes are never a signature, so the input
// also chooses the numbers that valid ones are made of, and what is changed in them.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/p256/p256.hpp"
#include "trusted/process/crypto.hpp"
#include "trusted/tests/support/p256_curve.hpp"

using namespace community::trusted;
using namespace community::trusted::testing;
namespace base = community::base;

namespace {

const Port& judge() {
  static const Port port = [] {
    Port made;
    use_software_crypto(made);
    return made;
  }();
  return port;
}

void compare_signature(const P256Signature& s) {
  require(p256::public_key_valid(s.key) == judge().p256_public_key_valid(nullptr, s.key.data()), "the same keys");
  require(p256::verify(s.key, s.digest, s.signature) ==
              judge().p256_verify(nullptr, s.key.data(), s.digest, s.signature.data()),
          "the same signatures");
}

void compare_secret(const Bytes32& secret, const P256Key& peer) {
  P256Key own{}, others{};
  require(p256::public_key(secret, own) == judge().p256_public_key(nullptr, secret, others.data()), "the same secrets");
  require(own == others, "the same public keys");
  Bytes32 own_x{}, others_x{};
  require(p256::ecdh_x(secret, peer, own_x) == judge().p256_ecdh(nullptr, secret, peer.data(), others_x),
          "agreement with the same keys");
  require(own_x == others_x, "the same agreement");
}

// 32 bytes of the input, or fewer with zeros in front: small numbers are within reach of one byte.
Uint256 take_number(Input& input) { return Uint256::from_be(input.take(input.byte() % 33)); }

// A number in [1, n - 1].
Uint256 take_scalar(Input& input) {
  const Uint256 scalar = p256_curve::reduced(take_number(input));
  return scalar.is_zero() ? Uint256(1) : scalar;
}

P256Key take_key(Input& input) { return *p256_curve::multiple_of_generator(take_scalar(input)); }

// The key under which a chosen s and digest lead to a chosen point, whose x may lie above n.
std::optional<P256Signature> arrive(Input& input) {
  const Uint256 x = take_number(input);
  std::optional<P256Key> point = p256_curve::lift(x, input.byte() & 1);
  if (!point) point = take_key(input);
  const Uint256 r = p256_curve::reduced(p256_curve::x_of(*point));
  if (r.is_zero()) return std::nullopt;
  const Bytes32 digest = take_number(input).to_be();
  return p256_curve::arrive_at(*point, digest, r, take_scalar(input));
}

// One byte of a signature, its digest or its key becomes another.
void spoil(P256Signature& s, Input& input) {
  const std::size_t place = input.byte();
  const std::uint8_t change = input.byte();
  if (place < 64)
    s.key[place] ^= change;
  else if (place < 128)
    s.signature[place - 64] ^= change;
  else if (place < 160)
    s.digest[place - 128] ^= change;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  std::optional<P256Signature> made;
  switch (input.byte() % 5) {
    case 0:
      made.emplace();
      base::copy(made->key, input.take(64));
      base::copy(made->digest, input.take(32));
      base::copy(made->signature, input.take(64));
      break;
    case 1: {
      Bytes32 secret{};
      P256Key peer = take_key(input);
      peer[input.byte() % 64] ^= input.byte();
      base::copy(secret, input.take(32));
      compare_secret(secret, peer);
      return 0;
    }
    case 2:
      made = arrive(input);
      break;
    case 3: {
      const P256Key key = take_key(input);
      const Uint256 u1 = p256_curve::reduced(take_number(input));
      made = p256_curve::with_multipliers(key, u1, take_scalar(input));
      break;
    }
    default: {
      const Uint256 secret = take_scalar(input), nonce = take_scalar(input);
      made = p256_curve::sign(secret, nonce, take_number(input).to_be());
      break;
    }
  }
  if (!made) return 0;
  compare_signature(*made);
  spoil(*made, input);
  compare_signature(*made);
  return 0;
}
