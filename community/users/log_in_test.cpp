// SPDX-License-Identifier: Apache-2.0
// Log-in and sessions: what logs a person in, and everything that must not.
#include "community/core/ecdsa.hpp"
#include "community/users/challenge_book.hpp"
#include "community/users/test_support/people_world.hpp"

namespace community::users::test_support {
namespace {

class LogInTest : public PeopleTest {
 protected:
  LogInTest() { user_id = register_person("ada@example.com", device).logged_in.person.user_id; }

  // The fixed word under which a refusal is counted, when exactly one log-in was refused since.
  std::string refused(const LogInAssertion& assertion) {
    const std::string before = metrics.text();
    const auto outcome = log_in(assertion);
    if (outcome) return "accepted";
    EXPECT_EQ(outcome.error().code, ErrorCode::passkey_refused);
    EXPECT_TRUE(outcome.error().message.empty()) << "one answer for every failure";
    std::istringstream lines(metrics.text());
    for (std::string line; std::getline(lines, line);) {
      constexpr std::string_view kSeries = "community_users_log_ins_total{result=\"";
      if (line.starts_with(kSeries) && before.find(line + "\n") == std::string::npos)
        return line.substr(kSeries.size(), line.find('"', kSeries.size()) - kSeries.size());
    }
    return "not counted";
  }

