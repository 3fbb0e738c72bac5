// SPDX-License-Identifier: Apache-2.0
// The door over s2n-bignum. Arithmetic of the field, addition of points, scalar multiplication and inversion are its
// functions; each is proved correct against a model of the processor, and its time and addresses depend on no number it
// is given. What is here is the glue: ranges, the equation of the curve, the exceptional cases of ECDSA. The functions
// named `_alt` are those that run on every x86-64 and arm64 processor.
#include <stddef.h>
#include <stdint.h>
extern "C" {
#include <s2n-bignum.h>
}

#include "trusted/p256/domain.hpp"

namespace community::trusted::p256 {
namespace {

// --- field and group -------------------------------------------------------------------------------------------------

// An element of the field in Montgomery form, 2^256 x mod p. It is always below p, so equal elements have equal limbs.
struct Element {
  std::array<std::uint64_t, 4> limb{};

  bool operator==(const Element&) const = default;
  bool is_zero() const { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }
};

// x below p.
Element to_element(const Uint256& x) {
  Element out;
  bignum_tomont_p256_alt(out.limb.data(), x.limb.data());
  return out;
}

Uint256 to_number(const Element& x) {
  Uint256 out;
  bignum_demont_p256_alt(out.limb.data(), x.limb.data());
  return out;
}

Element operator+(const Element& a, const Element& b) {
  Element out;
  bignum_add_p256(out.limb.data(), a.limb.data(), b.limb.data());
  return out;
}

Element operator-(const Element& a, const Element& b) {
  Element out;
  bignum_sub_p256(out.limb.data(), a.limb.data(), b.limb.data());
  return out;
}

Element operator*(const Element& a, const Element& b) {
  Element out;
  bignum_montmul_p256_alt(out.limb.data(), a.limb.data(), b.limb.data());
  return out;
}

Element square(const Element& a) {
  Element out;
  bignum_montsqr_p256_alt(out.limb.data(), a.limb.data());
  return out;
}

// 1 / a; zero for zero.
Element invert(const Element& a) {
  Element out;
  bignum_montinv_p256(out.limb.data(), a.limb.data());
  return out;
}

// The point (x / z^2, y / z^3); z = 0 is the point at infinity. s2n-bignum takes the three coordinates as one array.
struct Point {
  std::array<std::uint64_t, 12> limb{};

  Point() = default;
  // The point (x, y); both are below p.
  Point(const Uint256& x, const Uint256& y) {
    bignum_tomont_p256_alt(limb.data(), x.limb.data());
    bignum_tomont_p256_alt(limb.data() + 4, y.limb.data());
    bignum_tomont_p256_alt(limb.data() + 8, Uint256(1).limb.data());
  }

  Element x() const { return coordinate(0); }
  Element y() const { return coordinate(4); }
  Element z() const { return coordinate(8); }
  bool is_infinity() const { return z().is_zero(); }

