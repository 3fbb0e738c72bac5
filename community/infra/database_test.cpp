// SPDX-License-Identifier: Apache-2.0
// Durability, isolation of the writes that share a commit, and migrations that refuse what they do not know. Runs on
// SQLite, and once more on PostgreSQL with COMMUNITY_TEST_DATABASE=postgresql.
#include "community/infra/api/database.hpp"

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include "community/infra/fake/test_database.hpp"
#include "community/infra/migrations.hpp"

namespace community::infra {
namespace {

MigrationSet counters(std::size_t steps = 1) {
  MigrationSet set{
      "counter",
      {{1, "create", "CREATE TABLE counter_value (\n  name TEXT PRIMARY KEY,\n  value BIGINT NOT NULL\n);\n"}}};
  if (steps > 1) set.steps.push_back({2, "index", "CREATE INDEX counter_by_value ON counter_value (value);\n"});
  return set;
}

void put(soci::session& sql, const std::string& name, long long value) {
  sql << "INSERT INTO counter_value (name, value) VALUES (:name, :value)", soci::use(name), soci::use(value);
}

long long count(soci::session& sql) {
  long long rows = 0;
  sql << "SELECT COUNT(*) FROM counter_value", soci::into(rows);
  return rows;
}

class database_test : public testing::Test {
 protected:
  Result<std::unique_ptr<Database>> open(std::vector<MigrationSet> sets, Metrics* metrics = nullptr) {
    return Database::open(place.options(), std::move(sets), metrics);
  }

  TestDatabase place{TestDatabase::Writes::kept};
  EventLoop loop;
};

TEST_F(database_test, AWriteIsSeenByTheNextRead) {
  auto database = open({counters()}).value();
  auto test = [&]() -> Task<void> {
    const auto written = co_await database->write([](soci::session& sql) { put(sql, "a", 1); });
    EXPECT_TRUE(written.has_value());
    const auto rows = co_await database->read([](soci::session& sql) { return count(sql); });
    EXPECT_EQ(rows.value_or(-1), 1);
  };
  loop.block_on(test());
}

TEST_F(database_test, WritesThatFailDoNotHurtTheirNeighbours) {
  auto database = open({counters()}).value();
  std::vector<ErrorCode> errors;
  int succeeded = 0;
  auto write_one = [&](int i) -> Task<void> {
    const auto done = co_await database->write([i](soci::session& sql) -> Result<int> {
      put(sql, "n" + std::to_string(i), i);
      if (i % 3 == 1) return fail(ErrorCode::malformed, "refused by the caller");
      if (i % 3 == 2) put(sql, "n" + std::to_string(i), i);
      return i;
    });
    if (done) {
      succeeded++;
    } else {
      errors.push_back(done.error().code);
    }
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 300; i++) group.spawn(write_one(i));
    co_await group.join();
    const auto rows = co_await database->read([](soci::session& sql) { return count(sql); });
    EXPECT_EQ(rows.value_or(-1), 100);
  };
  loop.block_on(test());
  EXPECT_EQ(succeeded, 100);
  EXPECT_EQ(std::count(errors.begin(), errors.end(), ErrorCode::malformed), 100);
  EXPECT_EQ(std::count(errors.begin(), errors.end(), ErrorCode::constraint), 100);
}

TEST_F(database_test, ManyWritesShareACommit) {
  Metrics metrics;
  auto database = open({counters()}, &metrics).value();
  std::promise<void> release;
  auto gate = release.get_future().share();
  auto hold = [&]() -> Task<void> {
    auto block = [gate](soci::session&) { gate.wait(); };
    co_await database->write(block);
  };
  auto write_one = [&](int i) -> Task<void> {
    co_await database->write([i](soci::session& sql) { put(sql, std::to_string(i), i); });
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(hold());
    for (int i = 0; i < 20; i++) group.spawn(write_one(i));
    release.set_value();
    co_await group.join();
  };
  loop.block_on(test());
  EXPECT_LT(metrics.counter("community_database_commits_total", "Group commits").value(), 21);
}

// The words of a refused row end up in logs.
TEST_F(database_test, AnErrorDoesNotRepeatTheValues) {
  auto database = open({counters()}).value();
  auto twice = [](soci::session& sql) {
    put(sql, "somebody@example.org", 1);
    put(sql, "somebody@example.org", 2);
  };
  const auto done = loop.block_on(database->write(twice));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::constraint);
  EXPECT_EQ(done.error().message.find("somebody"), std::string::npos) << done.error().message;
}

