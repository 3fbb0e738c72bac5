// SPDX-License-Identifier: Apache-2.0
// Wallets for accounts that began elsewhere: made once, seen by nobody before they have an account, and given one that
// another wallet had here.
#include "community/users/test_support/people_world.hpp"

namespace community::users::test_support {
namespace {

class IncomingTest : public PeopleTest {
 protected:
  Identity identity_of(const Registered& who) { return {who.logged_in.person, who.logged_in.session.session}; }
  std::optional<std::string> enter(const ArrivedAccount& arrived) {
    auto work = [this, arrived](soci::session& sql) { return people->enter_account(sql, arrived); };
    return wait(database->write(work)).value();
  }
  std::vector<Wallet> wallets(const Registered& who) {
    return wait(people->get_user_wallets(who.logged_in.person.user_id)).value();
  }
  const AccountOnChain account{1, core::Address{0xac}};
};

TEST_F(IncomingTest, AWalletIsMadeOnceAndIsInNoListBeforeItHasAnAccount) {
  const Registered ada = register_person("ada@example.com", Device(1));
  const std::string user_id = ada.logged_in.person.user_id;
  const auto made = wait(people->create_incoming_wallet(identity_of(ada), "arrival 1"));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(made->origin);
  EXPECT_TRUE(made->accounts.empty());
  // Again, and after a restart.
  EXPECT_EQ(wait(people->create_incoming_wallet(identity_of(ada), "arrival 1"))->wallet_id, made->wallet_id);
  start();
  EXPECT_EQ(wait(people->create_incoming_wallet(identity_of(ada), "arrival 1"))->wallet_id, made->wallet_id);
  EXPECT_EQ(wallets(ada).size(), 1u);
  EXPECT_EQ(wait(people->wallet(user_id, made->wallet_id)).error().code, ErrorCode::not_found);
  WalletChange change;
  change.make_primary = true;
  EXPECT_EQ(wait(people->update_wallet(user_id, made->wallet_id, change)).error().code, ErrorCode::not_found);
  ASSERT_EQ(wait(people->incoming_wallets(user_id))->size(), 1u);

  EXPECT_FALSE(enter({user_id, made->wallet_id, account, "Brought", 7}));
  EXPECT_TRUE(wait(people->incoming_wallets(user_id))->empty());
  ASSERT_EQ(wallets(ada).size(), 2u);
  const Wallet arrived = wait(people->wallet(user_id, made->wallet_id)).value();
  EXPECT_EQ(arrived.address, account.address);
  EXPECT_EQ(arrived.alias, "Brought");
  EXPECT_FALSE(arrived.is_primary);
  EXPECT_TRUE(arrived.recovery_file_saved);
  // The same again changes nothing; on another chain it is the same wallet.
  EXPECT_FALSE(enter({user_id, made->wallet_id, account, "Else", 8}));
  EXPECT_FALSE(enter({user_id, made->wallet_id, {10, account.address}, "Else", 8}));
  EXPECT_EQ(wait(people->wallet(user_id, made->wallet_id))->accounts.size(), 2u);
  EXPECT_EQ(wait(people->wallet(user_id, made->wallet_id))->alias, "Brought");
}

TEST_F(IncomingTest, AStopWhileTheCoreIsAskedIsFinishedLater) {
  const Registered ada = register_person("ada@example.com", Device(1));
  core.is_away = true;
  EXPECT_EQ(wait(people->create_incoming_wallet(identity_of(ada), "arrival 1")).error().code,
            ErrorCode::core_unavailable);
  EXPECT_EQ(rows("wallet_intents"), 1);
  core.is_away = false;
  start();
  const auto made = wait(people->create_incoming_wallet(identity_of(ada), "arrival 1"));
  ASSERT_TRUE(made);
  EXPECT_EQ(rows("wallet_intents"), 0);
  EXPECT_EQ(core.records.size(), 2u);
}

TEST_F(IncomingTest, TheyCountAmongTheWalletsThatOneMayHave) {
  const Registered ada = register_person("ada@example.com", Device(1));
  for (std::size_t i = 1; i < kMaxWallets; i++)
    ASSERT_TRUE(wait(people->create_incoming_wallet(identity_of(ada), "arrival " + std::to_string(i))));
  EXPECT_EQ(wait(people->create_incoming_wallet(identity_of(ada), "one more")).error().code,
            ErrorCode::too_many_wallets);
}

TEST_F(IncomingTest, AnAccountThatCameToAnotherWalletLeavesTheOneThatHadIt) {
  const Registered ada = register_person("ada@example.com", Device(1)),
                   bob = register_person("bob@example.com", Device(2));
  const std::string ada_id = ada.logged_in.person.user_id, bob_id = bob.logged_in.person.user_id;
  const auto first = wait(people->create_incoming_wallet(identity_of(ada), "arrival 1"));
  const auto second = wait(people->create_incoming_wallet(identity_of(bob), "arrival 1"));
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(enter({ada_id, first->wallet_id, account, {}, 7}));
  EXPECT_EQ(enter({bob_id, second->wallet_id, account, {}, 8}), ada_id);
  EXPECT_EQ(wait(people->wallet(ada_id, first->wallet_id)).error().code, ErrorCode::not_found);
  EXPECT_EQ(wait(people->wallet(bob_id, second->wallet_id))->address, account.address);
  // Within one person nobody has to be told.
  const auto third = wait(people->create_incoming_wallet(identity_of(bob), "arrival 2"));
  EXPECT_FALSE(enter({bob_id, third->wallet_id, account, {}, 9}));
  EXPECT_EQ(wallets(bob).size(), 2u);
}

TEST_F(IncomingTest, ItsPasskeyIsInUse) {
  const Registered ada = register_person("ada@example.com", Device(1));
  const std::string user_id = ada.logged_in.person.user_id;
  ASSERT_TRUE(wait(people->create_incoming_wallet(identity_of(ada), "arrival 1")));
  const auto passkey = wait(people->passkeys(user_id)).value().front();
  EXPECT_TRUE(wait(people->is_held(user_id, passkey.credential_id, ada.wallet.wallet_id)).value());
}

}  // namespace
}  // namespace community::users::test_support
