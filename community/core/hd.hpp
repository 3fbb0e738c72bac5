// SPDX-License-Identifier: Apache-2.0
// Hierarchical deterministic keys (BIP-32) on secp256k1 and their text form (xprv, xpub of the main network).
#pragma once
#include <optional>

#include "community/core/secp256k1.hpp"

namespace community::core {

inline constexpr std::uint32_t kHardened = 0x80000000;
// Depth is one byte.
inline constexpr std::size_t kMaxPathDepth = 255;

struct ExtendedKey {
  std::uint8_t depth = 0;
  std::array<std::uint8_t, 4> parent_fingerprint{};
  std::uint32_t child_number = 0;
  Bytes32 chain_code{};
  CompressedPublicKey public_key{};
  // Absent in a public key.
  std::optional<Bytes32> private_key;

  ExtendedKey() = default;
  ExtendedKey(const ExtendedKey&) = default;
  ExtendedKey& operator=(const ExtendedKey&) = default;
  ~ExtendedKey() {
    if (private_key) base::wipe(*private_key);
    base::wipe(chain_code);
  }
  bool operator==(const ExtendedKey&) const = default;

  // The same place in the tree without the private key.
  ExtendedKey neutered() const;
  // "xprv…" with a private key, else "xpub…".
  std::string text() const;
};

// bip32_seed_length: a seed has 16 to 64 bytes. bip32_key_invalid once in 2^127 seeds.
Result<ExtendedKey> master_key(ByteView seed);
// Child `index`; bip32_hardened_from_public, bip32_path_too_deep, bip32_key_invalid (take the next index).
Result<ExtendedKey> derive_child(const ExtendedKey& parent, std::uint32_t index);
// "m/44'/60'/0'/0/0"; hardened as ', h or H. bip32_path_syntax, bip32_path_too_deep.
Result<std::vector<std::uint32_t>> parse_path(std::string_view path);
Result<ExtendedKey> derive_path(const ExtendedKey& root, std::string_view path);

// base58_*, bip32_length, bip32_version, bip32_depth_zero_with_parent, bip32_depth_zero_with_index,
// bip32_key_prefix, bip32_key_invalid.
Result<ExtendedKey> parse_extended_key(std::string_view text);

}  // namespace community::core
