// SPDX-License-Identifier: Apache-2.0
// The bytes of a CommunityAccount: init data, address, batch call data, dual signature (spec/wire-formats.md). Pure.
#pragma once
#include <string>
#include <vector>

#include "community/core/rules.hpp"
#include "community/core/secp256k1.hpp"
#include "community/core/userop.hpp"

namespace community::accounts {

using core::Address;
using core::Bytes;
using core::Bytes32;
using core::ByteView;
using core::Uint256;

#define COMMUNITY_ACCOUNTS_ERRORS(X) \
  X(init_data_invalid)               \
  X(calls_invalid)                   \
  X(client_data_form)                \
  X(signature_part_too_long)         \
  X(signature_out_of_range)          \
  X(action_invalid)                  \
  X(action_signer)                   \
  X(action_not_finishable)           \
  X(guardians_invalid)               \
  X(grant_invalid)                   \
  X(chain_failed)                    \
  X(account_unreadable)              \
  X(storage_failed)

COMMUNITY_ERRORS(COMMUNITY_ACCOUNTS_ERRORS)

struct InitPasskey {
  std::array<std::uint8_t, 64> public_key{};
  Bytes32 rp_id_hash{};
};
struct GasCap {
  std::uint64_t chain_id = 0;
  // wei
  Uint256 max_cost;
};
struct SpendingLimit {
  std::uint64_t chain_id = 0;
  // Zero: the native currency.
  Address token{};
  Uint256 per_day;
};

inline constexpr std::uint32_t kDefaultRecoveryDelay_s = 7 * 24 * 60 * 60;

struct AccountInit {
  std::vector<InitPasskey> passkeys;
  Address server_key{};
  Address escape_key{};
  Bytes32 guardians_hash{};
  std::uint8_t guardian_threshold = 0;
  std::uint32_t recovery_delay_s = kDefaultRecoveryDelay_s;
  bool strict = false;
  std::vector<GasCap> gas_caps;
  std::vector<SpendingLimit> limits;
  Uint256 salt;
};

inline constexpr std::size_t kMaxGuardians = 16;

Result<Bytes> encode_init_data(const AccountInit& init);
// What the factory would accept, spec/wire-formats.md section 2: init_data_invalid names the rule that is broken.
Result<void> check_init(const AccountInit& init);
// The rules for keys alone, which hold for later keys too.
Result<void> check_keys(const std::vector<InitPasskey>& passkeys, const Address& server_key, const Address& escape_key);
// Canonical and by the rules: init_data_invalid.
Result<AccountInit> read_init_data(ByteView init_data);
// The counterfactual address: the same on every chain where factory and implementation are.
Address account_address(const Address& factory, const Bytes32& proxy_init_code_hash, ByteView init_data);
// Call data of the factory: createAccount(initData).
Bytes encode_create_account(ByteView init_data);

struct Call {
  Address to{};
  Uint256 value;
  Bytes data;
};
// abi.encode(calls) of 1 to 32 calls: what a batch, a session and a queued spend carry.
Result<Bytes> encode_calls(const std::vector<Call>& calls);
// execute(mode, abi.encode(calls)), ERC-7821 batch mode.
Result<Bytes> encode_batch(const std::vector<Call>& calls);

struct PasskeySignature {
  Bytes client_data;
  Bytes authenticator_data;
  // r || s as the authenticator made it; a high s is normalised.
  std::array<std::uint8_t, 64> signature{};
};
// r || s || length || authenticator data || client data tail: the data of a passkey's vote (spec/account.md, section
// 1), and the passkey's part of a dual signature. Errors as below.
Result<Bytes> encode_passkey_vote(const PasskeySignature& passkey);
// `day`: of an operation that no paymaster pays for, Unix time / kSecondsPerDay; the account charges that day's limit
// and the operation is valid on it alone. Else 0. client_data_form when the client data does not begin as WebAuthn
// serialises it: the contract could not check it.
Result<Bytes> encode_dual_signature(std::uint8_t passkey_slot, std::uint32_t day, const core::Signature& server,
                                    const PasskeySignature& passkey);
inline constexpr std::int64_t kSecondsPerDay = 86'400;
// The day is not signed, so an operation that was held back gets a new one. False when it is no dual signature.
bool set_signature_day(Bytes& signature, std::uint32_t day);
// As long as a real signature whose origin is `origin`, valid in form, wrong in substance: for estimates.
Bytes dummy_dual_signature(std::string_view origin, std::uint32_t day);

// The longest client data a browser makes for this origin without extensions.
std::string client_data_for(const Bytes32& challenge, std::string_view origin);

}  // namespace community::accounts
