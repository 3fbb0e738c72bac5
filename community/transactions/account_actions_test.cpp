// SPDX-License-Identifier: Apache-2.0
// What is no batch of calls: queued items, plain functions, and what an account is now.
#include "community/transactions/store.hpp"
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

class ActingOnAccounts : public TransactionWorld {};

// --- queue and plain functions ---------------------------------------------------------------------------------------

TEST_F(ActingOnAccounts, WhatIsQueuedWaits) {
  const Transaction t = prepared(QueueOrder{accounts::QueueKind::spend, {pay(bob, 7)}, {}, {}, {}, {}});
  EXPECT_EQ(t.kind, Kind::queue);
  EXPECT_TRUE(t.value.is_zero()) << "nothing leaves yet";
  EXPECT_TRUE(has(rules(t.warnings), "waits"));
  EXPECT_EQ(t.summary[0].as_object().at("meaning"), "payment");
  QueueOrder limit;
  limit.kind = accounts::QueueKind::limit;
  limit.amount = Uint256(9);
  EXPECT_EQ(prepared(limit).summary[0].as_object().at("meaning"), "changeLimit");
}

// What an amount is worth follows from the decimals.
TEST_F(ActingOnAccounts, ALimitIsToldWithItsToken) {
  chain.on_call(token, [](const chain::CallRequest& request) -> chain::ChainResult<Bytes> {
    const auto decimals = core::parse_abi_function("decimals()")->selector;
    if (base::equal(core::ByteView(request.data).first(4), decimals)) return core::to_bytes(Uint256(6).to_be());
    return chain::chain_fail(chain::ChainErrorKind::rpc, "no such function");
  });
  QueueOrder limit;
  limit.kind = accounts::QueueKind::limit;
  limit.subject = token;
  limit.amount = Uint256(9'000'000);
  const Transaction raised = prepared(limit);
  const Transaction lowered = prepared(PlainOrder{accounts::LowerLimit{token, Uint256(4)}});
  for (const Transaction* t : {&raised, &lowered}) {
    const auto& shown = t->summary.at(0).as_object().at("token").as_object();
    EXPECT_EQ(shown.at("address"), json::value(core::format_address(token)));
    EXPECT_EQ(shown.at("decimals"), 6);
  }
  const Transaction native = prepared(PlainOrder{accounts::LowerLimit{Address{}, Uint256(4)}});
  EXPECT_FALSE(native.summary.at(0).as_object().contains("to"));
}

