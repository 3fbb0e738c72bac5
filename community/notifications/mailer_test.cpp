// SPDX-License-Identifier: Apache-2.0
// The outbox: what is queued with a write is sent once, later, or not at all, and nothing of it stays.
#include "community/notifications/mailer.hpp"

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/stat.h>

#include <fstream>
#include <mutex>
#include <sstream>

#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"

namespace community::notifications {
namespace {

constexpr std::int64_t kMinute = 60'000;

// Answers in the order it was told; then everything is accepted.
class ScriptedTransport final : public MailTransport {
 public:
  struct Shared {
    std::mutex mutex;
    std::vector<Envelope> sent;
    std::vector<Delivery> answers;
  };
  explicit ScriptedTransport(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Delivery send(const Envelope& envelope) override {
    const std::lock_guard lock(shared_->mutex);
    shared_->sent.push_back(envelope);
    if (shared_->answers.empty()) return {Outcome::accepted, 250, {}};
    const Delivery answer = shared_->answers.front();
    shared_->answers.erase(shared_->answers.begin());
    return answer;
  }

 private:
  std::shared_ptr<Shared> shared_;
};

class MailerTest : public testing::Test {
 protected:
  MailerTest() { open(); }
  ~MailerTest() override { close(); }

  void open() {
    database = infra::Database::open(place.options(), {notification_migrations()}).value();
    mailer = make_mailer_with({*database, clock, *random, loop.executor(), &metrics}, options,
                              std::make_unique<ScriptedTransport>(script));
  }
  void close() {
    mailer.reset();
    database.reset();
  }

  Mail code_mail(const std::string& to = "alice@example.org") {
    Mail mail;
    mail.to = to;
    mail.text = MailText::registration_code;
    mail.values = {{"code", "48151623"}, {"minutes", "15"}};
    mail.now_ms = clock.now_ms();
    mail.expires_ms = mail.now_ms + 15 * kMinute;
    return mail;
  }
  Task<Result<void>> queued(Mail mail, bool keep = true) {
    auto work = [this, mail, keep](soci::session& sql) -> infra::Result<Result<void>> {
      auto done = mailer->queue(sql, mail);
      if (!keep) return infra::fail(infra::ErrorCode::malformed);
      return done;
    };
    auto done = co_await database->write(work);
    if (!done) co_return fail(ErrorCode::storage_failed);
    co_return std::move(*done);
  }
  Result<void> queue(Mail mail, bool keep = true) { return loop.block_on(queued(std::move(mail), keep)); }

  Task<void> until(std::function<bool(const MailCounts&)> reached) {
    for (;;) {
      const auto now = co_await mailer->counts();
      if (reached(*now)) co_return;
      co_await infra::sleep_real(infra::Milliseconds(1));
    }
  }
  // Runs the mailer until the counts are as wanted, moving the clock whenever it sleeps.
  void run_until(std::function<bool(const MailCounts&)> reached) {
    auto test = [&]() -> Task<void> {
      infra::TaskGroup group(co_await boost::asio::this_coro::executor);
      group.spawn(mailer->run());
      co_await until(reached);
      group.cancel();
      co_await group.join();
    };
    loop.block_on(test());
  }
  MailCounts counts() { return loop.block_on(mailer->counts()).value(); }
  std::size_t attempts() {
    const std::lock_guard lock(script->mutex);
    return script->sent.size();
  }
  long long rows_with_content() {
    auto task = [&]() -> Task<long long> {
      const auto found = co_await database->read([](soci::session& sql) {
        long long count = 0;
        sql << "SELECT COUNT(*) FROM notifications_mails WHERE recipient <> '' OR message <> ''", soci::into(count);
        return count;
      });
      co_return found.value();
    };
    return loop.block_on(task());
  }

