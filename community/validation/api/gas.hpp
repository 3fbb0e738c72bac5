// SPDX-License-Identifier: Apache-2.0
// Gas of operations and bundles as arithmetic: what an operation has to pay beyond what its EntryPoint measures
// (preVerificationGas), and the gas limit under which a bundle cannot run dry. Pure.
#pragma once
#include <cstdint>
#include <vector>

#include "community/validation/api/entry_point.hpp"

namespace community::validation {

// EIP-7825: no transaction has more gas.
inline constexpr std::uint64_t kMaxTransactionGas = 16'777'216;
// Calldata of one bundle: the trusted core parses transactions of 262,144 bytes; the fields around the calldata of an
// EIP-1559 transaction have at most 200.
inline constexpr std::size_t kMaxBundleBytes = 262'144 - 256;

// Calldata in units of EIP-7623: a zero byte is one token, any other byte four.
struct CalldataCost {
  std::uint64_t tokens = 0;
  std::uint64_t bytes = 0;
  // 4 gas a token.
  std::uint64_t standard() const { return 4 * tokens; }
  // 10 gas a token: what a transaction costs at least, besides its 21,000.
  std::uint64_t floor() const { return 10 * tokens; }
};
CalldataCost calldata_cost(ByteView data);

// What the operation adds to the calldata of handleOps: its offset word and its ABI tuple.
CalldataCost userop_calldata(const PackedUserOperation& op);
// What handleOps has besides operations: selector, beneficiary, offset and count.
CalldataCost bundle_calldata_base();

// Gas of the transaction that no EntryPoint counts and that the operation therefore pays as preVerificationGas. Every
// operation carries a whole transaction's base, so a bundle of one costs the bundler nothing and larger ones gain.
// Covers intrinsic gas, the EntryPoint's uncounted work, and the floor of EIP-7623 as far as counted gas of at least
// kLeastCountedGas leaves it uncovered.
std::uint64_t required_pre_verification_gas(const PackedUserOperation& op, EntryPointVersion version);
// The same for an estimate: signature, paymaster data, gas limits and fees may still change, so each of their bytes
// counts as non-zero.
std::uint64_t estimated_pre_verification_gas(PackedUserOperation op, EntryPointVersion version);
// No operation is charged less by an EntryPoint, whatever it does: hashing, nonce, deposit, event.
inline constexpr std::uint64_t kLeastCountedGas = 10'000;

// Gas an operation may use inside handleOps, with what EIP-150 holds back around its call.
// userop limits above 2^63 saturate.
std::uint64_t userop_gas(const UserOperation& op);
// Gas limit for a transaction with these operations: AA95 and running out of gas are then impossible.
std::uint64_t bundle_gas_limit(const std::vector<const UserOperation*>& ops, const CalldataCost& calldata);

// (verification + call + paymaster limits + preVerificationGas) * maxFeePerGas; nothing above 2^256 - 1.
std::optional<Uint256> max_cost(const UserOperation& op);

}  // namespace community::validation
