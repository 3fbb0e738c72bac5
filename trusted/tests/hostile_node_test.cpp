// SPDX-License-Identifier: Apache-2.0
// A node that was taken over and asks its core for everything it may not have: at least one request for each rule that
// the core enforces, with the name of its refusal, against whichever body this is linked for. That the same requests
// are signed when nothing is wrong with them is asked first and last, and nothing of it changes the core's state.
#include <gtest/gtest.h>

#include <functional>

#include "trusted/base/keccak.hpp"
#include "trusted/protocol/phrase_messages.hpp"
#include "trusted/tests/support/account.hpp"
#include "trusted/tests/support/body_under_test.hpp"
#include "trusted/tests/support/root_keys.hpp"

namespace community::trusted::testing {
namespace {

using protocol::ActionKind;

// A world whose wallet has a phrase, a grant and an older record, on the body under test.
struct HostileNode {
  explicit HostileNode(RemoteBody& body) : world(1, &body), stranger(77) {
    old_wallet = world.wallet;
    old_proof = world.host.proof(world.wallet);
    protocol::WalletChange change;
    change.kind = protocol::WalletChangeKind::make_phrase;
    change.words = 12;
    const Uncommitted made = world.update(world.wallet, change, world.passkey);
    EXPECT_EQ(name(made.error), "ok");
    world.wallet = made.record;
    EXPECT_EQ(name(world.host.commit().error), "ok");
    // With another change after it, the older record stands in no tree that there ever was.
    world.make_key(protocol::Purpose::executor, kChain);
    ticket = ticket_for(world, grant);
  }

