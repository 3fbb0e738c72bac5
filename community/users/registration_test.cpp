// SPDX-License-Identifier: Apache-2.0
// Registration: codes, passkeys, the two phases with the trusted core, and everything that somebody could try.
#include <set>

#include "community/users/test_support/people_world.hpp"

namespace community::users::test_support {
namespace {

using RegistrationTest = PeopleTest;

TEST_F(RegistrationTest, MakesAPersonWithPasskeyWalletAccountsAndSession) {
  const Device device;
  const Registered made = register_person("Ada@Example.com", device);
  const Person& person = made.logged_in.person;
  EXPECT_EQ(person.email, "Ada@example.com");
  EXPECT_EQ(person.locale, "en");
  EXPECT_TRUE(made.wallet.is_primary);
  ASSERT_EQ(made.wallet.accounts.size(), 2u);
  EXPECT_EQ(made.wallet.accounts[0].address, made.wallet.address);
  ASSERT_TRUE(made.wallet.origin);
  const auto init = accounts::read_init_data(made.wallet.origin->init_data);
  ASSERT_TRUE(init) << init.error().text();
  EXPECT_EQ(init->passkeys.front().public_key, device.public_key());
  EXPECT_EQ(init->passkeys.front().rp_id_hash, base::sha256(base::view("example.org")));
  EXPECT_EQ(init->server_key, core.records.begin()->second.server_key);
  EXPECT_EQ(init->escape_key, made.wallet.origin->escape_key);
  ASSERT_EQ(init->limits.size(), 2u);
  EXPECT_EQ(init->limits[1].per_day, core::Uint256(1'000'000));
  EXPECT_EQ(init->gas_caps[1].max_cost, core::Uint256(2'000));
  EXPECT_EQ(accounts::account_address(core.factory, core.proxy_init_code_hash, made.wallet.origin->init_data),
            made.wallet.address);
  EXPECT_EQ(core.records.begin()->second.passkey.credential_id, device.credential_id);

  const auto identity = wait(people->identify(made.logged_in.session.token));
  ASSERT_TRUE(identity) << name(identity.error().code);
  EXPECT_EQ(identity->person.user_id, person.user_id);
  const auto passkeys = wait(people->passkeys(person.user_id));
  ASSERT_EQ(passkeys->size(), 1u);
  EXPECT_EQ(passkeys->front().name, "Telephone");
  EXPECT_TRUE(passkeys->front().prf);
  EXPECT_TRUE(passkeys->front().backed_up());
  EXPECT_EQ(passkeys->front().transports, (std::vector<std::string>{"internal", "hybrid"}));
  EXPECT_EQ(rows("wallet_intents"), 0);
  EXPECT_EQ(events(), (std::vector<std::string>{"UserRegistered", "BiometricSetup", "WalletCreated"}));
}

TEST_F(RegistrationTest, KnownAndUnknownAddressesAreAnsweredAlike) {
  register_person("ada@example.com", Device());
  clock.advance(kCodeLife);
  const long long before = rows("registrations");
  const std::string known = ask_for_code("ADA@example.com"), unknown = ask_for_code("bob@example.com");
  EXPECT_EQ(known.size(), unknown.size());
  EXPECT_EQ(rows("registrations"), before + 2);
  const auto sent = mails();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_TRUE(sent[1].known);
  EXPECT_FALSE(sent[2].known);
  EXPECT_EQ(sent[1].code.size(), 8u);

  const auto proven = wait(people->prove_email(known, sent[1].code));
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, ErrorCode::already_registered);
  EXPECT_EQ(rows("users"), 1);
  // The code is used up.
  EXPECT_EQ(wait(people->prove_email(known, sent[1].code)).error().code, ErrorCode::registration_expired);
}

TEST_F(RegistrationTest, ACodeIsGuessedFiveTimes) {
  const std::string id = ask_for_code("ada@example.com");
  const std::string right = mails().back().code;
  const std::string wrong = right == "00000000" ? "00000001" : "00000000";
  for (int left = kCodeAttempts - 1; left >= 0; left--) {
    const auto refused = wait(people->prove_email(id, wrong));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::code_wrong);
    EXPECT_EQ(refused.error().attempts_left, left);
  }
  EXPECT_EQ(wait(people->prove_email(id, right)).error().code, ErrorCode::registration_expired);
  EXPECT_EQ(events(), (std::vector<std::string>{"SecurityViolation"}));
}

TEST_F(RegistrationTest, ACodeIsForItsRegistrationAndForAQuarterOfAnHour) {
  const std::string first = ask_for_code("ada@example.com"), first_code = mails().back().code;
  const std::string second = ask_for_code("bob@example.com"), second_code = mails().back().code;
  if (first_code != second_code) {
    EXPECT_EQ(wait(people->prove_email(second, first_code)).error().code, ErrorCode::code_wrong);
  }
  const auto typed = wait(people->prove_email(first, first_code.substr(0, 4) + " - " + first_code.substr(4)));
  EXPECT_TRUE(typed.has_value());
  EXPECT_EQ(wait(people->prove_email(first, "1234567")).error().field, "/code");
  clock.advance(kCodeLife);
  EXPECT_EQ(wait(people->prove_email(second, second_code)).error().code, ErrorCode::registration_expired);
  EXPECT_EQ(wait(people->prove_email("0f8fad5b-d9cb-469f-a165-70867728950e", second_code)).error().code,
            ErrorCode::registration_expired);
}

TEST_F(RegistrationTest, AnAddressGetsThreeCodesAndTheFourthAskedForIsAnsweredAlike) {
  for (int i = 0; i < 5; i++) EXPECT_FALSE(ask_for_code("ada@example.com").empty());
  EXPECT_EQ(mails().size(), std::size_t{kCodesPerAddress});
  EXPECT_EQ(rows("registrations"), 5);
  clock.advance(kCodeLife);
  ask_for_code("ada@example.com");
  EXPECT_EQ(mails().size(), std::size_t{kCodesPerAddress} + 1);
}

TEST_F(RegistrationTest, WhoAsksWithoutEndKeepsNobodyOutForEver) {
  for (int minute = 0; minute < 15; minute++) {
    ask_for_code("ada@example.com");
    clock.advance(infra::Milliseconds(60'000));
  }
  EXPECT_EQ(mails().size(), std::size_t{kCodesPerAddress});
  // The first code is a quarter of an hour old, though somebody asked every minute since.
  const std::string id = ask_for_code("ada@example.com");
  EXPECT_EQ(mails().size(), std::size_t{kCodesPerAddress} + 1);
  EXPECT_EQ(prove(id).user_name, "ada@example.com");
}

TEST_F(RegistrationTest, TheSamePageMayAskAgainForTheSameQuestion) {
  const std::string id = ask_for_code("ada@example.com");
  const PasskeyQuestion first = prove(id), second = prove(id);
  EXPECT_EQ(first.challenge, second.challenge);
  EXPECT_EQ(first.user_handle.size(), 16u);
  EXPECT_EQ(first.user_handle, second.user_handle);
}

TEST_F(RegistrationTest, NothingComesBeforeTheAddressIsProven) {
  const std::string id = ask_for_code("ada@example.com");
  const auto refused = set_up(id, Device().create(Bytes32{}));
  EXPECT_EQ(refused.error().code, ErrorCode::registration_expired);
  EXPECT_TRUE(core.records.empty());
}

TEST_F(RegistrationTest, ThePasskeyMustAnswerThisQuestionOfThisPage) {
  const std::string id = ask_for_code("ada@example.com");
  const Bytes32 challenge = prove(id).challenge;
  const auto refused = [&](const NewPasskey& passkey) {
    const auto outcome = set_up(id, passkey);
    return outcome ? "accepted" : std::string(name(outcome.error().code)) + " " + outcome.error().message;
  };
  Device device;
  EXPECT_EQ(refused(device.create(Bytes32{})), "passkey_refused challenge_mismatch");
  EXPECT_EQ(refused(device.create(challenge, "webauthn.get")), "passkey_refused client_data_wrong_type");
  device.origin = "https://example.org";
  EXPECT_EQ(refused(device.create(challenge)), "passkey_refused origin_not_allowed");
  device.origin = "https://example.org.evil.example:8443";
  EXPECT_EQ(refused(device.create(challenge)), "passkey_refused origin_not_allowed");
  device = Device();
  device.rp_id = "evil.example";
  EXPECT_EQ(refused(device.create(challenge)), "passkey_refused rp_id_mismatch");
  device = Device();
  device.flags = 0x19;
  EXPECT_EQ(refused(device.create(challenge)), "passkey_refused user_not_verified");
  device = Device();
  device.cross_origin = true;
  EXPECT_EQ(refused(device.create(challenge)), "passkey_refused cross_origin");
  device = Device();
  NewPasskey other = device.create(challenge);
  other.credential_id[0] ^= 1;
  EXPECT_EQ(refused(other), "passkey_refused credential_id_differs");
  NewPasskey off_curve = device.create(challenge);
  off_curve.attestation_object.back() ^= 1;
  EXPECT_EQ(refused(off_curve), "passkey_refused key_not_on_curve");
  NewPasskey nobody = device.create(challenge);
  nobody.escape_key = {};
  EXPECT_EQ(refused(nobody).substr(0, 13), "field_invalid");
  EXPECT_TRUE(core.records.empty());
  EXPECT_EQ(rows("wallet_intents"), 0);
  EXPECT_EQ(refused(device.create(challenge)), "accepted");
}

TEST_F(RegistrationTest, ACredentialBelongsToOnePerson) {
  const Device device;
  register_person("ada@example.com", device);
  const std::string id = ask_for_code("bob@example.com");
  const auto refused = set_up(id, device.create(prove(id).challenge));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "credential_id_known");
  EXPECT_EQ(core.records.size(), 1u);
}

TEST_F(RegistrationTest, TheSameAnswerAgainFindsTheSamePersonAndEndsTheLostSession) {
  const Device device;
  const std::string id = ask_for_code("ada@example.com");
  const NewPasskey passkey = device.create(prove(id).challenge);
  const auto first = set_up(id, passkey), second = set_up(id, passkey);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->logged_in.person.user_id, second->logged_in.person.user_id);
  EXPECT_EQ(first->wallet.address, second->wallet.address);
  EXPECT_EQ(core.records.size(), 1u);
  EXPECT_EQ(rows("sessions"), 1);
  EXPECT_EQ(wait(people->identify(first->logged_in.session.token)).error().code, ErrorCode::not_logged_in);
  EXPECT_TRUE(wait(people->identify(second->logged_in.session.token)).has_value());
  // Another answer is another person's.
  NewPasskey other = passkey;
  other.escape_key.fill(0xee);
  EXPECT_EQ(set_up(id, other).error().code, ErrorCode::already_registered);
  clock.advance(kCodeLife);
  EXPECT_EQ(set_up(id, passkey).error().code, ErrorCode::registration_expired);
}

TEST_F(RegistrationTest, AHundredRegistrationsOfOneAddressMakeOnePerson) {
  std::vector<std::pair<std::string, NewPasskey>> ready;
  // Proven before any of them has an account, as far as codes go; the rest never had one.
  for (int i = 0; i < 100; i++) {
    const std::string id = ask_for_code("ada@example.com");
    if (mails().size() <= static_cast<std::size_t>(i)) continue;
    Device device(static_cast<std::uint8_t>(i + 1));
    ready.emplace_back(id, device.create(prove(id).challenge));
  }
  ASSERT_EQ(ready.size(), std::size_t{kCodesPerAddress});
  std::size_t made = 0, refused = 0;
  std::set<std::string> people_made;
  auto all = [&]() -> Task<void> {
    infra::TaskGroup group(loop.executor());
    auto one = [&](const std::string& id, const NewPasskey& passkey) -> Task<void> {
      const auto outcome = co_await people->setup_biometric(id, passkey, client);
      made += outcome ? 1 : 0;
      if (outcome) people_made.insert(outcome->logged_in.person.user_id);
      refused += !outcome && outcome.error().code == ErrorCode::already_registered ? 1 : 0;
    };
    // Each answer many times at once, as impatient pages send them.
    for (int round = 0; round < 34; round++)
      for (const auto& [id, passkey] : ready) group.spawn(one(id, passkey));
    co_await group.join();
  };
  wait(all());
  EXPECT_EQ(people_made.size(), 1u);
  EXPECT_EQ(made, 34u);
  EXPECT_EQ(made + refused, 102u);
  EXPECT_EQ(rows("users"), 1);
  EXPECT_EQ(core.records.size(), 1u);
  EXPECT_EQ(rows("wallet_intents"), 0);
}

// --- the two phases --------------------------------------------------------------------------------------------------

TEST_F(RegistrationTest, AnAbsentCoreLeavesAnIntentThatTheSameAnswerFinishes) {
  const Device device;
  const std::string id = ask_for_code("ada@example.com");
  const NewPasskey passkey = device.create(prove(id).challenge);
  core.is_away = true;
  EXPECT_EQ(set_up(id, passkey).error().code, ErrorCode::core_unavailable);
  EXPECT_EQ(rows("users"), 0);
  EXPECT_EQ(rows("wallet_intents"), 1);
  // Meanwhile nobody else gets the address.
  const std::string other = ask_for_code("ada@example.com");
  EXPECT_EQ(wait(people->prove_email(other, mails().back().code)).error().code, ErrorCode::already_registered);
  core.is_away = false;
  EXPECT_TRUE(set_up(id, passkey).has_value());
  EXPECT_EQ(rows("users"), 1);
  EXPECT_EQ(rows("wallet_intents"), 0);
}

TEST_F(RegistrationTest, LostAnswersOfTheCoreMakeNoSecondWallet) {
  const Device device;
  const std::string id = ask_for_code("ada@example.com");
  const NewPasskey passkey = device.create(prove(id).challenge);
  core.lose_created = true;
  EXPECT_EQ(set_up(id, passkey).error().code, ErrorCode::core_unavailable);
  core.lose_created = false;
  core.lose_bound = true;
  EXPECT_EQ(set_up(id, passkey).error().code, ErrorCode::core_unavailable);
  EXPECT_EQ(set_up(id, passkey).error().code, ErrorCode::core_unavailable);
  core.lose_bound = false;
  const auto made = set_up(id, passkey);
  ASSERT_TRUE(made) << name(made.error().code);
  EXPECT_EQ(core.records.size(), 1u);
  EXPECT_EQ(made->wallet.accounts.size(), 2u);
}

TEST_F(RegistrationTest, AfterACrashTheNodeFinishesWhatItBegan) {
  const Device device;
  const std::string id = ask_for_code("ada@example.com");
  const NewPasskey passkey = device.create(prove(id).challenge);
  core.lose_bound = true;
  EXPECT_FALSE(set_up(id, passkey).has_value());
  core.lose_bound = false;
  start();
  infra::TaskGroup running(loop.executor());
  running.spawn(people->run());
  wait(clock.wait_for_sleepers(1));
  running.cancel();
  wait(running.join());
  EXPECT_EQ(rows("users"), 1);
  EXPECT_EQ(rows("wallet_origins"), 1);
  EXPECT_EQ(rows("wallet_intents"), 0);
  EXPECT_EQ(core.records.size(), 1u);
  EXPECT_NE(metrics.text().find("community_accounts_reconciled_total{what=\"finished\"} 1"), std::string::npos);
  // The page that lost its answer finds the person.
  EXPECT_TRUE(set_up(id, passkey).has_value());
}

TEST_F(RegistrationTest, HealthTellsOfWalletsThatWaitForTheCore) {
  const Device device;
  const std::string id = ask_for_code("ada@example.com");
  const NewPasskey passkey = device.create(prove(id).challenge);
  core.is_away = true;
  EXPECT_FALSE(set_up(id, passkey).has_value());
  start();
  EXPECT_EQ(people->report().state, infra::HealthState::ok) << "nobody looked yet";
  infra::TaskGroup running(loop.executor());
  running.spawn(people->run());
  wait(clock.wait_for_sleepers(1));
  EXPECT_EQ(people->report().state, infra::HealthState::degraded);
  EXPECT_EQ(people->report().words, "1 wallets wait for the trusted core");
  core.is_away = false;
  clock.advance(infra::Milliseconds(120'000));
  wait(clock.wait_for_sleepers(1));
  EXPECT_EQ(people->report().state, infra::HealthState::ok);
  running.cancel();
  wait(running.join());
}

TEST_F(RegistrationTest, WhatTheCoreRefusesIsNamedAndMakesNobody) {
  const Device device;
  const std::string id = ask_for_code("ada@example.com");
  core.refusal = protocol::Error::unknown_chain;
  const auto refused = set_up(id, device.create(prove(id).challenge));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::core_refused);
  EXPECT_EQ(refused.error().refusal, "unknown_chain");
  EXPECT_EQ(rows("users"), 0);
}

TEST_F(RegistrationTest, WhatExpiredIsRemoved) {
  for (int i = 0; i < 20; i++) ask_for_code("p" + std::to_string(i) + "@example.com");
  clock.advance(kCodeLife);
  infra::TaskGroup running(loop.executor());
  running.spawn(people->run());
  wait(clock.wait_for_sleepers(1));
  running.cancel();
  wait(running.join());
  EXPECT_EQ(rows("registrations"), 0);
}

TEST_F(RegistrationTest, AnOlderWalletGetsItsAccountOnAChainThatTheOperatorAdded) {
  const Device device;
  register_person("ada@example.com", device);
  // As a node has it that served chain 1 alone.
  auto before = [](soci::session& sql) { sql << "DELETE FROM wallet_bindings WHERE chain_id = 10"; };
  ASSERT_TRUE(wait(database->write(before)));
  ASSERT_EQ(core.records.size(), 1u);
  std::vector<protocol::AccountBinding>& bound = core.records.begin()->second.accounts;
  ASSERT_EQ(bound.size(), 2u);
  bound.pop_back();
  const auto restart_and_look = [this] {
    start();
    infra::TaskGroup running(loop.executor());
    running.spawn(people->run());
    wait(clock.wait_for_sleepers(1));
    running.cancel();
    wait(running.join());
  };
  core.is_away = true;
  restart_and_look();
  EXPECT_EQ(rows("wallet_bindings"), 1);
  core.is_away = false;
  core.lose_bound = true;
  restart_and_look();
  EXPECT_EQ(rows("wallet_bindings"), 1);
  EXPECT_EQ(bound.size(), 2u);
  core.lose_bound = false;
  for (int start = 0; start < 2; start++) {
    restart_and_look();
    EXPECT_EQ(rows("wallet_bindings"), 2);
    EXPECT_EQ(rows("(SELECT DISTINCT wallet_address FROM wallet_bindings) a"), 1);
    EXPECT_EQ(bound.size(), 2u);
  }
}

// --- what people write -----------------------------------------------------------------------------------------------

TEST_F(RegistrationTest, NamesAreKeptAsTheyWereWrittenAndNothingElseIsTaken) {
  const auto field_of = [&](RegisterRequest request) {
    const auto pending = wait(people->register_user(std::move(request), client));
    return pending ? std::string("accepted") : pending.error().field;
  };
  for (const char* good : {"Ada', '1'); DROP TABLE users; --", "<script>alert(1)</script>", "مريم",
                           "👩🏽‍🚀 ü", "张伟", "สมชาย", "%s%n{0}$(id)"})
    EXPECT_EQ(field_of({"ada@example.com", good, ""}), "accepted") << good;
  for (const std::string& bad :
       {std::string(10'000, 'a'), std::string(65, 'a'), std::string("a\nb"), std::string(" a"), std::string("a "),
        std::string("a\0b", 3), std::string("\u202egnp.exe"), std::string("\xff\xfe"), std::string("a\u2028b")})
    EXPECT_EQ(field_of({"ada@example.com", bad, ""}), "/username") << bad;
  EXPECT_EQ(field_of({"ada@example.com", "", "de"}), "/locale");
  EXPECT_EQ(field_of({"ada@example.com\r\nBcc: eve@example.com", "", ""}), "/email");
  EXPECT_EQ(rows("users"), 0);

  const std::string written = "<b>\"'; --\u05d0\u05d1 👍</b>";
  const std::string id = wait(people->register_user({"eve@example.com", written, "th"}, client))->registration_id;
  const auto made = set_up(id, Device(9).create(prove(id).challenge));
  ASSERT_TRUE(made) << name(made.error().code);
  EXPECT_EQ(made->logged_in.person.username, written);
  EXPECT_EQ(made->logged_in.person.locale, "th");
}

}  // namespace
}  // namespace community::users::test_support
