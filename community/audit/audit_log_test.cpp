// SPDX-License-Identifier: Apache-2.0
// Events in the transactions of what they tell; erasure, listeners, and a database in which somebody wrote by hand.
#include <gtest/gtest.h>
#include <soci/soci.h>

#include "community/audit/api/left.hpp"
#include "community/audit/factory.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/test_database.hpp"

namespace community::audit {
namespace {

const std::string kAlice = "4f1c2f0a-8d3e-4a51-9f0e-1f2d3c4b5a69";
const std::string kBob = "9a7d3b52-0c41-4d7e-b0a3-5f1e2d3c4b5a";

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() { open(); }
  ~AuditLogTest() override { close(); }

  void open() {
    database = infra::Database::open(place.options(), {audit_migrations()}).value();
    log = make_audit_log({*database, *random, clock, loop.executor()});
  }
  void close() {
    log.reset();
    database.reset();
  }

  AuditEvent event(EventName what, const std::string& subject, json::object payload = {}) {
    return {what, subject, std::move(payload), clock.now_ms()};
  }
  Task<Result<Entry>> recorded(AuditEvent one) {
    auto work = [this, one](soci::session& sql) -> Result<Entry> { return log->record(sql, one); };
    auto done = co_await database->write(work);
    if (!done) co_return fail(ErrorCode::storage_failed, done.error().text());
    co_return std::move(*done);
  }
  Result<Entry> record(AuditEvent one) { return loop.block_on(recorded(std::move(one))); }
  std::uint64_t erase(const std::string& subject) {
    auto work = [&](soci::session& sql) { return log->erase(sql, subject, clock.now_ms()); };
    auto task = [&]() -> Task<std::uint64_t> {
      const auto done = co_await database->write(work);
      co_return done.value().value();
    };
    return loop.block_on(task());
  }
  bool left(const std::string& subject) {
    auto work = [subject](soci::session& sql) { return has_left(sql, subject); };
    auto task = [&]() -> Task<bool> {
      const auto done = co_await database->read(work);
      co_return done.value();
    };
    return loop.block_on(task());
  }
  std::vector<Entry> read(Query query) { return loop.block_on(log->read(std::move(query))).value(); }
  VerifyReport verify(std::vector<Head> kept = {}) {
    auto work = [kept](soci::session& sql) { return verify_log(sql, {kept, {}}); };
    auto task = [&]() -> Task<VerifyReport> {
      auto done = co_await database->read(work);
      co_return std::move(done.value());
    };
    return loop.block_on(task());
  }
  void by_hand(const std::string& statement) {
    auto work = [statement](soci::session& sql) { sql << statement; };
    auto task = [&]() -> Task<void> {
      const auto done = co_await database->write(work);
      EXPECT_TRUE(done.has_value()) << done.error().text();
    };
    loop.block_on(task());
  }
  void fill(int count) {
    for (int i = 0; i < count; i++) {
      json::object payload;
      payload["number"] = i;
      ASSERT_TRUE(record(event(i % 2 == 0 ? EventName::wallet_used : EventName::transaction_signed,
                               i % 3 == 0 ? kAlice : kBob, payload)));
      clock.advance(infra::Milliseconds(1'000));
    }
  }
  void expect_fault(Fault fault, std::uint64_t sequence, std::vector<Head> kept = {}) {
    const auto report = verify(std::move(kept));
    ASSERT_TRUE(report.finding.has_value());
    EXPECT_EQ(name(report.finding->fault), name(fault)) << report.finding->words;
    EXPECT_EQ(report.finding->sequence, sequence) << report.finding->words;
  }

  infra::TestDatabase place;
  infra::EventLoop loop;
  infra::FakeClock clock;
  std::unique_ptr<infra::Random> random = infra::make_system_random();
  std::unique_ptr<infra::Database> database;
  std::unique_ptr<AuditLog> log;
};

TEST_F(AuditLogTest, EntriesFollowOneAnotherAndSurviveARestart) {
  const auto first = record(event(EventName::user_registered, kAlice));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->sequence, 1u);
  EXPECT_TRUE(base::is_zero(first->previous));
  close();
  open();
  const auto second = record(event(EventName::wallet_created, kAlice, {{"account", "0x01"}}));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->sequence, 2u);
  EXPECT_EQ(second->previous, first->hash);
  EXPECT_NE(second->payload->salt, first->payload->salt);
  const auto report = verify();
  EXPECT_FALSE(report.finding.has_value());
  EXPECT_EQ(report.head, (Head{2, second->hash}));
  EXPECT_EQ(report.payloads, 2u);
  EXPECT_EQ(loop.block_on(log->head()).value(), report.head);
  const json::object shown = to_json(read({})[1]);
  EXPECT_EQ(shown.at("event"), json::value("WalletCreated"));
  EXPECT_EQ(shown.at("payload").at("account"), json::value("0x01"));
  EXPECT_EQ(shown.at("time"), json::value("2026-01-01T00:00:00.000Z"));
}

TEST_F(AuditLogTest, AnEmptyLogHolds) {
  const auto report = verify({Head{}});
  EXPECT_FALSE(report.finding.has_value());
  EXPECT_EQ(report.head, Head{});
  expect_fault(Fault::tail_missing, 1, {{1, {}}});
}

TEST_F(AuditLogTest, AnEventIsThereExactlyWhenItsWriteIs) {
  auto half = [this](soci::session& sql) -> infra::Result<void> {
    EXPECT_TRUE(log->record(sql, event(EventName::wallet_created, kAlice)));
    EXPECT_TRUE(log->record(sql, event(EventName::wallet_used, kAlice)));
    return infra::fail(infra::ErrorCode::malformed, "what it tells did not happen");
  };
  auto test = [&]() -> Task<void> {
    const auto done = co_await database->write(half);
    EXPECT_FALSE(done.has_value());
  };
  fill(1);
  loop.block_on(test());
  fill(1);
  const auto report = verify();
  EXPECT_FALSE(report.finding.has_value());
  EXPECT_EQ(report.head.sequence, 2u);
}

TEST_F(AuditLogTest, ConcurrentWritersMakeOneChain) {
  constexpr int kWriters = 16, kEach = 40;
  int refused = 0;
  auto writer = [&](int number) -> Task<void> {
    for (int i = 0; i < kEach; i++) {
      const bool keep = (i + number) % 4 != 0;
      auto work = [this, keep, number](soci::session& sql) -> infra::Result<void> {
        EXPECT_TRUE(log->record(sql, event(EventName::wallet_used, number % 2 == 0 ? kAlice : kBob)));
        if (!keep) return infra::fail(infra::ErrorCode::malformed);
        return {};
      };
      const auto done = co_await database->write(work);
      refused += done ? 0 : 1;
    }
  };
  auto test = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < kWriters; i++) group.spawn(writer(i));
    co_await group.join();
  };
  loop.block_on(test());
  EXPECT_EQ(refused, kWriters * kEach / 4);
  const auto report = verify();
  EXPECT_FALSE(report.finding.has_value());
  EXPECT_EQ(report.head.sequence, static_cast<std::uint64_t>(kWriters * kEach - refused));
}

