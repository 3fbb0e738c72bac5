// SPDX-License-Identifier: Apache-2.0
// What is PostgreSQL's alone: lost connections, two nodes on one database, servers that do not fit, addresses.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <soci/soci.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <set>
#include <thread>

#include "community/infra/api/database.hpp"
#include "community/infra/connection_watchdog.hpp"
#include "community/infra/fake/postgresql_server.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/postgresql_address.hpp"

namespace community::infra {
namespace {

using Writes = PostgresqlServer::Writes;

MigrationSet counters() {
  return {"counter", {{1, "create", "CREATE TABLE counter_value (name TEXT PRIMARY KEY, value BIGINT NOT NULL);\n"}}};
}

void put(soci::session& sql, const std::string& name, long long value) {
  sql << "INSERT INTO counter_value (name, value) VALUES (:name, :value)", soci::use(name), soci::use(value);
}

// Between node and server, at a Unix socket of its own. On request it swallows the answer to the next COMMIT and hangs
// up: the server has committed, and the node cannot know.
class CommitCutter {
 public:
  explicit CommitCutter(const std::filesystem::path& server) : server_(server / ".s.PGSQL.5432") {
    const std::string own = (folder_.path() / ".s.PGSQL.5432").string();
    listener_ = listening_at(own);
    thread_ = std::thread([this] { run(); });
  }
  ~CommitCutter() {
    over_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (std::thread& pump : pumps_) pump.join();
    close(listener_);
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

  std::atomic<bool> cuts_next_commit = false, refuses = false;

 private:
  static sockaddr_un at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  static int listening_at(const std::string& path) {
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = at(path);
    EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener, 16), 0);
    return listener;
  }

  void run() {
    while (!over_) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      if (refuses) {
        close(client);
        continue;
      }
      const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_un address = at(server_.string());
      EXPECT_EQ(connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
      pumps_.emplace_back([this, client, server] { pump(client, server); });
    }
  }
  // libpq sends one message and waits for the whole answer, so a COMMIT never shares a packet.
  void pump(int client, int server) {
    bool swallow = false;
    for (char bytes[16'384];;) {
      pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (over_ || poll(both, 2, 50) < 0) break;
      const int from = (both[0].revents & (POLLIN | POLLHUP)) != 0   ? client
                       : (both[1].revents & (POLLIN | POLLHUP)) != 0 ? server
                                                                     : -1;
      if (from < 0) continue;
      const ssize_t count = read(from, bytes, sizeof bytes);
      if (count <= 0) break;
      if (from == server && swallow) break;
      const std::string_view text(bytes, static_cast<std::size_t>(count));
      // With its end: BEGIN speaks of READ COMMITTED.
      static constexpr std::string_view kCommit("COMMIT\0", 7);
      if (from == client && text.find(kCommit) != std::string_view::npos && cuts_next_commit.exchange(false))
        swallow = true;
      if (write(from == client ? server : client, bytes, text.size()) != count) break;
    }
    close(client);
    close(server);
  }

  std::filesystem::path server_;
  TemporaryDirectory folder_;
  int listener_ = -1;
  std::atomic<bool> over_ = false;
  std::vector<std::thread> pumps_;
  std::thread thread_;
};

class postgresql_test : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresqlServer::is_installed()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
    static int made = 0;
    name = "lost_" + std::to_string(++made);
    server().create_database(name);
  }
  void TearDown() override {
    if (!name.empty()) server().drop_database(name);
  }

  static PostgresqlServer& server() { return PostgresqlServer::shared(Writes::kept); }
  DatabaseOptions options() const {
    DatabaseOptions options;
    options.url = server().url(name);
    return options;
  }
  std::unique_ptr<Database> open() { return Database::open(options(), {counters()}).value(); }

  Error refusal(const DatabaseOptions& asked) {
    auto opened = Database::open(asked, {counters()});
    EXPECT_FALSE(opened.has_value());
    return opened ? Error{} : opened.error();
  }
  Error refusal(const std::string& url) {
    DatabaseOptions asked;
    asked.url = url;
    return refusal(asked);
  }

  Result<void> write(Database& database, long long value) {
    auto insert = [value](soci::session& sql) { put(sql, std::to_string(value), value); };
    return loop.block_on(database.write(insert));
  }
  Result<std::set<long long>> values(Database& database) {
    auto look = [](soci::session& sql) {
      std::set<long long> all;
      long long value = 0;
      soci::statement rows = (sql.prepare << "SELECT value FROM counter_value", soci::into(value));
      rows.execute();
      while (rows.fetch()) all.insert(value);
      return all;
    };
    return loop.block_on(database.read(look));
  }
  // Until the database is connected again: each refusal is quick, and the pauses between attempts are its own.
  void until_connected(Database& database) {
    auto look = [](soci::session&) {};
    while (!loop.block_on(database.write(look))) std::this_thread::yield();
  }
  // Of the session that writes, as the server has it.
  std::string writer_process() {
    return server().run(
        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND "
        "d.datname = '" +
        name + "'");
  }

