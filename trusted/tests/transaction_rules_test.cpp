// SPDX-License-Identifier: Apache-2.0
// Rule 3: an executor key signs bundles and cancellations, within gas and fee caps, and nothing else.
#include <gtest/gtest.h>

#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/selectors.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class ExecutorTransaction : public ::testing::Test {
 protected:
  Error sign(const TestTransaction& transaction) { return world.sign(transaction).error; }
  Error sign_bytes(ByteView transaction) { return world.sign_transaction_bytes(transaction).error; }
  // Configures the world anew with `change` applied to its first chain.
  template <class Change>
  void reconfigure(Change&& change) {
    change(world.configuration.chains[0]);
    world.configuration.sequence++;
    ASSERT_EQ(world.host.configure(world.configuration), Error::ok);
  }
  TestTransaction type4(const Bytes& list) {
    TestTransaction transaction = world.good_transaction();
    transaction.type = 4;
    transaction.authorizations = rlp_list({list});
    return transaction;
  }
  World world;
};

TEST_F(ExecutorTransaction, SignsABundleWithItsKey) {
  const TestTransaction transaction = world.good_transaction();
  const Reply reply = world.sign(transaction);
  ASSERT_EQ(reply.error, Error::ok);
  const auto signature = decoded<protocol::SignTransactionReply>(reply.body).signature;
  EXPECT_EQ(recover_address(base::keccak256(transaction.encode()), signature), world.executor_address);
  EXPECT_TRUE(has_low_s(signature));
  // Deterministic: the same transaction has the same signature.
  EXPECT_EQ(decoded<protocol::SignTransactionReply>(world.sign(transaction).body).signature, signature);
}

TEST_F(ExecutorTransaction, RefusesAnotherDestination) {
  TestTransaction transaction = world.good_transaction();
  transaction.to = to_bytes(kStranger);
  EXPECT_EQ(sign(transaction), Error::transaction_not_to_entry_point);
  transaction.to = to_bytes(world.account);
  EXPECT_EQ(sign(transaction), Error::transaction_not_to_entry_point);
}

TEST_F(ExecutorTransaction, RefusesACreation) {
  TestTransaction transaction = world.good_transaction();
  transaction.to = {};
  EXPECT_EQ(sign(transaction), Error::transaction_malformed);
}

TEST_F(ExecutorTransaction, RefusesEverythingButHandleOps) {
  TestTransaction transaction = world.good_transaction();
  // withdrawTo, depositTo, handleAggregatedOps, nothing
  for (const std::string_view selector : {"205c2878", "b760faf9", "dbed18e0", "00000000"}) {
    base::copy(transaction.data, unhex(selector));
    EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops) << selector;
  }
  transaction.data = {};
  EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops);
  transaction.data = unhex("765e827f");
  EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops);
}

TEST_F(ExecutorTransaction, RefusesABundleThatIsNotCanonical) {
  const Bytes good = handle_ops(2, world.executor_address, unhex("0102"));
  TestTransaction transaction = world.good_transaction();
  transaction.data = good;
  EXPECT_EQ(sign(transaction), Error::ok);
  transaction.data = handle_ops(0, world.executor_address);
  EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops);
  for (std::size_t size = 4; size < good.size(); size += 13) {
    transaction.data = Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops) << size;
  }
  transaction.data = good;
  append(transaction.data, Bytes(32));
  EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops);
  // Dirty upper bytes: of the beneficiary, of the first operation's sender
  for (const std::size_t at : {4u + 32u, 4u + 5 * 32u}) {
    transaction.data = good;
    transaction.data[at] = 1;
    EXPECT_EQ(sign(transaction), Error::transaction_not_handle_ops) << at;
  }
}

TEST_F(ExecutorTransaction, RefusesAForeignBeneficiary) {
  TestTransaction transaction = world.good_transaction();
  transaction.data = handle_ops(1, kStranger);
  EXPECT_EQ(sign(transaction), Error::transaction_foreign_beneficiary);
  transaction.data = handle_ops(1, Address{});
  EXPECT_EQ(sign(transaction), Error::transaction_foreign_beneficiary);
  reconfigure([](protocol::ChainConfig& chain) { chain.beneficiary = kShop; });
  transaction.data = handle_ops(1, kShop);
  EXPECT_EQ(sign(transaction), Error::ok);
  transaction.data = handle_ops(1, world.executor_address);
  EXPECT_EQ(sign(transaction), Error::transaction_foreign_beneficiary);
}

