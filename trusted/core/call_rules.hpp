// SPDX-License-Identifier: Apache-2.0
// What a person's and a session's operations have in common: rules for each call of a batch, the operation's cost and
// hash, and the account that sends it.
#pragma once
#include "trusted/core/core.hpp"
#include "trusted/ethereum/account_calls.hpp"
#include "trusted/ethereum/transaction.hpp"

namespace community::trusted {

// Walks over the calls of one operation, or of a spend it queues; gathers their sum and what the reply tells of them.
class CallRules {
 public:
  CallRules(const protocol::ChainConfig& chain, const protocol::Policy& policy, const protocol::Address& sender)
      : chain_(chain), policy_(policy), sender_(sender) {}

  // Refuses a call to zero, the account or an EntryPoint, and whatever the wallet's policy does not allow.
  Error check(const ethereum::Call& call);

  const Uint256& total() const { return total_; }

 private:
  const protocol::ChainConfig& chain_;
  const protocol::Policy& policy_;
  const protocol::Address& sender_;
  Uint256 total_;
};

// Whether the policy lists contract and function.
Error check_rules(const protocol::Policy& policy, const ethereum::Call& call);
protocol::CallSummary summary_of(const ethereum::Call& call);
// A reader's refusal by the protocol's name; `other` stands for what is not canonical.
Error to_protocol(ethereum::BatchError error, Error other);
Error to_protocol(ethereum::TransactionError error);

// The call of an account to itself that an operation consists of.
Error check_self_call(ByteView data, const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                      const WalletRecord& wallet, protocol::SignUseropReply& result);
// Rules of spec/account.md, section 4, that need no state of the chain.
Error check_grant(const ethereum::Grant& grant, const protocol::SignUseropRequest& request,
                  const protocol::ChainConfig& chain, const protocol::Policy& policy);
// Proves to sign_session that the core saw a person's signature over this grant of this account.
void grant_ticket(const WalletRecord& wallet, std::uint64_t chain_id, const protocol::Address& account,
                  const Bytes32& grant_hash, Bytes32& ticket);

struct UseropCost {
  // Zero: none
  protocol::Address paymaster{};
  Uint256 max_cost;
};
Error read_cost(const protocol::UseropFields& userop, UseropCost& cost);
Bytes32 hash_of(const protocol::UseropFields& userop, const protocol::EntryPointConfig& entry_point,
                std::uint64_t chain_id);

const protocol::AccountBinding* find_account(const WalletRecord& wallet, std::uint64_t chain_id,
                                             const protocol::Address& address);
// Signs with the server key that the request names, if the account was ever given it.
Error sign_as_server(const Port& port, const WalletRecord& wallet, const protocol::AccountBinding& account,
                     std::uint32_t index, const Bytes32& digest, protocol::Signature65& signature);
// Counts server key `index` of the wallet among those of the account, which has all from its first to its last without
// gaps, or `index` would leave some that the account may be given out of reach. Takes the mark of a move away.
Error name_server_key(std::uint32_t index, protocol::AccountBinding& account);

// What spec/account.md asks of guardians at any time, and spec/wire-formats.md, section 2, of init data.
Error check_guardians(const Bytes32& guardians_hash, std::uint8_t threshold, std::uint32_t recovery_delay);
Error check_init_data(const Port& port, const ethereum::InitData& init);

}  // namespace community::trusted