  Error userop(const std::function<void(TestUserop&)>& bend, const AssertionOptions& options = {}) {
    TestUserop userop = world.good_userop();
    bend(userop);
    return world.sign(userop, options).error;
  }
  Error calls(const std::vector<TestCall>& batch) {
    return userop([&](TestUserop& op) { op.call_data = batch_call(batch); });
  }
  Error session(const std::function<void(TestUserop&)>& bend) {
    TestUserop userop = session_userop(world, grant);
    bend(userop);
    return sign_session(world, userop, ticket).error;
  }
  Error executor(const std::function<void(TestTransaction&)>& bend) {
    TestTransaction transaction = world.good_transaction();
    bend(transaction);
    return world.sign(transaction).error;
  }
  Error sponsorship(const std::function<void(World::Sponsorship&)>& bend, const StoredRecord* key = nullptr) {
    World::Sponsorship sponsorship;
    sponsorship.userop = world.good_userop();
    bend(sponsorship);
    return world.sign(sponsorship, key).error;
  }
  Error configure(const std::function<void(protocol::Configuration&)>& bend, bool sign = true) {
    protocol::Configuration configuration = world.configuration;
    configuration.sequence++;
    bend(configuration);
    const Bytes bytes = encoded(configuration);
    const auto signature = sign ? world.host.operator_sign("configuration", bytes) : std::array<std::uint8_t, 64>{};
    return world.host.refusal(Command::configure, protocol::ConfigureRequest{bytes, signature});
  }
  Error recover(bool sign, std::uint32_t count) {
    const auto status = world.host.status();
    const Bytes recovery = encoded(protocol::Recovery{status.core_id, count, world.host.tree.root()});
    const auto signature = sign ? world.host.operator_sign("recovery", recovery) : std::array<std::uint8_t, 64>{};
    return world.host.refusal(Command::recover, protocol::RecoverRequest{recovery, signature});
  }
  Error order(Command command, std::string_view signed_as, std::uint32_t version) {
    return world.host.refusal(command, SignedOrder(world.host, version, signed_as).view());
  }
  // A legacy transfer of 5 wei with the wallet's phrase key.
  Bytes eoa_transaction(std::uint64_t chain_id, const Uint256& value) const {
    return rlp_list({rlp_number(7), rlp_number(2'000'000), rlp_number(21'000), rlp_string(kShop), rlp_number(value),
                     rlp_string({}), rlp_number(Uint256(chain_id)), rlp_string({}), rlp_string({})});
  }
  Error eoa(ByteView transaction, const Bytes32& challenge) {
    const OwnedProof proof = world.host.proof(world.wallet);
    const SignedAssertion assertion = world.passkey.sign(challenge);
    return world.host.refusal(
        Command::sign_eoa_transaction,
        protocol::SignEoaTransactionRequest{proof.view(), {kChain, 0, 0}, transaction, assertion.view()});
  }
  Error eoa(ByteView transaction) { return eoa(transaction, base::keccak256(transaction)); }
  Error typed_data(const Address& contract) {
    static constexpr std::string_view kType = "Order(address buyer,uint256 price)";
    const Bytes values = join({kStranger, Uint256(3).to_be()});
    protocol::SignTypedDataRequest request;
    const OwnedProof proof = world.host.proof(world.wallet);
    request.record = proof.view();
    request.eoa = {kChain, 0, 0};
    request.data.domain = {protocol::kDomainName | protocol::kDomainChainId | protocol::kDomainContract,
                           base::view("Shop"),
                           {},
                           kChain,
                           contract,
                           {}};
    request.data.type_count = 1;
    request.data.types[0].text = base::view(kType);
    request.data.values = values;
    const SignedAssertion assertion = world.passkey.sign(Bytes32{});
    request.assertion = assertion.view();
    return world.host.refusal(Command::sign_typed_data, request);
  }
  Error export_phrase(const SoftPasskey& passkey, const protocol::HpkeKey& signed_for) {
    const OwnedProof proof = world.host.proof(world.wallet);
    const auto assertion = passkey.sign(protocol::phrase_export_challenge(world.wallet.id, signed_for));
    return world.host.refusal(Command::phrase_export,
                              protocol::PhraseExportRequest{proof.view(), recipient(), assertion.view()});
  }
  // The generator of P-256: a valid key whose secret is 1.
  static protocol::HpkeKey recipient() {
    return fixed<65>(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f"
        "9e162bce33576b315ececbb6406837bf51f5");
  }
  Error session_secret(const SoftPasskey& passkey) {
    const OwnedProof proof = world.host.proof(world.wallet);
    const Bytes cipher(32 + 65 + 16);
    const protocol::SealedMessage message{recipient(), cipher};
    const auto assertion =
        passkey.sign(protocol::sealed_request_challenge(protocol::kSessionSecret, world.wallet.id, message));
    return world.host.refusal(Command::session_secret,
                              protocol::SealedRequest{proof.view(), message, assertion.view()});
  }
  Error old_record(const OwnedProof& proof) {
    const TestUserop userop = world.good_userop();
    const SignedAssertion assertion = world.passkey.sign(world.hash(userop));
    return world.host.refusal(Command::sign_userop, protocol::SignUseropRequest{proof.view(), kChain, kEntryPoint8,
                                                                                userop.fields(), assertion.view()});
  }
  Error create_key(std::uint8_t purpose, std::uint64_t chain_id) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.purpose = purpose;
    request.chain_id = chain_id;
    return world.host.refusal(Command::key_create, request);
  }
  Error update(const protocol::WalletChange& change, const SoftPasskey& signer) {
    return world.update(world.wallet, change, signer).error;
  }
  protocol::WalletChange removal() const {
    return {protocol::WalletChangeKind::remove_passkey, world.passkey.passkey(), {}};
  }
  protocol::WalletChange addition() const { return {protocol::WalletChangeKind::add_passkey, stranger.passkey(), {}}; }