  Device device;
  std::string user_id, given;
};

TEST_F(LogInTest, AnAssertionOverAChallengeOfOursMakesASession) {
  const auto done = log_in(device.get(people->begin_log_in()));
  ASSERT_TRUE(done) << name(done.error().code);
  EXPECT_EQ(done->person.user_id, user_id);
  EXPECT_EQ(done->session.session.client.address, "203.0.113.7");
  EXPECT_EQ(done->session.token.size(), 43u);
  EXPECT_TRUE(wait(people->identify(done->session.token)).has_value());
  EXPECT_EQ(wait(people->passkeys(user_id))->front().last_verified_ms, clock.now_ms());
  EXPECT_EQ(events().back(), "UserAuthenticated");
}

TEST_F(LogInTest, AChallengeIsGoodOnceAndForFiveMinutes) {
  const LogInAssertion once = device.get(people->begin_log_in());
  EXPECT_EQ(refused(once), "accepted");
  EXPECT_EQ(refused(once), "challenge_unknown");
  const LogInAssertion late = device.get(people->begin_log_in());
  clock.advance(kChallengeLife);
  EXPECT_EQ(refused(late), "challenge_unknown");
  EXPECT_EQ(refused(device.get(Bytes32{0x77})), "challenge_unknown");
}

TEST_F(LogInTest, WhatAPasskeySignedForAnOperationLogsNobodyIn) {
  // The hash of an operation, the challenge of a registration, and the number that a challenge was made of.
  EXPECT_EQ(refused(device.get(base::sha256(base::view("an operation's hash")))), "challenge_unknown");
  const std::string id = ask_for_code("bob@example.com");
  EXPECT_EQ(refused(device.get(prove(id).challenge)), "challenge_unknown");
}

TEST_F(LogInTest, EverythingElseIsRefusedWithOneAnswer) {
  const auto with = [&](auto change) {
    Device changed = std::move(device);
    const auto rp_id = changed.rp_id, origin = changed.origin;
    const auto flags = changed.flags;
    change(changed);
    const std::string outcome = refused(changed.get(people->begin_log_in()));
    changed.rp_id = rp_id;
    changed.origin = origin;
    changed.flags = flags;
    changed.cross_origin = false;
    device = std::move(changed);
    return outcome;
  };
  EXPECT_EQ(with([](Device& d) { d.origin = "https://example.org"; }), "origin_not_allowed");
  EXPECT_EQ(with([](Device& d) { d.origin = "https://example.org:8444"; }), "origin_not_allowed");
  EXPECT_EQ(with([](Device& d) { d.origin = "http://example.org:8443"; }), "origin_not_allowed");
  EXPECT_EQ(with([](Device& d) { d.rp_id = "evil.example"; }), "rp_id_mismatch");
  EXPECT_EQ(with([](Device& d) { d.flags = 0x19; }), "user_not_verified");
  EXPECT_EQ(with([](Device& d) { d.flags = 0x1c; }), "user_not_present");
  EXPECT_EQ(with([](Device& d) { d.cross_origin = true; }), "cross_origin");
  EXPECT_EQ(refused(device.get(people->begin_log_in(), "webauthn.create")), "client_data_wrong_type");

  LogInAssertion forged = device.get(people->begin_log_in());
  forged.signature = Device(2).sign(forged.authenticator_data, forged.client_data);
  EXPECT_EQ(refused(forged), "signature_invalid");
  LogInAssertion unknown = Device(7).get(people->begin_log_in());
  EXPECT_EQ(refused(unknown), "credential_unknown");
  LogInAssertion handle = device.get(people->begin_log_in());
  handle.user_handle = Bytes(16, 0x11);
  EXPECT_EQ(refused(handle), "user_handle_differs");
  LogInAssertion no_json = device.get(people->begin_log_in());
  no_json.client_data = {'{'};
  EXPECT_EQ(refused(no_json), "client_data_malformed");
  LogInAssertion long_one = device.get(people->begin_log_in());
  long_one.client_data.resize(4'096, ' ');
  EXPECT_EQ(refused(long_one), "too_large");
}

TEST_F(LogInTest, WhatAnybodyCanSendIsNotWrittenDown) {
  const long long before = rows("test_events");
  LogInAssertion forged = device.get(people->begin_log_in());
  forged.signature = Device(2).sign(forged.authenticator_data, forged.client_data);
  EXPECT_EQ(refused(forged), "signature_invalid");
  EXPECT_EQ(refused(Device(7).get(people->begin_log_in())), "credential_unknown");
  EXPECT_EQ(rows("test_events"), before);
}

TEST_F(LogInTest, APasskeyThatSignedForAnotherPageIsASecurityViolation) {
  device.origin = "https://example.org.evil.example";
  EXPECT_EQ(refused(device.get(people->begin_log_in())), "origin_not_allowed");
  EXPECT_EQ(events().back(), "SecurityViolation");
  EXPECT_NE(metrics.text().find("community_security_violations_total{type=\"origin_not_allowed\"} 1"),
            std::string::npos);
}

TEST_F(LogInTest, AnotherPersonsPasskeyLogsInThatOtherPerson) {
  const Device other(2);
  const std::string bob = register_person("bob@example.com", other).logged_in.person.user_id;
  LogInAssertion swapped = other.get(people->begin_log_in());
  swapped.credential_id = device.credential_id;
  EXPECT_EQ(refused(swapped), "signature_invalid");
  LogInAssertion named = other.get(people->begin_log_in());
  named.user_handle = core::to_bytes(*core::parse_uuid(user_id));
  EXPECT_EQ(refused(named), "user_handle_differs");
  EXPECT_EQ(log_in(other.get(people->begin_log_in()))->person.user_id, bob);
}

TEST_F(LogInTest, ACounterThatGoesBackIsASignAndNoRefusal) {
  device.sign_count = 9;
  EXPECT_EQ(refused(device.get(people->begin_log_in())), "accepted");
  auto all = events();
  EXPECT_EQ(std::count(all.begin(), all.end(), "SecurityViolation"), 0);
  device.sign_count = 8;
  EXPECT_EQ(refused(device.get(people->begin_log_in())), "accepted");
  all = events();
  EXPECT_EQ(std::count(all.begin(), all.end(), "SecurityViolation"), 1);
  EXPECT_EQ(wait(people->passkeys(user_id))->front().sign_count, 9u);
}

TEST_F(LogInTest, WhoIsSuspendedOrHasNoActivePasskeyIsNotLoggedIn) {
  const std::string token = log_in(device.get(people->begin_log_in()))->session.token;
  auto deactivate = [](soci::session& sql) { sql << "UPDATE biometric_profiles SET is_active = 0"; };
  ASSERT_TRUE(wait(database->write(deactivate)));
  EXPECT_EQ(refused(device.get(people->begin_log_in())), "passkey_or_person_inactive");
  auto suspend = [](soci::session& sql) {
    sql << "UPDATE biometric_profiles SET is_active = 1";
    sql << "UPDATE users SET status = 'suspended'";
  };
  ASSERT_TRUE(wait(database->write(suspend)));
  EXPECT_EQ(refused(device.get(people->begin_log_in())), "passkey_or_person_inactive");
  EXPECT_EQ(wait(people->identify(token)).error().code, ErrorCode::not_logged_in);
}

TEST(ChallengeBook, KeepsAsManyAsItMay) {
  infra::FakeClock clock;
  const auto random = infra::make_system_random();
  ChallengeBook book(clock, *random, infra::Milliseconds(1'000), 3, "log-in");
  std::vector<Bytes32> issued;
  for (int i = 0; i < 5; i++) issued.push_back(book.issue());
  EXPECT_EQ(book.size(), 3u);
  EXPECT_FALSE(book.redeem(issued[0]));
  EXPECT_FALSE(book.redeem(issued[1]));
  EXPECT_TRUE(book.redeem(issued[2]));
  EXPECT_FALSE(book.redeem(issued[2]));
  EXPECT_TRUE(book.redeem(issued[4]));
  clock.advance(infra::Milliseconds(1'000));
  EXPECT_FALSE(book.redeem(issued[3]));
  EXPECT_EQ(book.size(), 0u);
}

// --- sessions --------------------------------------------------------------------------------------------------------

TEST_F(LogInTest, ASessionEndsAfterItsDayWhetherItIsUsedOrNot) {
  const std::string token = log_in(device.get(people->begin_log_in()))->session.token;
  clock.advance(infra::Milliseconds(23 * 60 * 60'000));
  EXPECT_TRUE(wait(people->identify(token)).has_value());
  clock.advance(infra::Milliseconds(60 * 60'000));
  EXPECT_EQ(wait(people->identify(token)).error().code, ErrorCode::not_logged_in);
}

TEST_F(LogInTest, TheDatabaseHoldsNoToken) {
  const std::string token = log_in(device.get(people->begin_log_in()))->session.token;
  const std::string hex = core::to_plain_hex(*core::parse_base64url(token, 32));
  auto read = [](soci::session& sql) {
    std::string hash;
    sql << "SELECT token_hash FROM sessions ORDER BY created_at DESC LIMIT 1", soci::into(hash);
    return hash;
  };
  const std::string stored = wait(database->read(read)).value();
  EXPECT_NE(stored, hex);
  EXPECT_NE(stored, token);
  EXPECT_EQ(wait(people->identify(hex)).error().code, ErrorCode::not_logged_in);
  EXPECT_EQ(wait(people->identify(core::to_base64url(core::parse_hex(stored, core::HexPrefix::optional).value())))
                .error()
                .code,
            ErrorCode::not_logged_in);
  for (const char* bad : {"", "x", "' OR '1'='1"})
    EXPECT_EQ(wait(people->identify(bad)).error().code, ErrorCode::not_logged_in);
}

TEST_F(LogInTest, UseIsNotedOnceAMinute) {
  const auto done = log_in(device.get(people->begin_log_in()));
  const std::int64_t begun = clock.now_ms();
  clock.advance(infra::Milliseconds(59'999));
  EXPECT_EQ(wait(people->identify(done->session.token))->session.last_used_ms, begun);
  clock.advance(infra::Milliseconds(1));
  EXPECT_EQ(wait(people->identify(done->session.token))->session.last_used_ms, begun + 60'000);
  clock.advance(infra::Milliseconds(10));
  EXPECT_EQ(wait(people->identify(done->session.token))->session.last_used_ms, begun + 60'000);
}

TEST_F(LogInTest, AStolenTokenIsWorthNothingAfterItsSessionWasRevoked) {
  const auto mine = log_in(device.get(people->begin_log_in())), theirs = log_in(device.get(people->begin_log_in()));
  ASSERT_TRUE(mine && theirs);
  ASSERT_TRUE(wait(people->revoke_session(user_id, theirs->session.session.session_id)));
  EXPECT_EQ(wait(people->identify(theirs->session.token)).error().code, ErrorCode::not_logged_in);
  EXPECT_TRUE(wait(people->identify(mine->session.token)).has_value());
  EXPECT_EQ(wait(people->revoke_session(user_id, theirs->session.session.session_id)).error().code,
            ErrorCode::not_found);
  const auto third = log_in(device.get(people->begin_log_in()));
  ASSERT_TRUE(wait(people->revoke_other_sessions(user_id, mine->session.session.session_id)));
  EXPECT_EQ(wait(people->identify(third->session.token)).error().code, ErrorCode::not_logged_in);
  EXPECT_EQ(wait(people->sessions(user_id))->size(), 1u);
}

TEST_F(LogInTest, NobodyRevokesAnotherPersonsSession) {
  const std::string bob = register_person("bob@example.com", Device(2)).logged_in.person.user_id;
  const auto mine = log_in(device.get(people->begin_log_in()));
  EXPECT_EQ(wait(people->revoke_session(bob, mine->session.session.session_id)).error().code, ErrorCode::not_found);
  ASSERT_TRUE(wait(people->revoke_other_sessions(bob, mine->session.session.session_id)));
  EXPECT_TRUE(wait(people->identify(mine->session.token)).has_value());
}

TEST_F(LogInTest, AThirtyThirdSessionEndsTheOldest) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < kMaxSessions + 2; i++) {
    clock.advance(infra::Milliseconds(1));
    tokens.push_back(log_in(device.get(people->begin_log_in()))->session.token);
  }
  EXPECT_EQ(wait(people->sessions(user_id))->size(), kMaxSessions);
  EXPECT_FALSE(wait(people->identify(tokens[0])).has_value());
  EXPECT_FALSE(wait(people->identify(tokens[1])).has_value());
  EXPECT_TRUE(wait(people->identify(tokens[2])).has_value());
  EXPECT_TRUE(wait(people->identify(tokens.back())).has_value());
}

TEST_F(LogInTest, ACsrfTokenFollowsFromItsSessionAndTheNodesKey) {
  const std::string token = log_in(device.get(people->begin_log_in()))->session.token;
  const std::string csrf = people->csrf_token(token);
  EXPECT_EQ(csrf.size(), 43u);
  EXPECT_NE(csrf, token);
  EXPECT_NE(csrf, people->csrf_token(log_in(device.get(people->begin_log_in()))->session.token));
  start();
  EXPECT_EQ(people->csrf_token(token), csrf);
  key[1] ^= 1;
  start();
  EXPECT_NE(people->csrf_token(token), csrf);
}

// --- profile and passkeys --------------------------------------------------------------------------------------------

TEST_F(LogInTest, AProfileIsChangedMemberByMember) {
  ProfileChange change;
  change.username = "Ada";
  change.phone_number = "+66812345678";
  change.avatar_url = "https://example.com/a.png";
  change.locale = "zh-Hans";
  clock.advance(infra::Milliseconds(5));
  const auto changed = wait(people->update_profile(user_id, change));
  ASSERT_TRUE(changed) << changed.error().field;
  EXPECT_EQ(changed->updated_ms, clock.now_ms());
  ProfileChange take_away;
  take_away.username = "";
  const auto taken = wait(people->update_profile(user_id, take_away));
  EXPECT_EQ(taken->username, "");
  EXPECT_EQ(taken->phone_number, "+66812345678");
  const auto field_of = [&](ProfileChange bad) { return wait(people->update_profile(user_id, bad)).error().field; };
  ProfileChange bad;
  bad.phone_number = "0812345678";
  EXPECT_EQ(field_of(bad), "/phoneNumber");
  bad = {};
  bad.avatar_url = "javascript:alert(1)";
  EXPECT_EQ(field_of(bad), "/avatarUrl");
  bad = {};
  bad.locale = "";
  EXPECT_EQ(field_of(bad), "/locale");
}

TEST_F(LogInTest, APersonNamesTheirOwnPasskeysOnly) {
  const std::string id = wait(people->passkeys(user_id))->front().profile_id;
  EXPECT_EQ(wait(people->rename_passkey(user_id, id, "Blue key"))->name, "Blue key");
  EXPECT_EQ(wait(people->rename_passkey(user_id, id, "")).error().field, "/name");
  const std::string bob = register_person("bob@example.com", Device(2)).logged_in.person.user_id;
  EXPECT_EQ(wait(people->rename_passkey(bob, id, "Mine")).error().code, ErrorCode::not_found);
}

// --- wallets ---------------------------------------------------------------------------------------------------------

class WalletsTest : public LogInTest {
 protected:
  WalletsTest() { identity = *wait(people->identify(log_in(device.get(people->begin_log_in()))->session.token)); }
  WalletRequest request(std::uint8_t number, std::string alias = {}) const {
    core::Uuid id{};
    id[15] = number;
    WalletRequest out;
    out.request_id = core::format_uuid(id);
    out.escape_key.fill(number);
    out.alias = std::move(alias);
    return out;
  }
  Identity identity;
};

TEST_F(WalletsTest, AnotherWalletIsMadeOnceARequest) {
  const auto second = wait(people->create_wallet(identity, request(1, "Savings")));
  ASSERT_TRUE(second) << name(second.error().code);
  const auto again = wait(people->create_wallet(identity, request(1, "Savings")));
  EXPECT_EQ(again->wallet_id, second->wallet_id);
  EXPECT_EQ(core.records.size(), 2u);
  const auto all = wait(people->get_user_wallets(user_id));
  ASSERT_EQ(all->size(), 2u);
  EXPECT_TRUE(all->front().is_primary);
  EXPECT_NE(all->front().address, all->back().address);
  EXPECT_EQ(all->back().alias, "Savings");
  EXPECT_FALSE(all->back().is_primary);
}

TEST_F(WalletsTest, OnlyOneIsPrimaryAndTheRecoveryFileIsNoted) {
  const auto second = wait(people->create_wallet(identity, request(1)));
  WalletChange change;
  change.make_primary = true;
  change.recovery_file_saved = true;
  change.alias = "<i>\u200f'\"";
  const auto changed = wait(people->update_wallet(user_id, second->wallet_id, change));
  ASSERT_TRUE(changed) << changed.error().field;
  EXPECT_TRUE(changed->is_primary);
  EXPECT_TRUE(changed->recovery_file_saved);
  EXPECT_EQ(changed->alias, *change.alias);
  const auto all = wait(people->get_user_wallets(user_id));
  EXPECT_EQ(all->front().wallet_id, second->wallet_id);
  EXPECT_FALSE(all->back().is_primary);
  EXPECT_FALSE(all->back().recovery_file_saved);
  WalletChange no_alias;
  no_alias.alias = "";
  EXPECT_EQ(wait(people->update_wallet(user_id, second->wallet_id, no_alias))->alias, "");
}

TEST_F(WalletsTest, SixteenAreEnough) {
  for (std::uint8_t i = 1; i < kMaxWallets; i++)
    ASSERT_TRUE(wait(people->create_wallet(identity, request(i))).has_value()) << int{i};
  EXPECT_EQ(wait(people->create_wallet(identity, request(200))).error().code, ErrorCode::too_many_wallets);
  EXPECT_EQ(core.records.size(), kMaxWallets);
}

TEST_F(WalletsTest, NobodySeesAnotherPersonsWallet) {
  const std::string bob = register_person("bob@example.com", Device(2)).logged_in.person.user_id;
  const std::string mine = wait(people->get_user_wallets(user_id))->front().wallet_id;
  EXPECT_EQ(wait(people->wallet(bob, mine)).error().code, ErrorCode::not_found);
  EXPECT_EQ(wait(people->update_wallet(bob, mine, WalletChange{})).error().code, ErrorCode::not_found);
  EXPECT_EQ(wait(people->get_user_wallets(bob))->size(), 1u);
}

TEST_F(WalletsTest, AnInterruptedWalletIsFinishedByTheNode) {
  core.lose_created = true;
  EXPECT_EQ(wait(people->create_wallet(identity, request(1))).error().code, ErrorCode::core_unavailable);
  core.lose_created = false;
  infra::TaskGroup running(loop.executor());
  running.spawn(people->run());
  wait(clock.wait_for_sleepers(1));
  running.cancel();
  wait(running.join());
  EXPECT_EQ(wait(people->get_user_wallets(user_id))->size(), 2u);
  EXPECT_EQ(core.records.size(), 2u);
  EXPECT_TRUE(wait(people->create_wallet(identity, request(1))).has_value());
  EXPECT_EQ(core.records.size(), 2u);
}

TEST_F(LogInTest, ADeletionIsConfirmedByAChallengeOfItsOwn) {
  const Device other(2);
  const std::string eve = register_person("eve@example.com", other).logged_in.person.user_id;
  const auto proven = [this](const std::string& id, const LogInAssertion& assertion) {
    return wait(people->prove_deletion(id, assertion)).has_value();
  };
  EXPECT_FALSE(proven(user_id, device.get(people->begin_log_in()))) << "a log-in is none";
  EXPECT_FALSE(proven(user_id, device.get(people->begin_deletion(eve)))) << "of somebody else";
  EXPECT_FALSE(proven(user_id, other.get(people->begin_deletion(user_id)))) << "by somebody else's passkey";
  EXPECT_FALSE(proven(eve, device.get(people->begin_deletion(user_id)))) << "for somebody else";
  EXPECT_EQ(refused(device.get(people->begin_deletion(user_id))), "challenge_unknown") << "and it logs nobody in";
  const LogInAssertion late = device.get(people->begin_deletion(user_id));
  clock.advance(kChallengeLife);
  EXPECT_FALSE(proven(user_id, late));
  const LogInAssertion good = device.get(people->begin_deletion(user_id));
  EXPECT_TRUE(proven(user_id, good));
  EXPECT_FALSE(proven(user_id, good)) << "once";
}

TEST_F(LogInTest, ABrowserIsKnownByATokenOfOursAndByNothingElse) {
  const auto is_new = [this](const std::string& token) {
    client.device_token = token;
    const auto done = log_in(device.get(people->begin_log_in()));
    EXPECT_TRUE(done.has_value());
    given = done ? done->session.device_token : std::string();
    return details().back().find("\"newDevice\":true") != std::string::npos;
  };
  EXPECT_TRUE(is_new("")) << "the same address and the same name of the device are no sign";
  const std::string mine = given;
  EXPECT_EQ(mine.size(), 43u);
  EXPECT_FALSE(is_new(mine));
  EXPECT_EQ(given, mine);
  EXPECT_TRUE(is_new("short"));
  EXPECT_NE(given, "short");
  // Of another person: known to nobody but them, and no row tells that the two share a browser.
  const Device other(2);
  client.device_token = mine;
  const std::string eve = register_person("eve@example.com", other).logged_in.person.user_id;
  EXPECT_EQ(rows("known_devices WHERE user_id = '" + eve + "'"), 1);
  EXPECT_EQ(rows("(SELECT DISTINCT token_hash FROM known_devices) AS hashes"), rows("known_devices"));
  EXPECT_EQ(rows("known_devices WHERE token_hash = '" + mine + "'"), 0);
}

TEST_F(LogInTest, AtMostSoManyBrowsersAreRememberedAndNoneForLongerThanItsCookie) {
  std::string first;
  for (std::size_t i = 0; i <= kMaxDevices; i++) {
    client.device_token.clear();
    clock.advance(infra::Milliseconds(1));
    const auto done = log_in(device.get(people->begin_log_in()));
    ASSERT_TRUE(done);
    if (i == 0) first = done->session.device_token;
  }
  EXPECT_EQ(rows("known_devices"), static_cast<long long>(kMaxDevices));
  client.device_token = first;
  ASSERT_TRUE(log_in(device.get(people->begin_log_in())));
  EXPECT_NE(details().back().find("\"newDevice\":true"), std::string::npos) << "the oldest was forgotten";
  clock.advance(kDeviceLife + infra::Milliseconds(1));
  const auto tidied = [this]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(people->run());
    auto left = [](soci::session& sql) {
      long long count = 0;
      sql << "SELECT COUNT(*) FROM known_devices", soci::into(count);
      return count;
    };
    for (;;) {
      const auto count = co_await database->read(left);
      if (count.value() == 0) break;
      co_await infra::sleep_real(infra::Milliseconds(1));
    }
    group.cancel();
    co_await group.join();
  };
  wait(tidied());
}

TEST_F(LogInTest, TheSessionThatGoesForAnotherIsTold) {
  for (std::size_t i = 0; i < kMaxSessions; i++) {
    clock.advance(infra::Milliseconds(1));
    ASSERT_TRUE(log_in(device.get(people->begin_log_in())));
  }
  const auto told = events();
  EXPECT_EQ(std::count(told.begin(), told.end(), "SessionRevoked"), 1);
  EXPECT_EQ(wait(people->sessions(user_id))->size(), kMaxSessions);
}

}  // namespace
}  // namespace community::users::test_support
