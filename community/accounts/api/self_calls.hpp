// SPDX-License-Identifier: Apache-2.0
// What a CommunityAccount does by calls to itself, and what a session grant lets the server key do alone
// (spec/account.md, sections 3 and 4). Pure.
#pragma once
#include "community/accounts/api/actions.hpp"

namespace community::accounts {

// Numbers of the contract.
enum class QueueKind : std::uint8_t { spend = 0, limit = 1, gas_cap = 2, domain = 3, allowed_call = 4 };

// What waits 24 hours for its confirmation.
struct Queued {
  QueueKind kind = QueueKind::spend;
  Bytes content;
  // Tells equal contents apart.
  Uint256 salt;
};

Result<Queued> queued_spend(const std::vector<Call>& calls, const Uint256& salt);
// Token zero is the native currency.
Queued queued_limit(const Address& token, const Uint256& per_day, const Uint256& salt);
Queued queued_gas_cap(const Uint256& max_cost, const Uint256& salt);
// Zero stands for personal messages.
Queued queued_domain(const Bytes32& domain_separator, const Uint256& salt);
Queued queued_allowed_call(const Address& target, const std::array<std::uint8_t, 4>& selector, const Uint256& salt);

// What `cancel` names.
Bytes32 queued_id(const AccountOnChain& where, std::uint32_t key_epoch, const Queued& queued);

// Call data of an operation with the one call to the account itself.
Result<Bytes> encode_queue(const Address& account, const Queued& queued);
Result<Bytes> encode_confirm(const Address& account, const Queued& queued);

struct Grant {
  Address target{};
  // 1 to 8, ascending, no token function.
  std::vector<std::array<std::uint8_t, 4>> selectors;
  // wei; both fit 128 bits
  Uint256 value_per_call;
  Uint256 value_total;
  // Seconds since 1970; at most two hours from the creation.
  std::uint64_t valid_after_s = 0;
  std::uint64_t valid_until_s = 0;
  // The only one that may pay; not zero.
  Address paymaster{};
  Uint256 salt;
};

// Sorts the selectors. grant_invalid when it breaks a rule that needs no chain.
Result<void> normalise_grant(Grant& grant, const Address& account);
// What `revokeGrant` names. The grant is normalised.
Bytes32 grant_id(const AccountOnChain& where, std::uint32_t key_epoch, const Grant& grant);
Result<Bytes> encode_create_grant(const Address& account, const Grant& grant);
// Call data of a session operation.
Result<Bytes> encode_execute_session(const Grant& grant, const std::vector<Call>& calls);
// Kind and server signature, the signature of a session operation.
Bytes encode_session_signature(const core::Signature& server);
Bytes dummy_session_signature();

}  // namespace community::accounts
