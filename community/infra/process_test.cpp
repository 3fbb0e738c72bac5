// SPDX-License-Identifier: Apache-2.0
// Children, files, locks, health, log lines and metrics: what the operating system does to them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "community/infra/api/child_process.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/health.hpp"
#include "community/infra/api/metrics.hpp"
#include "community/infra/factory.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/random.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/log_format.hpp"

namespace community::infra {
namespace {

ChildOptions shell(std::string script) {
  ChildOptions options;
  options.name = "test";
  options.executable = "/bin/sh";
  options.arguments = {"-c", std::move(script)};
  return options;
}

TEST(child_process_test, LinesAndExitStatusArrive) {
  EventLoop loop;
  std::vector<std::string> lines;
  auto options = shell("echo one; echo two >&2; printf three; exit 7");
  options.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  auto child = ChildProcess::start(loop, std::move(options)).value();
  auto test = [&]() -> Task<void> {
    const auto exit = co_await child->wait();
    EXPECT_EQ(exit.status, 7);
    EXPECT_EQ(exit.text(), "exited with 7");
    while (lines.size() < 3) co_await reschedule();
  };
  loop.block_on(test());
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"}));
}

TEST(child_process_test, AProgramThatIsNotThereIsAnErrorInWords) {
  EventLoop loop;
  ChildOptions options;
  options.executable = "/no/such/program";
  const auto child = ChildProcess::start(loop, options);
  ASSERT_FALSE(child.has_value());
  EXPECT_EQ(child.error().code, ErrorCode::process);
  EXPECT_NE(child.error().message.find("/no/such/program"), std::string::npos);
}

TEST(child_process_test, OneThatIgnoresTermIsKilled) {
  EventLoop loop;
  bool ready = false;
  auto options = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  options.on_line = [&](std::string_view) { ready = true; };
  auto child = ChildProcess::start(loop, std::move(options)).value();
  auto test = [&]() -> Task<void> {
    while (!ready) co_await reschedule();
    const auto exit = co_await child->terminate(Milliseconds(20));
    EXPECT_EQ(exit.signal, SIGKILL);
  };
  loop.block_on(test());
}

TEST(child_process_test, AnEndlessLineDoesNotGrow) {
  EventLoop loop;
  std::size_t longest = 0;
  auto options = shell("head -c 100000 /dev/zero | tr '\\0' x");
  options.on_line = [&](std::string_view line) { longest = std::max(longest, line.size()); };
  auto child = ChildProcess::start(loop, std::move(options)).value();
  loop.block_on(child->wait());
  while (loop.poll() > 0) {
  }
  EXPECT_LE(longest, 4'096u);
}

// A process starts a child and is killed; the child's end of the pipe closes only when it is gone too.
TEST(child_process_test, AChildDiesWithItsParentEvenOnKill9) {
  const TemporaryDirectory folder;
  const std::string pipe = (folder.path() / "alive").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    EventLoop loop;
    const auto child = ChildProcess::start(loop, shell("exec 3>'" + pipe + "'; echo 1 >&3; while :; do sleep 1; done"));
    if (!child) _exit(1);
    loop.run();
    _exit(0);
  }
  const int alive = open(pipe.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(alive, 0);
  char byte = 0;
  ASSERT_EQ(read(alive, &byte, 1), 1);
  ASSERT_EQ(byte, '1');
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  while (read(alive, &byte, 1) == 1) {
  }
  EXPECT_EQ(read(alive, &byte, 1), 0);
  close(alive);
}

// Whoever is served while a child starts is not kept waiting for the child's end when this program hangs up.
TEST(child_process_test, AChildHoldsNoConnectionOfItsParent) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  EventLoop loop;
  std::vector<std::string> lines;
  auto options = shell("for one in /proc/self/fd/*; do echo ${one##*/}; done; echo end; exec sleep 600");
  options.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  auto child = ChildProcess::start(loop, std::move(options)).value();
  const auto wait = [&]() -> Task<void> {
    while (lines.empty() || lines.back() != "end") co_await reschedule();
  };
  loop.block_on(wait());
  EXPECT_EQ(std::vector(lines.begin(), lines.begin() + 3), (std::vector<std::string>{"0", "1", "2"}));
  // The shell's own, of the folder that it lists, at the most.
  EXPECT_LE(lines.size(), 5u);
  close(pair[1]);
  char byte = 0;
  EXPECT_EQ(read(pair[0], &byte, 1), 0);
  close(pair[0]);
}

TEST(supervisor_test, AChildThatDiesIsStartedAgainWithGrowingPauses) {
  EventLoop loop;
  FakeClock clock;
  auto options = shell("exit 3");
  std::uint64_t starts = 0;
  options.before_start = [&] { starts++; };
  Supervisor supervisor(loop, clock, options, {}, nullptr);
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(supervisor.run());
    for (std::int64_t pause : {200, 400, 800}) {
      co_await clock.wait_for_sleepers(1);
      EXPECT_EQ(starts, supervisor.restarts() + 1);
      EXPECT_EQ(supervisor.trouble(), "exited with 3");
      const auto before = supervisor.restarts();
      clock.advance(Milliseconds(pause - 1));
      co_await reschedule();
      EXPECT_EQ(supervisor.restarts(), before);
      clock.advance(Milliseconds(1));
      while (supervisor.restarts() == before) co_await reschedule();
    }
    group.cancel();
    co_await group.join();
  };
  loop.block_on(test());
}

TEST(supervisor_test, CancellingItStopsTheChildInOrder) {
  EventLoop loop;
  FakeClock clock;
  bool ready = false, ended = false;
  auto options = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  options.on_line = [&](std::string_view line) { (line == "ready" ? ready : ended) = true; };
  Supervisor supervisor(loop, clock, options, {}, nullptr);
  auto test = [&]() -> Task<void> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(supervisor.run());
    while (!ready || !supervisor.is_ready()) co_await reschedule();
    group.cancel();
    co_await group.join();
    EXPECT_FALSE(supervisor.is_ready());
  };
  loop.block_on(test());
}

