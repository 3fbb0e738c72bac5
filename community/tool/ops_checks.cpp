// SPDX-License-Identifier: Apache-2.0
// Signatures, key agreement, message authentication, key derivation and authenticated encryption.
#include <openssl/evp.h>

#include <memory>

#include "community/core/curve25519.hpp"
#include "community/core/ecdsa.hpp"
#include "community/core/secp256k1.hpp"
#include "community/core/webauthn.hpp"
#include "community/tool/input.hpp"
#include "community/tool/webauthn_assert.hpp"
#include "trusted/base/sha2.hpp"
#include "trusted/process/crypto.hpp"

namespace community::tool {

namespace {

// Work a single line may ask for.
constexpr std::size_t kMaxIterations = 10'000'000;
constexpr std::size_t kMaxDerivedBytes = 1u << 20;

// "SHA-256", "HMACSHA256" and "sha256" are the same.
std::string hash_name(Input& in) {
  std::string name;
  for (char c : in.text("hash"))
    if (c != '-' && c != '_' && c != ' ') name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.starts_with("hmac")) name.erase(0, 4);
  return name;
}

enum class Hash : std::uint8_t { sha256, sha512, other };

// The product derives and authenticates with these two; others are not offered.
Hash read_hash(Input& in) {
  const std::string name = hash_name(in);
  if (name == "sha256") return Hash::sha256;
  if (name == "sha512") return Hash::sha512;
  if (in.good()) in.skip();
  return Hash::other;
}

struct OtherDigest {
  std::string_view name;
  const EVP_MD* (*algorithm)();
  // Output of an extendable function, else 0.
  std::size_t size;
};
constexpr OtherDigest kOtherDigests[] = {
    {"sha1", EVP_sha1, 0},        {"sha224", EVP_sha224, 0},      {"sha384", EVP_sha384, 0},
    {"sha3224", EVP_sha3_224, 0}, {"sha3256", EVP_sha3_256, 0},   {"sha3384", EVP_sha3_384, 0},
    {"sha3512", EVP_sha3_512, 0}, {"shake128", EVP_shake128, 32}, {"shake256", EVP_shake256, 64},
};

// What is verified is the signature; the digest before it may be any that OpenSSL has.
Bytes other_digest(Input& in, std::string_view name, ByteView message) {
  for (const OtherDigest& known : kOtherDigests) {
    if (known.name != name) continue;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    Bytes digest(known.size != 0 ? known.size : static_cast<std::size_t>(EVP_MD_get_size(known.algorithm())));
    const bool done = EVP_DigestInit_ex(context.get(), known.algorithm(), nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), message.data(), message.size()) == 1 &&
                      (known.size != 0 ? EVP_DigestFinalXOF(context.get(), digest.data(), digest.size())
                                       : EVP_DigestFinal_ex(context.get(), digest.data(), nullptr)) == 1;
    if (!done) in.refuse("digest failed");
    return digest;
  }
  in.skip();
  return {};
}

// The leftmost 256 bits of the digest as a number (FIPS 186-5, section 6.4.1).
Bytes32 read_digest(Input& in, ByteView message) {
  const std::string name = hash_name(in);
  if (name == "sha256") return base::sha256(message);
  const Bytes digest =
      name == "sha512" ? core::to_bytes(base::Sha512().add(message).finish()) : other_digest(in, name, message);
  Bytes32 word{};
  const std::size_t size = std::min(digest.size(), word.size());
  std::copy_n(digest.begin(), size, word.end() - static_cast<std::ptrdiff_t>(size));
  return word;
}

Result<core::EcdsaSignature> read_signature(ByteView signature, std::string_view encoding) {
  if (encoding == "p1363") return core::parse_p1363_signature(signature);
  auto parsed = core::parse_der_signature(signature);
  if (parsed && encoding == "der-low-s" && !core::is_low_s(parsed->s)) return core::fail(ErrorCode::signature_high_s);
  return parsed;
}

bool verify_by_port(const core::PublicKey& key, const Bytes32& digest, const core::EcdsaSignature& signature) {
  std::array<std::uint8_t, 64> bytes;
  std::copy(signature.r.begin(), signature.r.end(), bytes.begin());
  std::copy(signature.s.begin(), signature.s.end(), bytes.begin() + 32);
  const trusted::Port& port = software_port();
  return port.p256_verify(port.context, key.data(), digest, bytes.data());
}

