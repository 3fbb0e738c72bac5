// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_API_COMPAT 0x10100000L
#include "trusted/tests/support/p256_curve.hpp"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <memory>

namespace community::trusted::testing::p256_curve {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using CurvePoint = std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>>;

struct Curve {
  EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  BN_CTX* context = BN_CTX_new();
};

const Curve& curve() {
  static const Curve instance;
  return instance;
}

// OpenSSL fails here only when a test asks for what does not exist.
void must(bool done) {
  if (!done) std::abort();
}

Number number(const Uint256& value) { return Number(BN_bin2bn(value.to_be().data(), 32, nullptr)); }

Uint256 value(const BIGNUM* number) {
  Bytes32 bytes;
  must(BN_bn2binpad(number, bytes.data(), 32) == 32);
  return Uint256::from_be(bytes);
}

CurvePoint read(const P256Key& key) {
  CurvePoint point(EC_POINT_new(curve().group));
  const Number x(BN_bin2bn(key.data(), 32, nullptr)), y(BN_bin2bn(key.data() + 32, 32, nullptr));
  must(EC_POINT_set_affine_coordinates(curve().group, point.get(), x.get(), y.get(), curve().context) == 1);
  return point;
}

P256Key write(const EC_POINT* affine) {
  const Number x(BN_new()), y(BN_new());
  must(EC_POINT_get_affine_coordinates(curve().group, affine, x.get(), y.get(), curve().context) == 1);
  return point(value(x.get()), value(y.get()));
}

using Operation = int (*)(BIGNUM*, const BIGNUM*, const BIGNUM*, const BIGNUM*, BN_CTX*);

Uint256 modulo_order(Operation operation, const Uint256& a, const Uint256& b) {
  const Number result(BN_new());
  must(operation(result.get(), number(a).get(), number(b).get(), EC_GROUP_get0_order(curve().group), curve().context) ==
       1);
  return value(result.get());
}

}  // namespace

Uint256 prime() {
  const Number p(BN_new());
  must(EC_GROUP_get_curve(curve().group, p.get(), nullptr, nullptr, curve().context) == 1);
  return value(p.get());
}

Uint256 order() { return value(EC_GROUP_get0_order(curve().group)); }

Uint256 plus(const Uint256& a, const Uint256& b) { return modulo_order(BN_mod_add, a, b); }
Uint256 minus(const Uint256& a, const Uint256& b) { return modulo_order(BN_mod_sub, a, b); }
Uint256 times(const Uint256& a, const Uint256& b) { return modulo_order(BN_mod_mul, a, b); }
Uint256 reduced(const Uint256& a) { return plus(a, Uint256(0)); }

Uint256 over(const Uint256& a, const Uint256& b) {
  const Number inverse(BN_mod_inverse(nullptr, number(b).get(), EC_GROUP_get0_order(curve().group), curve().context));
  must(inverse != nullptr);
  return times(a, value(inverse.get()));
}

Uint256 x_of(const P256Key& point) { return Uint256::from_be(ByteView(point).first(32)); }

P256Key point(const Uint256& x, const Uint256& y) {
  P256Key key;
  base::copy(key, join({x.to_be(), y.to_be()}));
  return key;
}

std::optional<P256Key> lift(const Uint256& x, bool odd_y) {
  if (x >= prime()) return std::nullopt;
  const CurvePoint point(EC_POINT_new(curve().group));
  if (EC_POINT_set_compressed_coordinates(curve().group, point.get(), number(x).get(), odd_y, curve().context) != 1)
    return std::nullopt;
  return write(point.get());
}

std::optional<P256Key> combine(const Uint256& a, const P256Key& first, const Uint256& b) {
  const CurvePoint sum(EC_POINT_new(curve().group));
  must(EC_POINT_mul(curve().group, sum.get(), number(b).get(), read(first).get(), number(a).get(), curve().context) ==
       1);
  if (EC_POINT_is_at_infinity(curve().group, sum.get()) == 1) return std::nullopt;
  return write(sum.get());
}

std::optional<P256Key> multiple_of_generator(const Uint256& a) {
  const CurvePoint product(EC_POINT_new(curve().group));
  must(EC_POINT_mul(curve().group, product.get(), number(a).get(), nullptr, nullptr, curve().context) == 1);
  if (EC_POINT_is_at_infinity(curve().group, product.get()) == 1) return std::nullopt;
  return write(product.get());
}

std::optional<P256Signature> sign(const Uint256& secret, const Uint256& nonce, const Bytes32& digest) {
  P256Signature out{*multiple_of_generator(secret), digest, {}};
  const Uint256 r = reduced(x_of(*multiple_of_generator(nonce)));
  const Uint256 s = over(plus(Uint256::from_be(digest), times(r, secret)), nonce);
  if (r.is_zero() || s.is_zero()) return std::nullopt;
  out.signature = point(r, s);
  return out;
}

std::optional<P256Signature> arrive_at(const P256Key& sum, const Bytes32& digest, const Uint256& r, const Uint256& s) {
  // sum = (e / s) G + (r / s) Q, so Q = (s / r) sum - (e / r) G.
  const Uint256 of_generator = minus(Uint256(0), over(Uint256::from_be(digest), r));
  const std::optional<P256Key> key = combine(over(s, r), sum, of_generator);
  if (!key) return std::nullopt;
  return P256Signature{*key, digest, point(r, s)};
}

std::optional<P256Signature> with_multipliers(const P256Key& key, const Uint256& u1, const Uint256& u2) {
  const std::optional<P256Key> sum = combine(u2, key, u1);
  if (!sum) return std::nullopt;
  const Uint256 r = reduced(x_of(*sum));
  if (r.is_zero()) return std::nullopt;
  const Uint256 s = over(r, u2);
  return P256Signature{key, times(u1, s).to_be(), point(r, s)};
}

}  // namespace community::trusted::testing::p256_curve
