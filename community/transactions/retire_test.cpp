// SPDX-License-Identifier: Apache-2.0
// Passkeys that an escape or a recovery took from an account: who logs in afterwards, and when nothing is decided.
#include "community/transactions/test_support/transaction_world.hpp"

#include "community/transactions/retire.hpp"

namespace community::transactions::test_support {
namespace {

using Retired = std::vector<std::string>;

class Retiring : public TransactionWorld {
 protected:
  Retiring() { journal = make_key_journal(kChain); }

  // The chain tells of new keys, as the account watcher hears it.
  void keys_change(std::uint32_t epoch, std::vector<accounts::InitPasskey> to) {
    key_epoch = epoch;
    passkeys = std::move(to);
    heard(epoch);
  }
  void heard(std::uint32_t epoch, const Address& account) {
    chain::Log log;
    log.address = account;
    log.topics = {core::event_topic("KeyEpochChanged(uint32)"), Uint256(epoch).to_be()};
    log.block_number = chain.head().number;
    const auto event = accounts::read_account_event(log).value();
    auto work = [this, event](soci::session& sql) { journal->came(sql, event, true, 0); };
    ASSERT_TRUE(loop.block_on(database->write(work)));
  }
  void heard(std::uint32_t epoch) { heard(epoch, alice); }
  long long rows(const std::string& condition) {
    auto read = [condition](soci::session& sql) {
      long long count = 0;
      sql << "SELECT COUNT(*) FROM transactions_key_epochs WHERE " + condition, soci::into(count);
      return count;
    };
    return loop.block_on(database->read(read)).value();
  }
  void until_compared() {
    until([this] { return rows("is_open = 1") == 0; });
  }
  // Past the block in which something is final, and looked at there.
  void become_final() { mine(3); }
  Retired retired() {
    const std::lock_guard lock(people.mutex);
    Retired out;
    for (const OwnedPasskeyChange& change : people.changes)
      out.insert(out.end(), change.retired.begin(), change.retired.end());
    return out;
  }