  infra::TemporaryDirectory folder;
  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::Metrics metrics;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  MailerOptions options{{"Community Node", {"node", "example.org"}, "https://example.org"}, {}, {}};
  std::shared_ptr<ScriptedTransport::Shared> script = std::make_shared<ScriptedTransport::Shared>();
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<Mailer> mailer;
};

TEST_F(MailerTest, AMailIsSentOnceAndNothingOfItStays) {
  ASSERT_TRUE(queue(code_mail()));
  EXPECT_EQ(counts().waiting, 1u);
  EXPECT_EQ(rows_with_content(), 1);
  run_until([](const MailCounts& now) { return now.sent == 1; });
  ASSERT_EQ(attempts(), 1u);
  EXPECT_EQ(script->sent[0].to.text(), "alice@example.org");
  EXPECT_EQ(script->sent[0].from.text(), "node@example.org");
  EXPECT_NE(script->sent[0].message.find("To: <alice@example.org>\r\n"), std::string::npos);
  EXPECT_EQ(rows_with_content(), 0);
  close();
  open();
  ASSERT_TRUE(queue(code_mail("bob@example.org")));
  run_until([](const MailCounts& now) { return now.sent == 2; });
  EXPECT_EQ(attempts(), 2u);
  EXPECT_EQ(script->sent[1].to.text(), "bob@example.org");
}

TEST_F(MailerTest, AMailIsThereExactlyWhenItsWriteIs) {
  EXPECT_FALSE(queue(code_mail(), false));
  EXPECT_EQ(counts().waiting, 0u);
  ASSERT_TRUE(queue(code_mail("bob@example.org")));
  run_until([](const MailCounts& now) { return now.sent == 1; });
  ASSERT_EQ(attempts(), 1u);
  EXPECT_EQ(script->sent[0].to.text(), "bob@example.org");
}

TEST_F(MailerTest, AMailThatIsQueuedWhileItRunsLeavesAtOnce) {
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(mailer->run());
    co_await clock.wait_for_sleepers(1);
    const auto done = co_await queued(code_mail());
    EXPECT_TRUE(done.has_value());
    // The clock does not move: what wakes it is the write.
    co_await until([](const MailCounts& now) { return now.sent == 1; });
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
}

TEST_F(MailerTest, WhatFailsIsTriedAgainLaterAndLaterWithTheSameMessage) {
  script->answers = {{Outcome::later, 451, "no"}, {Outcome::later, 0, "no"}, {Outcome::later, 421, "no"}};
  ASSERT_TRUE(queue(code_mail()));
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(mailer->run());
    for (const std::int64_t pause : {10'000, 20'000, 40'000}) {
      co_await clock.wait_for_sleepers(1);
      const std::size_t before = attempts();
      clock.advance(infra::Milliseconds(pause - 1));
      co_await clock.wait_for_sleepers(1);
      EXPECT_EQ(attempts(), before);
      clock.advance(infra::Milliseconds(1));
      while (attempts() == before) co_await infra::sleep_real(infra::Milliseconds(1));
    }
    co_await until([](const MailCounts& now) { return now.sent == 1; });
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
  ASSERT_EQ(attempts(), 4u);
  for (const Envelope& sent : script->sent) EXPECT_EQ(sent.message, script->sent[0].message);
  EXPECT_EQ(metrics.counter("community_mails_total", "", {{"result", "later"}}).value(), 3);
}

TEST_F(MailerTest, WhatIsRefusedOrExpiredIsGivenUpAndWiped) {
  script->answers = {{Outcome::refused, 550, "no"}};
  ASSERT_TRUE(queue(code_mail()));
  run_until([](const MailCounts& now) { return now.refused == 1; });
  EXPECT_EQ(rows_with_content(), 0);
  ASSERT_TRUE(queue(code_mail()));
  clock.advance(infra::Milliseconds(15 * kMinute));
  run_until([](const MailCounts& now) { return now.expired == 1; });
  EXPECT_EQ(attempts(), 1u);
  EXPECT_EQ(rows_with_content(), 0);
  EXPECT_EQ(metrics.counter("community_mails_total", "", {{"result", "expired"}}).value(), 1);
}

TEST_F(MailerTest, AProcessThatDiesBeforeTheEndIsWrittenDownSendsAgainWithTheSameId) {
  // What a kill between the server's 250 and the row's end leaves: the row of before.
  ASSERT_TRUE(queue(code_mail()));
  close();
  const infra::TestDatabase copy;
  place.copy_to(copy);
  open();
  run_until([](const MailCounts& now) { return now.sent == 1; });
  close();
  copy.copy_to(place);
  open();
  run_until([](const MailCounts& now) { return now.sent == 1; });
  ASSERT_EQ(attempts(), 2u);
  EXPECT_EQ(script->sent[0].id, script->sent[1].id);
  EXPECT_EQ(script->sent[0].message, script->sent[1].message);
}

TEST_F(MailerTest, RefusesWhatIsNoMail) {
  const auto code = [&](Mail mail) { return queue(std::move(mail)).error().code; };
  EXPECT_EQ(code(code_mail("alice@example.org\r\nBcc: mallory@example.org")), ErrorCode::address_syntax);
  EXPECT_EQ(code(code_mail("\xc3\xa4@example.org")), ErrorCode::address_needs_smtputf8);
  Mail mail = code_mail();
  mail.expires_ms = mail.now_ms;
  EXPECT_EQ(code(mail), ErrorCode::mail_expired);
  mail = code_mail();
  mail.values["code"] = "none";
  EXPECT_EQ(code(mail), ErrorCode::value_malformed);
  mail = code_mail();
  mail.language = "xx";
  EXPECT_EQ(code(mail), ErrorCode::language_unknown);
  EXPECT_EQ(counts().waiting, 0u);
}

TEST_F(MailerTest, TheOutboxIsBounded) {
  close();
  options.max_waiting = 3;
  open();
  for (int i = 0; i < 3; i++) ASSERT_TRUE(queue(code_mail()));
  EXPECT_EQ(queue(code_mail()).error().code, ErrorCode::outbox_full);
  run_until([](const MailCounts& now) { return now.sent == 3; });
  EXPECT_TRUE(queue(code_mail()));
}

TEST_F(MailerTest, WhatEndedAWeekAgoGoes) {
  ASSERT_TRUE(queue(code_mail()));
  run_until([](const MailCounts& now) { return now.sent == 1; });
  clock.advance(infra::Milliseconds(7ll * 24 * 60 * kMinute + 1));
  run_until([](const MailCounts& now) { return now.sent == 0; });
  EXPECT_EQ(attempts(), 1u);
}

TEST_F(MailerTest, WithoutAServerMailsBecomePrivateFiles) {
  mailer.reset();
  options.outbox = folder.path() / "outbox";
  mailer = make_mailer({*database, clock, *random, loop.executor()}, options).value();
  ASSERT_TRUE(queue(code_mail()));
  run_until([](const MailCounts& now) { return now.sent == 1; });
  std::vector<std::filesystem::path> files;
  for (const auto& one : std::filesystem::directory_iterator(options.outbox)) files.push_back(one.path());
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].extension(), ".eml");
  struct stat status {};
  ASSERT_EQ(::stat(files[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(options.outbox.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  const std::string text = infra::read_file(files[0], 1u << 20).value();
  EXPECT_TRUE(text.starts_with("From: \"Community Node\" <node@example.org>\r\n")) << text;
}

TEST_F(MailerTest, AConfigurationThatCannotWorkIsRefusedWithItsKey) {
  const auto read = [&](const std::string& toml) {
    const auto config = infra::Config::load(infra::standard_config_schema(), toml);
    EXPECT_TRUE(config) << config.error().text();
    return mailer_options(*config, "https://example.org", folder.path());
  };
  EXPECT_FALSE(read("").value().smtp.has_value());
  EXPECT_TRUE(check_identity(read("").value().identity));
  const std::string smtp = "[mail]\ndelivery = \"smtp\"\nfrom = \"node@example.org\"\n";
  const std::string password = (folder.path() / "password").string();
  std::ofstream(password) << "correct horse\n";
  const auto whole = read(smtp + "smtp_url = \"smtp://mail.example.org:587\"\nuser = \"node\"\npassword_file = \"" +
                          password + "\"\n");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->smtp->password, "correct horse");
  EXPECT_FALSE(whole->smtp->plain);
  const auto code = [&](const std::string& more) { return read(smtp + more).error().code; };
  EXPECT_EQ(code(""), ErrorCode::option_malformed);
  EXPECT_EQ(code("smtp_url = \"http://mail.example.org\"\n"), ErrorCode::option_malformed);
  EXPECT_EQ(code("smtp_url = \"smtp://user:word@mail.example.org\"\n"), ErrorCode::option_malformed);
  EXPECT_EQ(code("smtp_url = \"smtp://mail.example.org\"\nstarttls = \"off\"\n"), ErrorCode::option_malformed);
  EXPECT_EQ(code("smtp_url = \"smtp://mail.example.org\"\nuser = \"node\"\n"), ErrorCode::option_malformed);
  EXPECT_EQ(code("smtp_url = \"smtp://mail.example.org\"\nuser = \"node\"\npassword_file = \"/nowhere\"\n"),
            ErrorCode::secret_unreadable);
  EXPECT_EQ(read("[mail]\nfrom = \"no address\"\n").error().code, ErrorCode::option_malformed);
  EXPECT_EQ(read("[mail]\ndelivery = \"smtp\"\nsmtp_url = \"smtp://localhost\"\nstarttls = \"off\"\n").error().code,
            ErrorCode::option_malformed);
}

}  // namespace
}  // namespace community::notifications