  std::string name;
  EventLoop loop;
};

// --- lost connections ------------------------------------------------------------------------------------------------

// Sixteen writers never stop; the server is killed under them and started again.
TEST_F(postgresql_test, AServerThatIsKilledUnderLoadLosesNothingThatWasConfirmed) {
  const int kills = std::getenv("COMMUNITY_TEST_LONG") != nullptr ? 20 : 3;
  auto database = open();
  std::set<long long> confirmed, unknown;
  std::size_t refused = 0;
  std::atomic<std::size_t> written = 0;
  std::atomic<bool> over = false;
  // Every write has a value of its own: tens of millions are refused while the server is away.
  long long next = 0;
  auto writer = [&]() -> Task<void> {
    while (!over) {
      const long long value = next++;
      auto insert = [value](soci::session& sql) { put(sql, std::to_string(value), value); };
      const auto done = co_await database->write(insert);
      if (done) {
        confirmed.insert(value);
        written++;
      } else {
        EXPECT_TRUE(done.error().code == ErrorCode::database || done.error().code == ErrorCode::outcome_unknown)
            << done.error().text();
        if (done.error().code == ErrorCode::database) refused++;
        if (done.error().code == ErrorCode::outcome_unknown) unknown.insert(value);
        co_await reschedule();
      }
    }
  };
  auto all = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    for (int lane = 0; lane < 16; lane++) group.spawn(writer());
    co_await group.join();
  };
  const auto more = [&](std::size_t count) {
    const std::size_t enough = written + count;
    while (written < enough) std::this_thread::yield();
  };
  std::thread killer([&] {
    for (int i = 0; i < kills; i++) {
      more(100);
      server().kill();
      server().start();
    }
    more(100);
    over = true;
  });
  loop.block_on(all());
  killer.join();
  ASSERT_GE(confirmed.size(), 100u * (kills + 1u));
  ASSERT_GT(refused, 0u);

  const auto present = values(*database);
  ASSERT_TRUE(present.has_value()) << present.error().text();
  std::size_t lost = 0, appeared = 0;
  for (const long long value : confirmed) lost += present->contains(value) ? 0 : 1;
  for (const long long value : *present) appeared += confirmed.contains(value) || unknown.contains(value) ? 0 : 1;
  EXPECT_EQ(lost, 0u) << "writes that were confirmed";
  EXPECT_EQ(appeared, 0u) << "writes that were said not to be there";
  EXPECT_LE(unknown.size(), 16u * kills) << "one group for each kill at most";
}

// The transaction is held open, the server ends the session: nothing of it is there.
TEST_F(postgresql_test, ALossBeforeTheCommitIsADefiniteNo) {
  auto database = open();
  const std::string process = writer_process();
  auto interrupted = [&](soci::session& sql) {
    put(sql, "1", 1);
    server().run("SELECT pg_terminate_backend(" + process + ")");
    put(sql, "2", 2);
  };
  const auto done = loop.block_on(database->write(interrupted));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::database);
  EXPECT_NE(done.error().message.find("nothing of this was written"), std::string::npos) << done.error().message;
  until_connected(*database);
  EXPECT_TRUE(write(*database, 3).has_value());
  EXPECT_EQ(values(*database).value(), std::set<long long>{3});
}

// A deferred trigger ends the session from inside its own COMMIT, before it is on disk: the client cannot tell this
// from a commit whose answer was lost, and learns it from the database.
TEST_F(postgresql_test, TheOutcomeOfAnInterruptedCommitIsAskedFor) {
  MigrationSet deadly{"deadly",
                      {{1, "create",
                        "CREATE TABLE deadly_value (value BIGINT NOT NULL);\n"
                        "CREATE FUNCTION deadly_end() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM "
                        "pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';\n"
                        "CREATE CONSTRAINT TRIGGER deadly_trigger AFTER INSERT ON deadly_value DEFERRABLE INITIALLY "
                        "DEFERRED FOR EACH ROW EXECUTE FUNCTION deadly_end();\n"}}};
  auto database = Database::open(options(), {counters(), deadly}).value();
  auto insert = [](soci::session& sql) {
    put(sql, "1", 1);
    sql << "INSERT INTO deadly_value (value) VALUES (1)";
  };
  const auto done = loop.block_on(database->write(insert));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::database) << done.error().text();
  EXPECT_TRUE(write(*database, 2).has_value());
  EXPECT_EQ(values(*database).value(), std::set<long long>{2});
}