void ecdsa_verify(Input& in, json::object& out) {
  const std::string_view curve = in.text("curve");
  const std::string_view encoding = in.has("enc") ? in.text("enc") : std::string_view("der");
  const Bytes key = in.bytes("key");
  const Bytes message = in.bytes("msg");
  const Bytes signature_bytes = in.bytes("sig");
  const Bytes32 digest = read_digest(in, message);
  if (!in.good()) return;
  const bool p256 = curve == "secp256r1" || curve == "P-256";
  if (!p256 && curve != "secp256k1") return in.skip();
  if (encoding != "der" && encoding != "p1363" && encoding != "der-low-s") return in.refuse("unknown enc");
  if (key.size() != 65 || key[0] != 4) return in.refuse("key is not 65 bytes that begin with 04");
  core::PublicKey point;
  std::copy_n(key.begin() + 1, point.size(), point.begin());
  const auto signature = read_signature(signature_bytes, encoding);
  out["valid"] = signature.has_value() && (p256 ? verify_by_port(point, digest, *signature)
                                                : core::verify_secp256k1(point, digest, signature->r, signature->s));
}

void ed25519_verify(Input& in, json::object& out) {
  const Bytes32 key = in.bytes32("key");
  const Bytes message = in.bytes("msg"), signature = in.bytes("sig");
  if (in.good()) out["valid"] = core::verify_ed25519(key, message, signature);
}

// A private key of a curve with points is a number, with as many leading zeros as its writer liked.
Bytes32 read_private_number(Input& in) {
  Bytes digits = in.bytes("private");
  digits.erase(digits.begin(),
               std::find_if(digits.begin(), digits.end(), [](std::uint8_t digit) { return digit != 0; }));
  Bytes32 number{};
  if (digits.size() > number.size()) in.refuse(Error{ErrorCode::private_key_out_of_range, {}});
  if (in.good()) std::copy_backward(digits.begin(), digits.end(), number.end());
  return number;
}

