// SPDX-License-Identifier: Apache-2.0
// What web push computes: encryption to a browser and the token that says who sends. OpenSSL's P-256 and AES, our HKDF.
#pragma once
#include <memory>
#include <optional>

#include "community/core/bytes.hpp"

namespace community::notifications {

using core::Bytes;
using core::Bytes32;
using core::ByteView;
using P256Point = std::array<std::uint8_t, 65>;

class P256Key {
 public:
  // Nothing for a secret outside [1, n - 1].
  static std::optional<P256Key> from_secret(const Bytes32& secret);
  P256Key(P256Key&&) noexcept;
  P256Key& operator=(P256Key&&) noexcept;
  ~P256Key();

  // Uncompressed: 0x04 || x || y.
  const P256Point& public_key() const { return public_key_; }
  // The x coordinate of secret times peer; nothing when the peer is not on the curve.
  std::optional<Bytes32> ecdh(const P256Point& peer) const;
  // r || s over SHA-256 of the message, as JWS has it (RFC 7518, section 3.4).
  std::optional<std::array<std::uint8_t, 64>> sign(std::string_view message) const;

 private:
  struct Body;
  P256Key();
  std::unique_ptr<Body> body_;
  P256Point public_key_{};
};

// RFC 8291 with one record. `sender` is made for this message alone, `salt` too. Nothing when the browser's key is no
// point or the text too long.
std::optional<Bytes> encrypt_push(std::string_view text, const P256Point& p256dh,
                                  const std::array<std::uint8_t, 16>& auth, const P256Key& sender,
                                  const std::array<std::uint8_t, 16>& salt);

// The field Authorization of RFC 8292, section 3: a JWT for the push service's origin, and the key.
std::optional<std::string> vapid_authorization(const P256Key& key, std::string_view audience, std::int64_t expires_s,
                                               std::string_view contact);

}  // namespace community::notifications