// On PostgreSQL nothing can follow a failed statement but the end of its savepoint.
TEST_F(database_test, AWriteThatIgnoresAnErrorHurtsNobodyElse) {
  auto database = open({counters()}).value();
  auto ignore = [](soci::session& sql) {
    put(sql, "a", 1);
    try {
      put(sql, "a", 2);
    } catch (const soci::soci_error&) {
    }
    return true;
  };
  auto write_one = [&](int i) -> Task<void> {
    const auto done = co_await database->write([i](soci::session& sql) { put(sql, std::to_string(i), i); });
    EXPECT_TRUE(done.has_value());
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 10; i++) group.spawn(write_one(i));
    const auto ignored = co_await database->write(ignore);
    if (!ignored) {
      EXPECT_EQ(ignored.error().code, ErrorCode::database);
    }
    co_await group.join();
    const auto rows = co_await database->read([](soci::session& sql) { return count(sql); });
    EXPECT_EQ(rows.value_or(-1), ignored ? 11 : 10);
  };
  loop.block_on(test());
}

// Two statements of one read agree, whatever is written between them.
TEST_F(database_test, AReadIsOneSnapshot) {
  auto database = open({counters()}).value();
  std::promise<void> first_done, written;
  auto gate = written.get_future().share();
  auto look_twice = [&first_done, gate](soci::session& sql) {
    const long long before = count(sql);
    first_done.set_value();
    gate.wait();
    return std::pair(before, count(sql));
  };
  auto reader = [&]() -> Task<void> {
    const auto seen = co_await database->read(look_twice);
    EXPECT_TRUE(seen.has_value());
    EXPECT_EQ(seen.value_or(std::pair(-1LL, -2LL)), std::pair(0LL, 0LL));
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(reader());
    auto started = first_done.get_future();
    while (started.wait_for(std::chrono::seconds(0)) != std::future_status::ready) co_await reschedule();
    const auto done = co_await database->write([](soci::session& sql) { put(sql, "a", 1); });
    EXPECT_TRUE(done.has_value());
    written.set_value();
    co_await group.join();
  };
  loop.block_on(test());
}

TEST_F(database_test, AShortReadSeesEveryWriteThatReturned) {
  auto database = open({counters()}).value();
  auto test = [&]() -> Task<void> {
    for (long long i = 1; i <= 50; i++) {
      auto add = [i](soci::session& sql) { put(sql, std::to_string(i), i); };
      auto written = co_await database->write_unsynced(add);
      EXPECT_TRUE(written.has_value());
      const auto rows = co_await database->read_short([](soci::session& sql) { return count(sql); });
      EXPECT_EQ(rows.value_or(-1), i);
    }
    const auto broken = co_await database->read_short([](soci::session& sql) { sql << "SELECT * FROM nothing"; });
    EXPECT_EQ(broken.error().code, ErrorCode::database);
    const auto writes = co_await database->read_short([](soci::session& sql) { put(sql, "b", 2); });
    EXPECT_EQ(writes.error().code, ErrorCode::database);
    const auto after = co_await database->read_short([](soci::session& sql) { return count(sql); });
    EXPECT_EQ(after.value_or(-1), 50) << "what failed leaves the session usable";
  };
  loop.block_on(test());
  database->stop();
  auto stopped = [&]() -> Task<void> {
    const auto rows = co_await database->read_short([](soci::session& sql) { return count(sql); });
    EXPECT_EQ(rows.error().code, ErrorCode::closed);
  };
  loop.block_on(stopped());
}

