// SPDX-License-Identifier: Apache-2.0
// The door over s2n-bignum. Arithmetic of the field, addition of points, scalar multiplication and inversion are its
// functions; each is proved correct against a model of the processor, and its time and addresses depend on no number it
// is given. What is here is the glue: ranges, the equation of the curve, the exceptional cases of ECDSA. Where there
// is a variant `_alt`, it is the one: it runs on every x86-64 processor, and is the faster one for arm64 under QEMU.
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

// Whether two points are the same, compared without a division; both are at infinity, or neither is.
bool same_point(const Point& a, const Point& b) {
  const Element a_square = square(a.z()), b_square = square(b.z());
  return a.x() * b_square == b.x() * a_square && a.y() * b_square * b.z() == b.y() * a_square * a.z();
}

Point negated(const Point& a) {
  Point out = a;
  const Element zero;
  bignum_sub_p256(out.limb.data() + 4, zero.limb.data(), a.limb.data() + 4);
  return out;
}

Point doubled(const Point& a) {
  Point out;
  p256_montjdouble_alt(out.limb.data(), a.limb.data());
  return out;
}

// a + b for public points: the sum of two equal points is a case of its own, because the formula of p256_montjadd_alt
// answers infinity there; with a point at infinity and with opposite points it is right. Where one point is at infinity
// the sum is only if both are, and twice infinity is infinity.
Point add(const Point& a, const Point& b) {
  Point sum;
  p256_montjadd_alt(sum.limb.data(), a.limb.data(), b.limb.data());
  return sum.is_infinity() && same_point(a, b) ? doubled(a) : sum;
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

// --- multiplication of public numbers --------------------------------------------------------------------------------

// A number below 2^256 as the sum of digit[i] 2^i: digits are zero or odd, from -15 to 15, and of five neighbours at
// most one is not zero (the width-5 non-adjacent form; Hankerson, Menezes and Vanstone, Guide to Elliptic Curve
// Cryptography, 3.3.1). There is one digit more than bits.
using Digits = std::array<std::int8_t, 257>;

Digits signed_digits(const Uint256& number) {
  // Bit i, zero above the number.
  const auto bit = [&number](std::size_t i) {
    return i < 256 ? static_cast<int>(number.limb[i / 64] >> i % 64 & 1) : 0;
  };
  Digits digits{};
  int carry = 0;
  for (std::size_t i = 0; i < digits.size();) {
    // What is left, number / 2^i rounded down and carry, is even: the digit is zero.
    if (bit(i) == carry) {
      i++;
      continue;
    }
    int digit = carry;
    for (std::size_t j = 0; j < 5; j++) digit += bit(i + j) << j;
    carry = digit > 15 ? 1 : 0;
    digits[i] = static_cast<std::int8_t>(digit - 32 * carry);
    i += 5;
  }
  return digits;
}

// 1, 3, 5, ... 15 times a point.
using OddMultiples = std::array<Point, 8>;

OddMultiples odd_multiples(const Point& point) {
  OddMultiples multiples;
  multiples[0] = point;
  const Point twice = doubled(point);
  for (std::size_t i = 1; i < multiples.size(); i++) multiples[i] = add(multiples[i - 1], twice);
  return multiples;
}

Point add_digit(const Point& sum, int digit, const OddMultiples& multiples) {
  if (digit == 0) return sum;
  return digit > 0 ? add(sum, multiples[digit / 2]) : add(sum, negated(multiples[-digit / 2]));
}

// u1 * first + u2 * second with common doublings, in a time that depends on the numbers: for public ones only.
Point multiply_public(const Uint256& u1, const Point& first, const Uint256& u2, const Point& second) {
  const Digits digits1 = signed_digits(u1), digits2 = signed_digits(u2);
  const OddMultiples multiples1 = odd_multiples(first), multiples2 = odd_multiples(second);
  Point sum;
  for (std::size_t i = digits1.size(); i-- > 0;)
    sum = add_digit(add_digit(doubled(sum), digits1[i], multiples1), digits2[i], multiples2);
  return sum;
}

// --- with a secret ---------------------------------------------------------------------------------------------------

// secret * point, x and y as bytes; the point is valid and the secret in [1, n - 1], so that the product is never at
// infinity. No branch and no address depends on the secret: p256_montjscalarmul_alt takes 64 signed digits of four
// bits, each with a look-up that reads its whole table, inversion a fixed number of steps, and the rest moves bytes.
// Out of line, so that all it leaves on the stack lies below its caller's frame and is wiped there.
[[gnu::noinline]] void multiply_secret(const Bytes32& secret, const Point& point, std::span<std::uint8_t, 32> x,
                                       std::span<std::uint8_t, 32> y) {
  const Uint256 scalar = Uint256::from_be(secret);
  Point product;
  p256_montjscalarmul_alt(product.limb.data(), scalar.limb.data(), point.limb.data());
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
  const Point sum = multiply_public(u1, Point(kGeneratorX, kGeneratorY), u2, key);
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