TEST_F(ActingOnAccounts, WhatWaitedLongEnoughIsConfirmed) {
  const accounts::Queued queued = *accounts::queued_spend({pay(bob, 7)}, Uint256(1));
  const accounts::AccountOnChain where{kChain, alice};
  const Bytes32 id = accounts::queued_id(where, 3, queued);
  // The batch carries one call of the account to itself: what starts the item is that call.
  const Bytes batch = *accounts::encode_queue(alice, queued);
  const auto execute = core::parse_abi_function("execute(bytes32,bytes)").value().decode(batch).value();
  const Bytes call = accounts::read_calls(execute[1].bytes()).value().at(0).data;
  item_waits(id, {accounts::ItemKind::queued, 0, 100, 86'400}, call);
  const auto early = prepare(ConfirmOrder{id});
  expect_refusal(early, ErrorCode::item_not_ready);
  EXPECT_EQ(early.error().retry_after_s, 86'300);
  items[id].age_s = 86'400;
  const Transaction t = prepared(ConfirmOrder{id});
  EXPECT_EQ(t.value, Uint256(7));
  EXPECT_EQ(t.summary[0].as_object().at("amount"), "7");
  EXPECT_EQ(std::get<PreparedOperation>(t.content).userop.call_data, *accounts::encode_confirm(alice, queued));
  expect_refusal(prepare(FinishOrder{id}), ErrorCode::item_kind);
  expect_refusal(prepare(ConfirmOrder{Bytes32{1}}), ErrorCode::not_found);
}

TEST_F(ActingOnAccounts, AnItemWhoseContentIsAnothersIsNotConfirmed) {
  const accounts::Queued queued = *accounts::queued_spend({pay(bob, 7)}, Uint256(1));
  const Bytes batch = *accounts::encode_queue(alice, queued);
  const auto execute = core::parse_abi_function("execute(bytes32,bytes)").value().decode(batch).value();
  const Bytes call = accounts::read_calls(execute[1].bytes()).value().at(0).data;
  item_waits(Bytes32{9}, {accounts::ItemKind::queued, 0, 86'400, 86'400}, call);
  expect_refusal(prepare(ConfirmOrder{Bytes32{9}}), ErrorCode::chain_unavailable);
}

TEST_F(ActingOnAccounts, AFreezeNeedsNoCore) {
  run();
  core.is_away = true;
  const Transaction t = prepared(PlainOrder{accounts::Freeze{}});
  EXPECT_EQ(t.payer, Payer::node);
  const auto& action = std::get<PreparedAction>(t.content);
  EXPECT_EQ(*t.digest, accounts::action_digest({kChain, alice}, action.action, action.stamp));
  EXPECT_EQ(action.stamp.key_epoch, 3u);
  (void)sent(t);
  ASSERT_EQ(courier.errands.size(), 1u);
  const auto freeze = core::parse_abi_function("freeze((uint32,uint256,uint48),(uint8,bytes)[])").value();
  const auto values = freeze.decode(courier.calls.begin()->second);
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[1].list().size(), 1u);
  courier.mine(chain.head().number);
  until_state(t, State::included);
  EXPECT_EQ(now(t).transaction_hash, (Bytes32{5}));
  EXPECT_EQ(now(t).block_number, chain.head().number);
  EXPECT_EQ(count("AccountFrozen"), 1u);
  courier.finish();
  until_state(t, State::final_);
  EXPECT_EQ(count("AccountFrozen"), 1u);
}

// Whether it is final is for the courier to say, which asks the chain: a row may be of a block that is gone.
TEST_F(ActingOnAccounts, AFreezeThatAReorganisationTookOutIsOnItsWayAgain) {
  run();
  const Transaction t = prepared(PlainOrder{accounts::Freeze{}});
  (void)sent(t);
  const std::uint64_t first_block = chain.head().number;
  courier.mine(first_block);
  until_state(t, State::included);
  mine(10);
  until([this, before = courier.looked] { return courier.looked > before + 2; });
  EXPECT_EQ(now(t).state, State::included) << "ten blocks later, and the courier has not looked";
  courier.take_out();
  until_state(t, State::submitted);
  EXPECT_FALSE(now(t).transaction_hash);
  EXPECT_EQ(now(t).block_number, 0u);
  restart();
  run();
  EXPECT_EQ(now(t).state, State::submitted);
  courier.mine(first_block + 2);
  until_state(t, State::included);
  EXPECT_EQ(now(t).block_number, first_block + 2);
  courier.mine(first_block + 3);
  until([&] { return now(t).block_number == first_block + 3; });
  courier.finish();
  until_state(t, State::final_);
  EXPECT_EQ(count("AccountFrozen"), 1u) << "told once";
  EXPECT_EQ(count("TransactionIncluded"), 1u);
  EXPECT_EQ(count("TransactionFailed"), 0u);
}

TEST_F(ActingOnAccounts, ARevertInABlockIsNoFreeze) {
  run();
  const Transaction t = prepared(PlainOrder{accounts::Freeze{}});
  (void)sent(t);
  courier.mine(chain.head().number, "it reverted on chain");
  until_state(t, State::failed);
  EXPECT_EQ(now(t).reason, "it reverted on chain");
  EXPECT_EQ(now(t).block_number, chain.head().number);
  EXPECT_EQ(count("AccountFrozen"), 0u);
  EXPECT_EQ(count("TransactionFailed"), 1u);
  // The block is replaced, and it reverts in the next one, too: then that goes, and it acts.
  courier.take_out();
  until_state(t, State::submitted);
  EXPECT_EQ(now(t).reason, "");
  restart();
  run();
  courier.mine(chain.head().number + 1, "it reverted on chain");
  until_state(t, State::failed);
  EXPECT_EQ(count("TransactionFailed"), 1u) << "told once";
  courier.mine(chain.head().number + 2);
  until_state(t, State::included);
  EXPECT_EQ(count("AccountFrozen"), 1u);
  courier.mine(chain.head().number + 3, "it reverted on chain");
  until_state(t, State::failed);
  courier.finish();
  restart();
  run();
  until([this] {
    return metrics.text().find("community_transactions_ended_total{state=\"failed\"} 1") != std::string::npos;
  });
  EXPECT_EQ(now(t).state, State::failed);
  EXPECT_EQ(count("TransactionFailed"), 1u);
  EXPECT_EQ(count("AccountFrozen"), 1u);
}

TEST_F(ActingOnAccounts, UnfreezingAtOnceTakesTwoPasskeysAndTheCore) {
  expect_refusal(prepare(PlainOrder{accounts::Unfreeze{2}}), ErrorCode::account_not_frozen);
  frozen_until_s = accounts::kFrozenForever;
  const Transaction t = prepared(PlainOrder{accounts::Unfreeze{2}});
  auto one = sign(t, first);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->state, State::prepared);
  EXPECT_EQ(std::get<PreparedAction>(one->content).votes_given, 1);
  expect_refusal(broadcast(t), ErrorCode::not_signed);
  expect_refusal(sign(t, first), ErrorCode::passkey_voted);
  restart();
  const auto both = sign(t, second);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->state, State::signed_);
  EXPECT_EQ(core.asked, 1u);
  ASSERT_TRUE(broadcast(t));
  const auto unfreeze = core::parse_abi_function("unfreeze(uint8,(uint32,uint256,uint48),(uint8,bytes)[])").value();
  const auto values = unfreeze.decode(courier.calls.begin()->second);
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[2].list().size(), 3u) << "two votes and the gate";
  EXPECT_TRUE(has(rules(prepared(PlainOrder{accounts::Unfreeze{1}}).warnings), "second-passkey-or-wait"));
}

