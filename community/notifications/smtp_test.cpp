// SPDX-License-Identifier: Apache-2.0
// Against a real SMTP server (aiosmtpd), which this test starts on loopback: STARTTLS, AUTH, and every way to fail.
#include <gtest/gtest.h>

#include <fstream>

#include "community/core/json.hpp"
#include "community/infra/api/child_process.hpp"
#include "community/infra/api/worker_pool.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/notifications/mailer.hpp"

namespace community::notifications {
namespace {

namespace json = core::json;

class SmtpTest : public testing::Test {
 protected:
  // Mode as test_support/smtp_server.py has it.
  void serve(const std::string& mode) {
    certificate = (folder.path() / "certificate.pem").string();
    const std::string key = (folder.path() / "key.pem").string();
    const std::string make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
        key + " -out " + certificate + " 2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0);
    infra::ChildOptions options;
    options.name = "smtp";
    options.executable = "/usr/bin/python3";
    options.arguments = {std::string(COMMUNITY_SOURCE_DIR) + "/community/notifications/test_support/smtp_server.py",
                         mode, certificate, key};
    options.on_line = [this](std::string_view line) {
      if (port == 0) {
        port = std::atoi(std::string(line).c_str());
        if (port == 0) ADD_FAILURE() << line;
      } else if (const auto value = core::parse_json(line); value && value->is_object()) {
        events.push_back(value->as_object());
      } else {
        ADD_FAILURE() << line;
      }
      came.set();
    };
    server = infra::ChildProcess::start(loop, options).value();
    loop.block_on(until([this] { return port != 0; }));
    smtp.url = (mode == "tls" ? "smtps://127.0.0.1:" : "smtp://127.0.0.1:") + std::to_string(port);
    smtp.user = "node";
    smtp.password = "correct horse";
    smtp.ca_file = certificate;
    // Nothing here takes so long; a server that hangs is stopped otherwise.
    smtp.timeout = infra::Milliseconds(60'000);
  }
  ~SmtpTest() override {
    if (server == nullptr) return;
    server->signal(SIGKILL);
    loop.block_on(server->wait());
  }

  Task<void> until(std::function<bool()> reached) {
    while (!reached()) {
      came.reset();
      co_await came.wait();
    }
  }
  std::size_t count(std::string_view event) const {
    std::size_t found = 0;
    for (const json::object& one : events) found += one.at("event") == json::value(event) ? 1 : 0;
    return found;
  }
  std::string message() const {
    std::string text;
    for (const json::object& one : events)
      if (one.at("event") == json::value("part")) text += std::string(one.at("text").as_string());
    return text;
  }
  Envelope envelope(const std::string& to) {
    Envelope one;
    one.id = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69";
    one.from = {"node", "example.org"};
    one.to = {to, "example.com"};
    // A line that is a dot alone must not end it.
    one.message = "Subject: s\r\n\r\none\r\n.\r\n..two\r\n.three\r\n";
    return one;
  }
  Delivery send(const std::string& to) {
    transport = make_smtp_transport(smtp);
    auto work = [this, one = envelope(to)] { return transport->send(one); };
    auto task = [&]() -> Task<Delivery> {
      const auto done = co_await pool.run(work);
      co_return done.value();
    };
    return loop.block_on(task());
  }

  infra::TemporaryDirectory folder;
  infra::EventLoop loop;
  infra::Event came;
  int port = 0;
  std::vector<json::object> events;
  std::string certificate;
  SmtpOptions smtp;
  std::unique_ptr<MailTransport> transport;
  infra::WorkerPool pool{{"mail", 1, 4}};
  std::unique_ptr<infra::ChildProcess> server;
};

TEST_F(SmtpTest, AMailArrivesAsItIsUnderTlsFromTheRightUser) {
  for (const char* mode : {"starttls", "tls"}) {
    SCOPED_TRACE(mode);
    port = 0;
    events.clear();
    serve(mode);
    const Delivery done = send("ok");
    EXPECT_EQ(done.outcome, Outcome::accepted) << done.words;
    EXPECT_EQ(done.reply / 100, 2);
    loop.block_on(until([this] { return count("data") == 1; }));
    const json::object data = events.back();
    EXPECT_EQ(data.at("tls"), json::value(true));
    EXPECT_EQ(data.at("user"), json::value("node"));
    EXPECT_EQ(data.at("sender"), json::value("node@example.org"));
    EXPECT_EQ(data.at("to"), json::value(json::array{"ok@example.com"}));
    EXPECT_EQ(message(), envelope("ok").message);
    EXPECT_EQ(events.front().at("name"), json::value("example.org"));
    server->signal(SIGKILL);
    loop.block_on(server->wait());
  }
}

TEST_F(SmtpTest, RepliesDecideWhetherItIsTriedAgain) {
  serve("starttls");
  const auto judged = [this](const char* to, Outcome outcome, int reply) {
    SCOPED_TRACE(to);
    const Delivery done = send(to);
    EXPECT_EQ(done.outcome, outcome) << done.words;
    EXPECT_EQ(done.reply, reply) << done.words;
    // What the server said holds the address.
    EXPECT_EQ(done.words.find('@'), std::string::npos) << done.words;
  };
  judged("later", Outcome::later, 451);
  judged("no", Outcome::refused, 550);
  judged("data-later", Outcome::later, 452);
  judged("data-no", Outcome::refused, 554);
}

TEST_F(SmtpTest, AWrongPasswordIsNoFaultOfTheMail) {
  serve("starttls");
  smtp.password = "wrong";
  const Delivery done = send("ok");
  EXPECT_EQ(done.outcome, Outcome::later);
  EXPECT_EQ(done.reply, 535);
  loop.block_on(until([this] { return count("auth") >= 1; }));
  EXPECT_EQ(count("rcpt"), 0u);
}

TEST_F(SmtpTest, NothingIsSaidToAServerThatIsNotTheRightOne) {
  serve("starttls");
  smtp.ca_file.clear();
  const Delivery done = send("ok");
  EXPECT_EQ(done.outcome, Outcome::later);
  EXPECT_EQ(count("auth") + count("rcpt"), 0u);
}

TEST_F(SmtpTest, NothingIsSaidToAServerWithoutTls) {
  serve("plain");
  const Delivery done = send("ok");
  EXPECT_EQ(done.outcome, Outcome::later);
  smtp.user.clear();
  smtp.password.clear();
  EXPECT_EQ(send("ok").outcome, Outcome::later);
  EXPECT_EQ(count("auth") + count("rcpt"), 0u);
  // Said aloud, it is for a server of this machine.
  smtp.plain = true;
  ASSERT_TRUE(check_smtp(smtp));
  EXPECT_EQ(send("ok").outcome, Outcome::accepted);
}

TEST_F(SmtpTest, AServerThatHangsIsLeft) {
  serve("starttls");
  smtp.timeout = infra::Milliseconds(300);
  EXPECT_EQ(send("hang").outcome, Outcome::later);
  smtp.timeout = infra::Milliseconds(3'600'000);
  transport = make_smtp_transport(smtp);
  auto work = [this, one = envelope("hang")] { return transport->send(one); };
  events.clear();
  Delivery done;
  auto sending = [&]() -> Task<void> {
    const auto answer = co_await pool.run(work);
    done = answer.value();
  };
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(sending());
    co_await until([this] { return count("rcpt") == 1; });
    transport->stop();
    co_await group.join();
  };
  loop.block_on(test());
  EXPECT_EQ(done.outcome, Outcome::later);
}

TEST_F(SmtpTest, AConnectionThatEndsBehindDataLeavesItOpenWhetherItWasTaken) {
  serve("starttls");
  EXPECT_EQ(send("drop-data").outcome, Outcome::later);
  loop.block_on(until([this] { return count("data") == 1; }));
}

TEST_F(SmtpTest, AServerThatIsAwayIsAskedLater) {
  smtp.url = "smtp://127.0.0.1:1";
  EXPECT_EQ(send("ok").outcome, Outcome::later);
}

TEST_F(SmtpTest, AMailerBringsAQueuedMailThroughA450) {
  serve("starttls");
  infra::FakeClock clock;
  const auto random = infra::make_system_random();
  const infra::TestDatabase place;
  auto database = infra::Database::open(place.options(), {notification_migrations()}).value();
  MailerOptions options{{"Community Node", {"node", "example.org"}, "https://example.org"}, smtp, {}};
  auto mailer = make_mailer({*database, clock, *random, loop.executor()}, options).value();
  Mail mail;
  mail.to = "once-later@example.com";
  mail.text = MailText::registration_code;
  mail.language = "th";
  mail.values = {{"code", "48151623"}, {"minutes", "15"}};
  mail.now_ms = clock.now_ms();
  mail.expires_ms = mail.now_ms + 900'000;
  auto work = [&](soci::session& sql) { return mailer->queue(sql, mail); };
  auto test = [&]() -> Task<void> {
    const auto queued = co_await database->write(work);
    EXPECT_TRUE(queued.has_value() && queued->has_value());
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(mailer->run());
    co_await until([this] { return count("rcpt") == 1; });
    co_await clock.wait_for_sleepers(1);
    clock.advance(infra::Milliseconds(10'000));
    co_await until([this] { return count("data") == 1; });
    for (;;) {
      const auto counts = co_await mailer->counts();
      if (counts->sent == 1) break;
      co_await infra::sleep_real(infra::Milliseconds(1));
    }
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
  EXPECT_EQ(count("rcpt"), 2u);
  EXPECT_NE(message().find("To: <once-later@example.com>\r\n"), std::string::npos);
  mailer.reset();
}

}  // namespace
}  // namespace community::notifications