TEST_F(ExecutorTransaction, RefusesValue) {
  TestTransaction transaction = world.good_transaction();
  transaction.value = Uint256(1);
  EXPECT_EQ(sign(transaction), Error::transaction_has_value);
}

TEST_F(ExecutorTransaction, RefusesGasOverTheCap) {
  TestTransaction transaction = world.good_transaction();
  transaction.gas_limit = Uint256(10'000'000);
  EXPECT_EQ(sign(transaction), Error::ok);
  transaction.gas_limit = Uint256(10'000'001);
  EXPECT_EQ(sign(transaction), Error::transaction_gas_over_cap);
  transaction.gas_limit = *multiply(Uint256(1ull << 63), Uint256(2));
  EXPECT_EQ(sign(transaction), Error::transaction_malformed);
}

TEST_F(ExecutorTransaction, RefusesFeesOverTheCapOrOutOfOrder) {
  TestTransaction transaction = world.good_transaction();
  transaction.fee = Uint256(100'000'000'000);
  EXPECT_EQ(sign(transaction), Error::ok);
  transaction.fee = Uint256(100'000'000'001);
  EXPECT_EQ(sign(transaction), Error::transaction_fee_over_cap);
  transaction = world.good_transaction();
  transaction.priority_fee = *add(transaction.fee, Uint256(1));
  EXPECT_EQ(sign(transaction), Error::transaction_fee_over_cap);
}

TEST_F(ExecutorTransaction, RefusesACostThatOverflows) {
  reconfigure([](protocol::ChainConfig& chain) {
    chain.fee_cap = Uint256::max();
    chain.executor_budget = Uint256::max();
  });
  TestTransaction transaction = world.good_transaction();
  transaction.fee = Uint256::max();
  EXPECT_EQ(sign(transaction), Error::transaction_fee_over_cap);
}

TEST_F(ExecutorTransaction, RefusesAnAccessList) {
  TestTransaction transaction = world.good_transaction();
  transaction.access_list = rlp_list({rlp_list({rlp_string(kShop), rlp_list({})})});
  EXPECT_EQ(sign(transaction), Error::transaction_access_list);
}

TEST_F(ExecutorTransaction, RefusesAWrongChain) {
  TestTransaction transaction = world.good_transaction();
  transaction.chain_id = Uint256(1);
  EXPECT_EQ(sign(transaction), Error::transaction_wrong_chain);
  // Configured, but the key is of one chain.
  transaction.chain_id = Uint256(kOtherChain);
  EXPECT_EQ(sign(transaction), Error::transaction_wrong_chain);
  transaction.chain_id = Uint256(0);
  EXPECT_EQ(sign(transaction), Error::transaction_wrong_chain);
}

TEST_F(ExecutorTransaction, RefusesOtherTypes) {
  const Bytes good = world.good_transaction().encode();
  for (const int type : {0, 1, 3, 5, 0x7f}) {
    Bytes other = good;
    other[0] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(sign_bytes(other), Error::transaction_type_not_allowed) << type;
  }
  // Legacy transactions are a list without a type.
  EXPECT_EQ(sign_bytes(ByteView(good).subspan(1)), Error::transaction_type_not_allowed);
  EXPECT_EQ(sign_bytes({}), Error::transaction_type_not_allowed);
}

TEST_F(ExecutorTransaction, CancelsOnlyWithAnEmptyTransactionToItself) {
  TestTransaction transaction = world.good_transaction();
  transaction.to = to_bytes(world.executor_address);
  transaction.data = {};
  transaction.gas_limit = Uint256(21'000);
  EXPECT_EQ(sign(transaction), Error::ok);
  TestTransaction bad = transaction;
  bad.data = Bytes{0};
  EXPECT_EQ(sign(bad), Error::transaction_not_to_entry_point);
  bad = transaction;
  bad.value = Uint256(1);
  EXPECT_EQ(sign(bad), Error::transaction_has_value);
  bad = transaction;
  bad.type = 4;
  bad.authorizations = rlp_list({authorization(1, kShop, 0, 0, 1, 1)});
  EXPECT_EQ(sign(bad), Error::transaction_not_to_entry_point);
  bad = transaction;
  bad.fee = Uint256(100'000'000'001);
  EXPECT_EQ(sign(bad), Error::transaction_fee_over_cap);
}

TEST_F(ExecutorTransaction, SignsABundleWithAuthorizations) {
  const Bytes one = authorization(Uint256(kChain), kShop, 7, 1, Uint256::max(), Uint256(1));
  EXPECT_EQ(sign(type4(one)), Error::ok);
  EXPECT_EQ(sign(type4(join({one, one, authorization(0, kShop, 0, 0, 1, 1)}))), Error::ok);
}

TEST_F(ExecutorTransaction, RefusesMalformedAuthorizations) {
  EXPECT_EQ(sign(type4({})), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(authorization(1, kShop, 0, 2, 1, 1))), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(authorization(1, Bytes(19), 0, 0, 1, 1))), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(authorization(1, Bytes{}, 0, 0, 1, 1))), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(authorization(1, kShop, *multiply(Uint256(1ull << 63), Uint256(2)), 0, 1, 1))),
            Error::authorization_malformed);
  // A member too few, a member too many, a string instead of a list, a list instead of a number
  const Bytes one = rlp_number(1), to = rlp_string(kShop), none = rlp_number(0);
  EXPECT_EQ(sign(type4(rlp_list({one, to, none, none, one}))), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(rlp_list({one, to, none, none, one, one, one}))), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(rlp_string(kShop))), Error::authorization_malformed);
  EXPECT_EQ(sign(type4(rlp_list({one, to, none, none, one, rlp_list({})}))), Error::authorization_malformed);
  // 33 bytes
  EXPECT_EQ(sign(type4(rlp_list({one, to, none, none, rlp_string(Bytes(33, 1)), one}))),
            Error::authorization_malformed);
  // Leading zero
  EXPECT_EQ(sign(type4(rlp_list({one, to, none, none, rlp_string(Bytes{0, 1}), one}))), Error::authorization_malformed);
}