TEST_F(ActingOnAccounts, WhatOneVoteStartedAnotherOneCancels) {
  const accounts::Action action = accounts::Unfreeze{1};
  const accounts::Stamp stamp{3, Uint256(1), 99};
  const Bytes32 id = accounts::action_digest({kChain, alice}, action, stamp);
  item_waits(id, {accounts::ItemKind::unfreeze, 1, 0, 259'200}, *accounts::encode_action(action, stamp, {}));
  const Transaction t = prepared(PlainOrder{accounts::Cancel{id}});
  EXPECT_EQ(t.summary[0].as_object().at("item"), "unfreeze");
  expect_refusal(sign(t, first), ErrorCode::passkey_not_accounts);
  EXPECT_TRUE(sign(t, second));
  items[id].votes = 3;
  expect_refusal(prepare(PlainOrder{accounts::Cancel{id}}), ErrorCode::votes_missing);
  items[id] = {accounts::ItemKind::recover, 0, 0, 604'800};
  EXPECT_EQ(std::get<PreparedAction>(prepared(PlainOrder{accounts::Cancel{id}}).content).votes_needed, 2);
}

TEST_F(ActingOnAccounts, FinishingNeedsNobodysSignature) {
  const accounts::Action action = accounts::Unfreeze{1};
  const accounts::Stamp stamp{3, Uint256(1), 99};
  const Bytes32 id = accounts::action_digest({kChain, alice}, action, stamp);
  item_waits(id, {accounts::ItemKind::unfreeze, 1, 259'200, 259'200}, *accounts::encode_action(action, stamp, {}));
  const Transaction t = prepared(FinishOrder{id});
  EXPECT_FALSE(t.digest);
  expect_refusal(sign(t), ErrorCode::not_prepared);
  const auto done = broadcast(t);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->state, State::submitted);
  EXPECT_EQ(courier.calls.begin()->second, *accounts::encode_finish(action, stamp));
  EXPECT_TRUE(broadcast(t));
  EXPECT_EQ(courier.asked, 1u);
}

TEST_F(ActingOnAccounts, EveryPlainKindIsWhatWasOrdered) {
  const accounts::Action orders[] = {accounts::LowerLimit{token, Uint256(4)}, accounts::LowerGasCap{Uint256(3)},
                                     accounts::RevokeGrant{Bytes32{4}}, accounts::DisallowCall{bob, {1, 2, 3, 4}},
                                     accounts::UnlistDomain{Bytes32{5}}};
  for (const accounts::Action& order : orders) {
    const Transaction t = prepared(PlainOrder{order});
    SCOPED_TRACE(name(t.kind));
    const auto kept = std::get<PreparedAction>(now(t).content);
    EXPECT_EQ(accounts::action_digest({kChain, alice}, kept.action, kept.stamp), *t.digest) << "read back from disk";
    EXPECT_EQ(accounts::action_name(kept.action), accounts::action_name(order));
    EXPECT_EQ(accounts::action_digest({kChain, alice}, order, kept.stamp), *t.digest);
    (void)sent(t);
  }
  EXPECT_EQ(courier.errands.size(), 5u);
}

TEST_F(ActingOnAccounts, WhatTheContractRefusesIsOver) {
  courier.refusal = courier::ErrorCode::would_revert;
  const Transaction t = prepared(PlainOrder{accounts::Freeze{}});
  ASSERT_TRUE(sign(t));
  expect_refusal(broadcast(t), ErrorCode::refused_by_node);
  EXPECT_EQ(now(t).state, State::dropped);
}

// --- state and funds -------------------------------------------------------------------------------------------------

TEST_F(ActingOnAccounts, ToldStateIsOfOneBlock) {
  (void)sent(payment());
  people.own.pop_back();
  const auto state = loop.block_on(service->wallet_state(person, wallet_id, kChain, {token}));
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->block_number, chain.head().number);
  EXPECT_TRUE(state->state.deployed);
  EXPECT_EQ(state->state.balance, ether(10));
  ASSERT_EQ(state->passkeys.size(), 2u);
  EXPECT_EQ(state->passkeys[0].name, "Telephone");
  EXPECT_TRUE(state->passkeys[1].passkey_id.empty()) << "none of the person's any more";
  ASSERT_EQ(state->tokens.size(), 1u);
  EXPECT_EQ(state->state.limits.size(), 2u);
  ASSERT_EQ(state->lanes.size(), 1u);
  EXPECT_EQ(state->lanes[0].places[0].missing, 0u);
  expect_refusal(loop.block_on(service->wallet_state(person, wallet_id, kChain, std::vector<Address>(33))),
                 ErrorCode::field_invalid);
  expect_refusal(loop.block_on(service->wallet_state(stranger, wallet_id, kChain, {})), ErrorCode::not_found);
}

// Its old node keeps it in the list, says that it left, and when.
TEST_F(ActingOnAccounts, OneThatMovedAwayIsToldSo) {
  const auto look = [this] { return loop.block_on(service->wallet_state(person, wallet_id, kChain, {})).value(); };
  EXPECT_FALSE(look().is_elsewhere);
  key_epoch = 4;
  const std::uint64_t number = chain.head().number;
  auto heard = [number, account = alice](soci::session& sql) {
    store::note_key_epoch(sql, {kChain, account, 4, number});
  };
  ASSERT_TRUE(loop.block_on(database->write(heard)));
  EXPECT_FALSE(look().is_elsewhere) << "other passkeys, the same server";
  server_key = test_address(0xf00);
  const WalletState moved = look();
  EXPECT_TRUE(moved.is_elsewhere);
  EXPECT_EQ(moved.moved_at_s, chain.head().timestamp);
  key_epoch = 5;
  EXPECT_EQ(look().moved_at_s, 0u) << "nobody heard when";
  server_key = FakeCore::server_key_of(0);
  EXPECT_FALSE(look().is_elsewhere) << "it came home";
}

TEST_F(ActingOnAccounts, FundsAreGivenOnceInAWhile) {
  chain.on("eth_accounts", [](const json::array&) -> chain::ChainResult<json::value> {
    return json::value(json::array{json::value("0x0000000000000000000000000000000000000001")});
  });
  std::vector<json::array> orders;
  bool is_away = true;
  chain.on("eth_sendTransaction", [&](const json::array& params) -> chain::ChainResult<json::value> {
    if (is_away) return chain::chain_fail(chain::ChainErrorKind::timeout, "slow");
    orders.push_back(params);
    return json::value(core::to_hex(Bytes32{8}));
  });
  const auto ask = [&](std::uint64_t chain_id) {
    return loop.block_on(service->give_funds(person, wallet_id, chain_id));
  };
  expect_refusal(ask(1), ErrorCode::chain_unknown);
  expect_refusal(ask(kChain), ErrorCode::chain_unavailable);
  is_away = false;
  const auto given = ask(kChain);
  ASSERT_TRUE(given) << "what failed is not counted";
  EXPECT_EQ(given->amount, ether(10));
  EXPECT_EQ(orders.at(0).at(0).as_object().at("to"), json::value(core::format_address(alice)));
  expect_refusal(ask(kChain), ErrorCode::funds_given);
  EXPECT_EQ(orders.size(), 1u);
  clock.advance(options.funds_pause);
  EXPECT_TRUE(ask(kChain));
}

// The chain would give both the same number.
TEST_F(ActingOnAccounts, FundsForTwoAtOnceAreGivenOneAfterTheOther) {
  options.funds_pause = infra::Milliseconds(0);
  restart();
  std::vector<std::string> asked;
  std::size_t refusals = 2;
  chain.on("eth_accounts", [&](const json::array&) -> chain::ChainResult<json::value> {
    asked.emplace_back("accounts");
    return json::value(json::array{json::value("0x0000000000000000000000000000000000000001")});
  });
  chain.on("eth_sendTransaction", [&](const json::array&) -> chain::ChainResult<json::value> {
    asked.emplace_back("send");
    if (refusals > 0 && refusals-- > 0) return chain::chain_fail(chain::ChainErrorKind::rpc, "nonce too low");
    return json::value(core::to_hex(Bytes32{8}));
  });
  auto one = service->give_funds(person, wallet_id, kChain);
  auto other = service->give_funds(person, wallet_id, kChain);
  const auto given = loop.block_on(infra::both(std::move(one), std::move(other)));
  EXPECT_TRUE(std::get<0>(given) && std::get<1>(given));
  EXPECT_EQ(asked, (std::vector<std::string>{"accounts", "send", "send", "send", "accounts", "send"}));
}

}  // namespace
}  // namespace community::transactions::test_support
