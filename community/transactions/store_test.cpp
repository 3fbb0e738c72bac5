// SPDX-License-Identifier: Apache-2.0
// What is kept, and how much of it.
#include "community/transactions/store.hpp"

#include "community/transactions/test_support/transaction_world.hpp"

namespace community::transactions::test_support {
namespace {

class Storing : public TransactionWorld {
 protected:
  Stored row(std::size_t number) const {
    Stored out;
    out.transaction.transaction_id = "transaction " + std::to_string(number);
    out.transaction.sequence = number + 1;
    out.transaction.user_id = person;
    out.transaction.wallet_id = wallet_id;
    out.transaction.account = alice;
    out.transaction.chain_id = kChain;
    out.transaction.state = State::final_;
    out.transaction.signed_ms = 1;
    out.is_over = true;
    return out;
  }
  long long rows(const std::string& table) {
    auto read = [table](soci::session& sql) {
      long long count = 0;
      sql << "SELECT COUNT(*) FROM " + table, soci::into(count);
      return count;
    };
    return loop.block_on(database->read(read)).value_or(-1);
  }
};

TEST_F(Storing, HistoryIsTrimmedToItsLimitAndNothingThatIsOpenGoes) {
  constexpr std::size_t kTooMany = 10;
  auto fill = [this](soci::session& sql) {
    for (std::size_t i = 0; i < kMaxHistory + kTooMany; i++) {
      Stored one = row(i);
      // The oldest of all is still under way.
      one.is_over = i != 0;
      store::insert(sql, one);
    }
    Stored other = row(kMaxHistory + kTooMany);
    other.transaction.wallet_id = "another wallet";
    store::insert(sql, other);
    store::trim(sql, wallet_id);
  };
  ASSERT_TRUE(loop.block_on(database->write(fill)));
  EXPECT_EQ(rows("transactions_entries"), static_cast<long long>(kMaxHistory) + 2);
  auto look = [this](soci::session& sql) -> std::vector<bool> {
    return {store::find(sql, person, row(0).transaction.transaction_id).has_value(),
            store::find(sql, person, row(1).transaction.transaction_id).has_value(),
            store::find(sql, person, row(kTooMany - 1).transaction.transaction_id).has_value(),
            store::find(sql, person, row(kTooMany).transaction.transaction_id).has_value()};
  };
  EXPECT_EQ(loop.block_on(database->read(look)).value(), (std::vector<bool>{true, false, false, true}));
  auto again = [this](soci::session& sql) { store::trim(sql, wallet_id); };
  ASSERT_TRUE(loop.block_on(database->write(again)));
  EXPECT_EQ(rows("transactions_entries"), static_cast<long long>(kMaxHistory) + 2);
}

TEST_F(Storing, TheRecipientsUsedLatestAreRemembered) {
  auto fill = [this](soci::session& sql) {
    for (std::size_t i = 0; i < store::kMaxRecipients + 5; i++) {
      Stored one = row(i);
      one.recipients = {test_address(1'000 + i)};
      store::note_recipients(sql, one, static_cast<std::int64_t>(i + 1));
    }
  };
  ASSERT_TRUE(loop.block_on(database->write(fill)));
  EXPECT_EQ(rows("transactions_recipients"), static_cast<long long>(store::kMaxRecipients));
  auto read = [this](soci::session& sql) { return store::recipients(sql, kChain, alice); };
  const auto kept = loop.block_on(database->read(read)).value();
  ASSERT_EQ(kept.size(), store::kMaxRecipients);
  EXPECT_EQ(kept.front(), test_address(1'000 + store::kMaxRecipients + 4));
  EXPECT_EQ(kept.back(), test_address(1'005));
}

TEST_F(Storing, GrantsGoWhenTheyAreOver) {
  StoredGrant grant;
  grant.id = Bytes32{1};
  grant.ticket = Bytes32{2};
  grant.grant.selectors = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  grant.grant.target = bob;
  grant.grant.value_total = ether(3);
  grant.grant.valid_until_s = 100;
  auto keep = [this, grant](soci::session& sql) { store::insert_grant(sql, row(0).transaction, grant); };
  ASSERT_TRUE(loop.block_on(database->write(keep)));
  auto read = [this](soci::session& sql) { return store::grant(sql, person, Bytes32{1}); };
  const auto found = loop.block_on(database->read(read)).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ticket, (Bytes32{2}));
  const accounts::AccountOnChain where{kChain, alice};
  EXPECT_EQ(accounts::grant_id(where, 3, found->grant), accounts::grant_id(where, 3, grant.grant));
  auto foreign = [this](soci::session& sql) { return store::grant(sql, stranger, Bytes32{1}); };
  EXPECT_FALSE(loop.block_on(database->read(foreign)).value());
  auto sweep = [](soci::session& sql) {
    store::remove_grants(sql, 100'000);
    return store::grant(sql, "", Bytes32{1}).has_value();
  };
  ASSERT_TRUE(loop.block_on(database->write(sweep)));
  EXPECT_EQ(rows("transactions_grants"), 1);
  auto late = [](soci::session& sql) { store::remove_grants(sql, 100'001); };
  ASSERT_TRUE(loop.block_on(database->write(late)));
  EXPECT_EQ(rows("transactions_grants"), 0);
}

}  // namespace
}  // namespace community::transactions::test_support
