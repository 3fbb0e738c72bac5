// SPDX-License-Identifier: Apache-2.0
// Mails that follow from the audit log: once for each entry that the policy names, over crashes too, and nothing of
// what a stranger may choose in them.
#include <gtest/gtest.h>
#include <soci/soci.h>

#include "community/audit/factory.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/notifications/factory.hpp"

namespace community::notifications {
namespace {

const std::string kAlice = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69";

class MailListenerTest : public testing::Test {
 protected:
  MailListenerTest() {
    options.identity = {"Community Node", {"node", "example.org"}, "https://example.org"};
    options.outbox = folder.path() / "outbox";
    start();
  }
  ~MailListenerTest() override { end(); }

  // Also again, as a node that was killed.
  void start() {
    end();
    database = infra::Database::open(place.options(), {audit::audit_migrations(), notification_migrations()}).value();
    mailer = make_mailer({*database, clock, *random, loop.executor()}, options).value();
    log = audit::make_audit_log({*database, *random, clock, loop.executor()});
    log->listen(kMailListener,
                mail_listener(*database, clock, *mailer, [this](const audit::Entry& entry) { return find(entry); }));
  }
  void end() {
    log.reset();
    mailer.reset();
    database.reset();
  }
  Task<Result<std::optional<Recipient>>> find(const audit::Entry& entry) {
    asked++;
    if (failures > 0) {
      failures--;
      co_return fail(ErrorCode::storage_failed);
    }
    if (entry.subject != kAlice) co_return std::optional<Recipient>();
    co_return std::optional<Recipient>({"alice@example.com", "en", device});
  }

  void record(audit::EventName name, core::json::object payload, const std::string& subject = kAlice) {
    audit::AuditEvent event{name, subject, std::move(payload), clock.now_ms()};
    auto work = [this, event](soci::session& sql) { return log->record(sql, event).has_value(); };
    auto task = [&]() -> Task<infra::Result<bool>> { co_return co_await database->write(work); };
    ASSERT_TRUE(loop.block_on(task()).value());
  }
  // Until the listener has heard everything.
  void listen() {
    auto test = [&]() -> Task<void> {
      infra::TaskGroup group(co_await boost::asio::this_coro::executor);
      group.spawn(log->run());
      const auto head = co_await log->head();
      auto heard = [](soci::session& sql) {
        long long sequence = 0;
        sql << "SELECT sequence FROM audit_listeners WHERE name = 'mail'", soci::into(sequence);
        return static_cast<std::uint64_t>(sequence);
      };
      for (;;) {
        const auto told = co_await database->read(heard);
        if (told.value() == head->sequence) break;
        clock.advance(infra::Milliseconds(1));
        co_await infra::sleep_real(infra::Milliseconds(1));
      }
      group.cancel();
      co_await group.join();
    };
    loop.block_on(test());
  }
  // Bodies as they wait, without line breaks of quoted-printable.
  std::vector<std::string> mails() {
    auto read = [](soci::session& sql) {
      std::vector<std::string> found;
      std::string message;
      soci::statement rows =
          (sql.prepare << "SELECT message FROM notifications_mails ORDER BY queued_ms, message", soci::into(message));
      rows.execute();
      while (rows.fetch()) {
        for (std::size_t at = 0; (at = message.find("=\r\n", at)) != std::string::npos;) message.erase(at, 3);
        for (std::size_t at = 0; (at = message.find("=20\r\n", at)) != std::string::npos;) message.replace(at, 5, " ");
        found.push_back(message);
      }
      return found;
    };
    auto task = [&]() -> Task<infra::Result<std::vector<std::string>>> { co_return co_await database->read(read); };
    return loop.block_on(task()).value();
  }