TEST_F(database_test, ABugInAWriteIsThrownAtItsCallerAndUndone) {
  auto database = open({counters()}).value();
  auto test = [&]() -> Task<void> {
    co_await database->write([](soci::session& sql) {
      put(sql, "a", 1);
      throw std::logic_error("bug");
    });
  };
  EXPECT_THROW(loop.block_on(test()), std::logic_error);
  const auto rows = loop.block_on(database->read([](soci::session& sql) { return count(sql); }));
  EXPECT_EQ(rows.value_or(-1), 0);
}

TEST_F(database_test, AClosureThatOwnsMemoryIsDestroyedOnce) {
  auto database = open({counters()}).value();
  const auto owned = std::make_shared<std::string>("owned by the closure and longer than a short string");
  auto test = [&]() -> Task<void> {
    auto insert = [owned, name = *owned](soci::session& sql) {
      put(sql, name, 1);
      return name;
    };
    const auto done = co_await database->write(insert);
    EXPECT_EQ(done.value_or(""), *owned);
    auto look = [owned, name = *owned](soci::session&) { return name; };
    const auto again = co_await database->read(look);
    EXPECT_EQ(again.value_or(""), *owned);
  };
  loop.block_on(test());
  database.reset();
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(database_test, OneTextOfAStatementMayBeUnderWayTwice) {
  auto database = open({counters()}).value();
  auto fill = [](soci::session& sql) {
    for (long long i = 0; i < 4; i++) put(sql, "name " + std::to_string(i), i);
  };
  ASSERT_TRUE(loop.block_on(database->write(fill)));
  auto pairs = [](soci::session& sql) {
    const std::string text = "SELECT value FROM counter_value WHERE value >= :least ORDER BY value";
    std::vector<std::pair<long long, long long>> seen;
    long long outer = 0, inner = 0, least = 1;
    soci::statement all = (sql.prepare << text, soci::use(least), soci::into(outer));
    all.execute();
    while (all.fetch()) {
      soci::statement behind = (sql.prepare << text, soci::use(outer), soci::into(inner));
      behind.execute();
      while (behind.fetch()) seen.emplace_back(outer, inner);
    }
    return seen;
  };
  using Pairs = std::vector<std::pair<long long, long long>>;
  const Pairs expected{{1, 1}, {1, 2}, {1, 3}, {2, 2}, {2, 3}, {3, 3}};
  for (int i = 0; i < 3; i++) EXPECT_EQ(loop.block_on(database->read(pairs)).value_or(Pairs()), expected);
}

TEST_F(database_test, AStatementThatFailedOrWasLeftHalfwayIsAsNew) {
  auto database = open({counters()}).value();
  auto one = [](soci::session& sql) { put(sql, "a", 1); };
  ASSERT_TRUE(loop.block_on(database->write(one)));
  for (int i = 0; i < 3; i++) EXPECT_EQ(loop.block_on(database->write(one)).error().code, ErrorCode::constraint);
  auto two = [](soci::session& sql) { put(sql, "b", 2); };
  EXPECT_TRUE(loop.block_on(database->write(two)));
  // The first row alone is fetched: nothing of that is held afterwards, neither a lock nor a value.
  auto first = [](soci::session& sql) {
    const std::string name = "a";
    long long value = 0;
    soci::indicator known = soci::i_null;
    sql << "SELECT value FROM counter_value WHERE name >= :name ORDER BY name", soci::use(name),
        soci::into(value, known);
    return value;
  };
  EXPECT_EQ(loop.block_on(database->write(first)).value_or(-1), 1);
  auto clear = [](soci::session& sql) { sql << "DELETE FROM counter_value"; };
  EXPECT_TRUE(loop.block_on(database->write(clear)));
  EXPECT_EQ(loop.block_on(database->write(first)).value_or(-1), 0);
}

TEST_F(database_test, MoreTextsThanAreKeptAndASchemaThatChangesUnderThem) {
  auto database = open({counters()}).value();
  auto many = [](soci::session& sql) {
    put(sql, "a", 7);
    long long sum = 0;
    for (int i = 0; i < 600; i++) {
      long long value = 0;
      sql << "SELECT value + " + std::to_string(i % 400) + " FROM counter_value", soci::into(value);
      sum += value - i % 400;
    }
    return sum;
  };
  EXPECT_EQ(loop.block_on(database->write(many)).value_or(-1), 600 * 7);
  auto all = [](soci::session& sql) {
    soci::rowset<soci::row> rows = sql.prepare << "SELECT * FROM counter_value";
    return static_cast<long long>(rows.begin()->size());
  };
  EXPECT_EQ(loop.block_on(database->write(all)).value_or(-1), 2);
  auto wider = [](soci::session& sql) { sql << "ALTER TABLE counter_value ADD COLUMN note TEXT NOT NULL DEFAULT ''"; };
  ASSERT_TRUE(loop.block_on(database->write(wider)));
  EXPECT_EQ(loop.block_on(database->write(all)).value_or(-1), 3);
}

TEST_F(database_test, AReaderCannotWrite) {
  auto database = open({counters()}).value();
  const auto done = loop.block_on(database->read([](soci::session& sql) { put(sql, "a", 1); }));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::database);
  // And the session that was refused reads again.
  for (int i = 0; i < 3; i++) {
    const auto rows = loop.block_on(database->read([](soci::session& sql) { return count(sql); }));
    EXPECT_EQ(rows.value_or(-1), 0);
  }
}