// A point as 04 || x || y (point) or as x || y too (raw).
Result<core::PublicKey> point_of(ByteView bytes, bool raw) {
  if (bytes.size() == 65 && bytes[0] == 4)
    bytes = bytes.subspan(1);
  else if (!raw)
    return core::fail(ErrorCode::public_key_invalid);
  if (bytes.size() != 64) return core::fail(ErrorCode::public_key_invalid);
  core::PublicKey key;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

void ecdh_on_points(Input& in, json::object& out, bool p256, std::string_view encoding) {
  const Bytes bytes = in.bytes("public");
  const Bytes32 secret = read_private_number(in);
  if (!in.good()) return;
  const auto peer = in.take(encoding != "spki" ? point_of(bytes, encoding == "raw")
                            : p256             ? core::parse_p256_spki(bytes)
                                               : core::parse_secp256k1_spki(bytes));
  if (!in.good()) return;
  Bytes32 shared{};
  if (p256) {
    const trusted::Port& port = software_port();
    if (!port.p256_public_key_valid(port.context, peer.data()))
      in.refuse(Error{ErrorCode::public_key_invalid, {}});
    else if (!port.p256_ecdh(port.context, secret, peer.data(), shared))
      in.refuse(Error{ErrorCode::private_key_out_of_range, {}});
  } else {
    shared = in.take(core::secp256k1_shared_x(secret, peer));
  }
  if (in.good()) out["shared"] = core::to_hex(shared);
}

void ecdh(Input& in, json::object& out) {
  const std::string_view curve = in.text("curve");
  const std::string_view encoding = in.has("enc") ? in.text("enc") : std::string_view("point");
  if (!in.good()) return;
  if (encoding != "spki" && encoding != "point" && encoding != "raw") return in.refuse("unknown enc");
  const bool p256 = curve == "secp256r1" || curve == "P-256";
  if (p256 || curve == "secp256k1") return ecdh_on_points(in, out, p256, encoding);
  if (curve != "x25519" && curve != "X25519" && curve != "curve25519") return in.skip();
  const Bytes32 peer = encoding == "spki" ? in.take(core::parse_x25519_spki(in.bytes("public"))) : in.bytes32("public");
  const Bytes32 secret = in.bytes32("private");
  if (!in.good()) return;
  const Bytes32 shared = in.take(core::x25519(secret, peer));
  if (in.good()) out["shared"] = core::to_hex(shared);
}

template <class H>
Bytes hkdf_of(ByteView ikm, ByteView salt, ByteView info, std::size_t size) {
  Bytes out(size);
  base::hkdf<H>(ikm, salt, info, out);
  return out;
}

void hkdf(Input& in, json::object& out) {
  const Hash hash = read_hash(in);
  const Bytes ikm = in.bytes("ikm"), salt = in.bytes_or_empty("salt"), info = in.bytes_or_empty("info");
  // RFC 5869: at most 255 blocks.
  const std::size_t size = in.count("size", 255u * (hash == Hash::sha256 ? 32 : 64));
  if (!in.good()) return;
  out["okm"] = core::to_hex(hash == Hash::sha256 ? hkdf_of<base::Sha256>(ikm, salt, info, size)
                                                 : hkdf_of<base::Sha512>(ikm, salt, info, size));
}

void pbkdf2(Input& in, json::object& out) {
  const Hash hash = read_hash(in);
  const Bytes password = in.bytes("password"), salt = in.bytes_or_empty("salt");
  const std::size_t iterations = in.count("iterations", kMaxIterations);
  Bytes derived(in.count("dkLen", kMaxDerivedBytes));
  if (!in.good()) return;
  if (iterations == 0) return in.refuse("iterations is zero");
  if (iterations * derived.size() > 64 * kMaxIterations) return in.refuse("iterations times dkLen is too much");
  if (hash == Hash::sha256) {
    base::pbkdf2<base::Sha256>(password, salt, static_cast<std::uint32_t>(iterations), derived);
  } else {
    base::pbkdf2<base::Sha512>(password, salt, static_cast<std::uint32_t>(iterations), derived);
  }
  out["dk"] = core::to_hex(derived);
}

template <class H>
Bytes hmac_of(ByteView key, ByteView message) {
  return core::to_bytes(base::Hmac<H>(key).add(message).finish());
}

void hmac_verify(Input& in, json::object& out) {
  const Hash hash = read_hash(in);
  const Bytes key = in.bytes("key"), message = in.bytes("msg"), tag = in.bytes("tag");
  const std::size_t full = hash == Hash::sha256 ? 256 : 512;
  const std::size_t bits = in.has("tagBits") ? in.count("tagBits", full) : full;
  if (!in.good()) return;
  if (bits == 0 || bits % 8 != 0) return in.refuse("tagBits is not a number of whole bytes");
  const Bytes mac = hash == Hash::sha256 ? hmac_of<base::Sha256>(key, message) : hmac_of<base::Sha512>(key, message);
  out["valid"] = base::equal_constant_time(tag, ByteView(mac).first(bits / 8));
}

struct GcmInput {
  Bytes32 key{};
  Bytes iv, aad;
};

// The product seals with 256-bit keys, 96-bit nonces and 128-bit tags; other sizes are not offered.
GcmInput read_gcm(Input& in) {
  GcmInput input;
  const Bytes key = in.bytes("key");
  input.iv = in.bytes("iv");
  input.aad = in.bytes_or_empty("aad");
  if (!in.good()) return input;
  if (key.size() != 32 || input.iv.size() != 12) in.skip();
  if (in.good()) std::copy(key.begin(), key.end(), input.key.begin());
  return input;
}

void aes_gcm_seal(Input& in, json::object& out) {
  const GcmInput gcm = read_gcm(in);
  const Bytes message = in.bytes_or_empty("msg");
  if (!in.good()) return;
  const trusted::Port& port = software_port();
  Bytes sealed(message.size());
  std::uint8_t tag[16];
  if (!port.aes_gcm_seal(port.context, gcm.key, gcm.iv.data(), gcm.aad, message, sealed, tag))
    return in.refuse("sealing failed");
  out["ct"] = core::to_hex(sealed);
  out["tag"] = core::to_hex(tag);
}

void aes_gcm_open(Input& in, json::object& out) {
  const GcmInput gcm = read_gcm(in);
  const Bytes sealed = in.bytes_or_empty("ct");
  const Bytes tag = in.bytes("tag");
  if (!in.good()) return;
  if (tag.size() != 16) return in.refuse("tag is not 16 bytes");
  const trusted::Port& port = software_port();
  Bytes message(sealed.size());
  if (!port.aes_gcm_open(port.context, gcm.key, gcm.iv.data(), gcm.aad, sealed, tag.data(), message))
    return in.refuse("authentication failed");
  out["msg"] = core::to_hex(message);
}

constexpr NamedOperation kOperations[] = {
    {"ecdsa.verify", ecdsa_verify},
    {"hkdf", hkdf},
    {"pbkdf2", pbkdf2},
    {"hmac.verify", hmac_verify},
    {"aes_gcm.seal", aes_gcm_seal},
    {"aes_gcm.open", aes_gcm_open},
    {"webauthn.assert", webauthn_assert},
    {"webauthn.register", webauthn_register},
    {"ed25519.verify", ed25519_verify},
    {"ecdh", ecdh},
};

}  // namespace

const trusted::Port& software_port() {
  static const trusted::Port port = [] {
    trusted::Port made;
    trusted::use_software_crypto(made);
    return made;
  }();
  return port;
}

std::span<const NamedOperation> check_operations() { return kOperations; }

}  // namespace community::tool
