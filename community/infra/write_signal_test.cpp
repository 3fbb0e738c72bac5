// SPDX-License-Identifier: Apache-2.0
// A waiter never looks too early, and never sleeps over what was committed.
#include "community/infra/api/write_signal.hpp"

#include <gtest/gtest.h>
#include <soci/soci.h>

#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::infra {
namespace {

class WriteSignalTest : public testing::Test {
 protected:
  WriteSignalTest() {
    const MigrationSet set{"signal",
                           {{1, "create", "CREATE TABLE signal_row (\n  id BIGINT NOT NULL PRIMARY KEY\n);\n"}}};
    database = Database::open({"sqlite:" + (folder.path() / "node.db").string()}, {set}).value();
    signal = std::make_unique<WriteSignal>(*database, loop.executor());
  }

  Task<void> put(long long id, bool keep) {
    auto work = [this, id, keep](soci::session& sql) -> Result<void> {
      sql << "INSERT INTO signal_row (id) VALUES (:id)", soci::use(id);
      signal->raise();
      if (!keep) return fail(ErrorCode::malformed);
      return {};
    };
    const auto done = co_await database->write(work);
    EXPECT_EQ(done.has_value(), keep);
  }
  Task<long long> count() {
    const auto rows = co_await database->read([](soci::session& sql) {
      long long found = 0;
      sql << "SELECT COUNT(*) FROM signal_row", soci::into(found);
      return found;
    });
    co_return rows.value_or(-1);
  }

  TemporaryDirectory folder;
  EventLoop loop;
  std::unique_ptr<Database> database;
  std::unique_ptr<WriteSignal> signal;
};

TEST_F(WriteSignalTest, WhoWaitsSeesEveryWriteThatWasKept) {
  constexpr long long kWrites = 500;
  auto writer = [this](long long first) -> Task<void> {
    for (long long i = 0; i < kWrites; i++) co_await put(first + i, true);
  };
  auto reader = [this]() -> Task<void> {
    for (long long seen = 0; seen < 2 * kWrites; seen = co_await count()) co_await signal->wait();
  };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(reader());
    group.spawn(writer(0));
    group.spawn(writer(kWrites));
    co_await group.join();
  };
  loop.block_on(test());
}

TEST_F(WriteSignalTest, AWriteThatIsUndoneWakesForNothing) {
  auto test = [&]() -> Task<void> {
    co_await put(1, false);
    co_await signal->wait();
    const long long rows = co_await count();
    EXPECT_EQ(rows, 0);
  };
  loop.block_on(test());
}

TEST_F(WriteSignalTest, ADeadlineEndsTheWaitAndItsTimerEndsWithTheWait) {
  FakeClock clock;
  auto wait = [&]() -> Task<void> { co_await signal->wait_until(clock, clock.steady() + Milliseconds(1'000)); };
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(wait());
    co_await clock.wait_for_sleepers(1);
    clock.advance(Milliseconds(1'000));
    co_await group.join();
    EXPECT_EQ(clock.sleepers(), 0u);
    group.spawn(wait());
    co_await clock.wait_for_sleepers(1);
    co_await put(1, true);
    co_await group.join();
    EXPECT_EQ(clock.sleepers(), 0u);
  };
  loop.block_on(test());
}

TEST_F(WriteSignalTest, ADatabaseOpenedForReadingRefusesWritesAndSeesThoseOfTheOther) {
  const std::string path = (folder.path() / "node.db").string();
  DatabaseOptions options{"sqlite:" + path};
  options.read_only = true;
  auto other = Database::open(options, {}).value();
  auto test = [&]() -> Task<void> {
    co_await put(1, true);
    const auto seen = co_await other->read([](soci::session& sql) {
      long long found = 0;
      sql << "SELECT COUNT(*) FROM signal_row", soci::into(found);
      return found;
    });
    EXPECT_EQ(seen.value_or(-1), 1);
    const auto refused = co_await other->write([](soci::session&) {});
    EXPECT_EQ(refused.error().code, ErrorCode::closed);
  };
  loop.block_on(test());
  options.url = "sqlite:" + path + ".absent";
  const auto absent = Database::open(options, {});
  ASSERT_FALSE(absent.has_value());
  EXPECT_EQ(absent.error().code, ErrorCode::io);
  EXPECT_FALSE(std::filesystem::exists(path + ".absent"));
}

}  // namespace
}  // namespace community::infra