TEST_F(AuditLogTest, RefusesWhatDoesNotBelongIntoIt) {
  const auto code = [this](AuditEvent one) { return record(std::move(one)).error().code; };
  for (const char* subject :
       {"alice@example.org", "4F1C2F0A-8D3E-4A51-9F0E-1F2D3C4B5A69", "x", "4f1c2f0a08d3e-4a51-9f0e-1f2d3c4b5a69"})
    EXPECT_EQ(code(event(EventName::wallet_used, subject)), ErrorCode::subject_syntax) << subject;
  json::object large;
  large["text"] = std::string(kMaxPayloadBytes - 10, 'x');
  EXPECT_EQ(code(event(EventName::wallet_used, kAlice, large)), ErrorCode::payload_too_large);
  large["text"] = std::string(kMaxPayloadBytes - 11, 'x');
  EXPECT_TRUE(record(event(EventName::wallet_used, kAlice, large)));
  json::object nested;
  nested["list"] = json::array{1, json::object{{"inner", "alice@example.org"}}};
  EXPECT_EQ(code(event(EventName::wallet_used, kAlice, nested)), ErrorCode::payload_personal_data);
  EXPECT_EQ(code(event(EventName::security_violation, "")), ErrorCode::violation_without_type);
  EXPECT_EQ(code(event(EventName::security_violation, "", {{"type", "Not a word"}})),
            ErrorCode::violation_without_type);
  EXPECT_TRUE(record(event(EventName::security_violation, "", {{"type", "login_refused"}})));
  EXPECT_EQ(code(event(EventName::payloads_erased, kAlice)), ErrorCode::event_reserved);
  EXPECT_EQ(verify().head.sequence, 2u);
}

