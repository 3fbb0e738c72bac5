// SPDX-License-Identifier: Apache-2.0
// Transactions of a key of the phrase: what is shown is what the core signs, and whatever crashes, each is sent once.
#include "community/core/transaction.hpp"
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

using core::TransactionType;

class Eoa : public TransactionWorld {
 protected:
  Eoa() { chain.set_balance(key, ether(10)); }
  EoaOrder to_bob(std::uint64_t amount = 5, TransactionType type = TransactionType::dynamic_fee) const {
    EoaOrder order;
    order.type = type;
    order.to = bob;
    order.value = Uint256(amount);
    return order;
  }
  static const core::Transaction& content(const Transaction& t) { return std::get<PreparedEoa>(t.content).transaction; }
  core::Authorization authorization(std::uint64_t chain_id) const {
    core::Authorization wanted;
    wanted.chain_id = Uint256(chain_id);
    wanted.address = bob;
    return *core::sign_authorization(wanted, Uint256(0xabc).to_be());
  }
  const Address key = FakePhrases::address();
};

TEST_F(Eoa, SaysWhatIsSignedAndWhatItCosts) {
  chain.set_nonce(key, 7);
  const Transaction t = prepared(to_bob());
  EXPECT_EQ(t.account, key);
  EXPECT_EQ(content(t).nonce, 7u);
  EXPECT_EQ(content(t).gas_limit, Uint256(21'000)) << "a transfer costs the same always";
  EXPECT_EQ(*t.digest, content(t).signing_hash());
  EXPECT_EQ(t.max_cost, *base::multiply(Uint256(21'000), content(t).max_fee_per_gas));
  EXPECT_GE(content(t).max_fee_per_gas, Uint256(3'000'000'000));
  EXPECT_EQ(t.payer, Payer::account);
  EXPECT_EQ(t.value, Uint256(5));
  EXPECT_TRUE(has(rules(t.warnings), "first-payment"));
  EXPECT_EQ(t.summary[0].as_object().at("meaning"), "payment");
  EoaOrder call = to_bob(0);
  call.data = Bytes(100, 1);
  EXPECT_EQ(content(prepared(call)).gas_limit, Uint256(22'600 + 226 * 25)) << "an estimate gets a margin";
}

TEST_F(Eoa, EveryTypeIsSignedAndSent) {
  run();
  EoaOrder order = to_bob(1, TransactionType::set_code);
  order.authorizations = {authorization(kChain)};
  const Transaction delegating = prepared(order);
  EXPECT_TRUE(has(rules(delegating.warnings), "gives-code"));
  for (const Transaction& t : {prepared(to_bob(1, TransactionType::legacy))})
    EXPECT_FALSE(content(t).gas_price.is_zero());
  std::uint64_t nonce = 0;
  for (const TransactionType type :
       {TransactionType::legacy, TransactionType::dynamic_fee, TransactionType::set_code}) {
    EoaOrder wanted = to_bob(1, type);
    if (type == TransactionType::set_code) wanted.authorizations = {authorization(kChain)};
    const Transaction t = prepared(wanted);
    const Transaction done = sent(t);
    EXPECT_EQ(done.state, State::submitted);
    ASSERT_FALSE(chain.sent().empty());
    const core::Transaction& on_chain = chain.sent().back();
    EXPECT_EQ(on_chain.type, type);
    EXPECT_EQ(on_chain.nonce, nonce++);
    EXPECT_EQ(*on_chain.sender(), key);
    EXPECT_EQ(*on_chain.hash(), *done.transaction_hash);
    mine();
    until_state(t, State::included);
  }
  EXPECT_TRUE(prepared(to_bob()).warnings.empty()) << "whom the wallet paid is known";
}

TEST_F(Eoa, BecomesFinalAndTellsWhatItCost) {
  run();
  const Transaction t = sent(prepared(to_bob()));
  mine();
  until_state(t, State::included);
  EXPECT_EQ(now(t).block_number, chain.head().number);
  EXPECT_FALSE(now(t).actual_cost.is_zero());
  mine(3);
  until_state(t, State::final_);
  EXPECT_EQ(count("TransactionIncluded"), 1u);
  EXPECT_EQ(loop.block_on(service->history(person, {}))->size(), 1u);
}

TEST_F(Eoa, OneThatRevertsFails) {
  run();
  chain.on_transaction([](const core::Transaction&, const Address&) {
    chain::FakeChain::Executed out;
    out.success = false;
    return out;
  });
  const Transaction t = sent(prepared(to_bob()));
  mine();
  until_state(t, State::failed);
}

TEST_F(Eoa, RefusesByNameWhatWouldFail) {
  expect_refusal(prepare(EoaOrder()), ErrorCode::field_invalid);
  EoaOrder order = to_bob();
  order.authorizations = {authorization(kChain)};
  expect_refusal(prepare(order), ErrorCode::field_invalid);
  order = to_bob(1, TransactionType::set_code);
  expect_refusal(prepare(order), ErrorCode::field_invalid);
  order.authorizations = {authorization(0)};
  expect_refusal(prepare(order), ErrorCode::field_invalid);
  order.authorizations = {authorization(1)};
  expect_refusal(prepare(order), ErrorCode::field_invalid);
  order = to_bob();
  order.data = Bytes(kMaxCallData + 1);
  expect_refusal(prepare(order), ErrorCode::field_invalid);
  order = to_bob();
  order.value = ether(10);
  expect_refusal(prepare(order), ErrorCode::insufficient_funds);
  order.value = Uint256::max();
  expect_refusal(prepare(order), ErrorCode::insufficient_funds);
  chain.on_call(bob, [](const chain::CallRequest&) -> chain::ChainResult<Bytes> {
    chain::ChainError error;
    error.kind = chain::ChainErrorKind::rpc;
    error.reverted = true;
    error.message = "execution reverted";
    return tl::unexpected(error);
  });
  chain.on("eth_estimateGas", [](const json::array&) -> chain::ChainResult<json::value> {
    chain::ChainError error;
    error.kind = chain::ChainErrorKind::rpc;
    error.reverted = true;
    error.message = "execution reverted";
    return tl::unexpected(error);
  });
  expect_refusal(prepare(to_bob()), ErrorCode::would_revert);
  phrases.has_phrase = false;
  expect_refusal(prepare(to_bob()), ErrorCode::phrase_missing);
  EXPECT_EQ(phrases.asked, 0u);
}

TEST_F(Eoa, TwoPreparedUnderOneNumberAreNotBothSigned) {
  const Transaction first_one = prepared(to_bob(1)), second_one = prepared(to_bob(2));
  EXPECT_EQ(content(first_one).nonce, content(second_one).nonce);
  EXPECT_EQ(sent(first_one).state, State::submitted);
  expect_refusal(send(second_one, second), ErrorCode::nonce_taken);
  EXPECT_EQ(now(second_one).state, State::prepared);
  EXPECT_EQ(content(prepared(to_bob(3))).nonce, content(first_one).nonce + 1);
  EXPECT_EQ(chain.sent().size(), 1u);
}

TEST_F(Eoa, AStuckOneIsReplacedForHigherFees) {
  run();
  chain.set_base_fee(Uint256(100'000'000'000'000));
  const Transaction stuck = sent(prepared(to_bob()));
  expect_refusal(loop.block_on(service->discard(person, stuck.transaction_id)), ErrorCode::too_late);
  chain.set_base_fee(Uint256(1'000'000'000));
  const Transaction better = prepared(ReplaceOrder{stuck.transaction_id});
  EXPECT_EQ(content(better).nonce, content(stuck).nonce);
  EXPECT_EQ(content(better).value, content(stuck).value);
  EXPECT_GE(content(better).max_fee_per_gas, chain::raised_fee(content(stuck).max_fee_per_gas, 100));
  EXPECT_EQ(better.replaces, stuck.transaction_id);
  EXPECT_EQ(sent(better).state, State::submitted);
  mine();
  until_state(better, State::included);
  EXPECT_EQ(now(stuck).state, State::submitted) << "the block may be taken back";
  mine(12);
  until_state(stuck, State::replaced);
  until_state(better, State::final_);
  EXPECT_EQ(now(stuck).replaced_by, better.transaction_id);
  expect_refusal(prepare(ReplaceOrder{stuck.transaction_id}), ErrorCode::not_replaceable);
}

TEST_F(Eoa, WhatAReorganisationTakesAwayComesBack) {
  run();
  const Transaction t = sent(prepared(to_bob()));
  mine();
  until_state(t, State::included);
  chain.reorg(1, 2);
  ASSERT_TRUE(loop.block_on(blocks->poll()));
  until_state(t, State::submitted);
  mine();
  until_state(t, State::included);
  EXPECT_EQ(count("TransactionIncluded"), 1u) << "told once";
}

TEST_F(Eoa, APoolThatForgotItGetsItAgain) {
  run();
  const Transaction t = sent(prepared(to_bob()));
  chain.drop_pending(*t.transaction_hash);
  mine();
  until([&] { return chain.pending() == 1; });
  mine();
  until_state(t, State::included);
}

// kill -9 between any two steps: on disk before it is sent, and sent once.
TEST_F(Eoa, IsSentOnceWhateverCrashes) {
  const Transaction t = prepared(to_bob());
  ASSERT_TRUE(sign(t, first)) << "signed, and not sent";
  restart();
  EXPECT_EQ(now(t).state, State::signed_);
  EXPECT_TRUE(chain.sent().empty());
  run();
  mine(0);
  until([&] { return chain.pending() == 1; });
  // Sent, and killed before that was written: the same bytes again.
  restart();
  run();
  until_state(t, State::submitted);
  mine();
  until_state(t, State::included);
  for (const core::Transaction& one : chain.sent()) EXPECT_EQ(*one.hash(), *now(t).transaction_hash);
  restart();
  EXPECT_EQ(now(t).state, State::included);
}

TEST_F(Eoa, AChainThatIsAwayGetsItLater) {
  const Transaction t = prepared(to_bob());
  ASSERT_TRUE(sign(t, first));
  chain.fail_next({chain::ChainErrorKind::transport, "away", 0, {}, false});
  EXPECT_EQ(broadcast(t)->state, State::signed_);
  EXPECT_EQ(broadcast(t)->state, State::submitted);
}

TEST_F(Eoa, AnotherDigestOfTheCoreIsNotAccepted) {
  phrases.lies = true;
  expect_refusal(send(prepared(to_bob()), first), ErrorCode::core_refused);
  EXPECT_TRUE(chain.sent().empty());
}

TEST_F(Eoa, CountsAgainstTheDaysLimit) {
  kill();
  options.daily_limit = Uint256(8);
  open();
  EXPECT_EQ(sent(prepared(to_bob(5))).state, State::submitted);
  expect_refusal(send(prepared(to_bob(5)), first), ErrorCode::transaction_limit);
}

}  // namespace
}  // namespace community::transactions::test_support
