// SPDX-License-Identifier: Apache-2.0
// Rule 9 for accounts that began elsewhere or come home: a person's passkey has the wallet take them in, and whoever
// takes in another person's account gets nothing that this account would accept.
#include <gtest/gtest.h>

#include <map>

#include "trusted/ethereum/account_message.hpp"
#include "trusted/protocol/phrase_messages.hpp"
#include "trusted/tests/support/account.hpp"

namespace community::trusted::testing {
namespace {

using protocol::ActionKind;
using protocol::KeyChange;
using protocol::NewServerKey;

const Address kImmigrant = address("0000000000000000000000000000000000010519");
const Address kForeign = address("00000000000000000000000000000000000f0e19");

class AccountAdoption : public ::testing::Test {
 protected:
  Bytes32 challenge(const Address& account, std::uint32_t index, std::uint64_t chain_id = kChain) const {
    return adoption_challenge(world, account, index, chain_id);
  }
  Uncommitted adopt(const Address& account, std::uint32_t index, std::uint64_t chain_id = kChain) {
    return adopt_account(world, account, index, chain_id);
  }
  Uncommitted adopt_with(const SignedAssertion& assertion, const Address& account, std::uint32_t index) {
    return adopt_account(world, assertion, account, index);
  }
  // What was answered and never committed does not stay.
  Error refusal(const Uncommitted& answered) {
    world.host.reconnect();
    return answered.error;
  }
  // Commits what was answered; the ...Committed message.
  template <class Message>
  std::optional<Message> settle(const Uncommitted& answered) {
    EXPECT_EQ(name(answered.error), "ok");
    if (answered.error != Error::ok) return std::nullopt;
    const Committed committed = world.host.commit();
    EXPECT_EQ(name(committed.error), "ok");
    if (committed.error != Error::ok) return std::nullopt;
    world.wallet = answered.record;
    return decoded<Message>(committed.changes.back().second);
  }
  Address adopted(const Address& account, std::uint32_t index, std::uint64_t chain_id = kChain) {
    const auto committed = settle<protocol::AdoptionCommitted>(adopt(account, index, chain_id));
    return committed ? committed->server_key : Address{};
  }
  bool changed(const KeyChange& change, const Address& server_key, std::uint32_t gate = 0) {
    return settle<protocol::SignActionReply>(change_keys(world, change, world.passkey, server_key, gate)).has_value();
  }
  static KeyChange to_own(std::uint32_t index) {
    KeyChange change = key_change({});
    change.server_key = NewServerKey::own;
    change.new_index = index;
    return change;
  }
  static KeyChange to_foreign(const Address& key) {
    KeyChange change = key_change({});
    change.server_key = NewServerKey::foreign;
    change.foreign_key = key;
    return change;
  }
  protocol::WalletDescribeReply describe() {
    const OwnedProof proof = world.host.proof(world.wallet);
    return decoded<protocol::WalletDescribeReply>(
        world.host.ask(Command::wallet_describe, protocol::WalletDescribeRequest{proof.view(), 0}).body);
  }
  TestUserop userop_of(const Address& account) const {
    TestUserop userop = world.good_userop();
    userop.sender = account;
    return userop;
  }
  Reply sign(const TestUserop& userop, std::uint32_t index) {
    const SignedAssertion assertion = world.passkey.sign(world.hash(userop));
    const OwnedProof proof = world.host.proof(world.wallet);
    return world.host.ask(Command::sign_userop, protocol::SignUseropRequest{proof.view(), kChain, kEntryPoint8,
                                                                            userop.fields(), assertion.view(), index});
  }
  Address signer_of(const Reply& reply) {
    EXPECT_EQ(name(reply.error), "ok");
    if (reply.error != Error::ok) return {};
    const auto result = decoded<protocol::SignUseropReply>(reply.body);
    return recover_address(result.userop_hash, result.signature);
  }
  void allow_freeze() {
    world.configuration.chains[0].server_freeze = 1;
    world.configuration.sequence++;
    ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  }
  World world;
};

// --- what an adopted account may -------------------------------------------------------------------------------------

TEST_F(AccountAdoption, ItsOperationsAreSignedWithTheNamedKeyOnceItIsCommitted) {
  const Address key = server_key_at(world, 3);
  const TestUserop userop = userop_of(kImmigrant);
  const Uncommitted answered = adopt(kImmigrant, 3);
  ASSERT_EQ(answered.error, Error::ok);
  EXPECT_EQ(sign(userop, 3).error, Error::sender_not_account);
  const auto committed = settle<protocol::AdoptionCommitted>(answered);
  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->server_key, key);
  EXPECT_EQ(signer_of(sign(userop, 3)), key);
  for (const std::uint32_t other : {0u, 2u, 4u})
    EXPECT_EQ(sign(userop, other).error, Error::server_key_not_accounts) << other;
  const auto wallet = describe();
  ASSERT_EQ(wallet.account_count, 2);
  const protocol::AccountBinding& account = wallet.accounts[1];
  EXPECT_EQ(account.chain_id, kChain);
  EXPECT_EQ(account.address, kImmigrant);
  EXPECT_TRUE(account.is_adopted());
  EXPECT_EQ(account.server_key_index, 3u);
  EXPECT_EQ(account.last_server_key_index, 3u);
  EXPECT_EQ(account.moved_to, Address{});
  EXPECT_FALSE(wallet.accounts[0].is_adopted());
}

TEST_F(AccountAdoption, AnOperationThatDeploysItIsRefused) {
  adopted(kImmigrant, 0);
  TestUserop userop = userop_of(kImmigrant);
  for (const Bytes& init_code : {create_account(kFactory, world.init_data), create_account(kStranger, world.init_data),
                                 to_bytes(kFactory), Bytes(1)}) {
    userop.init_code = init_code;
    EXPECT_EQ(sign(userop, 0).error, Error::adopted_account_deploys);
  }
  // The wallet's bound account is deployed as before.
  userop = world.good_userop();
  userop.init_code = create_account(kFactory, world.init_data);
  EXPECT_EQ(signer_of(sign(userop, 0)), world.server_key);
}

TEST_F(AccountAdoption, PolicyAndPasskeysOfTheWalletHoldForIt) {
  adopted(kImmigrant, 0);
  TestUserop userop = userop_of(kImmigrant);
  userop.call_data = batch_call({{kShop, Uint256(1'000'001), {}}});
  EXPECT_EQ(sign(userop, 0).error, Error::call_value_over_cap);
  userop.call_data = batch_call({{kImmigrant, Uint256(0), unhex("a9059cbb")}});
  EXPECT_EQ(sign(userop, 0).error, Error::call_to_self);
  const TestUserop good = userop_of(kImmigrant);
  EXPECT_EQ(world.sign(good, SoftPasskey(20).sign(world.hash(good))).error, Error::passkey_unknown);
}

TEST_F(AccountAdoption, ItsActionsAreSignedAndAServerFreezeNeedsTheOperatorsLeave) {
  const Address key = adopted(kImmigrant, 1);
  world.account = kImmigrant;
  const auto unfreeze = good_action(ActionKind::unfreeze), freeze = good_action(ActionKind::freeze);
  const Bytes32 digest = action_digest(unfreeze, kChain, kImmigrant);
  const Reply reply = sign_action(world, unfreeze, world.passkey.sign(digest), 1);
  ASSERT_EQ(reply.error, Error::ok);
  EXPECT_EQ(recover_address(digest, decoded<protocol::SignActionReply>(reply.body).signature), key);
  EXPECT_EQ(sign_action(world, freeze, SignedAssertion{}, 1).error, Error::server_freeze_not_allowed);
  allow_freeze();
  const Reply frozen = sign_action(world, freeze, SignedAssertion{}, 1);
  ASSERT_EQ(frozen.error, Error::ok);
  EXPECT_EQ(recover_address(action_digest(freeze, kChain, kImmigrant),
                            decoded<protocol::SignActionReply>(frozen.body).signature),
            key);
  EXPECT_EQ(sign_action(world, freeze, SignedAssertion{}, 0).error, Error::server_key_not_accounts);
}

TEST_F(AccountAdoption, ItsGrantsAreGrantedHereAndAreItsOwn) {
  const TestGrant grant;
  const Bytes32 of_the_bound = ticket_for(world, grant);
  const Address key = adopted(kImmigrant, 0);
  world.account = kImmigrant;
  // What a person granted to another account of the wallet is no grant of this one.
  EXPECT_EQ(sign_session(world, session_userop(world, grant), of_the_bound).error, Error::grant_ticket_invalid);
  const Bytes32 ticket = ticket_for(world, grant);
  const Reply reply = sign_session(world, session_userop(world, grant), ticket);
  ASSERT_EQ(reply.error, Error::ok);
  const auto result = decoded<protocol::SignSessionReply>(reply.body);
  EXPECT_EQ(recover_address(result.userop_hash, result.signature), key);
  TestUserop deploying = session_userop(world, grant);
  deploying.init_code = create_account(kFactory, world.init_data);
  EXPECT_EQ(sign_session(world, deploying, ticket).error, Error::session_deploys);
}

TEST_F(AccountAdoption, ItsMessagesAreNestedForItAndItsDomainIsAnAccounts) {
  const Address key = adopted(kImmigrant, 0);
  const OwnedProof proof = world.host.proof(world.wallet);
  const Bytes text = to_bytes("hello");
  protocol::SignAccountMessageRequest request;
  request.record = proof.view();
  request.chain_id = kChain;
  request.account = kImmigrant;
  request.kind = protocol::AccountMessageKind::personal;
  request.message = text;
  const Bytes32 digest = ethereum::nested_personal_digest(kChain, kImmigrant, text);
  const SignedAssertion assertion = world.passkey.sign(digest);
  request.assertion = assertion.view();
  const Reply reply = world.host.ask(Command::sign_account_message, request);
  ASSERT_EQ(reply.error, Error::ok);
  EXPECT_EQ(recover_address(digest, decoded<protocol::SignAccountMessageReply>(reply.body).signature), key);

  // Typed data of its own domain is refused, for it and for the other accounts of the wallet.
  request.kind = protocol::AccountMessageKind::typed_data;
  request.data.domain.present = protocol::kDomainContract;
  request.data.domain.verifying_contract = kImmigrant;
  request.data.type_count = 1;
  request.data.types[0].text = base::view("Order(bool paid)");
  const Bytes values{1};
  request.data.values = values;
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::typed_data_of_account);
  request.account = world.account;
  EXPECT_EQ(world.host.refusal(Command::sign_account_message, request), Error::typed_data_of_account);
}

