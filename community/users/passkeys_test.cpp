// SPDX-License-Identifier: Apache-2.0
// Further passkeys: checked, kept without power, brought into use and taken out of it by changes of a wallet's keys.
#include "community/users/api/ended.hpp"
#include "community/users/test_support/people_world.hpp"

namespace community::users::test_support {
namespace {

class PasskeysTest : public PeopleTest {
 protected:
  PasskeysTest() {
    const Registered ada = register_person("ada@example.com", device);
    user_id = ada.logged_in.person.user_id;
    wallet_id = ada.wallet.wallet_id;
    first_id = wait(people->passkeys(user_id)).value().front().profile_id;
  }
  Result<PasskeyProfile> add(const Device& which) {
    const auto question = wait(people->begin_passkey(user_id));
    EXPECT_TRUE(question);
    return wait(people->add_passkey(user_id, which.create(question->challenge)));
  }
  void enter(const PasskeyChange& change) {
    auto work = [this, change](soci::session& sql) { people->enter_passkeys(sql, change); };
    ASSERT_TRUE(wait(database->write(work)));
  }
  bool logs_in(const Device& which) { return log_in(which.get(people->begin_log_in())).has_value(); }
  template <class T>
  static std::string refusal(const Result<T>& result) {
    return result ? "done" : std::string(name(result.error().code)) + " " + result.error().message;
  }
  std::vector<PasskeyProfile> all() { return wait(people->passkeys(user_id)).value(); }