TEST_F(ExecutorTransaction, Type4NeedsItsListAndType2HasNone) {
  TestTransaction transaction = world.good_transaction();
  transaction.type = 4;
  EXPECT_EQ(sign(transaction), Error::transaction_malformed);
  transaction.type = 2;
  transaction.authorizations = rlp_list({authorization(1, kShop, 0, 0, 1, 1)});
  EXPECT_EQ(sign(transaction), Error::transaction_malformed);
}

// One field of the transaction spelled in another way; everything else stays as it is.
TEST_F(ExecutorTransaction, RefusesEveryOtherSpellingOfANumber) {
  const TestTransaction good = world.good_transaction();
  auto with_nonce = [&](const Bytes& nonce) {
    Bytes bytes{2};
    append(bytes, rlp_list({rlp_number(good.chain_id), nonce, rlp_number(good.priority_fee), rlp_number(good.fee),
                            rlp_number(good.gas_limit), rlp_string(good.to), rlp_number(good.value),
                            rlp_string(good.data), good.access_list}));
    return sign_bytes(bytes);
  };
  EXPECT_EQ(with_nonce(unhex("05")), Error::ok);
  EXPECT_EQ(with_nonce(unhex("80")), Error::ok);
  EXPECT_EQ(with_nonce(unhex("8180")), Error::ok);
  for (const std::string_view bad : {
           "00",                    // zero as a byte
           "8105",                  // a small byte with a header
           "820005",                // leading zero
           "b80105",                // long form for a short string
           "b9000105",              // long form, length with a leading zero
           "c0", "c105",            // lists
           "89010000000000000000",  // more than 64 bits
           "bf7fffffffffffffff05",  // a length no message can have
           "bfffffffffffffffff05",  // a length near 2^64
       })
    EXPECT_EQ(with_nonce(unhex(bad)), Error::transaction_malformed) << bad;
}

TEST_F(ExecutorTransaction, RefusesRlpThatIsCutOffOrHasMore) {
  const Bytes good = world.good_transaction().encode();
  for (std::size_t size = 1; size < good.size(); size += 11)
    EXPECT_EQ(sign_bytes(ByteView(good).first(size)), Error::transaction_malformed) << size;
  Bytes more = good;
  more.push_back(0x80);
  EXPECT_EQ(sign_bytes(more), Error::transaction_malformed);
  // A list header in long form whose length would fit the short form.
  TestTransaction cancel = world.good_transaction();
  cancel.to = to_bytes(world.executor_address);
  cancel.data = {};
  const Bytes short_form = cancel.encode();
  ASSERT_LT(short_form[1], 0xf7);
  EXPECT_EQ(sign_bytes(short_form), Error::ok);
  Bytes long_form{2, 0xf8, static_cast<std::uint8_t>(short_form[1] - 0xc0)};
  append(long_form, ByteView(short_form).subspan(2));
  EXPECT_EQ(sign_bytes(long_form), Error::transaction_malformed);
  // A string where the list should be
  EXPECT_EQ(sign_bytes(unhex("0280")), Error::transaction_malformed);
  EXPECT_EQ(sign_bytes(unhex("02c0")), Error::transaction_malformed);
}

