// SPDX-License-Identifier: Apache-2.0
// The people of one node on a real database, with a fake core, a clock that stands, and mail that a test can read.
#pragma once
#include <gtest/gtest.h>
#include <soci/soci.h>

#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/users/test_support/device.hpp"
#include "community/users/test_support/fake_core.hpp"

#include "community/users/factory.hpp"

namespace community::users::test_support {

// Writes into tables of their own, so that what a write undoes is undone here too.
class FakeJournal final : public Journal {
 public:
  void record(soci::session& sql, const PersonEvent& event) override {
    const std::string name(users::name(event.event)), details = core::json::serialize(event.details);
    sql << "INSERT INTO test_events (name, subject, details) VALUES (:n, :s, :d)", soci::use(name),
        soci::use(event.user_id), soci::use(details);
  }
};

class FakeMail final : public Mail {
 public:
  void queue(soci::session& sql, const CodeMail& mail) override {
    const int known = mail.already_registered ? 1 : 0;
    sql << "INSERT INTO test_mails (recipient, locale, code, known) VALUES (:r, :l, :c, :k)", soci::use(mail.to),
        soci::use(mail.locale), soci::use(mail.code), soci::use(known);
  }
};

struct SentMail {
  std::string to, locale, code;
  bool known = false;
};

class PeopleTest : public ::testing::Test {
 protected:
  PeopleTest() { start(); }

  static infra::MigrationSet test_tables() {
    return {"test",
            {{1, "events and mails",
              "CREATE TABLE test_events (name TEXT NOT NULL, subject TEXT NOT NULL, details TEXT NOT NULL);\n"
              "CREATE TABLE test_mails (recipient TEXT NOT NULL, locale TEXT NOT NULL, code TEXT NOT NULL, "
              "known INTEGER NOT NULL);\n"}}};
  }

  // Also again, as a node that was killed: what was in memory is gone.
  void start() {
    people.reset();
    database.reset();
    auto opened = infra::Database::open(place.options(), {user_migrations(), test_tables()});
    ASSERT_TRUE(opened) << opened.error().text();
    database = std::move(*opened);
    people = make_users({*database, clock, *random, core, core, journal, mail, key, &metrics}, options());
  }

  UsersOptions options() const {
    UsersOptions out;
    out.rp_id = "example.org";
    out.origin = "https://example.org:8443";
    out.chains = {{1, core.factory, core::Address{0x43}, core.proxy_init_code_hash},
                  {10, core.factory, core::Address{0x43}, core.proxy_init_code_hash}};
    out.rules.daily_limit = core::Uint256(1'000'000);
    out.rules.gas_cap = core::Uint256(2'000);
    return out;
  }

  template <class T>
  T wait(Task<T> task) {
    return loop.block_on(std::move(task));
  }

  // --- what happened -------------------------------------------------------------------------------------------------

  std::vector<SentMail> mails() {
    auto read = [](soci::session& sql) {
      std::vector<SentMail> out;
      SentMail row;
      int known = 0;
      soci::statement statement = (sql.prepare << "SELECT recipient, locale, code, known FROM test_mails",
                                   soci::into(row.to), soci::into(row.locale), soci::into(row.code), soci::into(known));
      statement.execute();
      while (statement.fetch()) {
        row.known = known != 0;
        out.push_back(row);
      }
      return out;
    };
    return wait(database->read(read)).value();
  }
  // "UserRegistered", …, in order.
  std::vector<std::string> events() {
    auto read = [](soci::session& sql) {
      std::vector<std::string> out;
      std::string name;
      soci::statement statement = (sql.prepare << "SELECT name FROM test_events", soci::into(name));
      statement.execute();
      while (statement.fetch()) out.push_back(name);
      return out;
    };
    return wait(database->read(read)).value();
  }
  // Of each event, as JSON.
  std::vector<std::string> details() {
    auto read = [](soci::session& sql) {
      std::vector<std::string> out;
      std::string text;
      soci::statement statement = (sql.prepare << "SELECT details FROM test_events", soci::into(text));
      statement.execute();
      while (statement.fetch()) out.push_back(text);
      return out;
    };
    return wait(database->read(read)).value();
  }
  long long rows(const std::string& table) {
    auto read = [table](soci::session& sql) {
      long long count = 0;
      sql << "SELECT COUNT(*) FROM " + table, soci::into(count);
      return count;
    };
    return wait(database->read(read)).value();
  }

  // --- steps ---------------------------------------------------------------------------------------------------------

  std::string ask_for_code(const std::string& email) {
    const auto pending = wait(people->register_user({email, "", ""}, client));
    EXPECT_TRUE(pending.has_value()) << pending.error().message;
    return pending ? pending->registration_id : std::string();
  }
  PasskeyQuestion prove(const std::string& registration_id) {
    const auto question = wait(people->prove_email(registration_id, mails().back().code));
    EXPECT_TRUE(question.has_value()) << name(question.error().code);
    return question.value_or(PasskeyQuestion{});
  }
  Result<Registered> set_up(const std::string& registration_id, const NewPasskey& passkey) {
    return wait(people->setup_biometric(registration_id, passkey, client));
  }
  Registered register_person(const std::string& email, const Device& device) {
    const std::string id = ask_for_code(email);
    const auto registered = set_up(id, device.create(prove(id).challenge));
    EXPECT_TRUE(registered.has_value()) << name(registered.error().code) << " " << registered.error().message;
    return registered.value_or(Registered{});
  }
  Result<LoggedIn> log_in(const LogInAssertion& assertion) {
    return wait(people->authenticate_user(assertion, client));
  }

  infra::EventLoop loop;
  infra::FakeClock clock;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  infra::TestDatabase place;
  infra::Metrics metrics;
  FakeCore core;
  FakeJournal journal;
  FakeMail mail;
  Bytes32 key{0x6b};
  Client client{"203.0.113.7", "Laptop", {}};
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<Users> people;
};

}  // namespace community::users::test_support