TEST_F(AuditLogTest, IsReadBySubjectAndTimePageByPage) {
  fill(30);
  Query query;
  query.subject = kAlice;
  query.limit = 4;
  std::vector<std::uint64_t> seen;
  for (;;) {
    const auto page = read(query);
    for (const Entry& entry : page) {
      EXPECT_EQ(entry.subject, kAlice);
      seen.push_back(entry.sequence);
    }
    if (page.size() < query.limit) break;
    query.after = page.back().sequence;
  }
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 4, 7, 10, 13, 16, 19, 22, 25, 28}));
  Query newest;
  newest.newest_first = true;
  newest.limit = 2;
  EXPECT_EQ(read(newest)[0].sequence, 30u);
  newest.before = 30;
  EXPECT_EQ(read(newest)[0].sequence, 29u);
  Query hour;
  hour.since_ms = read({})[9].time_ms;
  hour.until_ms = read({})[11].time_ms;
  EXPECT_EQ(read(hour).size(), 2u);
  EXPECT_EQ(read(hour)[0].sequence, 10u);
  for (const std::size_t limit : {std::size_t{0}, kMaxPage + 1}) {
    Query bad;
    bad.limit = limit;
    EXPECT_EQ(loop.block_on(log->read(bad)).error().code, ErrorCode::page_size);
  }
  Query stranger;
  stranger.subject = "' OR 1=1 --";
  EXPECT_EQ(loop.block_on(log->read(stranger)).error().code, ErrorCode::subject_syntax);
}

TEST_F(AuditLogTest, ErasureTakesPayloadsAndLeavesTheChain) {
  fill(12);
  const Head kept = verify().head;
  EXPECT_EQ(erase(kAlice), 4u);
  const auto report = verify({kept});
  EXPECT_FALSE(report.finding.has_value()) << report.finding->words;
  EXPECT_EQ(report.head.sequence, 13u);
  EXPECT_EQ(report.erased, 4u);
  Query alice;
  alice.subject = kAlice;
  const auto entries = read(alice);
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_FALSE(entries[0].payload.has_value());
  EXPECT_TRUE(to_json(entries[0]).at("payload").is_null());
  EXPECT_EQ(entries[4].event, "PayloadsErased");
  EXPECT_EQ(entries[4].payload->text, "{\"payloads\":4}");
  Query bob;
  bob.subject = kBob;
  for (const Entry& entry : read(bob)) EXPECT_TRUE(entry.payload.has_value());
  // Twice is possible, and so is a life after it.
  EXPECT_EQ(erase(kAlice), 1u);
  fill(3);
  EXPECT_FALSE(verify({kept}).finding.has_value());
}

TEST_F(AuditLogTest, KnowsWhoLeft) {
  fill(12);
  EXPECT_FALSE(left(kAlice));
  erase(kAlice);
  EXPECT_FALSE(left(kAlice));
  ASSERT_TRUE(record(event(EventName::user_deleted, kAlice)));
  EXPECT_TRUE(left(kAlice));
  EXPECT_FALSE(left(kBob));
  EXPECT_FALSE(left({}));
}

TEST_F(AuditLogTest, WhatSomebodyWritesByHandIsFoundWhereItIs) {
  fill(20);
  const Head kept = verify().head;
  ASSERT_FALSE(verify({kept}).finding.has_value());
  const std::string zeros(64, '0');
  struct Case {
    std::string change;
    Fault fault;
    std::uint64_t sequence;
  };
  const std::vector<Case> cases{
      {"UPDATE audit_entries SET time_ms = time_ms + 1 WHERE sequence = 7", Fault::entry_changed, 7},
      {"UPDATE audit_entries SET event = 'UserDeleted' WHERE sequence = 1", Fault::entry_changed, 1},
      {"UPDATE audit_entries SET subject = '' WHERE sequence = 20", Fault::entry_changed, 20},
      {"UPDATE audit_entries SET payload_digest = '" + zeros + "' WHERE sequence = 3", Fault::entry_changed, 3},
      {"UPDATE audit_entries SET previous = '" + zeros + "' WHERE sequence = 3", Fault::link_broken, 3},
      {"UPDATE audit_entries SET hash = '" + zeros + "' WHERE sequence = 3", Fault::entry_changed, 3},
      {"UPDATE audit_entries SET hash = 'x' WHERE sequence = 3", Fault::entry_malformed, 3},
      {"UPDATE audit_entries SET hash = UPPER(hash) WHERE sequence = 3", Fault::entry_malformed, 3},
      {"UPDATE audit_entries SET sequence = 21 WHERE sequence = 20", Fault::entry_missing, 20},
      {"UPDATE audit_entries SET sequence = -5 WHERE sequence = 20", Fault::entry_malformed, 0},
      {"UPDATE audit_payloads SET payload = '{}' WHERE sequence = 5", Fault::payload_changed, 5},
      {"UPDATE audit_payloads SET salt = '" + zeros + "' WHERE sequence = 5", Fault::payload_changed, 5},
      {"UPDATE audit_payloads SET salt = '' WHERE sequence = 5", Fault::entry_malformed, 5},
      {"DELETE FROM audit_payloads WHERE sequence = 5", Fault::payload_missing, 5},
      {"INSERT INTO audit_payloads (sequence, salt, payload) VALUES (99, '" + zeros + "', '{}')",
       Fault::payload_without_entry, 99},
      {"DELETE FROM audit_entries WHERE sequence = 9", Fault::entry_missing, 9},
      {"DELETE FROM audit_entries WHERE sequence = 1", Fault::entry_missing, 1},
      {"DELETE FROM audit_entries WHERE sequence = 20", Fault::tail_missing, 20},
      {"DELETE FROM audit_entries", Fault::tail_missing, 1},
  };
  close();
  const infra::TestDatabase copy;
  place.copy_to(copy);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.change);
    open();
    by_hand(one.change);
    expect_fault(one.fault, one.sequence, {kept});
    close();
    copy.copy_to(place);
  }
  open();
  EXPECT_FALSE(verify({kept}).finding.has_value());
}

