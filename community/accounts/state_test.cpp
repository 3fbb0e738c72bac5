// SPDX-License-Identifier: Apache-2.0
// Reading an account: what it answers becomes values, what answers otherwise is no account.
#include "community/accounts/api/state.hpp"

#include <gtest/gtest.h>

#include <map>

#include "community/chain/fake/fake_chain.hpp"
#include "community/infra/api/task.hpp"

namespace community::accounts {
namespace {

using core::AbiValue;

Address address(std::uint64_t n) { return core::address_from_word(Uint256(n).to_be()); }
AbiValue number(std::uint64_t n) { return AbiValue(n); }

class AccountStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    chain.mine(3);
    chain.set_code(kAccount, {1});
    chain.set_balance(kAccount, Uint256(77));
    answer("keys()", "address,address,uint32,uint8",
           {AbiValue(address(2)), AbiValue(address(3)), number(4), number(0b101)});
    answer("frozen()", "uint48,uint48", {number(kFrozenForever), number(5)});
    answer("guardians()", "bytes32,uint8,uint32", {AbiValue(Uint256(6).to_be()), number(2), number(604'800)});
    answer("strictMode()", "bool", {number(1)});
    answer("unlistedTokensAllowed()", "bool", {number(0)});
    answer("gasCap()", "uint256", {number(8)});
    answer("passkey(uint256)", "(uint256,uint256,bytes32)",
           {AbiValue(AbiValue::List{number(9), number(10), AbiValue(Uint256(11).to_be())})});
    answer("spendingLimit(address)", "uint256,uint256,uint256", {number(100), number(30), number(today())});
    answer("isListedToken(address)", "bool", {number(1)});
    chain.on_call(kAccount, [this](const chain::CallRequest& request) -> chain::ChainResult<Bytes> {
      std::array<std::uint8_t, 4> selector{};
      std::copy_n(request.data.begin(), 4, selector.begin());
      const auto known = answers_.find(selector);
      if (known == answers_.end()) {
        chain::ChainError error;
        error.kind = chain::ChainErrorKind::rpc;
        error.reverted = true;
        return tl::unexpected(std::move(error));
      }
      return known->second;
    });
  }

  void answer(std::string_view function, std::string_view types, const std::vector<AbiValue>& values) {
    answers_[core::parse_abi_function(function)->selector] =
        core::abi_encode(core::parse_abi_parameters(types).value(), values).value();
  }
  void forget(std::string_view function) { answers_.erase(core::parse_abi_function(function)->selector); }
  std::uint64_t today() const { return chain.head().timestamp / static_cast<std::uint64_t>(kSecondsPerDay); }
  Result<AccountState> state(std::vector<Address> tokens = {}) {
    return loop.block_on(view.state(kAccount, std::move(tokens)));
  }

  const Address kAccount = address(0xacc);
  infra::EventLoop loop;
  chain::FakeChain chain;
  AccountView view{chain};

 private:
  std::map<std::array<std::uint8_t, 4>, Bytes> answers_;
};

TEST_F(AccountStateTest, EverythingIsRead) {
  const auto now = state({address(20)});
  ASSERT_TRUE(now) << now.error().text();
  EXPECT_TRUE(now->deployed);
  EXPECT_EQ(now->balance, Uint256(77));
  EXPECT_EQ(now->server_key, address(2));
  EXPECT_EQ(now->escape_key, address(3));
  EXPECT_EQ(now->key_epoch, 4u);
  ASSERT_EQ(now->passkeys.size(), 2u);
  EXPECT_EQ(now->passkeys[1].slot, 2);
  EXPECT_EQ(now->passkeys[1].key.public_key[31], 9);
  EXPECT_EQ(now->passkeys[1].key.public_key[63], 10);
  EXPECT_EQ(now->frozen_until_s, kFrozenForever);
  EXPECT_EQ(now->server_freeze_not_before_s, 5u);
  EXPECT_EQ(now->guardian_threshold, 2);
  EXPECT_EQ(now->recovery_delay_s, 604'800u);
  EXPECT_TRUE(now->strict);
  EXPECT_FALSE(now->unlisted_tokens);
  EXPECT_EQ(now->gas_cap, Uint256(8));
  ASSERT_EQ(now->limits.size(), 2u);
  EXPECT_EQ(now->limits[1].token, address(20));
  EXPECT_TRUE(now->limits[1].listed);
  EXPECT_EQ(now->limits[0].spent_today, Uint256(30));
}

// Eighteen questions and more, which a server answers by one execution.
TEST_F(AccountStateTest, AllQuestionsOfOneAccountAreOneRequest) {
  const std::size_t before = chain.requests();
  ASSERT_TRUE(state({address(20), address(21)}));
  EXPECT_EQ(chain.count("eth_call"), 1u);
  // Besides it block, code and balance.
  EXPECT_EQ(chain.requests() - before, 4u);
}

TEST_F(AccountStateTest, AGuessOfTheHeadChangesNothing) {
  const auto plain = state();
  for (const std::uint64_t guess : {chain.head().number, chain.head().number - 1}) {
    const auto guessed = loop.block_on(view.state(kAccount, std::vector<Address>(), guess));
    ASSERT_TRUE(guessed) << guessed.error().text();
    EXPECT_EQ(guessed->block_number, plain->block_number);
    EXPECT_EQ(guessed->block_time_s, plain->block_time_s);
    EXPECT_EQ(guessed->balance, plain->balance);
    EXPECT_EQ(guessed->passkeys.size(), plain->passkeys.size());
  }
}

TEST_F(AccountStateTest, WhatWasSpentOnAnotherDayIsOver) {
  answer("spendingLimit(address)", "uint256,uint256,uint256", {number(100), number(30), number(today() - 1)});
  EXPECT_TRUE(state()->limits[0].spent_today.is_zero());
}

TEST_F(AccountStateTest, AnAccountThatIsNotDeployedHasABalanceOnly) {
  chain.set_code(kAccount, {});
  const auto now = state();
  ASSERT_TRUE(now);
  EXPECT_FALSE(now->deployed);
  EXPECT_EQ(now->balance, Uint256(77));
}

TEST_F(AccountStateTest, AnotherContractIsNoAccount) {
  forget("frozen()");
  EXPECT_EQ(state().error().code, ErrorCode::account_unreadable);
  answer("frozen()", "uint48", {number(1)});
  EXPECT_EQ(state().error().code, ErrorCode::account_unreadable);
}

TEST_F(AccountStateTest, AChainThatDoesNotAnswerIsToldApart) {
  chain::ChainError lost;
  lost.kind = chain::ChainErrorKind::transport;
  chain.fail_next(lost);
  EXPECT_EQ(state().error().code, ErrorCode::chain_failed);
}

TEST_F(AccountStateTest, OnlyItemsThatStillWaitAreShown) {
  const auto log = [&](std::uint64_t id) {
    const std::vector<AbiValue> data{number(256), AbiValue(Bytes{0xab})};
    boost::json::object one;
    one["address"] = core::format_address(kAccount);
    one["topics"] = {core::to_hex(core::event_topic("ItemStarted(bytes32,uint8,uint256,bytes)")),
                     core::to_hex(Uint256(id).to_be()), core::to_hex(Uint256(5).to_be())};
    one["data"] = core::to_hex(core::abi_encode(core::parse_abi_parameters("uint256,bytes").value(), data).value());
    one["blockNumber"] = "0x1";
    one["blockHash"] = one["transactionHash"] = core::to_hex(Uint256(9).to_be());
    one["transactionIndex"] = one["logIndex"] = "0x0";
    one["removed"] = false;
    return one;
  };
  chain.on("eth_getLogs", [&](const boost::json::array&) -> chain::ChainResult<boost::json::value> {
    return boost::json::array{log(1)};
  });
  const std::string_view types = "uint8,uint16,uint32,uint256,uint256";
  answer("item(bytes32)", types, {number(5), number(256), number(4), number(60), number(259'200)});
  auto items = loop.block_on(view.waiting(kAccount, 0));
  ASSERT_TRUE(items) << items.error().text();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().kind, ItemKind::escape);
  EXPECT_EQ(items->front().votes, 256);
  EXPECT_EQ(items->front().age_s, 60u);
  EXPECT_EQ(items->front().delay_s, 259'200u);
  EXPECT_EQ(items->front().call, Bytes{0xab});

  answer("item(bytes32)", types, {number(1), number(0), number(0), number(0), number(0)});
  EXPECT_TRUE(loop.block_on(view.waiting(kAccount, 0))->empty());
  answer("item(bytes32)", types, {number(5), number(256), number(3), number(60), number(259'200)});
  EXPECT_TRUE(loop.block_on(view.waiting(kAccount, 0))->empty());
}

}  // namespace
}  // namespace community::accounts
