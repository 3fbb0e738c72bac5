// SPDX-License-Identifier: Apache-2.0
// What preparing does before it knows everything, and what it leaves for after its answer.
#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

class Preparing : public TransactionWorld {};

TEST_F(Preparing, LimitsAreAskedForOnceWhereTheNonceIsAsExpected) {
  const auto nonce_of = [](const Transaction& made) { return std::get<PreparedOperation>(made.content).userop.nonce; };
  run();
  const Transaction one = payment();
  EXPECT_EQ(estimator.asked.size(), 1u);
  sent(one);
  mine();
  include(one);
  until_state(one, State::included);
  estimator.asked.clear();
  const Transaction next = payment();
  ASSERT_EQ(estimator.asked.size(), 1u) << "beside the questions about the account";
  EXPECT_EQ(estimator.asked[0].nonce, nonce_of(next));
  EXPECT_EQ(nonce_of(next), Uint256(1));
  ASSERT_TRUE(loop.block_on(service->discard(person, next.transaction_id)));
  // Another device of the person's used the number meanwhile.
  nonces[0]++;
  estimator.asked.clear();
  const Transaction other = payment();
  ASSERT_EQ(estimator.asked.size(), 2u) << "what was guessed wrongly is asked again";
  EXPECT_EQ(nonce_of(other), Uint256(2));
  EXPECT_EQ(estimator.asked[1].nonce, nonce_of(other));
  // And what was refused ahead is refused as ever.
  ASSERT_TRUE(loop.block_on(service->discard(person, other.transaction_id)));
  estimator.reverts_with("OverLimit(address,uint256,uint256)",
                         {AbiValue(token), AbiValue(std::uint64_t{5}), AbiValue(std::uint64_t{1})});
  expect_refusal(prepare(CallsOrder{{pay(bob, 5)}}), ErrorCode::over_limit);
}

// The answer does not wait for the database; whoever asks for what it names does.
TEST_F(Preparing, WhatIsPreparedIsThereForWhoeverAsks) {
  run();
  std::uint64_t last = 0;
  for (int i = 0; i < 12; i++) {
    const Transaction made = payment();
    EXPECT_GT(made.sequence, last);
    last = made.sequence;
    const auto found = loop.block_on(service->transaction(person, made.transaction_id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->sequence, made.sequence);
    EXPECT_EQ(found->state, State::prepared);
  }
  const Transaction signed_at_once = payment();
  sent(signed_at_once);
  const Transaction dropped_at_once = payment();
  ASSERT_TRUE(loop.block_on(service->discard(person, dropped_at_once.transaction_id)));
  // Whatever is asked to stop is written first.
  const Transaction written = payment();
  restart();
  EXPECT_EQ(now(written).state, State::prepared);
  run();
  EXPECT_GT(payment().sequence, written.sequence);
}

}  // namespace
}  // namespace community::transactions::test_support