 private:
  Element coordinate(std::size_t first) const {
    return {{limb[first], limb[first + 1], limb[first + 2], limb[first + 3]}};
  }
};

// scalar * point, the point at infinity included. Takes the same steps for every scalar: 64 signed digits of
// four bits, a table of eight multiples of which each look-up reads all.
Point multiply(const Uint256& scalar, const Point& point) {
  Point out;
  p256_montjscalarmul_alt(out.limb.data(), scalar.limb.data(), point.limb.data());
  return out;
}

// Whether two points that are not at infinity are the same, compared without a division.
bool same_point(const Point& a, const Point& b) {
  const Element a_square = square(a.z()), b_square = square(b.z());
  return a.x() * b_square == b.x() * a_square && a.y() * b_square * b.z() == b.y() * a_square * a.z();
}

// a + b. For public points: the sum of two equal points is a case of its own, because the formula of
// p256_montjadd_alt answers infinity there; with a point at infinity and with opposite points it is right.
Point add(const Point& a, const Point& b) {
  Point sum;
  p256_montjadd_alt(sum.limb.data(), a.limb.data(), b.limb.data());
  if (!sum.is_infinity() || a.is_infinity() || b.is_infinity() || !same_point(a, b)) return sum;
  p256_montjdouble_alt(sum.limb.data(), a.limb.data());
  return sum;
}

// A valid public key as a point: coordinates below p that fulfil y^2 = x^3 - 3x + b. The curve has no other points of
// small order to exclude, its cofactor is 1.
bool read_point(PublicKeyView public_key, Point& point) {
  if (!coordinates_reduced(public_key)) return false;
  point = Point(Uint256::from_be(public_key.first(32)), Uint256::from_be(public_key.last(32)));
  const Element x = point.x();
  return square(point.y()) == square(x) * x - (x + x + x) + to_element(kB);
}

// --- numbers modulo n ------------------------------------------------------------------------------------------------

// 2^512 mod n, by doubling 2^256 mod n = 2^256 - n another 256 times.
constexpr Uint256 montgomery_square() {
  Uint256 value;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; i++) {
    const base::Uint128 t = static_cast<base::Uint128>(0) - kOrder.limb[i] - borrow;
    value.limb[i] = static_cast<std::uint64_t>(t);
    borrow = static_cast<std::uint64_t>(t >> 64) & 1;
  }
  for (int i = 0; i < 256; i++) {
    // 2v mod n as v - (n - v), which stays inside 256 bits.
    const Uint256 rest = *base::subtract(kOrder, value);
    value = value < rest ? *base::add(value, value) : *base::subtract(value, rest);
  }
  return value;
}
constexpr Uint256 kMontgomerySquare = montgomery_square();

// a b / 2^256 mod n, below n. One of the factors is below n, the other any number of 256 bits.
Uint256 multiply_mod_order(const Uint256& a, const Uint256& b) {
  Uint256 out;
  bignum_montmul(4, out.limb.data(), a.limb.data(), b.limb.data(), kOrder.limb.data());
  return out;
}

// 1 / a mod n for a in [1, n - 1], in Montgomery form: multiply_mod_order by it divides by a.
Uint256 inverse_mod_order(const Uint256& a) {
  Uint256 out;
  std::array<std::uint64_t, 12> scratch;
  bignum_modinv(4, out.limb.data(), a.limb.data(), kOrder.limb.data(), scratch.data());
  return multiply_mod_order(out, kMontgomerySquare);
}

// --- with a secret ---------------------------------------------------------------------------------------------------

// secret * point, x and y as bytes; the point is valid and the secret in [1, n - 1], so that the product is never at
// infinity. No branch and no address depends on the secret: s2n-bignum's functions have none, and the rest moves bytes.
// Out of line, so that all it leaves on the stack lies below its caller's frame and is wiped there.
[[gnu::noinline]] void multiply_secret(const Bytes32& secret, const Point& point, std::span<std::uint8_t, 32> x,
                                       std::span<std::uint8_t, 32> y) {
  const Point product = multiply(Uint256::from_be(secret), point);
  const Element inverse = invert(product.z()), inverse_square = square(inverse);
  base::copy(x, to_number(product.x() * inverse_square).to_be());
  base::copy(y, to_number(product.y() * inverse_square * inverse).to_be());
}

}  // namespace

bool public_key_valid(PublicKeyView public_key) {
  Point point;
  return read_point(public_key, point);
}

bool verify(PublicKeyView public_key, const Bytes32& digest, SignatureView signature) {
  Point key;
  if (!signature_in_range(signature) || !read_point(public_key, key)) return false;
  const Uint256 r = Uint256::from_be(signature.first(32)), s = Uint256::from_be(signature.last(32));
  // The digest is as long as n and is not cut; it may be above n, which multiplication takes care of.
  const Uint256 inverse = inverse_mod_order(s);
  const Uint256 u1 = multiply_mod_order(Uint256::from_be(digest), inverse), u2 = multiply_mod_order(r, inverse);
  const Point sum = add(multiply(u1, Point(kGeneratorX, kGeneratorY)), multiply(u2, key));
  if (sum.is_infinity()) return false;
  // Whether x(sum) mod n = r. As x < p < 2n, x is r or r + n, the latter only where that is still below p. Comparing
  // x z^2 spares the division.
  const Element z_square = square(sum.z());
  if (sum.x() == to_element(r) * z_square) return true;
  const std::optional<Uint256> above = base::add(r, kOrder);
  return above && *above < kPrime && sum.x() == to_element(*above) * z_square;
}

bool public_key(const Bytes32& secret, std::span<std::uint8_t, 64> public_key) {
  if (!secret_in_range(secret)) return false;
  multiply_secret(secret, Point(kGeneratorX, kGeneratorY), public_key.first<32>(), public_key.last<32>());
  wipe_stack_below();
  return true;
}

bool ecdh_x(const Bytes32& secret, PublicKeyView peer, Bytes32& shared_x) {
  Point point;
  if (!secret_in_range(secret) || !read_point(peer, point)) return false;
  base::Secret<32> y;
  multiply_secret(secret, point, shared_x, y.bytes);
  wipe_stack_below();
  return true;
}

}  // namespace community::trusted::p256