  World world;
  SoftPasskey stranger;
  StoredRecord old_wallet;
  OwnedProof old_proof;
  TestGrant grant;
  Bytes32 ticket{};
};

struct Case {
  const char* rule;
  const char* what;
  Error refusal;
  std::function<Error(HostileNode&)> ask;
};

Bytes32 other_mode() {
  Bytes32 mode{};
  mode[0] = 0xff;
  return mode;
}

AssertionOptions not_verified() {
  AssertionOptions options;
  options.flags = 0x01;
  return options;
}

AssertionOptions other_origin() {
  AssertionOptions options;
  options.origin = "http://localhost:9001";
  return options;
}

// The numbers are those of "Rules the core enforces" in spec/trusted-core-protocol.md.
std::vector<Case> userop_cases() {
  const auto keep = [](TestUserop&) {};
  return {
      {"1", "a server key without a passkey's assertion over the operation", Error::challenge_mismatch,
       [](HostileNode& node) {
         return node.world.sign(node.world.good_userop(), node.world.passkey.sign(Bytes32{1})).error;
       }},
      {"1", "with the passkey of somebody else", Error::passkey_unknown,
       [](HostileNode& node) {
         const TestUserop userop = node.world.good_userop();
         return node.world.sign(userop, node.stranger.sign(node.world.hash(userop))).error;
       }},
      {"1", "from a page of another origin", Error::origin_not_allowed,
       [keep](HostileNode& node) { return node.userop(keep, other_origin()); }},
      {"1", "without the user verified", Error::user_not_verified,
       [keep](HostileNode& node) { return node.userop(keep, not_verified()); }},
      {"1", "for an account that is not this wallet's", Error::sender_not_account,
       [](HostileNode& node) { return node.userop([](TestUserop& op) { op.sender = kStranger; }); }},
      {"1", "on a chain that the operator did not configure", Error::unknown_chain,
       [](HostileNode& node) {
         const TestUserop userop = node.world.good_userop();
         return node.world.sign(userop, node.world.passkey.sign(node.world.hash(userop)), kEntryPoint8, 1).error;
       }},
      {"1", "through an entry point of its own", Error::unknown_entry_point,
       [](HostileNode& node) {
         const TestUserop userop = node.world.good_userop();
         return node.world.sign(userop, node.world.passkey.sign(node.world.hash(userop)), kStranger).error;
       }},
      {"1", "with a factory of its own", Error::factory_not_ours,
       [](HostileNode& node) {
         return node.userop([&](TestUserop& op) { op.init_code = create_account(kStranger, node.world.init_data); });
       }},
      {"1", "another mode of execute (delegate call)", Error::call_mode_not_batch,
       [](HostileNode& node) {
         return node.userop([](TestUserop& op) {
           op.call_data = execute_call(other_mode(), batch_data({{kShop, Uint256(5), {}}}));
         });
       }},
      {"1", "a call to the zero address", Error::call_to_zero_address,
       [](HostileNode& node) {
         return node.calls({{Address{}, Uint256(0), {}}});
       }},
      {"1", "a call to the entry point", Error::call_to_entry_point,
       [](HostileNode& node) {
         return node.calls({{kEntryPoint8, Uint256(0), unhex("205c2878")}});
       }},
      {"1", "a call above the policy's cap", Error::call_value_over_cap,
       [](HostileNode& node) {
         return node.calls({{kShop, Uint256(1'000'001), {}}});
       }},
      {"1", "calls that are above the cap together", Error::operation_value_over_cap,
       [](HostileNode& node) {
         return node.calls({{kShop, Uint256(1'000'000), {}}, {kShop, Uint256(1'000'000), {}}, {kShop, Uint256(1), {}}});
       }},
      {"1", "a cost above the cap that the account pays", Error::cost_over_cap,
       [](HostileNode& node) { return node.userop([](TestUserop& op) { op.call_gas = 3'000'000; }); }},
  };
}

std::vector<Case> session_cases() {
  return {
      {"2", "a session without a grant", Error::grant_ticket_invalid,
       [](HostileNode& node) {
         return sign_session(node.world, session_userop(node.world, node.grant), Bytes32{}).error;
       }},
      {"2", "a session that calls another contract", Error::session_target_not_granted,
       [](HostileNode& node) {
         return node.session([&](TestUserop& op) {
           op.call_data = node.grant.session_call(batch_data({{kStranger, Uint256(0), unhex("11111111")}}));
         });
       }},
      {"2", "a session that lets somebody else pay", Error::session_paymaster_not_granted,
       [](HostileNode& node) {
         return node.session([](TestUserop& op) { op.paymaster_and_data = paymaster_data(kStranger, 1, 1, {}); });
       }},
  };
}

std::vector<Case> money_cases() {
  return {
      {"3", "an executor's transaction to a stranger", Error::transaction_not_to_entry_point,
       [](HostileNode& node) { return node.executor([](TestTransaction& t) { t.to = to_bytes(kStranger); }); }},
      {"3", "the entry point's deposit (withdrawTo)", Error::transaction_not_handle_ops,
       [](HostileNode& node) { return node.executor([](TestTransaction& t) { t.data = unhex("205c2878"); }); }},
      {"3", "value with a bundle", Error::transaction_has_value,
       [](HostileNode& node) { return node.executor([](TestTransaction& t) { t.value = Uint256(1); }); }},
      {"3", "a bundle whose fees go elsewhere", Error::transaction_foreign_beneficiary,
       [](HostileNode& node) { return node.executor([](TestTransaction& t) { t.data = handle_ops(1, kStranger); }); }},
      {"3", "gas above the cap", Error::transaction_gas_over_cap,
       [](HostileNode& node) { return node.executor([](TestTransaction& t) { t.gas_limit = Uint256(10'000'001); }); }},
      {"3", "a fee above the cap", Error::transaction_fee_over_cap,
       [](HostileNode& node) {
         return node.executor([](TestTransaction& t) { t.fee = *add(Uint256(100'000'000'000), Uint256(1)); });
       }},
      {"3", "another chain", Error::transaction_wrong_chain,
       [](HostileNode& node) { return node.executor([](TestTransaction& t) { t.chain_id = kOtherChain; }); }},
      {"3", "a bundle with a paymaster's key", Error::wrong_purpose,
       [](HostileNode& node) {
         const OwnedProof proof = node.world.host.proof(node.world.paymaster);
         const Bytes transaction = node.world.good_transaction().encode();
         return node.world.host.refusal(Command::sign_transaction,
                                        protocol::SignTransactionRequest{proof.view(), transaction});
       }},
      {"4", "a sponsorship without an end", Error::sponsorship_without_end,
       [](HostileNode& node) { return node.sponsorship([](World::Sponsorship& s) { s.valid_until = 0; }); }},
      {"4", "a sponsorship above the cap", Error::sponsorship_cost_over_cap,
       [](HostileNode& node) {
         return node.sponsorship([](World::Sponsorship& s) { s.userop.max_fee = Uint256(10'000'000'000'000); });
       }},
      {"4", "from a paymaster that is not configured", Error::paymaster_not_configured,
       [](HostileNode& node) { return node.sponsorship([](World::Sponsorship& s) { s.paymaster = kStranger; }); }},
      {"4", "with an executor's key", Error::wrong_purpose,
       [](HostileNode& node) { return node.sponsorship([](World::Sponsorship&) {}, &node.world.executor); }},
      {"3", "a key of a purpose that does not exist", Error::wrong_purpose,
       [](HostileNode& node) { return node.create_key(99, kChain); }},
  };
}

std::vector<Case> administration_cases() {
  return {
      {"5", "a configuration that the operator did not sign", Error::operator_signature_invalid,
       [](HostileNode& node) {
         return node.configure([](protocol::Configuration& c) { c.chains[0].bundle_gas_cap *= 2; }, false);
       }},
      {"5", "an older configuration again", Error::configuration_sequence,
       [](HostileNode& node) { return node.configure([](protocol::Configuration& c) { c.sequence = 0; }); }},
      {"5", "a configuration for another core", Error::configuration_foreign,
       [](HostileNode& node) { return node.configure([](protocol::Configuration& c) { c.core_id[0] ^= 1; }); }},
      {"5", "a recovery that the operator did not sign", Error::operator_signature_invalid,
       [](HostileNode& node) { return node.recover(false, 1); }},
      {"5", "a root key's rotation signed for something else", Error::operator_signature_invalid,
       [](HostileNode& node) { return node.order(Command::rotate_root_key, "recovery", 2); }},
      {"5", "the retirement of the root key in use", Error::root_key_is_newest,
       [](HostileNode& node) { return node.order(Command::retire_root_key, "root key retirement", 1); }},
      {"6", "the phrase for a key that the person did not sign for", Error::challenge_mismatch,
       [](HostileNode& node) { return node.export_phrase(node.world.passkey, protocol::HpkeKey{}); }},
      {"6", "the phrase with a passkey of its own", Error::passkey_unknown,
       [](HostileNode& node) { return node.export_phrase(node.stranger, HostileNode::recipient()); }},
      {"7", "a phrase key's transaction under another assertion", Error::challenge_mismatch,
       [](HostileNode& node) { return node.eoa(node.eoa_transaction(kChain, Uint256(5)), Bytes32{1}); }},
      {"7", "one for another chain than asked", Error::transaction_wrong_chain,
       [](HostileNode& node) { return node.eoa(node.eoa_transaction(kOtherChain, Uint256(5))); }},
      {"7", "one above the policy's cap", Error::call_value_over_cap,
       [](HostileNode& node) { return node.eoa(node.eoa_transaction(kChain, Uint256(1'000'001))); }},
      {"7", "an operation's hash as typed data", Error::typed_data_of_entry_point,
       [](HostileNode& node) { return node.typed_data(kEntryPoint8); }},
      {"7", "a struct of the account's own domain", Error::typed_data_of_account,
       [](HostileNode& node) { return node.typed_data(node.world.account); }},
      {"8", "the session secret with a passkey of its own", Error::passkey_unknown,
       [](HostileNode& node) { return node.session_secret(node.stranger); }},
      {"9", "an action without an assertion over it", Error::challenge_mismatch,
       [](HostileNode& node) {
         return sign_action(node.world, good_action(ActionKind::unfreeze), node.world.passkey.sign(Bytes32{1})).error;
       }},
      {"9", "a server freeze without the operator's leave", Error::server_freeze_not_allowed,
       [](HostileNode& node) { return sign_action(node.world, good_action(ActionKind::freeze)).error; }},
      {"freshness", "an older record with a path of today", Error::record_not_current,
       [](HostileNode& node) {
         return node.old_record({node.old_wallet.sealed, node.world.host.tree.path(node.old_wallet.leaf)});
       }},
      {"freshness", "an older record with its older path", Error::stale_path,
       [](HostileNode& node) { return node.old_record(node.old_proof); }},
      {"freshness", "a record that it changed", Error::record_tampered,
       [](HostileNode& node) {
         OwnedProof proof = node.world.host.proof(node.world.wallet);
         proof.sealed.back() ^= 1;
         return node.old_record(proof);
       }},
      {"freshness", "a COMMIT of a tree of its own", Error::commit_root_mismatch,
       [](HostileNode& node) {
         return node.world.host.commit_at(node.world.host.status().epoch + 1, Bytes32{9}).error;
       }},
      {"wallet", "its own passkey in the person's wallet", Error::passkey_unknown,
       [](HostileNode& node) { return node.update(node.addition(), node.stranger); }},
      {"wallet", "the removal of the person's last passkey", Error::passkey_last,
       [](HostileNode& node) { return node.update(node.removal(), node.world.passkey); }},
      {"channel", "a command that there is not", Error::unknown_command,
       [](HostileNode& node) { return node.world.host.call(static_cast<Command>(999)).error; }},
  };
}

TEST(HostileNodeOnThisBody, GetsNothingThatARuleForbids) {
  if (const std::string missing = body_missing(); !missing.empty()) GTEST_SKIP() << missing;
  const BodyUnderTest tested = make_body_under_test();
  HostileNode node(*tested.body);
  const auto honest = [&node] {
    EXPECT_EQ(node.userop([](TestUserop&) {}), Error::ok);
    EXPECT_EQ(node.session([](TestUserop&) {}), Error::ok);
    EXPECT_EQ(node.executor([](TestTransaction&) {}), Error::ok);
    EXPECT_EQ(node.sponsorship([](World::Sponsorship&) {}), Error::ok);
    EXPECT_EQ(node.eoa(node.eoa_transaction(kChain, Uint256(5))), Error::ok);
    EXPECT_EQ(node.export_phrase(node.world.passkey, HostileNode::recipient()), Error::ok);
    EXPECT_EQ(sign_action(node.world, good_action(ActionKind::unfreeze)).error, Error::ok);
  };
  honest();
  const auto before = node.world.host.status();
  for (const std::vector<Case>& cases : {userop_cases(), session_cases(), money_cases(), administration_cases()})
    for (const Case& one : cases) EXPECT_EQ(one.ask(node), one.refusal) << "rule " << one.rule << ": " << one.what;
  const auto after = node.world.host.status();
  EXPECT_EQ(after.epoch, before.epoch);
  EXPECT_EQ(after.root, before.root);
  EXPECT_EQ(after.configuration_sequence, before.configuration_sequence);
  EXPECT_EQ(after.recovery_count, before.recovery_count);
  EXPECT_EQ(after.budgets[0].executor_left, before.budgets[0].executor_left);
  EXPECT_EQ(after.budgets[0].sponsor_left, before.budgets[0].sponsor_left);
  // Keys made anew: refused by name, or by the end of the connection where such a request begins a new one.
  const Error anew = node.world.host.refusal(Command::provision, protocol::ProvisionRequest{});
  EXPECT_TRUE(anew == Error::unknown_command || anew == Error::no_session) << name(anew);
  ASSERT_TRUE(node.world.host.reconnect());
  EXPECT_EQ(node.world.host.status().core_id, before.core_id);
  honest();
}

}  // namespace
}  // namespace community::trusted::testing