  std::unique_ptr<accounts::EventJournal> journal;
  Device third{13};
};

TEST_F(Retiring, WhatAnEscapeTookLogsNobodyInOnceItIsFinal) {
  run();
  keys_change(4, {second.on_chain()});
  mine(2);
  for (int i = 0; i < 20; i++) loop.block_on(infra::reschedule());
  EXPECT_TRUE(retired().empty()) << "a block that may still be replaced decides nothing";
  mine(1);
  until_compared();
  EXPECT_EQ(retired(), Retired{people.own[0].passkey_id});
  EXPECT_EQ(people.changes.at(0).wallet_id, wallet_id);
  EXPECT_TRUE(people.changes.at(0).activated.empty());
}

TEST_F(Retiring, IsNotForgottenByACrash) {
  keys_change(4, {second.on_chain()});
  restart();
  become_final();
  run();
  until_compared();
  EXPECT_EQ(retired(), Retired{people.own[0].passkey_id});
}

// Who moved to another node reads, exports and deletes here with what there is.
TEST_F(Retiring, NobodyIsLockedOutWhenTheAccountLeaves) {
  run();
  keys_change(4, {third.on_chain()});
  become_final();
  until_compared();
  EXPECT_TRUE(retired().empty());
}

TEST_F(Retiring, APasskeyOfAnotherAccountStays) {
  OwnedWallet other;
  other.wallet_id = "00000000-0000-4000-8000-00000000000d";
  other.account = test_address(0xa11cf);
  other.chain_ids = {kChain};
  people.more_wallets = {other};
  // The other account is as this one was.
  chain.set_code(other.account, {1});
  chain.on_call(other.account, [this, before = passkeys](const chain::CallRequest& request) mutable {
    std::swap(passkeys, before);
    auto answer = account_answer(request.data);
    std::swap(passkeys, before);
    return answer;
  });
  run();
  keys_change(4, {second.on_chain()});
  become_final();
  until_compared();
  EXPECT_TRUE(retired().empty());
}

// It has come with the passkey that an account of another node will have.
TEST_F(Retiring, APasskeyOfAWalletThatWaitsForItsAccountStays) {
  OwnedWallet incoming;
  incoming.wallet_id = "00000000-0000-4000-8000-00000000000d";
  people.more_wallets = {incoming};
  core.sealed_to = {first.on_chain().public_key};
  run();
  keys_change(4, {second.on_chain()});
  become_final();
  until_compared();
  EXPECT_TRUE(retired().empty());
}

TEST_F(Retiring, AChainThatIsAwayOrLagsCostsNothing) {
  run();
  // The server that answers has not heard of it: it still says what was before.
  heard(4);
  become_final();
  until([this] { return rows("is_open = 1 AND tried_at > 0") == 1; });
  EXPECT_TRUE(retired().empty());
  passkeys = {second.on_chain()};
  mine();
  for (int i = 0; i < 50; i++) loop.block_on(infra::reschedule());
  EXPECT_TRUE(retired().empty()) << "keys of another epoch than was heard of";
  chain.on_call(alice, [](const chain::CallRequest&) -> chain::ChainResult<Bytes> {
    return chain::chain_fail(chain::ChainErrorKind::timeout, "slow");
  });
  key_epoch = 4;
  mine();
  for (int i = 0; i < 50; i++) loop.block_on(infra::reschedule());
  EXPECT_TRUE(retired().empty());
  chain.on_call(alice, [this](const chain::CallRequest& request) { return account_answer(request.data); });
  mine();
  until_compared();
  EXPECT_EQ(retired(), Retired{people.own[0].passkey_id});
}

TEST_F(Retiring, WhatAChainOfNoServerHasIsNotGuessed) {
  people.owned.chain_ids = {kChain, 5};
  run();
  keys_change(4, {second.on_chain()});
  become_final();
  until_compared();
  EXPECT_TRUE(retired().empty());
}

TEST_F(Retiring, WhatAReorganisationTookIsNotLookedAt) {
  keys_change(4, {second.on_chain()});
  auto work = [this](soci::session& sql) { journal->went(sql, chain.head().number - 1); };
  ASSERT_TRUE(loop.block_on(database->write(work)));
  EXPECT_EQ(rows("1 = 1"), 0);
}

TEST_F(Retiring, SomebodyElsesAccountIsForgotten) {
  run();
  heard(4, test_address(0xbad));
  become_final();
  until([this] { return rows("1 = 1") == 0; });
}

// What the watcher did not tell is seen by whoever looks at the account.
TEST_F(Retiring, IsNoticedByWhoLooks) {
  passkeys = {second.on_chain()};
  key_epoch = 4;
  ASSERT_TRUE(loop.block_on(service->wallet_state(person, wallet_id, kChain, {})));
  EXPECT_EQ(rows("is_open = 1 AND key_epoch = 4"), 1);
  become_final();
  run();
  until_compared();
  EXPECT_EQ(retired(), Retired{people.own[0].passkey_id});
}

class RetiringWithChanges : public Retiring {
 protected:
  Transaction added() {
    people.own.push_back(third.owned("00000000-0000-4000-8000-0000000000a3", "New telephone"));
    people.own.back().is_active = false;
    KeysOrder order;
    order.added = {people.own.back().passkey_id};
    return prepared(order);
  }
};

TEST_F(RetiringWithChanges, APasskeyOnItsWayIntoTheAccountStays) {
  (void)sent(added());
  people.own.back().is_active = true;
  heard(3);
  run();
  become_final();
  until_compared();
  EXPECT_TRUE(retired().empty());
  // An escape voids what waited: it never comes into the account.
  keys_change(4, {second.on_chain()});
  become_final();
  until_compared();
  EXPECT_EQ(retired(), (Retired{people.own[0].passkey_id, people.own[2].passkey_id}));
}

// Of whoever held the old passkey, prepared before the escape and signed after it.
TEST_F(RetiringWithChanges, WhatAnEarlierEpochSignedBringsNoPasskeyIntoUse) {
  const Transaction late = added();
  keys_change(4, {second.on_chain()});
  expect_refusal(send(late, first), ErrorCode::transaction_expired);
  EXPECT_TRUE(people.changes.empty());
  EXPECT_EQ(now(late).state, State::prepared);
}

TEST(ChooseRetired, BothStatesCount) {
  const Device first{11}, second{12};
  std::vector<OwnedPasskey> own{first.owned("a", "A"), second.owned("b", "B")};
  accounts::AccountState then, now;
  then.passkeys = {{0, first.on_chain()}};
  now.passkeys = {{0, second.on_chain()}};
  HeldKeys held;
  held.add(1, test_address(1), then);
  EXPECT_EQ(choose_retired(own, held, {}), Retired{"b"});
  held.add(1, test_address(1), now);
  EXPECT_TRUE(choose_retired(own, held, {}).empty()) << "added lately, in a block that is not final";
  own[1].is_active = false;
  HeldKeys before;
  before.add(1, test_address(1), then);
  EXPECT_TRUE(choose_retired(own, before, {}).empty()) << "what is good for nothing is left alone";
}

}  // namespace
}  // namespace community::transactions::test_support