// --- plain functions -------------------------------------------------------------------------------------------------

TEST_F(ExecutorTransaction, SendsEveryPlainFunctionToAnybody) {
  TestTransaction transaction = world.good_transaction();
  for (const auto& function : ethereum::kPlainFunctions)
    for (const Address& to : {world.account, kStranger}) {
      transaction.to = to_bytes(to);
      transaction.data = to_bytes(function.selector);
      EXPECT_EQ(sign(transaction), Error::ok) << function.signature;
      append(transaction.data, Bytes(100, 7));
      EXPECT_EQ(sign(transaction), Error::ok) << function.signature;
    }
}

class PlainCall : public ExecutorTransaction {
 protected:
  PlainCall() {
    transaction.to = to_bytes(world.account);
    transaction.data = to_bytes(ethereum::kPlainFunctions[0].selector);
  }
  TestTransaction transaction = world.good_transaction();
};

TEST_F(PlainCall, NeedsAPlainFunctionsSelector) {
  // Nothing, too short, execute, transfer, approve(bytes32), createAccount, handleOps
  for (const std::string_view data :
       {"", "b787d7", "e9ae5c53", "a9059cbb", "a53a1adf", "a9ea858f", "765e827f", "b787d74d"}) {
    transaction.data = unhex(data);
    EXPECT_EQ(sign(transaction), Error::transaction_not_to_entry_point) << data;
  }
}

TEST_F(PlainCall, GoesToNoContractOfTheNodeAndNotToTheExecutor) {
  auto to = [&](const Address& address) {
    transaction.to = to_bytes(address);
    return sign(transaction);
  };
  EXPECT_EQ(to(kEntryPoint8), Error::transaction_not_handle_ops);
  EXPECT_EQ(to(kEntryPoint7), Error::transaction_not_handle_ops);
  EXPECT_EQ(to(kPaymaster8), Error::transaction_not_to_entry_point);
  EXPECT_EQ(to(kPaymaster7), Error::transaction_not_to_entry_point);
  EXPECT_EQ(to(kFactory), Error::transaction_not_create_account);
  EXPECT_EQ(to(world.executor_address), Error::transaction_not_to_entry_point);
}

TEST_F(PlainCall, CarriesNoValueNoListAndNoAuthorization) {
  TestTransaction bad = transaction;
  bad.value = Uint256(1);
  EXPECT_EQ(sign(bad), Error::transaction_has_value);
  bad = transaction;
  bad.access_list = rlp_list({rlp_list({rlp_string(kShop), rlp_list({})})});
  EXPECT_EQ(sign(bad), Error::transaction_access_list);
  bad = transaction;
  bad.type = 4;
  bad.authorizations = rlp_list({authorization(1, kShop, 0, 0, 1, 1)});
  EXPECT_EQ(sign(bad), Error::plain_call_type_not_allowed);
}