  infra::TemporaryDirectory folder;
  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  MailerOptions options;
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<Mailer> mailer;
  std::unique_ptr<audit::AuditLog> log;
  std::string device = "Laptop";
  int failures = 0, asked = 0;
};

TEST_F(MailListenerTest, ANewDeviceIsToldAndAKnownOneIsNot) {
  record(audit::EventName::user_authenticated, {{"newDevice", false}, {"sessionId", "a"}});
  record(audit::EventName::user_authenticated, {{"newDevice", true}, {"sessionId", "b"}});
  record(audit::EventName::user_authenticated, {{"sessionId", "c"}});
  listen();
  ASSERT_EQ(mails().size(), 1u);
  EXPECT_NE(mails()[0].find("alice@example.com"), std::string::npos);
  EXPECT_NE(mails()[0].find("Laptop, "), std::string::npos) << mails()[0];
}

TEST_F(MailListenerTest, EachEntryHasOneMailOverRestarts) {
  record(audit::EventName::passkey_added, {{"passkeyId", "a"}});
  listen();
  EXPECT_EQ(mails().size(), 1u);
  start();
  record(audit::EventName::passkey_removed, {{"passkeyId", "a"}});
  listen();
  EXPECT_EQ(mails().size(), 2u);
  // The note that it was heard came with the mail, and not behind the page of entries.
  auto read = [](soci::session& sql) {
    long long sequence = 0;
    sql << "SELECT sequence FROM audit_listeners WHERE name = 'mail'", soci::into(sequence);
    return sequence;
  };
  auto task = [&]() -> Task<infra::Result<long long>> { co_return co_await database->read(read); };
  EXPECT_EQ(loop.block_on(task()).value(), 2);
}

TEST_F(MailListenerTest, WhatCannotBeToldNowIsToldLaterAndInOrder) {
  failures = 3;
  record(audit::EventName::account_frozen, {{"account", "0x00000000000000000000000000000000000000a1"}});
  listen();
  EXPECT_EQ(mails().size(), 1u);
  EXPECT_EQ(asked, 4);
}

TEST_F(MailListenerTest, WhatWaitsIsNamedWithItsTimeAndOtherwiseNotAtAll) {
  record(audit::EventName::change_queued, {{"account", "0x00000000000000000000000000000000000000a1"},
                                           {"change", "spend"},
                                           {"readyAt", "2026-01-31T12:34:56.789Z"}});
  record(audit::EventName::change_queued, {{"account", "0x00000000000000000000000000000000000000a1"}});
  record(audit::EventName::change_queued,
         {{"account", "0x00000000000000000000000000000000000000a1"}, {"change", "everything"}, {"readyAt", "soon"}});
  listen();
  ASSERT_EQ(mails().size(), 1u);
  EXPECT_NE(mails()[0].find("2026-01-31 12:34 UTC"), std::string::npos) << mails()[0];
  EXPECT_NE(mails()[0].find("a payment above the daily limit"), std::string::npos) << mails()[0];
}

// The votes that cancel the one do not cancel the other.
TEST_F(MailListenerTest, AnEscapeAndARecoveryAreToldApart) {
  const core::json::object payload{{"account", "0x00000000000000000000000000000000000000a1"},
                                   {"readyAt", "2026-01-31T12:34:56.789Z"}};
  record(audit::EventName::escape_started, payload);
  listen();
  ASSERT_EQ(mails().size(), 1u);
  EXPECT_NE(mails()[0].find("another vote than the one that began it"), std::string::npos) << mails()[0];
  clock.advance(infra::Milliseconds(1'000));
  record(audit::EventName::recovery_started, payload);
  listen();
  ASSERT_EQ(mails().size(), 2u);
  EXPECT_NE(mails()[1].find("two votes of yours"), std::string::npos) << mails()[1];
  for (const std::string& mail : mails()) EXPECT_NE(mail.find("2026-01-31 12:34 UTC"), std::string::npos) << mail;
}

TEST_F(MailListenerTest, NobodyIsToldOfStrangersOfTheGoneAndOfLongAgo) {
  record(audit::EventName::passkey_added, {}, "9a7d3b52-0c41-4d7e-b0a3-5f1e2d3c4b5a");
  record(audit::EventName::registration_repeated, {}, "");
  record(audit::EventName::wallet_used, {});
  record(audit::EventName::passkey_added, {{"passkeyId", "a"}});
  clock.advance(infra::Milliseconds(24 * 60 * 60 * 1'000));
  listen();
  EXPECT_TRUE(mails().empty());
}

TEST_F(MailListenerTest, AFullOutboxKeepsTheMailForLater) {
  options.max_waiting = 1;
  start();
  record(audit::EventName::passkey_added, {{"passkeyId", "a"}});
  record(audit::EventName::passkey_added, {{"passkeyId", "b"}});
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(log->run());
    group.spawn(mailer->run());
    for (;;) {
      const auto counts = co_await mailer->counts();
      if (counts.value().sent == 2) break;
      clock.advance(infra::Milliseconds(1'000));
      co_await infra::sleep_real(infra::Milliseconds(1));
    }
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
}

TEST_F(MailListenerTest, APersonWhoIsForgottenGetsNothingThatWaits) {
  record(audit::EventName::passkey_added, {{"passkeyId", "a"}});
  listen();
  auto work = [this](soci::session& sql) { return mailer->forget(sql, "alice@example.com"); };
  auto task = [&]() -> Task<infra::Result<std::size_t>> { co_return co_await database->write(work); };
  EXPECT_EQ(loop.block_on(task()).value(), 1u);
  EXPECT_TRUE(mails().empty());
  EXPECT_EQ(loop.block_on(task()).value(), 0u);
}

TEST(MailDevice, HoldsNothingThatBecomesALinkOrALine) {
  EXPECT_EQ(mail_device("Laptop (work)"), "Laptop (work)");
  EXPECT_EQ(mail_device(" evil.example/\r\nBcc: x@y "), "evilexampleBcc xy");
  EXPECT_EQ(mail_device("กุญแจ"), "-");
  EXPECT_EQ(mail_device(""), "-");
  EXPECT_EQ(mail_device(std::string(100, 'a')).size(), 48u);
}

}  // namespace
}  // namespace community::notifications