// The server has committed and the answer is lost: the node finds its own count in the database, and the writers are
// told the truth.
TEST_F(postgresql_test, ACommitWhoseAnswerWasLostIsFoundAgain) {
  CommitCutter proxy(server().folder());
  DatabaseOptions through = options();
  through.url = "postgresql://postgres@/" + name + "?host=" + proxy.folder().string();
  auto database = Database::open(through, {counters()}).value();
  for (long long i = 0; i < 5; i++) {
    proxy.cuts_next_commit = true;
    const auto done = write(*database, i);
    EXPECT_TRUE(done.has_value()) << done.error().text();
    EXPECT_FALSE(proxy.cuts_next_commit);
  }
  EXPECT_EQ(values(*database).value(), (std::set<long long>{0, 1, 2, 3, 4}));
}

// As above, and the server stays away: nobody knows, and that is what the writer hears.
TEST_F(postgresql_test, AnOutcomeThatNobodyKnowsIsCalledUnknown) {
  CommitCutter proxy(server().folder());
  DatabaseOptions through = options();
  through.url = "postgresql://postgres@/" + name + "?host=" + proxy.folder().string();
  auto database = Database::open(through, {counters()}).value();
  proxy.cuts_next_commit = true;
  proxy.refuses = true;
  // Whoever closes the database does not wait for the server either.
  std::thread closer([&] {
    while (!database->trouble()) std::this_thread::yield();
    database->stop();
  });
  const auto done = write(*database, 1);
  closer.join();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::outcome_unknown) << done.error().text();
  EXPECT_EQ(values(*open()).value(), std::set<long long>{1});
}

// A connection that idled through a restart of the server is replaced before anybody is refused.
TEST_F(postgresql_test, ARestartBetweenWritesIsNotSeen) {
  Metrics metrics;
  auto database = Database::open(options(), {counters()}, &metrics).value();
  ASSERT_TRUE(write(*database, 1).has_value());
  server().kill();
  server().start();
  EXPECT_TRUE(write(*database, 2).has_value());
  EXPECT_EQ(values(*database).value(), (std::set<long long>{1, 2}));
  EXPECT_EQ(metrics.counter("community_database_reconnections_total", "Connections that replaced a lost one").value(),
            1);
}

TEST_F(postgresql_test, WithoutAServerEverythingIsRefusedUntilItIsBack) {
  auto database = open();
  ASSERT_TRUE(write(*database, 1).has_value());
  server().kill();
  for (int i = 0; i < 20; i++) {
    const auto seen = values(*database);
    ASSERT_FALSE(seen.has_value());
    EXPECT_EQ(seen.error().code, ErrorCode::database);
    const auto done = write(*database, 2);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, ErrorCode::database);
  }
  EXPECT_TRUE(database->trouble().has_value());
  server().start();
  until_connected(*database);
  EXPECT_FALSE(database->trouble().has_value());
  EXPECT_EQ(values(*database).value(), std::set<long long>{1});
}

TEST_F(postgresql_test, AStopWithoutAServerEnds) {
  auto database = open();
  server().kill();
  EXPECT_FALSE(write(*database, 1).has_value());
  database.reset();
  server().start();
}

TEST_F(postgresql_test, ASilentPeerIsGivenUp) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  int released[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, released), 0);
  {
    ConnectionWatchdog watchdog;
    watchdog.watch(released, released[0], Milliseconds(0));
    watchdog.release(released);
    watchdog.watch(pair, pair[0], Milliseconds(1));
    char byte = 0;
    EXPECT_EQ(read(pair[0], &byte, 1), 0) << "waiting ends as if the peer had hung up";
  }
  for (const int descriptor : {pair[0], pair[1], released[0], released[1]}) close(descriptor);
}

// libpq closes its socket when the server hangs up; the next connection of the program has the same number.
TEST_F(postgresql_test, TheSocketOfAnEndedConversationIsLeftAlone) {
  ConnectionWatchdog watchdog;
  const int owner = 0;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const int number = pair[0];
  watchdog.watch(&owner, number, Milliseconds(30));
  close(pair[0]);
  int next[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, next), 0);
  ASSERT_EQ(next[0], number);
  watchdog.release(&owner);
  std::this_thread::sleep_for(Milliseconds(90));
  EXPECT_EQ(::write(next[0], "a", 1), 1);
  for (const int descriptor : {pair[1], next[0], next[1]}) close(descriptor);
}