TEST_F(database_test, AFullQueueRefusesByType) {
  DatabaseOptions options = place.options();
  options.max_queued = 1;
  auto database = Database::open(options, {counters()}).value();
  std::promise<void> release;
  std::atomic<bool> running = false;
  auto gate = release.get_future().share();
  auto hold = [&]() -> Task<void> {
    auto block = [gate, &running](soci::session&) {
      running = true;
      gate.wait();
    };
    co_await database->write(block);
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(hold());
    while (!running) co_await reschedule();
    group.spawn(hold());
    co_await reschedule();
    const auto refused = co_await database->write([](soci::session&) {});
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::queue_full);
    release.set_value();
    co_await group.join();
  };
  loop.block_on(test());
}

// What a job uses may belong to whoever cancels the task: an owner that has joined its tasks goes away.
TEST_F(database_test, ACancelledCallerGoesOnWhenItsJobHasEnded) {
  auto database = open({counters()}).value();
  std::promise<void> release;
  std::atomic<int> running = 0, ended = 0;
  auto gate = release.get_future().share();
  auto block = [gate, &running, &ended](soci::session&) {
    running++;
    gate.wait();
    ended++;
  };
  bool went_on = false;
  auto reading = [&]() -> Task<void> { co_await database->read(block); };
  auto writing = [&]() -> Task<void> {
    co_await database->write(block);
    co_await reschedule();
    went_on = true;
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(reading());
    group.spawn(writing());
    while (running < 2) co_await reschedule();
    group.cancel();
    for (int turn = 0; turn < 100; turn++) co_await reschedule();
    EXPECT_EQ(group.size(), 2u);
    release.set_value();
    co_await group.join();
    EXPECT_EQ(ended, 2);
    EXPECT_FALSE(went_on) << "cancellation is noticed at the next wait";
  };
  loop.block_on(test());
}

TEST_F(database_test, StepsAreAppliedOnceAndLaterOnesAdded) {
  { ASSERT_TRUE(open({counters(1)}).has_value()); }
  { ASSERT_TRUE(open({counters(2)}).has_value()); }
  ASSERT_TRUE(open({counters(2)}).has_value());
}