class files_test : public testing::Test {
 protected:
  files_test() {
    std::string pattern = std::filesystem::temp_directory_path() / ("community-files-" + std::string(6, 'X'));
    directory = mkdtemp(pattern.data());
  }
  ~files_test() override { std::filesystem::remove_all(directory); }
  std::filesystem::path directory;
};

TEST_F(files_test, AFileIsReplacedAsAWholeAndClosedToOthers) {
  const auto path = directory / "state";
  ASSERT_TRUE(write_file_atomically(path, "one").has_value());
  ASSERT_TRUE(write_file_atomically(path, "two").has_value());
  EXPECT_EQ(*read_file(path, 10), "two");
  EXPECT_EQ(read_file(path, 2).error().code, ErrorCode::too_large);
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
  EXPECT_EQ(read_file(directory / "none", 10).error().code, ErrorCode::io);
}

TEST_F(files_test, ADirectoryOpenToOthersIsRefused) {
  const auto path = directory / "a" / "b";
  ASSERT_TRUE(ensure_private_directory(path).has_value());
  ASSERT_TRUE(ensure_private_directory(path).has_value());
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  EXPECT_FALSE(ensure_private_directory(path).has_value());
}

TEST_F(files_test, ASecondNodeIsRefusedByNameAndTheLockEndsWithItsHolder) {
  {
    const auto first = DirectoryLock::take(directory);
    ASSERT_TRUE(first.has_value());
    const auto second = DirectoryLock::take(directory);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::locked);
    EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos);
  }
  EXPECT_TRUE(DirectoryLock::take(directory).has_value());
}

TEST(health_test, TheWorstComponentDecidesAndSaysWhy) {
  Health health;
  HealthReport chain;
  health.add("database", [] { return HealthReport{}; });
  health.add("chain", [&] { return chain; });
  EXPECT_EQ(health.json(), R"({"status":"ok","components":{"database":{"status":"ok"},"chain":{"status":"ok"}}})");
  chain = {HealthState::degraded, "one endpoint of two answers"};
  EXPECT_EQ(health.state(), HealthState::degraded);
  EXPECT_TRUE(health.ready());
  chain.state = HealthState::failed;
  EXPECT_FALSE(health.ready());
  EXPECT_NE(health.json().find("one endpoint of two"), std::string::npos);
}

TEST(log_test, AValueCannotForgeAFieldOrALine) {
  EXPECT_EQ(format_log_line("sent", {{"hash", "0xab"}, {"gas", 5}, {"ok", true}}), "sent hash=0xab gas=5 ok=true");
  EXPECT_EQ(format_log_line("m", {{"who", "a b=c\nfake line \"x\""}}), R"(m who="a b=c\nfake line \"x\"")");
  EXPECT_EQ(format_log_line("m", {{"esc", std::string("\x1b[31m", 5)}}), R"(m esc="\x1b[31m")");
  EXPECT_LT(format_log_line("m", {{"long", std::string(100'000, 'x')}}).size(), 600u);
}

TEST(log_test, SecretsAreRedacted) {
  EXPECT_EQ(format_log_line("m", {{"key", Redacted{std::string("hunter2")}}}), "m key=[redacted]");
}

TEST(log_test, AWarningThatRepeatsIsCountedAndNotWritten) {
  FakeClock clock;
  configure_log({LogLevel::off, ""});
  RateLimitedWarning warning(clock, Milliseconds(1'000));
  EXPECT_TRUE(warning.warn("again"));
  EXPECT_FALSE(warning.warn("again"));
  EXPECT_FALSE(warning.warn("again"));
  EXPECT_EQ(warning.suppressed(), 2u);
  clock.advance(Milliseconds(1'000));
  EXPECT_TRUE(warning.warn("again"));
  EXPECT_EQ(warning.suppressed(), 0u);
  configure_log({LogLevel::warning, ""});
}

TEST(metrics_test, SeriesAreSharedByNameAndLabelsAndWrittenAsText) {
  Metrics metrics;
  auto a = metrics.counter("community_test_total", "Help", {{"kind", "a"}});
  metrics.counter("community_test_total", "Help", {{"kind", "a"}}).add(2);
  a.add();
  EXPECT_EQ(a.value(), 3);
  metrics.gauge("community_level", "Level").set(7);
  metrics.histogram("community_time_seconds", "Time", Buckets::seconds).observe(0.002);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("community_test_total{kind=\"a\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("community_level 7"), std::string::npos);
  EXPECT_NE(text.find("community_time_seconds_bucket{le=\"0.0025\"} 1"), std::string::npos);
}

TEST(random_test, TheFakeRepeatsAndTheSystemDoesNot) {
  FakeRandom a(5), b(5);
  EXPECT_EQ(a.hex(16), b.hex(16));
  auto system = make_system_random();
  EXPECT_NE(system->hex(16), system->hex(16));
  for (int i = 0; i < 1'000; i++) EXPECT_LT(system->below(3), 3u);
}

}  // namespace
}  // namespace community::infra
