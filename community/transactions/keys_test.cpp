// SPDX-License-Identifier: Apache-2.0
// Changes of keys and rules: the core first, then what people log in with, then the chain; session grants; and what is
// signed elsewhere.
#include "community/transactions/retire.hpp"
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

const char* const kThird = "00000000-0000-4000-8000-0000000000a3";

class ChangingKeys : public TransactionWorld {
 protected:
  // Checked and kept, and in no wallet yet.
  void third_waits() {
    people.own.push_back(third.owned(kThird, "New telephone"));
    people.own.back().is_active = false;
  }
  static KeysOrder adding(std::uint8_t votes = 1) {
    KeysOrder order;
    order.added = {kThird};
    order.votes = votes;
    return order;
  }
  // The arguments of the call that the courier has.
  accounts::StartedAction brought() {
    const auto item = accounts::read_started_item(courier.calls.begin()->second);
    EXPECT_TRUE(item);
    return std::get<accounts::StartedAction>(*item);
  }
  // The other passkey cancels what waits.
  void cancel_and_include(const Transaction& added) {
    const auto& change = std::get<PreparedAction>(added.content);
    item_waits(*added.digest, {accounts::ItemKind::change_keys, 1, 0, 259'200},
               *accounts::encode_action(change.action, change.stamp, {}));
    const Transaction cancel = prepared(PlainOrder{accounts::Cancel{*added.digest}});
    ASSERT_TRUE(send(cancel, second));
    courier.mine(chain.head().number);
    run();
    until_state(cancel, State::included);
    EXPECT_EQ(people.changes.size(), 1u) << "a reorganisation may still take the cancellation out";
    courier.finish();
    until_state(cancel, State::final_);
  }
  Device third{13};
};

TEST_F(ChangingKeys, APasskeyIsAddedByTheCoreFirst) {
  third_waits();
  const Transaction t = prepared(adding());
  const auto& prepared_action = std::get<PreparedAction>(t.content);
  EXPECT_EQ(accounts::action_name(prepared_action.action), "ChangeKeys");
  EXPECT_EQ(*t.digest, accounts::action_digest({kChain, alice}, prepared_action.action, prepared_action.stamp));
  EXPECT_EQ(t.credential_ids.size(), 2u) << "the new one does not vote for itself";
  EXPECT_TRUE(has(rules(t.warnings), "second-passkey-or-wait"));
  EXPECT_TRUE(has(rules(t.warnings), "voids-what-waits"));
  const auto& shown = t.summary[0].as_object();
  EXPECT_EQ(shown.at("added").as_array()[0].as_object().at("name"), "New telephone");
  expect_refusal(send(t, third), ErrorCode::passkey_not_accounts);
  EXPECT_TRUE(core.changes.empty());

  const Transaction done = sent(t);
  EXPECT_EQ(done.state, State::submitted);
  ASSERT_EQ(core.changes.size(), 1u);
  EXPECT_EQ(core.changes[0].added_count, 1u);
  EXPECT_EQ(core.changes[0].added[0].public_key, third.on_chain().public_key);
  ASSERT_EQ(people.changes.size(), 1u);
  EXPECT_EQ(people.changes[0].activated, std::vector<std::string>{kThird});
  EXPECT_TRUE(people.changes[0].retired.empty());
  const accounts::StartedAction started = brought();
  EXPECT_EQ(accounts::action_digest({kChain, alice}, started.action, started.stamp), *t.digest);
  EXPECT_EQ(people.used, std::vector<std::string>{wallet_id});
}

TEST_F(ChangingKeys, AtOnceWithTwoVotes) {
  third_waits();
  const Transaction t = prepared(adding(2));
  ASSERT_TRUE(send(t, first));
  EXPECT_TRUE(core.changes.empty()) << "the core is asked with the last vote";
  restart();
  const auto both = send(t, second);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(core.changes.size(), 1u);
  EXPECT_EQ(std::get<accounts::ChangeKeys>(brought().action).votes, 2);
}

TEST_F(ChangingKeys, WhatTheCoreCommittedIsFinishedAfterACrash) {
  third_waits();
  const Transaction t = prepared(adding());
  core.loses_answers = true;
  expect_refusal(send(t, first), ErrorCode::core_unavailable);
  EXPECT_EQ(core.changes.size(), 1u) << "it obeys already";
  EXPECT_TRUE(people.changes.empty());
  EXPECT_TRUE(courier.calls.empty());
  core.loses_answers = false;
  restart();
  run();
  until_state(t, State::submitted);
  ASSERT_EQ(people.changes.size(), 1u);
  EXPECT_EQ(people.changes[0].activated, std::vector<std::string>{kThird});
  EXPECT_EQ(courier.calls.size(), 1u);
}

TEST_F(ChangingKeys, AnInterruptedChangeOutlivesTheSweepOfWhatExpired) {
  third_waits();
  const Transaction t = prepared(adding());
  core.loses_answers = true;
  expect_refusal(send(t, first), ErrorCode::core_unavailable);
  core.loses_answers = false;
  clock.advance(kPreparedLife + infra::Milliseconds(60'000));
  restart();
  run();
  until_state(t, State::submitted);
}

// It may be a thief's: the owner cancels the change, and it logs nobody in from then on.
TEST_F(ChangingKeys, APasskeyWhoseAdditionIsCancelledLogsNobodyIn) {
  third_waits();
  const Transaction added = prepared(adding());
  (void)sent(added);
  ASSERT_EQ(people.changes.size(), 1u);
  cancel_and_include(added);
  until([this] { return people.changes.size() == 2; });
  EXPECT_TRUE(people.changes[1].activated.empty());
  EXPECT_EQ(people.changes[1].retired, std::vector<std::string>{kThird});
}

// With the escape page, say, or at another node: the chain tells.
TEST_F(ChangingKeys, ACancellationThatWasMadeElsewhereIsHeardOfOnceItIsFinal) {
  const auto journal = make_key_journal(kChain);
  const auto cancelled = [&](const Bytes32& item) {
    chain::Log log;
    log.address = alice;
    log.topics = {core::event_topic("ItemCancelled(bytes32,uint8,uint256)"), item, Uint256(1).to_be()};
    log.data = core::to_bytes(Uint256(3).to_be());
    log.block_number = chain.head().number;
    const auto event = accounts::read_account_event(log).value();
    auto work = [&journal, event](soci::session& sql) { journal->came(sql, event, true, 0); };
    ASSERT_TRUE(loop.block_on(database->write(work)));
  };
  const auto rows = [this] {
    auto read = [](soci::session& sql) {
      long long count = 0;
      sql << "SELECT COUNT(*) FROM transactions_cancelled", soci::into(count);
      return count;
    };
    return loop.block_on(database->read(read)).value();
  };
  third_waits();
  const Transaction added = prepared(adding());
  (void)sent(added);
  ASSERT_EQ(people.changes.size(), 1u);
  run();
  mine(1);
  // A block that is taken back decides nothing.
  cancelled(*added.digest);
  auto take_back = [&journal, above = chain.head().number - 1](soci::session& sql) { journal->went(sql, above); };
  ASSERT_TRUE(loop.block_on(database->write(take_back)));
  EXPECT_EQ(rows(), 0);
  // Another item, of nobody's.
  cancelled(Bytes32{9});
  cancelled(*added.digest);
  EXPECT_EQ(rows(), 2);
  mine(2);
  for (int i = 0; i < 20; i++) loop.block_on(infra::reschedule());
  EXPECT_EQ(people.changes.size(), 1u) << "not final yet";
  restart();
  run();
  mine(1);
  until([&] { return rows() == 0; });
  ASSERT_EQ(people.changes.size(), 2u);
  EXPECT_TRUE(people.changes[1].activated.empty());
  EXPECT_EQ(people.changes[1].retired, std::vector<std::string>{kThird});
}

TEST_F(ChangingKeys, APasskeyThatAnotherWalletTakesStaysWhenItsAdditionIsCancelled) {
  third_waits();
  people.held_elsewhere.insert(third.owned(kThird, "New telephone").credential_id);
  const Transaction added = prepared(adding());
  (void)sent(added);
  cancel_and_include(added);
  EXPECT_EQ(people.changes.size(), 1u);
}

TEST_F(ChangingKeys, APasskeyDoesNotVoteForItsOwnRemoval) {
  KeysOrder order;
  order.removed = {1};
  const Transaction t = prepared(order);
  EXPECT_EQ(t.credential_ids.size(), 1u);
  EXPECT_EQ(t.summary[0].as_object().at("removed").as_array()[0].as_object().at("slot"), 1);
  expect_refusal(send(t, second), ErrorCode::passkey_not_accounts);
  (void)sent(t);
  ASSERT_EQ(people.changes.size(), 1u);
  EXPECT_EQ(people.changes[0].retired, std::vector<std::string>{people.own[1].passkey_id});
  order.removed = {0, 1};
  order.added = {kThird};
  order.votes = 2;
  third_waits();
  expect_refusal(prepare(order), ErrorCode::votes_missing);
}

TEST_F(ChangingKeys, APasskeyOfAnotherWalletGoesOnLoggingIn) {
  people.held_elsewhere.insert(people.own[1].credential_id);
  KeysOrder order;
  order.removed = {1};
  (void)sent(prepared(order));
  ASSERT_EQ(people.changes.size(), 1u);
  EXPECT_TRUE(people.changes[0].retired.empty());
}

TEST_F(ChangingKeys, RefusesByNameWhatTheContractWould) {
  third_waits();
  EXPECT_EQ(prepare(KeysOrder{}).error().field, "/keys");
  KeysOrder order;
  order.removed = {0, 1};
  expect_refusal(prepare(order), ErrorCode::field_invalid);
  order.removed = {0, 0};
  EXPECT_EQ(prepare(order).error().field, "/keys/remove/1");
  order.removed = {5};
  EXPECT_EQ(prepare(order).error().field, "/keys/remove/0");
  order = {};
  order.added = {"00000000-0000-4000-8000-0000000000ff"};
  EXPECT_EQ(prepare(order).error().field, "/keys/add/0");
  order.added = {people.own[0].passkey_id};
  expect_refusal(prepare(order), ErrorCode::passkey_known);
  order.added = {kThird, kThird};
  EXPECT_EQ(prepare(order).error().field, "/keys/add/1");
  order = {};
  order.escape_key = FakeCore::server_key();
  EXPECT_EQ(prepare(order).error().field, "/keys");
  order = adding(3);
  EXPECT_EQ(prepare(order).error().field, "/votes");
  EXPECT_TRUE(core.changes.empty());
}

TEST_F(ChangingKeys, MovesHouseAndBack) {
  KeysOrder order;
  order.server_key = KeysOrder::ServerKey::foreign;
  order.foreign_server_key = test_address(0xf00);
  Transaction t = prepared(order);
  EXPECT_TRUE(has(rules(t.warnings), "moves-away"));
  (void)sent(t);
  EXPECT_EQ(core.changes.back().server_key, protocol::NewServerKey::foreign);
  order.server_key = KeysOrder::ServerKey::next;
  t = prepared(order);
  EXPECT_FALSE(has(rules(t.warnings), "moves-away"));
  EXPECT_EQ(std::get<accounts::ChangeKeys>(std::get<PreparedAction>(t.content).action).server_key,
            FakeCore::server_key_of(1));
  restart();
  (void)sent(t);
  EXPECT_EQ(core.changes.back().server_key, protocol::NewServerKey::own);
  EXPECT_EQ(core.changes.back().new_index, 1u);
}

// Passkeys of the other node come with its server key; nobody logs in with them here.
TEST_F(ChangingKeys, MovesHouseWithPasskeysOfTheOtherNode) {
  third_waits();
  accounts::InitPasskey there = Device(14).on_chain();
  there.rp_id_hash.fill(0x0e);
  KeysOrder order = adding();
  order.server_key = KeysOrder::ServerKey::foreign;
  order.foreign_server_key = test_address(0xf00);
  order.foreign_passkeys = {there};
  const Transaction t = prepared(order);
  const auto& change = std::get<accounts::ChangeKeys>(std::get<PreparedAction>(t.content).action);
  ASSERT_EQ(change.added.size(), 2u);
  EXPECT_EQ(change.added[1].public_key, there.public_key);
  EXPECT_EQ(change.added[1].rp_id_hash, there.rp_id_hash);
  const auto& shown = t.summary[0].as_object().at("added").as_array()[1].as_object();
  EXPECT_TRUE(shown.at("passkeyId").is_null());
  EXPECT_EQ(shown.at("publicKey").as_string(), core::to_hex(there.public_key));
  EXPECT_EQ(shown.at("rpIdHash").as_string(), core::to_hex(there.rp_id_hash));
  restart();
  (void)sent(t);
  const protocol::KeyChange& asked = core.changes.back();
  ASSERT_EQ(asked.added_count, 2u);
  EXPECT_EQ(asked.added[1].public_key, there.public_key);
  EXPECT_TRUE(base::is_zero(asked.added[1].credential_hash));
  ASSERT_EQ(people.changes.size(), 1u);
  EXPECT_EQ(people.changes[0].activated, std::vector<std::string>{kThird});
}

TEST_F(ChangingKeys, PasskeysOfAnotherNodeComeWithItsServerKeyAlone) {
  accounts::InitPasskey there = Device(14).on_chain();
  there.rp_id_hash.fill(0x0e);
  KeysOrder order;
  order.foreign_passkeys = {there};
  EXPECT_EQ(prepare(order).error().field, "/keys/addForeign");
  order.server_key = KeysOrder::ServerKey::next;
  EXPECT_EQ(prepare(order).error().field, "/keys/addForeign");
  order.server_key = KeysOrder::ServerKey::foreign;
  order.foreign_server_key = test_address(0xf00);
  order.foreign_passkeys = {there, there};
  EXPECT_EQ(prepare(order).error().field, "/keys/addForeign/1");
  order.foreign_passkeys = {Device(14).on_chain()};
  EXPECT_EQ(prepare(order).error().field, "/keys/addForeign/0") << "of this node's domain";
  order.foreign_passkeys[0].rp_id_hash = {};
  EXPECT_EQ(prepare(order).error().field, "/keys/addForeign/0") << "of nobody's";
  order.foreign_passkeys = {there};
  order.foreign_passkeys[0].public_key[63] ^= 1;
  EXPECT_EQ(prepare(order).error().field, "/keys") << "no point of the curve";
  order.foreign_passkeys[0] = first.on_chain();
  order.foreign_passkeys[0].rp_id_hash.fill(0x0e);
  expect_refusal(prepare(order), ErrorCode::passkey_known);
  order.foreign_passkeys.assign(7, there);
  for (std::size_t i = 0; i < 7; i++)
    order.foreign_passkeys[i].public_key = Device(static_cast<std::uint8_t>(30 + i)).on_chain().public_key;
  EXPECT_EQ(prepare(order).error().field, "/keys") << "nine passkeys with the two that it has";
  EXPECT_TRUE(core.changes.empty());
}

// Three days are short for who learns of it by chance.
TEST_F(ChangingKeys, WhatWaitsIsToldByTheWordsOfMails) {
  run();
  third_waits();
  const Transaction t = prepared(adding());
  (void)sent(t);
  courier.mine(chain.head().number);
  until_state(t, State::included);
  EXPECT_NE(told_by("ChangeQueued").find("\"change\":\"keys\""), std::string::npos) << told_by("ChangeQueued");
  const auto queued = [this](accounts::QueueKind kind) {
    QueueOrder order;
    order.kind = kind;
    order.subject = token;
    order.amount = Uint256(9);
    const Transaction queue = prepared(order);
    (void)sent(queue);
    include(queue);
    until_state(queue, State::included);
    return told_by("ChangeQueued");
  };
  EXPECT_NE(queued(accounts::QueueKind::limit).find("\"change\":\"limit\""), std::string::npos);
  EXPECT_NE(queued(accounts::QueueKind::allowed_call).find("\"change\":\"permission\""), std::string::npos);
}

TEST_F(ChangingKeys, RulesChangeThroughTheGate) {
  accounts::ChangeRules order;
  order.guardians_hash = Bytes32{9};
  order.guardian_threshold = 2;
  order.strict = true;
  order.votes = 1;
  const Transaction t = prepared(PlainOrder{order});
  EXPECT_EQ(t.kind, Kind::rules);
  restart();
  (void)sent(t);
  const auto rules = std::get<accounts::ChangeRules>(brought().action);
  EXPECT_EQ(rules.guardians_hash, (Bytes32{9}));
  EXPECT_TRUE(rules.strict);
  EXPECT_EQ(core.asked, 1u);
  order.guardian_threshold = 0;
  EXPECT_EQ(prepare(PlainOrder{order}).error().field, "/rules/guardianThreshold");
  order.guardian_threshold = 1;
  order.recovery_delay_s = 3'600;
  EXPECT_EQ(prepare(PlainOrder{order}).error().field, "/rules/recoveryDelay");
}

// --- session grants --------------------------------------------------------------------------------------------------

class Granting : public TransactionWorld {
 protected:
  GrantOrder order() const {
    GrantOrder out;
    out.target = token;
    out.selectors = {{1, 2, 3, 4}};
    out.value_per_call = Uint256(5);
    out.value_total = Uint256(9);
    out.valid_for_s = 600;
    return out;
  }
  // The grant that was just made.
  static Bytes32 id_of(const Transaction& t) {
    return core::parse_bytes32(std::string(t.summary[0].as_object().at("hash").as_string())).value();
  }
  accounts::Call call(std::uint64_t value = 0) const { return {token, Uint256(value), {1, 2, 3, 4, 5}}; }
};

TEST_F(Granting, OneTouchLetsTheNodeSignWhatTheGrantSays) {
  const Transaction made = prepared(order());
  EXPECT_EQ(made.kind, Kind::grant);
  EXPECT_TRUE(has(rules(made.warnings), "signs-without-touch"));
  expect_refusal(prepare(SessionOrder{id_of(made), {call()}}), ErrorCode::not_found);
  (void)sent(made);
  restart();
  const Transaction t = prepared(SessionOrder{id_of(made), {call(5)}});
  EXPECT_TRUE(t.credential_ids.empty());
  EXPECT_EQ(estimator.asked.back().signature, accounts::dummy_session_signature());
  EXPECT_EQ(std::get<PreparedOperation>(t.content).userop.paymaster, FakeSponsor::paymaster());
  expect_refusal(sign(t), ErrorCode::not_prepared);
  const auto done = broadcast(t);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->state, State::submitted);
  EXPECT_TRUE(pool->find_live(*t.digest));
  ASSERT_EQ(core.sessions.size(), 1u);
  EXPECT_EQ(core.asked, 1u) << "of the grant itself";
  ASSERT_TRUE(broadcast(t));
  EXPECT_EQ(core.sessions.size(), 1u);
}

TEST_F(Granting, NothingElseIsSigned) {
  const Transaction made = sent(prepared(order()));
  const Bytes32 id = id_of(made);
  EXPECT_EQ(prepare(SessionOrder{id, {pay(bob, 1)}}).error().field, "/calls/0/to");
  EXPECT_EQ(prepare(SessionOrder{id, {call(6)}}).error().field, "/calls/0/value");
  accounts::Call other = call();
  other.data = {9, 9, 9, 9};
  EXPECT_EQ(prepare(SessionOrder{id, {call(), other}}).error().field, "/calls/1/data");
  other.data = {1, 2, 3};
  EXPECT_EQ(prepare(SessionOrder{id, {other}}).error().field, "/calls/0/data");
  sponsor.stub_refusal = paymaster::ErrorCode::disabled;
  expect_refusal(prepare(SessionOrder{id, {call()}}), ErrorCode::sponsor_missing);
  sponsor.stub_refusal.reset();
  frozen_until_s = accounts::kFrozenForever;
  expect_refusal(prepare(SessionOrder{id, {call()}}), ErrorCode::account_frozen);
  EXPECT_TRUE(core.sessions.empty());
}

TEST_F(Granting, ItEnds) {
  const Transaction made = sent(prepared(order()));
  chain.pass_time(601);
  mine();
  expect_refusal(prepare(SessionOrder{id_of(made), {call()}}), ErrorCode::grant_over);
  GrantOrder longer = order();
  longer.valid_for_s = 7'201;
  EXPECT_EQ(prepare(longer).error().field, "/grant/validFor");
  longer = order();
  longer.selectors.clear();
  EXPECT_EQ(prepare(longer).error().field, "/grant");
  longer = order();
  longer.target = alice;
  EXPECT_EQ(prepare(longer).error().field, "/grant");
}

TEST_F(Granting, WithoutAPaymasterThereIsNone) {
  has_sponsor = false;
  restart();
  expect_refusal(prepare(order()), ErrorCode::sponsor_missing);
}

// --- signed elsewhere ------------------------------------------------------------------------------------------------

TEST_F(ChangingKeys, AnEscapeIsOnlyBrought) {
  const accounts::Action escape = accounts::Escape{{third.on_chain()}, test_address(0xf00), 1};
  const accounts::Stamp stamp{3, Uint256(4), 99};
  const Bytes call = *accounts::encode_action(escape, stamp, {{accounts::kEscapeSigner, Bytes(65, 1)}});
  people.own.clear();
  const Transaction t = prepared(BroughtOrder{Kind::escape, call});
  EXPECT_FALSE(t.digest);
  EXPECT_EQ(t.summary[0].as_object().at("hash"),
            json::value(core::to_hex(accounts::action_digest({kChain, alice}, escape, stamp))));
  const auto done = broadcast(t);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(courier.calls.begin()->second, call);
  EXPECT_EQ(core.asked, 0u);
  courier.mine(chain.head().number);
  run();
  until_state(t, State::included);
  // Three days are short for who learns of it by chance: the mail about it says when.
  const std::string ready = audit::format_time_ms(done->signed_ms + 3 * 86'400'000);
  EXPECT_NE(told_by("EscapeStarted").find(ready), std::string::npos) << told_by("EscapeStarted");
  EXPECT_EQ(prepare(BroughtOrder{Kind::recover, call}).error().field, "/call");
  EXPECT_EQ(prepare(BroughtOrder{Kind::escape, Bytes{1, 2, 3, 4}}).error().field, "/call");
  const Bytes freeze = *accounts::encode_action(accounts::Freeze{}, stamp, {{0, Bytes(140, 1)}});
  EXPECT_EQ(prepare(BroughtOrder{Kind::escape, freeze}).error().field, "/call");
  chain.on_call(alice, [this](const chain::CallRequest& request) -> chain::ChainResult<Bytes> {
    if (!accounts::read_started_item(request.data)) return account_answer(request.data);
    chain::ChainError error;
    error.kind = chain::ChainErrorKind::rpc;
    error.reverted = true;
    error.data =
        core::parse_abi_function("SignatureInvalid(uint8)").value().encode({AbiValue(std::uint64_t{8})}).value();
    return tl::unexpected(std::move(error));
  });
  expect_refusal(prepare(BroughtOrder{Kind::escape, call}), ErrorCode::would_revert);
}

}  // namespace
}  // namespace community::transactions::test_support
