// SPDX-License-Identifier: Apache-2.0
// Calls into OpenSSL.
#include "community/core/curve25519.hpp"

#include <openssl/evp.h>

#include <memory>

namespace community::core {

namespace {

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

}  // namespace

bool verify_ed25519(const Bytes32& public_key, ByteView message, ByteView signature) {
  const Owned<EVP_PKEY> key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

Result<Bytes32> x25519(const Bytes32& private_key, const Bytes32& peer) {
  const Owned<EVP_PKEY> own(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, private_key.data(), private_key.size()));
  const Owned<EVP_PKEY> other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
  const Owned<EVP_PKEY_CTX> context(own ? EVP_PKEY_CTX_new(own.get(), nullptr) : nullptr);
  Bytes32 shared;
  std::size_t size = shared.size();
  // OpenSSL itself refuses a result of zeros.
  if (!other || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1 || size != shared.size())
    return fail(ErrorCode::shared_secret_zero);
  return shared;
}

Result<Bytes32> parse_x25519_spki(ByteView der) {
  // SEQUENCE { SEQUENCE { id-X25519 }, BIT STRING { key } }: always these 12 bytes.
  static constexpr std::uint8_t kPrefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00};
  if (der.size() != sizeof kPrefix + 32 || !base::equal(der.first(sizeof kPrefix), kPrefix))
    return fail(ErrorCode::public_key_invalid);
  Bytes32 key;
  std::copy(der.end() - 32, der.end(), key.begin());
  return key;
}

}  // namespace community::core