TEST_F(database_test, ANewerDatabaseIsRefusedByName) {
  { ASSERT_TRUE(open({counters(2)}).has_value()); }
  const auto old = open({counters(1)});
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().code, ErrorCode::migration_history);
  EXPECT_NE(old.error().message.find("counter 2 (index)"), std::string::npos);
}

TEST_F(database_test, AnAlteredStepIsRefusedByName) {
  { ASSERT_TRUE(open({counters()}).has_value()); }
  auto altered = counters();
  altered.steps[0].sql += "-- changed\n";
  const auto refused = open({altered});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::migration_history);
  EXPECT_NE(refused.error().message.find("counter 1 (create)"), std::string::npos);
}

TEST_F(database_test, AFailingStepChangesNothing) {
  auto broken = counters(2);
  broken.steps[1].sql = "CREATE TABLE counter_extra (a TEXT);\nCREATE TABLE counter_value (a TEXT);\n";
  const auto refused = open({broken});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::database);
  auto database = open({counters(1)}).value();
  const auto extra = loop.block_on(database->read([](soci::session& sql) {
    int rows = 0;
    sql << "SELECT COUNT(*) FROM counter_extra", soci::into(rows);
  }));
  ASSERT_FALSE(extra.has_value()) << "the first statement of the step left its table";
  EXPECT_EQ(extra.error().code, ErrorCode::database);
}

TEST_F(database_test, StatementsEndAtSemicolonsThatEndALine) {
  const auto statements =
      split_statements("CREATE TABLE a (\n  b TEXT DEFAULT ';x'\n);\nCREATE TABLE c (d TEXT);  \n\n");
  ASSERT_EQ(statements.size(), 2u);
  EXPECT_NE(statements[0].find("';x'"), std::string::npos);
}

// The child tells each value through a pipe only after its write's result came back; then it is killed in full flight.
// Every other writer does not wait for the disk: what it was told survives the end of the process all the same.
TEST_F(database_test, EveryConfirmedWriteSurvivesKill9) {
  int channel[2];
  ASSERT_EQ(pipe(channel), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(channel[0]);
    EventLoop own;
    auto database = open({counters()}).value();
    auto writer = [&](long long lane) -> Task<void> {
      for (long long i = 0;; i++) {
        const long long value = lane * 1'000'000 + i;
        const auto work = [value](soci::session& sql) { put(sql, std::to_string(value), value); };
        auto task = lane % 2 == 0 ? database->write(work) : database->write_unsynced(work);
        const auto done = co_await std::move(task);
        if (!done || write(channel[1], &value, sizeof value) != sizeof value) _exit(1);
      }
    };
    auto all_writers = [&]() -> Task<void> {
      TaskGroup group(co_await boost::asio::this_coro::executor);
      for (long long lane = 0; lane < 16; lane++) group.spawn(writer(lane));
      co_await group.join();
    };
    own.block_on(all_writers());
    _exit(1);
  }
  close(channel[1]);
  std::vector<long long> confirmed;
  long long value = 0;
  while (confirmed.size() < 500 && read(channel[0], &value, sizeof value) == sizeof value) confirmed.push_back(value);
  kill(child, SIGKILL);
  while (read(channel[0], &value, sizeof value) == sizeof value) confirmed.push_back(value);
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GE(confirmed.size(), 500u);

  auto database = open({counters()}).value();
  const auto missing = loop.block_on(database->read([&](soci::session& sql) {
    int lost = 0;
    for (const long long wanted : confirmed) {
      int found = 0;
      sql << "SELECT COUNT(*) FROM counter_value WHERE value = :value", soci::use(wanted), soci::into(found);
      lost += found == 1 ? 0 : 1;
    }
    return lost;
  }));
  EXPECT_EQ(missing.value_or(-1), 0);
}

}  // namespace
}  // namespace community::infra