  Device device, second{2};
  std::string user_id, wallet_id, first_id;
};

TEST_F(PasskeysTest, OneIsOfNoUseBeforeAWalletTakesIt) {
  const auto question = wait(people->begin_passkey(user_id));
  ASSERT_TRUE(question);
  ASSERT_EQ(question->known_credential_ids.size(), 1u);
  EXPECT_EQ(question->known_credential_ids.front(), device.credential_id);
  const auto added = wait(people->add_passkey(user_id, second.create(question->challenge)));
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_FALSE(added->is_active);
  EXPECT_FALSE(logs_in(second));
  enter({user_id, wallet_id, {added->profile_id}, {}});
  EXPECT_TRUE(logs_in(second));
  EXPECT_EQ(events()[events().size() - 2], "BiometricSetup");
  // Of another wallet's change: nothing more happens.
  enter({user_id, wallet_id, {added->profile_id}, {}});
  EXPECT_EQ(events().back(), "UserAuthenticated");
}

TEST_F(PasskeysTest, AChallengeIsOnePersonsOnceAndOfThisPurpose) {
  const auto question = wait(people->begin_passkey(user_id));
  ASSERT_TRUE(question);
  const Registered bob = register_person("bob@example.com", Device(3));
  const NewPasskey made = second.create(question->challenge);
  EXPECT_EQ(refusal(wait(people->add_passkey(bob.logged_in.person.user_id, made))),
            "passkey_refused challenge_unknown");
  EXPECT_TRUE(wait(people->add_passkey(user_id, made)));
  EXPECT_EQ(refusal(wait(people->add_passkey(user_id, made))), "passkey_refused challenge_unknown");
  const NewPasskey of_log_in = second.create(people->begin_log_in());
  EXPECT_EQ(refusal(wait(people->add_passkey(user_id, of_log_in))), "passkey_refused challenge_unknown");
  const auto late = wait(people->begin_passkey(user_id));
  clock.advance(kChallengeLife);
  EXPECT_EQ(refusal(wait(people->add_passkey(user_id, second.create(late->challenge)))),
            "passkey_refused challenge_unknown");
  // The reverse: what a device made for a new passkey logs nobody in.
  EXPECT_FALSE(log_in(device.get(wait(people->begin_passkey(user_id))->challenge)));
}

TEST_F(PasskeysTest, ADeviceThatIsKnownAndAnotherPagesAreRefused) {
  EXPECT_EQ(refusal(add(device)), "passkey_refused credential_id_known");
  Device elsewhere(4);
  elsewhere.origin = "https://evil.example";
  EXPECT_EQ(refusal(add(elsewhere)).rfind("passkey_refused ", 0), 0u);
  EXPECT_EQ(all().size(), 1u);
}

TEST_F(PasskeysTest, TheOldestThatNobodyTookMakesRoom) {
  std::vector<std::string> ids;
  for (std::uint8_t i = 0; i < 5; i++) {
    clock.advance(infra::Milliseconds(1));
    const auto added = add(Device(static_cast<std::uint8_t>(10 + i)));
    ASSERT_TRUE(added) << added.error().message;
    ids.push_back(added->profile_id);
  }
  EXPECT_EQ(all().size(), 1 + kMaxPendingPasskeys);
  for (const PasskeyProfile& one : all()) EXPECT_NE(one.profile_id, ids.front());
  // Ids that are gone are passed over.
  enter({user_id, wallet_id, {ids.front()}, {ids.front()}});
}

TEST_F(PasskeysTest, OnlyWhatNoWalletTakesIsRemoved) {
  const auto added = add(second);
  ASSERT_TRUE(added);
  EXPECT_EQ(wait(people->remove_passkey(user_id, first_id)).error().code, ErrorCode::passkey_in_use);
  core.records.begin()->second.further = {second.credential_id};
  EXPECT_EQ(wait(people->remove_passkey(user_id, added->profile_id)).error().code, ErrorCode::passkey_in_use);
  core.is_away = true;
  EXPECT_EQ(wait(people->remove_passkey(user_id, added->profile_id)).error().code, ErrorCode::core_unavailable);
  core.is_away = false;
  core.records.begin()->second.further.clear();
  const Registered bob = register_person("bob@example.com", Device(3));
  EXPECT_EQ(wait(people->remove_passkey(bob.logged_in.person.user_id, added->profile_id)).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(wait(people->remove_passkey(user_id, added->profile_id)));
  EXPECT_EQ(all().size(), 1u);
}

TEST_F(PasskeysTest, OneThatGoesEndsItsSessions) {
  const auto added = add(second);
  ASSERT_TRUE(added);
  enter({user_id, wallet_id, {added->profile_id}, {}});
  const auto session = log_in(second.get(people->begin_log_in()));
  ASSERT_TRUE(session);
  enter({user_id, wallet_id, {}, {added->profile_id}});
  EXPECT_EQ(wait(people->identify(session->session.token)).error().code, ErrorCode::not_logged_in);
  EXPECT_FALSE(logs_in(second));
  EXPECT_TRUE(logs_in(device));
  EXPECT_EQ(events()[events().size() - 2], "PasskeyRemoved");
}

// The browser that held it can be told why it is logged out, and nobody else can.
TEST_F(PasskeysTest, ASessionWithoutItsPasskeyIsOverAndSaysWhy) {
  const auto added = add(second);
  ASSERT_TRUE(added);
  enter({user_id, wallet_id, {added->profile_id}, {}});
  const auto session = log_in(second.get(people->begin_log_in()));
  const auto other = log_in(device.get(people->begin_log_in()));
  ASSERT_TRUE(session && other);
  const std::string token = session->session.token;
  const std::size_t before = wait(people->sessions(user_id)).value().size();
  const auto why = [this](const std::string& text) {
    const auto identity = wait(people->identify(text));
    EXPECT_EQ(identity.error().code, ErrorCode::not_logged_in);
    return identity.error().message;
  };
  enter({user_id, wallet_id, {}, {added->profile_id}});
  EXPECT_EQ(why(token), kPasskeyRemoved);
  EXPECT_EQ(wait(people->sessions(user_id)).value().size(), before - 1);
  EXPECT_TRUE(wait(people->identify(other->session.token)));
  // One that was ended otherwise, another token, and no token at all.
  ASSERT_TRUE(wait(people->revoke_session(user_id, other->session.session.session_id)));
  for (const std::string& text : {other->session.token, std::string(43, 'A'), std::string("x"), std::string()})
    EXPECT_EQ(why(text), "") << text;
  clock.advance(std::chrono::hours(25));
  EXPECT_EQ(why(token), "") << "it would have expired by now";
}

TEST_F(PasskeysTest, TheLastOneIsNeverRetired) {
  const auto added = add(second);
  ASSERT_TRUE(added);
  enter({user_id, wallet_id, {}, {first_id}});
  EXPECT_TRUE(logs_in(device)) << "the other one is in no use yet";
  enter({user_id, wallet_id, {added->profile_id}, {first_id, added->profile_id}});
  EXPECT_FALSE(logs_in(device));
  EXPECT_TRUE(logs_in(second));
}

TEST_F(PasskeysTest, AnAccountHasAnOwner) {
  const Wallet wallet = wait(people->wallet(user_id, wallet_id)).value();
  EXPECT_EQ(wait(people->owner(wallet.accounts.front())).value(), user_id);
  AccountOnChain elsewhere = wallet.accounts.front();
  elsewhere.chain_id++;
  EXPECT_EQ(wait(people->owner(elsewhere)).value(), std::nullopt);
}

TEST_F(PasskeysTest, AWalletThatIsUsedSaysWhen) {
  auto work = [this](soci::session& sql) { people->note_wallet_used(sql, wallet_id, 10, 77); };
  ASSERT_TRUE(wait(database->write(work)));
  EXPECT_EQ(wait(people->wallet(user_id, wallet_id))->last_used_ms, 77);
}

}  // namespace
}  // namespace community::users::test_support