TEST_F(AccountAdoption, ItsKeysChangeAndItMovesOnLikeABoundOne) {
  const Address key = adopted(kImmigrant, 2), next = server_key_at(world, 3);
  world.account = kImmigrant;
  EXPECT_EQ(refusal(change_keys(world, to_own(1), world.passkey, server_key_at(world, 1), 2)),
            Error::server_key_index_out_of_order);
  const auto reply = settle<protocol::SignActionReply>(change_keys(world, to_own(3), world.passkey, next, 2));
  ASSERT_TRUE(reply);
  EXPECT_EQ(recover_address(reply->digest, reply->signature), key);
  EXPECT_EQ(signer_of(sign(userop_of(kImmigrant), 3)), next);
  ASSERT_TRUE(changed(to_foreign(kForeign), kForeign, 3));
  EXPECT_EQ(describe().accounts[1].moved_to, kForeign);
  EXPECT_EQ(describe().accounts[0].moved_to, Address{});
  // Until the chain has it, the account here must freeze, cancel and pay.
  EXPECT_EQ(signer_of(sign(userop_of(kImmigrant), 2)), key);
}

// --- who may, and for what -------------------------------------------------------------------------------------------

TEST_F(AccountAdoption, TheChallengeIsTheOneOfTheSpecification) {
  protocol::RecordId wallet{};
  for (std::uint8_t i = 0; i < 16; i++) wallet[i] = i;
  Address account;
  account.fill(0xac);
  // SHA-256 by another implementation
  EXPECT_EQ(to_hex(protocol::account_adoption_challenge(wallet, 7, 31'337, account, 3)),
            "ebc9ce2cf7e043dcd8fcc0eb097c90da4ca60c72188ef05244bfcc877109cba9");
}

TEST_F(AccountAdoption, TheAssertionNamesWalletRevisionChainAccountAndKey) {
  const auto& [id, revision, leaf, sealed] = world.wallet;
  protocol::RecordId other_wallet = id;
  other_wallet[15] ^= 1;
  const KeyChange change = to_own(1);
  const Bytes wallet_change = encoded(protocol::WalletChange{protocol::WalletChangeKind::set_policy, {}, world.policy});
  const std::vector<Bytes32> wrong{
      challenge(kForeign, 1),
      challenge(kImmigrant, 0),
      challenge(kImmigrant, 2),
      challenge(kImmigrant, 1, kOtherChain),
      protocol::account_adoption_challenge(other_wallet, revision, kChain, kImmigrant, 1),
      protocol::account_adoption_challenge(id, revision - 1, kChain, kImmigrant, 1),
      protocol::account_adoption_challenge(id, revision + 1, kChain, kImmigrant, 1),
      // A challenge of one kind is never another's.
      protocol::wallet_change_challenge(id, revision, wallet_change),
      key_change_digest(change, server_key_at(world, 1), kChain, kImmigrant),
      action_digest(good_action(ActionKind::unfreeze), kChain, kImmigrant),
      world.hash(userop_of(kImmigrant)),
      protocol::phrase_export_challenge(id, protocol::HpkeKey{}),
      Bytes32{},
  };
  for (std::size_t i = 0; i < wrong.size(); i++)
    EXPECT_EQ(refusal(adopt_with(world.passkey.sign(wrong[i]), kImmigrant, 1)), Error::challenge_mismatch) << i;
  // The other way round: the assertion of an adoption signs no operation, action, or change of the wallet.
  const SignedAssertion assertion = world.passkey.sign(challenge(kImmigrant, 1));
  EXPECT_EQ(world.sign(world.good_userop(), assertion).error, Error::challenge_mismatch);
  EXPECT_EQ(sign_action(world, good_action(ActionKind::unfreeze), assertion).error, Error::challenge_mismatch);
  const OwnedProof proof = world.host.proof(world.wallet);
  const protocol::WalletUpdateRequest update{proof.view(), wallet_change, assertion.view()};
  EXPECT_EQ(world.host.refusal(Command::wallet_update, update), Error::challenge_mismatch);
  EXPECT_EQ(refusal(adopt_with(assertion, kImmigrant, 1)), Error::ok);
}

TEST_F(AccountAdoption, OnlyALivePasskeyOfTheWalletOnAConfiguredOrigin) {
  const Bytes32 digest = challenge(kImmigrant, 0);
  const SoftPasskey second(20);
  EXPECT_EQ(refusal(adopt_with(SignedAssertion{}, kImmigrant, 0)), Error::passkey_unknown);
  EXPECT_EQ(refusal(adopt_with(second.sign(digest), kImmigrant, 0)), Error::passkey_unknown);
  AssertionOptions options;
  options.origin = "http://localhost:9001";
  EXPECT_EQ(refusal(adopt_with(world.passkey.sign(digest, options), kImmigrant, 0)), Error::origin_not_allowed);
  options = {};
  options.flags = 0x01;
  EXPECT_EQ(refusal(adopt_with(world.passkey.sign(digest, options), kImmigrant, 0)), Error::user_not_verified);
  SignedAssertion forged = world.passkey.sign(digest);
  forged.signature[40] ^= 1;
  EXPECT_EQ(refusal(adopt_with(forged, kImmigrant, 0)), Error::passkey_signature_invalid);
  EXPECT_EQ(describe().account_count, 1);
  // A removed one is none.
  ASSERT_TRUE(changed(key_change({second.passkey()}), Address{}));
  const KeyChange removal = key_change({}, {world.passkey.passkey()});
  ASSERT_TRUE(settle<protocol::SignActionReply>(change_keys(world, removal, second)));
  EXPECT_EQ(refusal(adopt(kImmigrant, 0)), Error::passkey_unknown);
}

TEST_F(AccountAdoption, AnAssertionServesOnce) {
  const SignedAssertion first = world.passkey.sign(challenge(kImmigrant, 0));
  ASSERT_TRUE(settle<protocol::AdoptionCommitted>(adopt_with(first, kImmigrant, 0)));
  EXPECT_EQ(refusal(adopt_with(first, kImmigrant, 0)), Error::account_exists);
  // The account leaves. The old assertion does not bring it back.
  world.account = kImmigrant;
  ASSERT_TRUE(changed(to_foreign(kForeign), kForeign));
  EXPECT_EQ(refusal(adopt_with(first, kImmigrant, 0)), Error::challenge_mismatch);
  EXPECT_EQ(describe().accounts[1].moved_to, kForeign);
  // Nor does one that was signed for a revision which another change took.
  const SignedAssertion overtaken = world.passkey.sign(challenge(kImmigrant, 0));
  ASSERT_EQ(world.set_policy(world.policy), Error::ok);
  EXPECT_EQ(refusal(adopt_with(overtaken, kImmigrant, 0)), Error::challenge_mismatch);
}

TEST_F(AccountAdoption, ContractsOfTheConfigurationAndZeroAreNoAccounts) {
  for (const Address& refused : {Address{}, kFactory, kEntryPoint7, kEntryPoint8, kPaymaster7, kPaymaster8})
    EXPECT_EQ(refusal(adopt(refused, 0)), Error::account_address_refused) << to_hex(refused);
  EXPECT_EQ(refusal(adopt(kImmigrant, 0, 5)), Error::unknown_chain);
}

TEST_F(AccountAdoption, AnAccountIsThereOnceAChain) {
  // Bound, or adopted before: the key it has adds nothing.
  EXPECT_EQ(refusal(adopt(world.account, 0)), Error::account_exists);
  adopted(kImmigrant, 4);
  EXPECT_EQ(refusal(adopt(kImmigrant, 4)), Error::account_exists);
  // Another chain is another account.
  EXPECT_EQ(refusal(adopt(kImmigrant, 0, kOtherChain)), Error::ok);
  EXPECT_EQ(refusal(adopt(world.account, 0, kOtherChain)), Error::ok);
  // What is adopted is not bound any more, here, and is on the other chain.
  adopted(world.account, 0, kOtherChain);
  const OwnedProof proof = world.host.proof(world.wallet);
  EXPECT_EQ(world.host.refusal(Command::account_bind,
                               protocol::AccountBindRequest{proof.view(), kOtherChain, 0, world.init_data}),
            Error::account_exists);
}

TEST_F(AccountAdoption, ASeventeenthAccountIsRefused) {
  for (std::uint8_t i = 1; i < 16; i++) {
    Address account = kImmigrant;
    account[0] = i;
    ASSERT_NE(adopted(account, 0), Address{}) << int{i};
  }
  EXPECT_EQ(refusal(adopt(kImmigrant, 0)), Error::too_many_accounts);
  // One of the sixteen may leave and come home.
  world.account = kImmigrant;
  world.account[0] = 15;
  ASSERT_TRUE(changed(to_foreign(kForeign), kForeign));
  EXPECT_NE(adopted(world.account, 1), Address{});
}

TEST_F(AccountAdoption, AMalformedRequestIsRefused) {
  const OwnedProof proof = world.host.proof(world.wallet);
  const SignedAssertion assertion = world.passkey.sign(challenge(kImmigrant, 0));
  Bytes body = encoded(protocol::AccountAdoptRequest{proof.view(), kChain, kImmigrant, 0, assertion.view()});
  body.push_back(0);
  EXPECT_EQ(world.host.call(Command::account_adopt, body).error, Error::malformed_request);
  body.resize(body.size() - 2);
  EXPECT_EQ(world.host.call(Command::account_adopt, body).error, Error::malformed_request);
}

// --- another person's account ----------------------------------------------------------------------------------------

// The thief has a wallet on the same node, its passkey and the host, and has the wallet adopt the victim's account.
class StolenAddress : public AccountAdoption {
 protected:
  void SetUp() override {
    victim_key = world.server_key;
    allow_freeze();
    world.wallet = world.make_wallet(SoftPasskey(66), world.policy, &thiefs_key);
    world.passkey = SoftPasskey(66);
    ASSERT_NE(thiefs_key, victim_key);
    ASSERT_EQ(adopted(world.account, 0), thiefs_key);
  }
  Address victim_key{}, thiefs_key{};
};

TEST_F(StolenAddress, EverySignatureIsTheThiefsOwnKeys) {
  EXPECT_EQ(signer_of(sign(world.good_userop(), 0)), thiefs_key);
  const auto freeze = good_action(ActionKind::freeze);
  const Reply frozen = sign_action(world, freeze, SignedAssertion{});
  ASSERT_EQ(frozen.error, Error::ok);
  EXPECT_EQ(recover_address(action_digest(freeze, kChain, world.account),
                            decoded<protocol::SignActionReply>(frozen.body).signature),
            thiefs_key);
  const TestGrant grant;
  const Reply session = sign_session(world, session_userop(world, grant), ticket_for(world, grant));
  ASSERT_EQ(session.error, Error::ok);
  const auto result = decoded<protocol::SignSessionReply>(session.body);
  EXPECT_EQ(recover_address(result.userop_hash, result.signature), thiefs_key);
  const auto moved =
      settle<protocol::SignActionReply>(change_keys(world, to_foreign(kForeign), world.passkey, kForeign));
  ASSERT_TRUE(moved);
  EXPECT_EQ(recover_address(moved->digest, moved->signature), thiefs_key);
}

TEST_F(StolenAddress, NoIndexOfTheThiefsWalletIsTheVictimsKey) {
  for (const std::uint32_t index : {1u, 2u, 3u}) {
    const Address key = adopted(world.account, index);
    EXPECT_EQ(signer_of(sign(world.good_userop(), index)), key);
    EXPECT_NE(key, victim_key);
    EXPECT_NE(key, thiefs_key);
  }
}

TEST_F(AccountAdoption, AServerKeyDoesNotDependOnTheAccount) {
  // The same key for every account of a wallet: no choice of an address leads to the key of another wallet's account.
  const Address key = server_key_at(world, 7);
  Address account = kImmigrant;
  for (std::uint8_t i = 0; i < 4; i++) {
    account[19] = i;
    EXPECT_EQ(adopted(account, 7), key);
    EXPECT_EQ(signer_of(sign(userop_of(account), 7)), key);
  }
}

// --- coming home -----------------------------------------------------------------------------------------------------

TEST_F(AccountAdoption, AnAccountThatMovedAwayComesHomeToAKeyItHadOrToTheNext) {
  ASSERT_TRUE(changed(to_foreign(kForeign), kForeign));
  ASSERT_EQ(describe().accounts[0].moved_to, kForeign);
  const Uncommitted same = adopt(world.account, 0);
  ASSERT_EQ(same.error, Error::ok);
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(describe().accounts[0].moved_to, kForeign);

  EXPECT_EQ(adopted(world.account, 1), server_key_at(world, 1));
  const auto wallet = describe();
  ASSERT_EQ(wallet.account_count, 1);
  EXPECT_EQ(wallet.accounts[0].moved_to, Address{});
  EXPECT_EQ(wallet.accounts[0].server_key_index, 0u);
  EXPECT_EQ(wallet.accounts[0].last_server_key_index, 1u);
  EXPECT_EQ(signer_of(sign(world.good_userop(), 0)), world.server_key);
  EXPECT_EQ(signer_of(sign(world.good_userop(), 1)), server_key_at(world, 1));
  // It is bound as before, and its init data is known.
  EXPECT_FALSE(wallet.accounts[0].is_adopted());
  TestUserop deploying = world.good_userop();
  deploying.init_code = create_account(kFactory, world.init_data);
  EXPECT_EQ(sign(deploying, 0).error, Error::ok);

  ASSERT_TRUE(changed(to_foreign(kForeign), kForeign, 1));
  EXPECT_EQ(adopted(world.account, 0), world.server_key);
  EXPECT_EQ(describe().accounts[0].moved_to, Address{});
  EXPECT_EQ(describe().accounts[0].last_server_key_index, 1u);
}

TEST_F(AccountAdoption, AfterAnEscapeTheNextKeyIsTakenInThoughNoMoveWasMarked) {
  // This core had no part in the escape, nor in the change that gave the account back.
  EXPECT_EQ(refusal(adopt(world.account, 0)), Error::account_exists);
  EXPECT_EQ(adopted(world.account, 1), server_key_at(world, 1));
  EXPECT_EQ(signer_of(sign(world.good_userop(), 1)), server_key_at(world, 1));
  EXPECT_EQ(refusal(adopt(world.account, 1)), Error::account_exists);
}

TEST_F(AccountAdoption, NoServerKeyIsLeftOut) {
  ASSERT_TRUE(changed(to_foreign(kForeign), kForeign));
  EXPECT_EQ(refusal(adopt(world.account, 2)), Error::server_key_index_out_of_order);
  EXPECT_EQ(refusal(adopt(world.account, 0xffff'ffff)), Error::server_key_index_out_of_order);
  EXPECT_EQ(describe().accounts[0].moved_to, kForeign);
  adopted(kImmigrant, 5);
  EXPECT_EQ(refusal(adopt(kImmigrant, 4)), Error::server_key_index_out_of_order);
  EXPECT_EQ(refusal(adopt(kImmigrant, 7)), Error::server_key_index_out_of_order);
  EXPECT_EQ(refusal(adopt(kImmigrant, 6)), Error::ok);
  // The last index of all has no next one.
  EXPECT_EQ(adopted(kForeign, 0xffff'ffff), server_key_at(world, 0xffff'ffff));
  EXPECT_EQ(refusal(adopt(kForeign, 0)), Error::server_key_index_out_of_order);
}

// --- crashes ---------------------------------------------------------------------------------------------------------

TEST_F(AccountAdoption, ACrashBeforeTheCommitLeavesNothing) {
  const SignedAssertion assertion = world.passkey.sign(challenge(kImmigrant, 0));
  const Uncommitted answered = adopt_with(assertion, kImmigrant, 0);
  ASSERT_EQ(answered.error, Error::ok);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(world.host.commit_at(world.host.status().epoch + 1, answered.root).error, Error::commit_root_mismatch);
  EXPECT_EQ(sign(userop_of(kImmigrant), 0).error, Error::sender_not_account);
  EXPECT_EQ(describe().account_count, 1);
  // Nothing of the revision was used: the same assertion still serves.
  EXPECT_TRUE(settle<protocol::AdoptionCommitted>(adopt_with(assertion, kImmigrant, 0)));
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(sign(userop_of(kImmigrant), 0).error, Error::ok);
}

TEST_F(AccountAdoption, AWriteThatNeverHappenedAdoptsNothing) {
  const Uncommitted answered = adopt(kImmigrant, 0);
  ASSERT_EQ(answered.error, Error::ok);
  world.host.store.fail_write(1, MemoryStore::Fault::cut_before);
  EXPECT_EQ(world.host.commit_at(world.host.status().epoch + 1, answered.root).error, Error::store_failed);
  world.host.settle(false);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(describe().account_count, 1);
  EXPECT_NE(adopted(kImmigrant, 0), Address{});
}

TEST_F(AccountAdoption, AfterALostAnswerTheHostHearsThatTheAccountIsThere) {
  const SignedAssertion assertion = world.passkey.sign(challenge(kImmigrant, 0));
  const Uncommitted answered = adopt_with(assertion, kImmigrant, 0);
  ASSERT_EQ(answered.error, Error::ok);
  const std::uint64_t epoch = world.host.status().epoch + 1;
  const MerkleTree after = world.host.pending_tree;
  world.host.store.fail_write(1, MemoryStore::Fault::cut_after);
  EXPECT_EQ(world.host.commit_at(epoch, answered.root).error, Error::store_failed);
  world.host.pending_tree = after;
  world.host.settle(true);
  world.wallet = answered.record;
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(refusal(adopt_with(assertion, kImmigrant, 0)), Error::account_exists);
  EXPECT_EQ(sign(userop_of(kImmigrant), 0).error, Error::ok);
}

TEST_F(AccountAdoption, OneCommitTakesInSeveral) {
  const Uncommitted first = adopt(kImmigrant, 0);
  ASSERT_EQ(first.error, Error::ok);
  // The second builds on the first: its challenge is of the pending revision, its path of the pending tree.
  const Bytes32 digest =
      protocol::account_adoption_challenge(first.record.id, first.record.revision, kChain, kForeign, 0);
  EXPECT_EQ(adopt_with(world.passkey.sign(digest), kForeign, 0).error, Error::stale_path);
  const OwnedProof proof = world.host.pending_proof(first.record);
  const SignedAssertion assertion = world.passkey.sign(digest);
  const Uncommitted second = world.host.change(
      Command::account_adopt, protocol::AccountAdoptRequest{proof.view(), kChain, kForeign, 0, assertion.view()});
  ASSERT_TRUE(settle<protocol::AdoptionCommitted>(second));
  EXPECT_EQ(describe().account_count, 3);
  EXPECT_EQ(sign(userop_of(kImmigrant), 0).error, Error::ok);
  EXPECT_EQ(sign(userop_of(kForeign), 0).error, Error::ok);
}

// Random adoptions, moves and crashes against a plain model of which keys an account has.
TEST_F(AccountAdoption, ManyAdoptionsMovesAndCrashesFollowAPlainModel) {
  struct Keys {
    std::uint64_t first = 0, last = 0;
    bool moved = false;
  };
  Random random(815);
  std::vector<Address> addresses{world.account};
  for (std::uint8_t i = 1; i < 5; i++) {
    addresses.push_back(kImmigrant);
    addresses.back()[0] = i;
  }
  std::map<Address, Keys> model{{world.account, {}}};
  for (int round = 0; round < 400; round++) {
    const Address account = addresses[random.below(addresses.size())];
    const auto index = static_cast<std::uint32_t>(random.below(6));
    const auto known = model.find(account);
    auto expected = model;
    Uncommitted answered;
    Error error = Error::ok;
    if (known != model.end() && random.one_in(2)) {
      world.account = account;
      answered = change_keys(world, to_foreign(kForeign), world.passkey, kForeign,
                             static_cast<std::uint32_t>(known->second.last));
      expected[account].moved = true;
    } else {
      answered = adopt(account, index);
      if (known == model.end()) {
        expected[account] = {index, index, false};
      } else {
        const Keys& keys = known->second;
        const bool has = index >= keys.first && index <= keys.last;
        if (has && !keys.moved) {
          error = Error::account_exists;
        } else if (!has && index != keys.last + 1) {
          error = Error::server_key_index_out_of_order;
        }
        expected[account] = {keys.first, std::max<std::uint64_t>(keys.last, index), false};
      }
    }
    ASSERT_EQ(name(answered.error), name(error)) << round;
    if (error == Error::ok && !random.one_in(4)) {
      ASSERT_EQ(world.host.commit().error, Error::ok);
      world.wallet = answered.record;
      model = expected;
    }
    if (random.one_in(5)) {
      ASSERT_EQ(world.host.restart(false), Error::ok);
    } else {
      ASSERT_TRUE(world.host.reconnect());
    }
    const auto wallet = describe();
    ASSERT_EQ(wallet.account_count, model.size()) << round;
    for (std::size_t i = 0; i < wallet.account_count; i++) {
      const protocol::AccountBinding& found = wallet.accounts[i];
      const Keys& keys = model.at(found.address);
      ASSERT_EQ(found.server_key_index, keys.first) << round;
      ASSERT_EQ(found.last_server_key_index, keys.last) << round;
      ASSERT_EQ(found.moved_to == kForeign, keys.moved) << round;
    }
  }
  EXPECT_EQ(model.size(), addresses.size());
}

}  // namespace
}  // namespace community::trusted::testing
