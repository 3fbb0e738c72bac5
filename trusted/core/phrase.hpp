// SPDX-License-Identifier: Apache-2.0
// The phrase of a wallet (BIP-39, English) and the keys derived from it (BIP-32, BIP-44). The seed is computed once and
// kept in the sealed record, so that no signature waits for PBKDF2.
#pragma once
#include "trusted/core/record.hpp"

namespace community::trusted {

using Seed = std::array<std::uint8_t, 64>;

// Seed of 16 or 32 bytes of entropy: its words, then PBKDF2-HMAC-SHA-512 without a passphrase.
void phrase_seed(ByteView entropy, Seed& seed);

// New entropy and its seed for a wallet that has none; `words` is 12 or 24.
Error make_phrase(const Port& port, std::uint8_t words, WalletRecord& wallet);

// (a + b) modulo the order of secp256k1, both below it; `sum` may be one of them. No branch depends on either.
void add_modulo_order(const Bytes32& a, const Bytes32& b, Bytes32& sum);

inline constexpr std::uint32_t kHardened = 0x8000'0000;

// Private key of a BIP-32 path. crypto_failed for the one path in 2^127 that has none.
Error derive_path(const Port& port, ByteView seed, std::span<const std::uint32_t> path, Bytes32& secret);

// m/44'/coin'/account'/0/index of the wallet's phrase (protocol::coin_type); phrase_missing when there is none.
Error derive_eoa_key(const Port& port, const WalletRecord& wallet, std::uint64_t chain_id, std::uint32_t account,
                     std::uint32_t index, Bytes32& secret);

}  // namespace community::trusted
