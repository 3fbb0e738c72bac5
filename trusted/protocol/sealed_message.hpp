// SPDX-License-Identifier: Apache-2.0
// What is encrypted by HPKE (RFC 9180) on its way to or from the core, past the host: DHKEM(P-256, HKDF-SHA256),
// HKDF-SHA256, AES-256-GCM, base mode, one message a key, no associated data.
#pragma once
#include "trusted/protocol/tree.hpp"

namespace community::protocol {

// A P-256 point as RFC 9180 serialises it: 4, x, y.
using HpkeKey = std::array<std::uint8_t, 65>;

struct SealedMessage {
  HpkeKey enc{};
  // Cipher text and tag
  ByteView cipher;
  template <class C>
  void fields(C& c) {
    c.fixed(enc).bytes(cipher, kMaxSealedMessage);
  }
};

// What each message is for; with the wallet's id it is the `info` of HPKE, and it begins each challenge.
inline constexpr std::string_view kPhraseExport = "community phrase export";
inline constexpr std::string_view kSessionSecret = "community session secret";
inline constexpr std::string_view kSessionSecretReply = "community session secret reply";
inline constexpr std::string_view kContentRootOpen = "community content root open";
inline constexpr std::string_view kContentRootReply = "community content root reply";
// `info` is followed by the credential hash of the passkey whose PRF output it is.
inline constexpr std::string_view kContentRootWrap = "community content root wrap";

// The salt that a page gives to the PRF extension of WebAuthn is SHA-256 of this text.
inline constexpr std::string_view kPrfSaltText = "community-node/prf/1";

inline Bytes32 phrase_export_challenge(const RecordId& wallet, const HpkeKey& recipient) {
  return base::sha256({base::view(kPhraseExport), wallet, recipient});
}

// For session_secret and content_root_open; `purpose` is one of the two.
inline Bytes32 sealed_request_challenge(std::string_view purpose, const RecordId& wallet,
                                        const SealedMessage& message) {
  return base::sha256({base::view(purpose), wallet, base::sha256({message.enc, message.cipher})});
}

}  // namespace community::protocol
