// SPDX-License-Identifier: Apache-2.0
// Rule 3: a treasury key pays executors of this core and deposits of the operator's paymasters, capped, and nothing
// else; a configuration without treasuries is what it was before there were any.
#include <gtest/gtest.h>

#include <algorithm>

#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/tests/support/source_files.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

constexpr std::uint64_t kValueCap = 1'000'000, kBudgetWei = 100'000'000'000;

Bytes deposit_to(const Address& account) { return join({ethereum::kDepositTo, abi_word(account)}); }

class Treasury : public ::testing::Test {
 protected:
  Treasury() {
    key = world.make_key(protocol::Purpose::treasury, kChain, &address);
    world.configuration.treasury_count = 1;
    world.configuration.treasuries[0] = {kChain, Uint256(kValueCap), Uint256(kBudgetWei)};
    reconfigure();
  }
  void reconfigure() {
    world.configuration.sequence++;
    ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  }
  // One wei a gas, so that the cost of gas is the gas limit.
  TestTransaction payment(std::uint64_t nonce = 0) const {
    TestTransaction transaction;
    transaction.nonce = Uint256(nonce);
    transaction.fee = Uint256(1);
    transaction.priority_fee = Uint256(0);
    transaction.gas_limit = Uint256(21'000);
    transaction.to = to_bytes(world.executor_address);
    transaction.value = Uint256(kValueCap);
    return transaction;
  }
  TestTransaction deposit(std::uint64_t nonce = 0) const {
    TestTransaction transaction = payment(nonce);
    transaction.to = to_bytes(kEntryPoint8);
    transaction.data = deposit_to(kPaymaster8);
    return transaction;
  }
  Reply sign(const TestTransaction& transaction, const StoredRecord* executor, const StoredRecord* with = nullptr) {
    const Bytes bytes = transaction.encode();
    const OwnedProof proof = world.host.proof(with != nullptr ? *with : key);
    OwnedProof paid;
    protocol::SignTreasuryRequest request;
    request.record = proof.view();
    request.transaction = bytes;
    if (executor != nullptr) {
      paid = world.host.proof(*executor);
      request.executor_count = 1;
      request.executor[0] = paid.view();
    }
    return world.host.ask(Command::sign_treasury, request);
  }
  Error pay(const TestTransaction& transaction) { return sign(transaction, &world.executor).error; }
  Error put(const TestTransaction& transaction) { return sign(transaction, nullptr).error; }
  Uint256 left() { return world.host.status().budgets[0].treasury_left; }
  // The refusal, after which nothing is counted.
  void expect_refused(const Reply& reply, Error expected) {
    EXPECT_EQ(name(reply.error), name(expected));
    EXPECT_EQ(left(), Uint256(kBudgetWei));
  }

  World world;
  StoredRecord key;
  Address address{};
};

TEST_F(Treasury, PaysAnExecutorOfThisCore) {
  const TestTransaction transaction = payment();
  const Reply reply = sign(transaction, &world.executor);
  ASSERT_EQ(name(reply.error), "ok");
  const auto result = decoded<protocol::SignTreasuryReply>(reply.body);
  EXPECT_EQ(recover_address(base::keccak256(transaction.encode()), result.signature), address);
  EXPECT_TRUE(has_low_s(result.signature));
  EXPECT_EQ(result.cost, Uint256(kValueCap + 21'000));
  EXPECT_EQ(left(), Uint256(kBudgetWei - kValueCap - 21'000));
}

TEST_F(Treasury, RaisesTheDepositOfAConfiguredPaymaster) {
  const TestTransaction transaction = deposit();
  const Reply reply = sign(transaction, nullptr);
  ASSERT_EQ(name(reply.error), "ok");
  EXPECT_EQ(recover_address(base::keccak256(transaction.encode()),
                            decoded<protocol::SignTreasuryReply>(reply.body).signature),
            address);
}

TEST_F(Treasury, RefusesToPayAnybodyElse) {
  TestTransaction transaction = payment();
  for (const Address& stranger : {kStranger, world.account, kPaymaster8, world.paymaster_signer, world.server_key}) {
    transaction.to = to_bytes(stranger);
    expect_refused(sign(transaction, &world.executor), Error::treasury_destination_refused);
    expect_refused(sign(transaction, nullptr), Error::treasury_destination_refused);
  }
  // An executor's address without its record is a word of the host.
  expect_refused(sign(payment(), nullptr), Error::treasury_destination_refused);
  transaction.to = {};
  expect_refused(sign(transaction, &world.executor), Error::transaction_malformed);
}

TEST_F(Treasury, TheRecordShownMustBeAnExecutorsOfThatChain) {
  TestTransaction transaction = payment();
  transaction.to = to_bytes(world.paymaster_signer);
  expect_refused(sign(transaction, &world.paymaster), Error::wrong_purpose);
  transaction.to = to_bytes(address);
  expect_refused(sign(transaction, &key), Error::wrong_purpose);
  Address elsewhere{}, anywhere{};
  const StoredRecord other = world.make_key(protocol::Purpose::executor, kOtherChain, &elsewhere);
  const StoredRecord any = world.make_key(protocol::Purpose::executor, 0, &anywhere);
  transaction.to = to_bytes(elsewhere);
  expect_refused(sign(transaction, &other), Error::treasury_destination_refused);
  transaction.to = to_bytes(anywhere);
  EXPECT_EQ(sign(transaction, &any).error, Error::ok);
}

TEST_F(Treasury, ARecordThatIsNotCurrentProvesNothing) {
  const TestTransaction transaction = payment();
  StoredRecord forged = world.executor;
  forged.sealed.back() ^= 1;
  expect_refused(sign(transaction, &forged), Error::record_tampered);
  StoredRecord moved = world.executor;
  moved.leaf = key.leaf;
  expect_refused(sign(transaction, &moved), Error::record_not_current);
  expect_refused(sign(transaction, &world.wallet), Error::record_wrong_type);
}

TEST_F(Treasury, OnlyATreasuryKeySignsPayments) {
  for (const StoredRecord* other : {&world.executor, &world.paymaster})
    expect_refused(sign(payment(), &world.executor, other), Error::wrong_purpose);
  // And it signs nothing else.
  const OwnedProof proof = world.host.proof(key);
  const Bytes bundle = world.good_transaction().encode();
  EXPECT_EQ(world.host.refusal(Command::sign_transaction, protocol::SignTransactionRequest{proof.view(), bundle}),
            Error::wrong_purpose);
}

TEST_F(Treasury, RefusesDepositsElsewhere) {
  TestTransaction transaction = deposit();
  transaction.to = to_bytes(kStranger);
  expect_refused(sign(transaction, nullptr), Error::treasury_destination_refused);
  transaction = deposit();
  transaction.data = deposit_to(kStranger);
  expect_refused(sign(transaction, nullptr), Error::paymaster_not_configured);
  // A paymaster of the other EntryPoint.
  transaction.data = deposit_to(kPaymaster7);
  expect_refused(sign(transaction, nullptr), Error::paymaster_not_configured);
  transaction.data = deposit_to(Address{});
  expect_refused(sign(transaction, nullptr), Error::paymaster_not_configured);
  // Call data to an executor, with its record and without.
  transaction.data = deposit_to(kPaymaster8);
  transaction.to = to_bytes(world.executor_address);
  expect_refused(sign(transaction, nullptr), Error::treasury_destination_refused);
  expect_refused(sign(transaction, &world.executor), Error::malformed_request);
}

TEST_F(Treasury, RefusesEveryOtherCallOfTheEntryPoint) {
  TestTransaction transaction = deposit();
  // addStake, withdrawTo, incrementNonce, handleOps
  for (const std::string_view selector : {"0396cb60", "205c2878", "0bd28e3b", "765e827f"}) {
    base::copy(transaction.data, unhex(selector));
    expect_refused(sign(transaction, nullptr), Error::treasury_call_refused);
  }
  const Bytes good = deposit_to(kPaymaster8);
  for (const std::size_t size : {1u, 4u, 35u}) {
    transaction.data = Bytes(good.begin(), good.begin() + size);
    expect_refused(sign(transaction, nullptr), Error::treasury_call_refused);
  }
  transaction.data = good;
  transaction.data.push_back(0);
  expect_refused(sign(transaction, nullptr), Error::treasury_call_refused);
  transaction.data = good;
  transaction.data[4] = 1;
  expect_refused(sign(transaction, nullptr), Error::treasury_call_refused);
  // Ether without a call goes to the deposit of the sender: the treasury's own.
  transaction.data = {};
  expect_refused(sign(transaction, nullptr), Error::treasury_destination_refused);
}

TEST_F(Treasury, ADepositShowsNoExecutor) {
  expect_refused(sign(deposit(), &world.executor), Error::malformed_request);
}

TEST_F(Treasury, MovesSomethingAndNoMoreThanTheCap) {
  TestTransaction transaction = payment();
  transaction.value = Uint256(kValueCap + 1);
  expect_refused(sign(transaction, &world.executor), Error::treasury_value_over_cap);
  transaction.value = Uint256::max();
  expect_refused(sign(transaction, &world.executor), Error::treasury_value_over_cap);
  transaction.value = Uint256(0);
  expect_refused(sign(transaction, &world.executor), Error::treasury_value_zero);
  transaction = deposit();
  transaction.value = Uint256(kValueCap + 1);
  expect_refused(sign(transaction, nullptr), Error::treasury_value_over_cap);
  transaction.value = Uint256(0);
  expect_refused(sign(transaction, nullptr), Error::treasury_value_zero);
}

TEST_F(Treasury, GasAndFeesAreCapped) {
  TestTransaction transaction = payment();
  transaction.gas_limit = Uint256(protocol::kMaxTreasuryGas + 1);
  expect_refused(sign(transaction, &world.executor), Error::transaction_gas_over_cap);
  transaction = payment();
  transaction.fee = *add(world.configuration.chains[0].fee_cap, Uint256(1));
  expect_refused(sign(transaction, &world.executor), Error::transaction_fee_over_cap);
  transaction = payment();
  transaction.priority_fee = Uint256(2);
  expect_refused(sign(transaction, &world.executor), Error::transaction_fee_over_cap);
  transaction = payment();
  transaction.access_list = rlp_list({rlp_list({rlp_string(kShop), rlp_list({})})});
  expect_refused(sign(transaction, &world.executor), Error::transaction_access_list);
  transaction = payment();
  transaction.gas_limit = Uint256(protocol::kMaxTreasuryGas);
  EXPECT_EQ(name(pay(transaction)), "ok");
}

TEST_F(Treasury, RefusesOtherTypesAndChains) {
  TestTransaction transaction = payment();
  transaction.type = 4;
  transaction.authorizations = rlp_list({authorization(Uint256(kChain), kShop, 7, 1, Uint256(1), Uint256(1))});
  expect_refused(sign(transaction, &world.executor), Error::transaction_type_not_allowed);
  transaction = payment();
  transaction.type = 1;
  expect_refused(sign(transaction, &world.executor), Error::transaction_type_not_allowed);
  transaction = payment();
  for (const std::uint64_t chain : {std::uint64_t{1}, kOtherChain, std::uint64_t{0}}) {
    transaction.chain_id = Uint256(chain);
    expect_refused(sign(transaction, &world.executor), Error::transaction_wrong_chain);
  }
  transaction = payment();
  transaction.data = Bytes(protocol::kMaxTreasuryTransaction);
  expect_refused(sign(transaction, nullptr), Error::malformed_request);
}

TEST_F(Treasury, AChainWithoutCapsPaysNothing) {
  Address executor{};
  const StoredRecord paid = world.make_key(protocol::Purpose::executor, 0, &executor);
  const StoredRecord any = world.make_key(protocol::Purpose::treasury, 0);
  TestTransaction transaction = payment();
  transaction.chain_id = Uint256(kOtherChain);
  transaction.to = to_bytes(executor);
  expect_refused(sign(transaction, &paid, &any), Error::treasury_not_configured);
  world.configuration.treasury_count = 2;
  world.configuration.treasuries[1] = {kOtherChain, Uint256(kValueCap), Uint256(kBudgetWei)};
  reconfigure();
  EXPECT_EQ(name(sign(transaction, &paid, &any).error), "ok");
  EXPECT_EQ(left(), Uint256(kBudgetWei));
  world.configuration.treasury_count = 0;
  reconfigure();
  EXPECT_EQ(sign(payment(), &world.executor).error, Error::treasury_not_configured);
  EXPECT_EQ(left(), Uint256(0));
}

TEST_F(Treasury, AnEmptyTransactionToItselfCancelsANonce) {
  TestTransaction cancel = payment();
  cancel.to = to_bytes(address);
  expect_refused(sign(cancel, nullptr), Error::transaction_has_value);
  cancel.value = Uint256(0);
  ASSERT_EQ(name(put(cancel)), "ok");
  EXPECT_EQ(left(), Uint256(kBudgetWei - 21'000));
  cancel.data = Bytes{0};
  EXPECT_EQ(put(cancel), Error::treasury_destination_refused);
}

TEST_F(Treasury, ItsBudgetCountsValueAndGasOnceForANonce) {
  ASSERT_EQ(pay(payment(1)), Error::ok);
  ASSERT_EQ(pay(payment(1)), Error::ok);
  const std::uint64_t cost = kValueCap + 21'000;
  EXPECT_EQ(left(), Uint256(kBudgetWei - cost));
  TestTransaction bumped = payment(1);
  bumped.fee = Uint256(2);
  ASSERT_EQ(pay(bumped), Error::ok);
  EXPECT_EQ(left(), Uint256(kBudgetWei - cost - 21'000));
  // The other payment of the same nonce is cheaper: at most one of them happens.
  ASSERT_EQ(put(deposit(1)), Error::ok);
  EXPECT_EQ(left(), Uint256(kBudgetWei - cost - 21'000));
  ASSERT_EQ(put(deposit(2)), Error::ok);
  EXPECT_EQ(left(), Uint256(kBudgetWei - 2 * cost - 21'000));
}

TEST_F(Treasury, ItsBudgetIsItsOwnAndEnds) {
  world.configuration.treasuries[0].budget = Uint256(2 * (kValueCap + 21'000));
  reconfigure();
  const auto before = world.host.status().budgets[0];
  EXPECT_EQ(before.treasury_limit, Uint256(2 * (kValueCap + 21'000)));
  ASSERT_EQ(pay(payment(1)), Error::ok);
  ASSERT_EQ(pay(payment(2)), Error::ok);
  TestTransaction more = payment(3);
  more.value = Uint256(1);
  EXPECT_EQ(pay(more), Error::budget_exhausted);
  const auto after = world.host.status().budgets[0];
  EXPECT_EQ(after.treasury_left, Uint256(0));
  EXPECT_EQ(after.executor_left, before.executor_left);
  EXPECT_EQ(after.sponsor_left, before.sponsor_left);
  // Only a larger budget that the operator signed goes on.
  world.configuration.treasuries[0].budget = Uint256(3 * (kValueCap + 21'000));
  reconfigure();
  EXPECT_EQ(pay(more), Error::ok);
}

TEST_F(Treasury, ACrashLosesTheLeaseAndACleanStopReturnsIt) {
  const std::uint64_t cost = kValueCap + 21'000;
  ASSERT_EQ(pay(payment(1)), Error::ok);
  ASSERT_EQ(world.host.restart(true), Error::ok);
  EXPECT_EQ(left(), Uint256(kBudgetWei - cost));
  ASSERT_EQ(pay(payment(2)), Error::ok);
  ASSERT_EQ(world.host.restart(false), Error::ok);
  EXPECT_EQ(left(), Uint256(kBudgetWei - cost - kBudgetWei / 100));
}

TEST_F(Treasury, NothingIsSignedWhenTheLeaseIsNotWritten) {
  world.host.store.fail_write(1, MemoryStore::Fault::refuse);
  EXPECT_EQ(pay(payment(1)), Error::store_failed);
  EXPECT_EQ(left(), Uint256(kBudgetWei));
}

TEST_F(Treasury, AConfigurationNamesEachChainOnceAndOnlyItsOwn) {
  auto bad = world.configuration;
  bad.sequence++;
  bad.treasury_count = 2;
  bad.treasuries[1] = bad.treasuries[0];
  EXPECT_EQ(world.host.configure(bad), Error::configuration_malformed);
  bad.treasuries[1].chain_id = 77;
  EXPECT_EQ(world.host.configure(bad), Error::configuration_malformed);
  // An empty list has one spelling: none.
  bad.treasury_count = 0;
  Bytes spelled = encoded(bad);
  append(spelled, Bytes(2));
  EXPECT_EQ(world.host.refusal(Command::configure,
                               protocol::ConfigureRequest{spelled, world.host.operator_sign("configuration", spelled)}),
            Error::configuration_malformed);
  EXPECT_EQ(world.host.status().budgets[0].treasury_limit, Uint256(kBudgetWei));
}

TEST(TreasuryConfiguration, WithoutTreasuriesItHasTheBytesOfBefore) {
  World world;
  world.configuration.core_id = {};
  const Bytes without = encoded(world.configuration);
  world.configuration.treasury_count = 1;
  world.configuration.treasuries[0] = {kChain, Uint256(1), Uint256(2)};
  const Bytes with = encoded(world.configuration);
  ASSERT_EQ(with.size(), without.size() + 2 + 8 + 32 + 32);
  EXPECT_TRUE(std::equal(without.begin(), without.end(), with.begin()));
}

// State and configuration as the core of format 3 wrote them, and what that core said of them.
TEST(TreasuryConfiguration, AStateOfFormatThreeKeepsConfigurationAndSpending) {
  std::string hex = read_source("trusted/tests/vectors/state_format_3.txt");
  std::erase(hex, '\n');
  MemoryStore store;
  store.put(unhex(hex));
  State before;
  ASSERT_EQ(load_state(store.port(), before), Error::ok);
  ASSERT_EQ(before.format, 3u);
  Core core(store.port());
  ASSERT_EQ(core.start(), Error::ok);
  const State& state = core.state();
  EXPECT_EQ(state.format, kStateFormat);
  const ByteView configuration = ByteView(state.configuration_bytes).first(state.configuration_size);
  EXPECT_EQ(encoded(decoded<protocol::Configuration>(configuration)), to_bytes(configuration));
  EXPECT_EQ(decoded<protocol::Configuration>(configuration).treasury_count, 0);
  EXPECT_EQ(state.spent_count, 2);
  EXPECT_EQ(state.spent[0].executor, Uint256(1'000'000'000'000'000'000));
  EXPECT_EQ(state.spent[0].treasury, Uint256(0));
  EXPECT_EQ(state.identity_key, before.identity_key);
  State same = state;
  same.format = 3;
  EXPECT_EQ(to_hex(encoded(same)), hex);
}

}  // namespace
}  // namespace community::trusted::testing
