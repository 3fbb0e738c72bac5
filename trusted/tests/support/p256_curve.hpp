// SPDX-License-Identifier: Apache-2.0
// Arithmetic on P-256 by OpenSSL, for tests that make signatures with numbers of their choice: whoever picks the point
// of a signature first and the key last needs no luck.
#pragma once
#include <optional>

#include "trusted/tests/support/bytes.hpp"

namespace community::trusted::testing {

using P256Key = std::array<std::uint8_t, 64>;

// A signature r || s of a digest under a key, valid or not.
struct P256Signature {
  P256Key key{};
  Bytes32 digest{};
  std::array<std::uint8_t, 64> signature{};
};

namespace p256_curve {

// The field's prime p and the group's order n.
Uint256 prime();
Uint256 order();

// Modulo n. The inverse of zero does not exist and ends the test.
Uint256 plus(const Uint256& a, const Uint256& b);
Uint256 minus(const Uint256& a, const Uint256& b);
Uint256 times(const Uint256& a, const Uint256& b);
Uint256 over(const Uint256& a, const Uint256& b);
Uint256 reduced(const Uint256& a);

// A point x || y.
Uint256 x_of(const P256Key& point);
P256Key point(const Uint256& x, const Uint256& y);
// One of the two points with this x, when there is one.
std::optional<P256Key> lift(const Uint256& x, bool odd_y);
// a * first + b * G; nothing for the point at infinity.
std::optional<P256Key> combine(const Uint256& a, const P256Key& first, const Uint256& b);
std::optional<P256Key> multiple_of_generator(const Uint256& a);

// The valid signature with a secret and a nonce, both in [1, n - 1]; nothing in the rare case that r or s is zero.
std::optional<P256Signature> sign(const Uint256& secret, const Uint256& nonce, const Bytes32& digest);
// For any digest, s and r (both in [1, n - 1]), the key under which verification arrives at `sum`: valid exactly when
// x(sum) mod n = r. Nothing when that key would be the point at infinity.
std::optional<P256Signature> arrive_at(const P256Key& sum, const Bytes32& digest, const Uint256& r, const Uint256& s);
// The valid signature under `key` whose verification multiplies G by u1 and the key by u2, which is not zero.
std::optional<P256Signature> with_multipliers(const P256Key& key, const Uint256& u1, const Uint256& u2);

}  // namespace p256_curve
}  // namespace community::trusted::testing