// --- two nodes -------------------------------------------------------------------------------------------------------

TEST_F(postgresql_test, TwoNodesNeverWriteOneDatabase) {
  auto first = open();
  const Error error = refusal(options());
  EXPECT_EQ(error.code, ErrorCode::locked);
  EXPECT_NE(error.message.find("community-node at a local socket, server process " + writer_process()),
            std::string::npos)
      << error.message;
  EXPECT_TRUE(write(*first, 1).has_value());
  first.reset();
  EXPECT_EQ(values(*open()).value(), std::set<long long>{1});
}

// The first node's connection goes, a second one takes the database and leaves it again: what the first one has in
// memory is out of date, and it must not write any more.
TEST_F(postgresql_test, ANodeThatWasReplacedStaysOut) {
  auto first = open();
  ASSERT_TRUE(write(*first, 1).has_value());
  const std::string process = writer_process();
  server().run("SELECT pg_terminate_backend(" + process + ")");
  {
    auto second = open();
    ASSERT_TRUE(write(*second, 2).has_value());
  }
  for (int i = 0; i < 3; i++) {
    const auto refused = write(*first, 3);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("written by another node"), std::string::npos) << refused.error().message;
  }
  first.reset();
  EXPECT_EQ(values(*open()).value(), (std::set<long long>{1, 2}));
}

// As after a restore, or a standby that was promoted too early.
TEST_F(postgresql_test, ADatabaseThatWentBackIsNoticed) {
  auto database = open();
  for (long long i = 0; i < 3; i++) ASSERT_TRUE(write(*database, i).has_value());
  server().run("UPDATE database_writer SET commits = commits - 1", name);
  server().run("SELECT pg_terminate_backend(" + writer_process() + ")");
  const auto refused = write(*database, 9);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("went back"), std::string::npos) << refused.error().message;
}

// --- servers that do not fit -----------------------------------------------------------------------------------------

TEST_F(postgresql_test, ThePasswordIsCheckedAndNeverShown) {
  server().run("DROP ROLE IF EXISTS guarded");
  server().run("CREATE ROLE guarded LOGIN PASSWORD 'the right one'");
  server().run("ALTER DATABASE \"" + name + "\" OWNER TO guarded");
  DatabaseOptions asked;
  asked.url = server().url(name, "guarded", "");
  const Error none = refusal(asked);
  EXPECT_EQ(none.code, ErrorCode::database);
  EXPECT_NE(none.message.find("database.password_file"), std::string::npos) << none.message;
  asked.password = "not this one";
  const Error wrong = refusal(asked);
  EXPECT_NE(wrong.message.find("put the right password into the file"), std::string::npos) << wrong.message;
  EXPECT_EQ(wrong.message.find("not this one"), std::string::npos);
  asked.password = "the right one";
  auto opened = Database::open(asked, {counters()});
  ASSERT_TRUE(opened.has_value()) << opened.error().text();
  EXPECT_TRUE(write(**opened, 1).has_value());
  opened->reset();
  server().drop_database(name);
  server().run("DROP ROLE guarded");
}

TEST_F(postgresql_test, EachMistakeSaysWhatToDo) {
  const std::pair<std::string, std::string> cases[] = {
      {"postgresql://node@nowhere.invalid/node", "correct the host in database.url"},
      {"postgresql://node@127.0.0.1:1/node", "start PostgreSQL there"},
      {"postgresql:///node?host=/nonexistent", "correct the socket folder"},
      {server().url("no_such"), "createdb --owner"},
      {server().url(name, "nobody_here", ""), "createuser"},
  };
  for (const auto& [url, words] : cases) {
    const Error error = refusal(url);
    EXPECT_EQ(error.code, ErrorCode::database) << url;
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
  }
}

TEST_F(postgresql_test, AServerThatForgetsIsRefused) {
  PostgresqlServer forgetful(Writes::lost);
  forgetful.create_database("node");
  const Error error = refusal(forgetful.url("node"));
  EXPECT_EQ(error.code, ErrorCode::database);
  EXPECT_NE(error.message.find("set fsync = on"), std::string::npos) << error.message;
}

TEST_F(postgresql_test, AnotherEncodingIsRefused) {
  server().run("CREATE DATABASE old_text ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0");
  const Error error = refusal(server().url("old_text"));
  server().drop_database("old_text");
  EXPECT_NE(error.message.find("--encoding UTF8"), std::string::npos) << error.message;
}

