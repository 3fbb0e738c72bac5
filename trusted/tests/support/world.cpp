// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/world.hpp"

#include <gtest/gtest.h>

namespace community::trusted::testing {
namespace {

protocol::ChainConfig chain_config(std::uint64_t chain_id) {
  protocol::ChainConfig chain;
  chain.chain_id = chain_id;
  chain.entry_point_count = 2;
  chain.entry_points[0] = {kEntryPoint8, 8};
  chain.entry_points[1] = {kEntryPoint7, 7};
  chain.account_factory = kFactory;
  chain.proxy_init_code_hash = base::sha256(base::view("proxy"));
  chain.paymaster_count = 2;
  chain.paymasters[0] = {kPaymaster8, kEntryPoint8};
  chain.paymasters[1] = {kPaymaster7, kEntryPoint7};
  chain.bundle_gas_cap = 10'000'000;
  chain.fee_cap = Uint256(100'000'000'000);
  chain.sponsorship_cost_cap = Uint256(1'000'000'000'000'000'000);
  chain.executor_budget = *multiply(Uint256(1'000'000'000'000'000'000), Uint256(100));
  chain.sponsor_budget = chain.executor_budget;
  return chain;
}

}  // namespace

World::World(std::uint64_t seed, RemoteBody* remote) : host(seed, remote), passkey(seed) {
  EXPECT_EQ(host.provision(), Error::ok);
  EXPECT_EQ(host.start(), Error::ok);
  configuration.core_id = host.status().core_id;
  configuration.sequence = 1;
  configuration.chain_count = 2;
  configuration.chains[0] = chain_config(kChain);
  configuration.chains[1] = chain_config(kOtherChain);
  configuration.relying_party_count = 2;
  configuration.relying_parties[0] = {base::sha256(base::view("localhost")), base::view(kOrigin)};
  configuration.relying_parties[1] = {base::sha256(base::view("node.example")), base::view("https://node.example")};
  EXPECT_EQ(host.configure(configuration), Error::ok);

  policy.call_value_cap = Uint256(1'000'000);
  policy.operation_value_cap = Uint256(2'000'000);
  policy.cost_cap = Uint256(1'000'000'000'000'000);
  wallet = make_wallet(passkey, policy, &server_key);
  TestInitData init;
  init.passkeys = {passkey.passkey()};
  init.server_key = server_key;
  init_data = init.encode();
  account = bind(wallet, init_data);
  executor = make_key(protocol::Purpose::executor, kChain, &executor_address);
  paymaster = make_key(protocol::Purpose::paymaster, 0, &paymaster_signer);
}

StoredRecord World::make_wallet(const SoftPasskey& key, const protocol::Policy& wallet_policy,
                                Address* server_key_out) {
  protocol::WalletCreateRequest request;
  const OwnedPath path = host.pending_tree.path(host.next_leaf());
  request.path = path.view();
  request.passkey = key.passkey();
  request.policy = wallet_policy;
  const Uncommitted change = host.change(Command::wallet_create, request);
  EXPECT_EQ(name(change.error), "ok");
  const Committed committed = host.commit();
  EXPECT_EQ(name(committed.error), "ok");
  if (server_key_out != nullptr && !committed.changes.empty())
    *server_key_out = decoded<protocol::WalletCommitted>(committed.changes.back().second).server_key;
  return change.record;
}

StoredRecord World::make_key(protocol::Purpose purpose, std::uint64_t chain_id, Address* address_out) {
  protocol::KeyCreateRequest request;
  const OwnedPath path = host.pending_tree.path(host.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(purpose);
  request.chain_id = chain_id;
  const Uncommitted change = host.change(Command::key_create, request);
  EXPECT_EQ(name(change.error), "ok");
  const Committed committed = host.commit();
  EXPECT_EQ(name(committed.error), "ok");
  if (address_out != nullptr && !committed.changes.empty())
    *address_out = decoded<protocol::KeyCommitted>(committed.changes.back().second).address;
  return change.record;
}

Address World::bind(StoredRecord& record, ByteView account_init_data, std::uint64_t chain_id) {
  const OwnedProof proof = host.proof(record);
  const protocol::AccountBindRequest request{proof.view(), chain_id, 0, account_init_data};
  const Uncommitted change = host.change(Command::account_bind, request);
  EXPECT_EQ(name(change.error), "ok");
  const Committed committed = host.commit();
  EXPECT_EQ(name(committed.error), "ok");
  record = change.record;
  return committed.changes.empty() ? Address{}
                                   : decoded<protocol::AccountCommitted>(committed.changes.back().second).account;
}

Uncommitted World::update(const StoredRecord& record, const protocol::WalletChange& change, const SoftPasskey& signer,
                          bool on_pending) {
  const Bytes bytes = encoded(change);
  const OwnedProof proof = on_pending ? host.pending_proof(record) : host.proof(record);
  const SignedAssertion assertion = signer.sign(protocol::wallet_change_challenge(record.id, record.revision, bytes));
  return host.change(Command::wallet_update, protocol::WalletUpdateRequest{proof.view(), bytes, assertion.view()});
}

Error World::set_policy(const protocol::Policy& changed) {
  protocol::WalletChange change;
  change.kind = protocol::WalletChangeKind::set_policy;
  change.policy = changed;
  const Uncommitted update_result = update(wallet, change, passkey);
  if (update_result.error != Error::ok) return update_result.error;
  wallet = update_result.record;
  policy = changed;
  return host.commit().error;
}

TestUserop World::good_userop() const {
  TestUserop userop;
  userop.sender = account;
  userop.call_data = batch_call({{kShop, Uint256(5), unhex("a9059cbb")}});
  return userop;
}

Reply World::sign(const TestUserop& userop, const AssertionOptions& options) {
  return sign(userop, passkey.sign(hash(userop), options));
}

Reply World::sign(const TestUserop& userop, const SignedAssertion& assertion, const Address& entry_point,
                  std::uint64_t chain_id) {
  const OwnedProof proof = host.proof(wallet);
  return host.ask(Command::sign_userop,
                  protocol::SignUseropRequest{proof.view(), chain_id, entry_point, userop.fields(), assertion.view()});
}

TestTransaction World::good_transaction() const {
  TestTransaction transaction;
  transaction.to = to_bytes(kEntryPoint8);
  transaction.data = handle_ops(2, executor_address);
  return transaction;
}

Reply World::sign(const TestTransaction& transaction) { return sign_transaction_bytes(transaction.encode()); }

Reply World::sign_transaction_bytes(ByteView transaction) {
  const OwnedProof proof = host.proof(executor);
  return host.ask(Command::sign_transaction, protocol::SignTransactionRequest{proof.view(), transaction});
}

Reply World::sign(const Sponsorship& sponsorship, const StoredRecord* key) {
  const OwnedProof proof = host.proof(key != nullptr ? *key : paymaster);
  protocol::SignSponsorshipRequest request;
  request.record = proof.view();
  request.chain_id = sponsorship.chain_id;
  request.entry_point = sponsorship.entry_point;
  request.paymaster = sponsorship.paymaster;
  request.userop = sponsorship.userop.fields();
  request.valid_until = sponsorship.valid_until;
  request.valid_after = sponsorship.valid_after;
  request.paymaster_verification_gas_limit = sponsorship.verification_gas;
  request.paymaster_post_op_gas_limit = sponsorship.post_op_gas;
  return host.ask(Command::sign_sponsorship, request);
}

}  // namespace community::trusted::testing
