// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/account.hpp"

#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"

namespace community::trusted::testing {

Bytes abi_selector(std::string_view selector) {
  Bytes word = unhex(selector);
  word.resize(32);
  return word;
}

Bytes queue_call(const Uint256& kind, ByteView content, const Uint256& salt, bool confirms) {
  return join({unhex(confirms ? "d6fd29b3" : "781d7fb0"), abi_word(kind), abi_word(Uint256(96)), abi_word(salt),
               abi_bytes(content)});
}

Bytes TestGrant::encode() const {
  Bytes out = join({abi_word(target), abi_word(Uint256(256)), abi_word(value_per_call), abi_word(value_total),
                    abi_word(valid_after), abi_word(valid_until), abi_word(paymaster), abi_word(salt),
                    abi_word(Uint256(selectors.size()))});
  for (const std::string& selector : selectors) append(out, abi_selector(selector));
  return out;
}

Bytes TestGrant::create_call() const { return join({unhex("d859aea9"), abi_word(Uint256(32)), encode()}); }

Bytes TestGrant::session_call(ByteView execution_data) const {
  const Bytes grant = encode();
  return join({unhex("b7b12dda"), abi_word(Uint256(64)), abi_word(Uint256(64 + grant.size())), grant,
               abi_bytes(execution_data)});
}

Bytes32 TestGrant::hash() const { return base::keccak256(join({abi_word(Uint256(32)), encode()})); }

TestUserop self_userop(const World& world, ByteView data) {
  TestUserop userop = world.good_userop();
  userop.call_data = batch_call({{world.account, Uint256(0), to_bytes(data)}});
  return userop;
}

TestUserop session_userop(const World& world, const TestGrant& grant) {
  TestUserop userop = world.good_userop();
  userop.call_data = grant.session_call(batch_data({{grant.target, Uint256(1), unhex(grant.selectors.front())}}));
  userop.paymaster_and_data = paymaster_data(grant.paymaster, 1'000, 500, Bytes(77));
  return userop;
}

Bytes32 ticket_for(World& world, const TestGrant& grant) {
  const Reply reply = world.sign(self_userop(world, grant.create_call()));
  EXPECT_EQ(name(reply.error), "ok");
  return reply.error == Error::ok ? decoded<protocol::SignUseropReply>(reply.body).self_call.ticket : Bytes32{};
}

Reply sign_session(World& world, const TestUserop& userop, const Bytes32& ticket) {
  const OwnedProof proof = world.host.proof(world.wallet);
  return world.host.ask(Command::sign_session,
                        protocol::SignSessionRequest{proof.view(), kChain, kEntryPoint8, userop.fields(), ticket, 0});
}

protocol::AccountAction good_action(protocol::ActionKind kind) {
  protocol::AccountAction action;
  action.kind = kind;
  action.stamp = {3, Uint256(77), 2'000'000'000};
  action.votes = 1;
  action.guardians_hash[5] = 9;
  action.guardian_threshold = 1;
  action.recovery_delay = 86'400;
  action.subject = kStranger;
  action.hash[7] = 1;
  action.amount = Uint256(5);
  action.selector = {1, 2, 3, 4};
  return action;
}

Reply sign_action(World& world, const protocol::AccountAction& action) {
  return sign_action(world, action, world.passkey.sign(action_digest(action, kChain, world.account)));
}

Reply sign_action(World& world, const protocol::AccountAction& action, const SignedAssertion& assertion,
                  std::uint32_t server_key_index) {
  const OwnedProof proof = world.host.proof(world.wallet);
  return world.host.ask(Command::sign_action, protocol::SignActionRequest{proof.view(), kChain, world.account,
                                                                          server_key_index, action, assertion.view()});
}

protocol::KeyChange key_change(const std::vector<protocol::Passkey>& added,
                               const std::vector<protocol::Passkey>& removed) {
  protocol::KeyChange change;
  for (const auto& passkey : added) change.added[change.added_count++] = passkey;
  for (const auto& passkey : removed)
    base::copy(change.removed[change.removed_count++].x, ByteView(passkey.public_key).first(32));
  change.votes = 1;
  change.stamp = {0, Uint256(5), 2'000'000'000};
  return change;
}

Uncommitted change_keys(World& world, const protocol::KeyChange& change, const SoftPasskey& signer,
                        const Address& server_key, std::uint32_t gate) {
  const OwnedProof proof = world.host.proof(world.wallet);
  const SignedAssertion assertion = signer.sign(key_change_digest(change, server_key, kChain, world.account));
  return world.host.change(
      Command::account_change_keys,
      protocol::AccountChangeKeysRequest{proof.view(), kChain, world.account, gate, change, assertion.view()});
}

Bytes32 adoption_challenge(const World& world, const Address& account, std::uint32_t index, std::uint64_t chain_id) {
  return protocol::account_adoption_challenge(world.wallet.id, world.wallet.revision, chain_id, account, index);
}

Uncommitted adopt_account(World& world, const Address& account, std::uint32_t index, std::uint64_t chain_id) {
  const SignedAssertion assertion = world.passkey.sign(adoption_challenge(world, account, index, chain_id));
  return adopt_account(world, assertion, account, index, chain_id);
}

Uncommitted adopt_account(World& world, const SignedAssertion& assertion, const Address& account, std::uint32_t index,
                          std::uint64_t chain_id) {
  const OwnedProof proof = world.host.proof(world.wallet);
  return world.host.change(Command::account_adopt,
                           protocol::AccountAdoptRequest{proof.view(), chain_id, account, index, assertion.view()});
}

Address server_key_at(World& world, std::uint32_t index) {
  const OwnedProof proof = world.host.proof(world.wallet);
  const Reply reply = world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), index});
  EXPECT_EQ(name(reply.error), "ok");
  return decoded<protocol::WalletDescribeReply>(reply.body).server_key;
}

}  // namespace community::trusted::testing
