// SPDX-License-Identifier: Apache-2.0
// Calls of an account to itself, session operations, actions and changes of keys, as a wallet makes them and as a test
// bends them.
#pragma once
#include "trusted/protocol/account_messages.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {

Bytes abi_selector(std::string_view selector);

// queue(kind, content, salt) or confirm; `kind` is a word so that it can be wrong.
Bytes queue_call(const Uint256& kind, ByteView content, const Uint256& salt, bool confirms = false);

struct TestGrant {
  Address target = kShop;
  std::vector<std::string> selectors{"11111111"};
  Uint256 value_per_call = 100, value_total = 250;
  Uint256 valid_after = 1'000, valid_until = 8'000;
  Address paymaster = kPaymaster8;
  Uint256 salt = 7;

  // The struct alone: head, count, selectors.
  Bytes encode() const;
  Bytes create_call() const;
  Bytes session_call(ByteView execution_data) const;
  Bytes32 hash() const;
};

// A batch whose one call goes to the account itself.
TestUserop self_userop(const World& world, ByteView data);

// An operation under `grant` that it allows: one call with its first selector.
TestUserop session_userop(const World& world, const TestGrant& grant);
// The ticket that the core gives when the world's person signs the grant.
Bytes32 ticket_for(World& world, const TestGrant& grant);
Reply sign_session(World& world, const TestUserop& userop, const Bytes32& ticket);

protocol::AccountAction good_action(protocol::ActionKind kind);
// Asks with an assertion of the world's passkey over the action's digest.
Reply sign_action(World& world, const protocol::AccountAction& action);
Reply sign_action(World& world, const protocol::AccountAction& action, const SignedAssertion& assertion,
                  std::uint32_t server_key_index = 0);

protocol::KeyChange key_change(const std::vector<protocol::Passkey>& added,
                               const std::vector<protocol::Passkey>& removed = {});
// Not committed. `server_key` is the address that the struct carries.
Uncommitted change_keys(World& world, const protocol::KeyChange& change, const SoftPasskey& signer,
                        const Address& server_key = {}, std::uint32_t gate = 0);
// What a passkey signs to have the world's wallet adopt an account, as the wallet is now.
Bytes32 adoption_challenge(const World& world, const Address& account, std::uint32_t index,
                           std::uint64_t chain_id = kChain);
// With an assertion of the world's passkey over exactly this, or the given one; not committed.
Uncommitted adopt_account(World& world, const Address& account, std::uint32_t index, std::uint64_t chain_id = kChain);
Uncommitted adopt_account(World& world, const SignedAssertion& assertion, const Address& account, std::uint32_t index,
                          std::uint64_t chain_id = kChain);
// Address of a server key of the world's wallet.
Address server_key_at(World& world, std::uint32_t index);

}  // namespace community::trusted::testing