// Speaks as much of the protocol as libpq needs to learn the version.
TEST_F(postgresql_test, AnOldServerIsRefused) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const auto message = [](char kind, const std::string& body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 4);
    std::string out(1, kind);
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(length >> shift);
    return out + body;
  };
  const auto parameter = [&](const std::string& key, const std::string& value) {
    return message('S', key + '\0' + value + '\0');
  };
  std::thread old([&] {
    const int client = accept(listener, nullptr, nullptr);
    char bytes[4'096];
    const std::string ready = message('Z', "I");
    std::string hello = message('R', std::string(4, '\0')) + parameter("server_version", "14.9") +
                        parameter("default_transaction_read_only", "off") + parameter("in_hot_standby", "off") + ready;
    bool is_first = true;
    while (read(client, bytes, sizeof bytes) > 0) {
      const std::string answer = is_first ? hello : message('C', std::string("SET") + '\0') + ready;
      is_first = false;
      if (::write(client, answer.data(), answer.size()) < 0) break;
    }
    close(client);
  });
  const Error error =
      refusal("postgresql://node@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/node?sslmode=disable");
  old.join();
  close(listener);
  EXPECT_EQ(error.code, ErrorCode::database);
  EXPECT_NE(error.message.find("PostgreSQL 14; this program needs 15 or newer"), std::string::npos) << error.message;
}

TEST_F(postgresql_test, TheServerIsDescribed) {
  const auto words = describe_postgresql(options());
  ASSERT_TRUE(words.has_value()) << words.error().text();
  EXPECT_TRUE(words->starts_with("PostgreSQL 15")) << *words;
  EXPECT_NE(words->find("database " + name), std::string::npos) << *words;
}

// --- addresses -------------------------------------------------------------------------------------------------------

TEST(postgresql_address, APasswordInTheUrlIsRefusedWithoutRepeatingIt) {
  for (const char* url :
       {"postgresql://node:hunter2@db.example/node", "postgresql://db.example/node?password=hunter2",
        "postgresql://node:hunter2@db.example:port/node", "postgresql://%zzhunter2@db.example/node"}) {
    const auto address = parse_postgresql_url(url, "");
    ASSERT_FALSE(address.has_value()) << url;
    EXPECT_EQ(address.error().code, ErrorCode::config_value);
    EXPECT_EQ(address.error().message.find("hunter2"), std::string::npos) << address.error().message;
  }
}

TEST(postgresql_address, AnotherMachineProvesWhoItIs) {
  const auto far = parse_postgresql_url("postgresql://node@db.example/node", "");
  ASSERT_TRUE(far.has_value());
  EXPECT_FALSE(far->is_local);
  EXPECT_FALSE(far->is_unverified);
  EXPECT_NE(far->connect_string.find("sslmode=verify-full"), std::string::npos);
  EXPECT_EQ(far->shown, "database node at db.example");
  const auto chosen = parse_postgresql_url("postgresql://node@db.example/node?sslmode=require", "");
  ASSERT_TRUE(chosen.has_value());
  EXPECT_TRUE(chosen->is_unverified);
  const auto one_far = parse_postgresql_url("postgresql://node@localhost,db.example/node", "");
  ASSERT_TRUE(one_far.has_value());
  EXPECT_FALSE(one_far->is_local);
  for (const char* url : {"postgresql://node@localhost/node", "postgresql:///node?host=/run/postgresql",
                          "postgresql://127.0.0.1:5433/node", "postgresql://"}) {
    const auto near = parse_postgresql_url(url, "");
    ASSERT_TRUE(near.has_value()) << url;
    EXPECT_TRUE(near->is_local) << url;
    EXPECT_EQ(near->connect_string.find("sslmode"), std::string::npos) << url;
  }
}

// SOCI looks for words of its own between blanks, libpq for quotes: neither may find any.
TEST(postgresql_address, AnyPasswordArrivesWhole) {
  const auto address = parse_postgresql_url("postgresql://node@db.example/node", "a b'c\\d=e&f%20singlerow=true ü");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->connect_string.find(' '), std::string::npos);
  EXPECT_NE(address->connect_string.find("password=a%20b%27c%5Cd%3De%26f%2520singlerow%3Dtrue%20%C3%BC"),
            std::string::npos);
  EXPECT_FALSE(parse_postgresql_url("postgresql://node@db.example/node", std::string("a\0b", 3)).has_value());
}

TEST(postgresql_address, WhatIsNoUrlIsRefused) {
  for (const std::string& url : {std::string("postgresql:host"), "postgresql://h/" + std::string(3'000, 'x'),
                                 std::string("postgresql://h/?no=1")})
    EXPECT_FALSE(parse_postgresql_url(url, "").has_value()) << url;
}

}  // namespace
}  // namespace community::infra