TEST_F(PlainCall, HasItsOwnGasCapUnderTheBundles) {
  transaction.gas_limit = Uint256(2'000'000);
  EXPECT_EQ(sign(transaction), Error::ok);
  transaction.gas_limit = Uint256(2'000'001);
  EXPECT_EQ(sign(transaction), Error::transaction_gas_over_cap);
  reconfigure([](protocol::ChainConfig& chain) { chain.bundle_gas_cap = 1'000'000; });
  transaction.gas_limit = Uint256(1'000'001);
  EXPECT_EQ(sign(transaction), Error::transaction_gas_over_cap);
  transaction.gas_limit = Uint256(1'000'000);
  transaction.fee = Uint256(100'000'000'001);
  EXPECT_EQ(sign(transaction), Error::transaction_fee_over_cap);
}

TEST_F(PlainCall, SpendsTheExecutorsBudget) {
  const Uint256 before = world.host.status().budgets[0].executor_left;
  ASSERT_EQ(sign(transaction), Error::ok);
  const Uint256 cost = *multiply(transaction.gas_limit, transaction.fee);
  EXPECT_EQ(world.host.status().budgets[0].executor_left, *subtract(before, cost));
  reconfigure([&](protocol::ChainConfig& chain) { chain.executor_budget = cost; });
  transaction.nonce = Uint256(1);
  EXPECT_EQ(sign(transaction), Error::budget_exhausted);
}

TEST_F(PlainCall, DeploysAnAccountByTheConfiguredFactoryInOneEncoding) {
  const Bytes call = create_account(Address{}, world.init_data);
  transaction.data = Bytes(call.begin() + 20, call.end());
  const TestTransaction to_account = transaction;
  EXPECT_EQ(sign(to_account), Error::transaction_not_to_entry_point);
  transaction.to = to_bytes(kFactory);
  EXPECT_EQ(sign(transaction), Error::ok);
  TestTransaction bad = transaction;
  bad.data.push_back(0);
  EXPECT_EQ(sign(bad), Error::transaction_not_create_account);
  bad.data.resize(3);
  EXPECT_EQ(sign(bad), Error::transaction_not_create_account);
  bad = transaction;
  bad.value = Uint256(1);
  EXPECT_EQ(sign(bad), Error::transaction_has_value);
  bad = transaction;
  bad.gas_limit = Uint256(2'000'001);
  EXPECT_EQ(sign(bad), Error::transaction_gas_over_cap);
}

TEST_F(ExecutorTransaction, SignsOnlyWithExecutorKeys) {
  const Bytes transaction = world.good_transaction().encode();
  const OwnedProof paymaster = world.host.proof(world.paymaster);
  EXPECT_EQ(
      world.host.refusal(Command::sign_transaction, protocol::SignTransactionRequest{paymaster.view(), transaction}),
      Error::wrong_purpose);
  const OwnedProof wallet = world.host.proof(world.wallet);
  EXPECT_EQ(world.host.refusal(Command::sign_transaction, protocol::SignTransactionRequest{wallet.view(), transaction}),
            Error::record_wrong_type);
}

// Keys that were opened lately are not opened again. What is not the same proof, to the last byte, is not one of them.
TEST(OpenedKeys, AreKnownByTheirWholeProofUnderTheirRoot) {
  World world;
  const Bytes transaction = world.good_transaction().encode();
  const auto sign = [&world, &transaction](const OwnedProof& proof) {
    return world.host.ask(Command::sign_transaction, protocol::SignTransactionRequest{proof.view(), transaction}).error;
  };
  const OwnedProof good = world.host.proof(world.executor);
  ASSERT_EQ(sign(good), Error::ok);
  ASSERT_EQ(sign(good), Error::ok);
  for (std::size_t i = 0; i < good.sealed.size(); i++) {
    OwnedProof changed = good;
    changed.sealed[i] ^= 1;
    EXPECT_NE(sign(changed), Error::ok) << i;
  }
  for (std::size_t i = 0; i < good.path.siblings.size(); i++) {
    OwnedProof changed = good;
    changed.path.siblings[i] ^= 1;
    EXPECT_EQ(sign(changed), Error::record_not_current) << i;
  }
  OwnedProof elsewhere = good;
  elsewhere.path.leaf ^= 1;
  EXPECT_NE(sign(elsewhere), Error::ok);
  ASSERT_EQ(sign(good), Error::ok);
  // The purpose is looked at each time.
  const OwnedProof paymaster = world.host.proof(world.paymaster);
  EXPECT_EQ(sign(paymaster), Error::wrong_purpose);
  EXPECT_EQ(sign(paymaster), Error::wrong_purpose);
  // Any COMMIT makes the path an old one.
  world.make_key(protocol::Purpose::executor, kChain);
  EXPECT_EQ(sign(good), Error::stale_path);
  EXPECT_EQ(sign(world.host.proof(world.executor)), Error::ok);
}

// More keys than are remembered: the forgotten ones are opened again.
TEST(OpenedKeys, MoreThanAreRememberedSignAsWell) {
  World world;
  std::vector<StoredRecord> executors;
  std::vector<Address> addresses(20);
  for (Address& address : addresses) executors.push_back(world.make_key(protocol::Purpose::executor, kChain, &address));
  for (int round = 0; round < 3; round++)
    for (std::size_t i = 0; i < executors.size(); i++) {
      TestTransaction transaction = world.good_transaction();
      transaction.data = handle_ops(2, addresses[i]);
      world.executor = executors[i];
      EXPECT_EQ(world.sign(transaction).error, Error::ok) << i;
    }
}

}  // namespace
}  // namespace community::trusted::testing