TEST_F(AuditLogTest, MoreThanOnePageIsVerifiedWithProgress) {
  static constexpr std::uint64_t kEntries = 10'000;
  auto many = [this](soci::session& sql) {
    for (std::uint64_t i = 0; i < kEntries; i++)
      ASSERT_TRUE(log->record(sql, event(EventName::wallet_used, i % 5 == 0 ? kAlice : "")));
  };
  auto test = [&]() -> Task<void> {
    const auto done = co_await database->write(many);
    EXPECT_TRUE(done.has_value());
    std::vector<std::uint64_t> steps;
    auto work = [&steps](soci::session& sql) {
      VerifyOptions options;
      options.progress = [&steps](std::uint64_t at, std::uint64_t total) {
        EXPECT_EQ(total, kEntries);
        steps.push_back(at);
      };
      return verify_log(sql, options);
    };
    const auto report = co_await database->read(work);
    EXPECT_FALSE(report.value().finding.has_value());
    EXPECT_EQ(report.value().head.sequence, kEntries);
    EXPECT_EQ(steps, (std::vector<std::uint64_t>{4'096, 8'192, 10'000}));
  };
  loop.block_on(test());
}

TEST_F(AuditLogTest, ListenersHearInOrderOnceItIsCommittedAndNamedOnesOverRestarts) {
  std::vector<std::uint64_t> named, unnamed;
  infra::Event enough;
  std::uint64_t wanted = 0;
  const auto start = [&](infra::TaskGroup& group) {
    log->listen("push", [&](const Entry& entry) -> Task<bool> {
      named.push_back(entry.sequence);
      co_return true;
    });
    log->listen("", [&](const Entry& entry) -> Task<bool> {
      unnamed.push_back(entry.sequence);
      if (entry.sequence >= wanted) enough.set();
      co_return true;
    });
    group.spawn(log->run());
  };
  fill(3);
  auto first = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    start(group);
    // The first word is told of an entry that comes after the start, however long that takes.
    wanted = 4;
    while (!enough.is_set()) {
      const auto one = co_await recorded(event(EventName::wallet_used, kAlice));
      EXPECT_TRUE(one.has_value());
      co_await enough.wait_for(infra::Milliseconds(20));
    }
    group.cancel();
    co_await group.join();
  };
  loop.block_on(first());
  const std::uint64_t heard = named.back();
  ASSERT_GE(heard, 4u);
  for (std::size_t i = 0; i < named.size(); i++) EXPECT_EQ(named[i], i + 1);
  EXPECT_GT(unnamed.front(), 3u);
  close();
  open();
  fill(2);
  named.clear();
  unnamed.clear();
  enough.reset();
  auto second = [&]() -> Task<void> {
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    wanted = 1;
    start(group);
    while (!enough.is_set()) {
      const auto one = co_await recorded(event(EventName::wallet_used, kAlice));
      EXPECT_TRUE(one.has_value());
      co_await enough.wait_for(infra::Milliseconds(20));
    }
    group.cancel();
    co_await group.join();
  };
  const std::uint64_t before = loop.block_on(log->head()).value().sequence;
  loop.block_on(second());
  // At least once: the page that was under way when the first ended may come again, nothing is left out.
  ASSERT_FALSE(named.empty());
  EXPECT_LE(named.front(), heard + 1);
  for (std::size_t i = 1; i < named.size(); i++) EXPECT_EQ(named[i], named[i - 1] + 1);
  EXPECT_GE(named.back(), before);
  EXPECT_GT(unnamed.front(), before);
}

TEST_F(AuditLogTest, TimesAreThoseOfRfc3339) {
  EXPECT_EQ(format_time_ms(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time_ms(1'767'225'600'001), "2026-01-01T00:00:00.001Z");
  EXPECT_EQ(format_time_ms(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_time_ms(-1'000), "1969-12-31T23:59:59.000Z");
}

}  // namespace
}  // namespace community::audit
