// SPDX-License-Identifier: Apache-2.0
// The real key-enclave: it serves, it is confined, it survives kill -9 at any moment, and nobody without the channel
// key gets in its host's way.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "trusted/process/server.hpp"
#include "trusted/tests/support/enclave.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class KeyEnclave : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "a sanitizer needs system calls that the sandbox forbids";
  }
  // A connection that has said hello and asked for the status.
  bool say_hello(SocketConnection& connection, HostChannel& channel) {
    return connection.connect(enclave.socket_path()) && channel.established(connection.exchange(channel.hello()));
  }
  static bool answers(SocketConnection& connection, HostChannel& channel) {
    const auto reply = channel.reply(connection.exchange(channel.request(Command::status, {})));
    return reply && reply->error == Error::ok;
  }
  Enclave enclave;
};

TEST_F(KeyEnclave, HasNoQuoteAndSaysSo) {
  World world(1, &enclave);
  const Reply reply = world.host.ask(Command::attest, protocol::AttestRequest{Bytes32{7}, 1});
  ASSERT_EQ(reply.error, Error::ok);
  const auto answer = decoded<protocol::AttestReply>(reply.body);
  EXPECT_EQ(answer.kind, static_cast<std::uint8_t>(protocol::QuoteKind::none));
  EXPECT_EQ(answer.statement.challenge, Bytes32{7});
  EXPECT_EQ(answer.statement.body, static_cast<std::uint8_t>(protocol::Body::process));
  EXPECT_EQ(answer.statement.protection, static_cast<std::uint8_t>(protocol::Protection::none));
  EXPECT_FALSE(base::is_zero(answer.statement.identity_key));
}

TEST_F(KeyEnclave, HasNoNewPrivilegesAndAFilter) {
  World world(1, &enclave);
  EXPECT_EQ(enclave.proc_status("NoNewPrivs"), "1");
  EXPECT_EQ(enclave.proc_status("Seccomp"), "2");
}

TEST_F(KeyEnclave, KeepsItsMemoryLockedAndSmall) {
  World world(1, &enclave);
  ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
  // The pages that the kernel lends every process (vdso, vvar) are not lockable.
  EXPECT_GE(enclave.proc_kilobytes("VmLck") + 64, enclave.proc_kilobytes("VmSize"));
  EXPECT_GE(enclave.proc_kilobytes("VmLck") + 64, enclave.proc_kilobytes("VmRSS"));
  EXPECT_EQ(enclave.proc_kilobytes("VmSwap"), 0);
  EXPECT_LT(enclave.proc_kilobytes("VmRSS"), 10 * 1'024);
}

TEST_F(KeyEnclave, RefusesAStateFolderThatOthersMayEnter) {
  World world(1, &enclave);
  enclave.kill();
  for (const unsigned mode : {0750u, 0705u, 0755u, 0770u, 0701u, 0777u}) {
    ASSERT_EQ(chmod(enclave.folder().c_str(), mode), 0);
    const ProgramResult result =
        run_program({Enclave::program(), "serve", "--state", enclave.folder(), "--socket", enclave.socket_path()});
    EXPECT_EQ(WEXITSTATUS(result.status), 1) << std::oct << mode;
    EXPECT_NE(result.errors.find("0700"), std::string::npos) << result.errors;
  }
  ASSERT_EQ(chmod(enclave.folder().c_str(), 0700), 0);
  EXPECT_EQ(world.host.start(), Error::ok);
}

TEST_F(KeyEnclave, RefusesASecondInstanceAndASecondProvisioning) {
  World world(1, &enclave);
  const ProgramResult second =
      run_program({Enclave::program(), "serve", "--state", enclave.folder(), "--socket", enclave.socket_path() + "2"});
  EXPECT_EQ(WEXITSTATUS(second.status), 1);
  EXPECT_NE(second.errors.find("another key-enclave"), std::string::npos) << second.errors;
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  enclave.kill();
  Bytes32 ignored;
  EXPECT_EQ(enclave.provision({}, ignored), Error::not_provisioned);
  EXPECT_EQ(world.host.start(), Error::ok);
}

TEST_F(KeyEnclave, RefusesAFolderThatHoldsNothing) {
  const ProgramResult result =
      run_program({Enclave::program(), "serve", "--state", enclave.folder(), "--socket", enclave.socket_path()});
  EXPECT_EQ(WEXITSTATUS(result.status), 1);
  EXPECT_NE(result.errors.find("not_provisioned"), std::string::npos) << result.errors;
}

TEST_F(KeyEnclave, ItsFilesAreItsUsersAlone) {
  World world(1, &enclave);
  for (const char* name : {"/state.0", "/state.1", "/socket"}) {
    struct stat info {};
    ASSERT_EQ(stat((enclave.folder() + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777u, 0600u) << name;
  }
}

TEST_F(KeyEnclave, DoesNotDeleteAFileThatIsNoSocket) {
  World world(1, &enclave);
  enclave.kill();
  const std::string path = enclave.folder() + "/precious";
  std::ofstream(path) << "kept";
  const ProgramResult result =
      run_program({Enclave::program(), "serve", "--state", enclave.folder(), "--socket", path});
  EXPECT_EQ(WEXITSTATUS(result.status), 1);
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(KeyEnclave, SaysHowItIsUsed) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{Enclave::program()},
                                                    {Enclave::program(), "sing", "--state", enclave.folder()},
                                                    {Enclave::program(), "serve"},
                                                    {Enclave::program(), "serve", "--state"},
                                                    {Enclave::program(), "serve", "--bad", "x"}}) {
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(WEXITSTATUS(result.status), 2);
    EXPECT_NE(result.errors.find("no hardware protection"), std::string::npos);
  }
}

TEST_F(KeyEnclave, DropsAConnectionThatSendsGarbage) {
  World world(1, &enclave);
  for (const std::string_view bytes : {"00000000", "ffffffff", "00000024"}) {
    SocketConnection connection;
    ASSERT_TRUE(connection.connect(enclave.socket_path()));
    Bytes garbage = unhex(bytes);
    garbage.resize(64);
    connection.send(garbage);
    EXPECT_TRUE(connection.wait_for_end());
  }
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(KeyEnclave, ConnectionsWithoutTheKeyDoNotKeepTheHostOut) {
  World world(1, &enclave);
  // Silent ones take every place that is left, and more.
  std::array<SocketConnection, kMaxConnections + 2> silent;
  for (auto& connection : silent) ASSERT_TRUE(connection.connect(enclave.socket_path()));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  // A new connection of the host finds a place as well.
  SocketConnection connection;
  HostChannel channel(world.host.channel_key(), 50);
  ASSERT_TRUE(say_hello(connection, channel));
  EXPECT_TRUE(answers(connection, channel));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(KeyEnclave, ReplayedHellosDoNotKeepTheHostOut) {
  World world(1, &enclave);
  HostChannel recorded(world.host.channel_key(), 60);
  const Bytes hello = recorded.hello();
  std::array<SocketConnection, kMaxConnections + 1> replays;
  for (auto& connection : replays) {
    ASSERT_TRUE(connection.connect(enclave.socket_path()));
    EXPECT_FALSE(connection.exchange(hello).empty());
  }
  SocketConnection connection;
  HostChannel channel(world.host.channel_key(), 61);
  ASSERT_TRUE(say_hello(connection, channel));
  EXPECT_TRUE(answers(connection, channel));
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

TEST_F(KeyEnclave, AProvenConnectionIsNotPushedOut) {
  World world(1, &enclave);
  std::array<SocketConnection, kMaxConnections - 1> proven;
  std::vector<HostChannel> channels;
  for (std::size_t i = 0; i < proven.size(); i++) {
    channels.emplace_back(world.host.channel_key(), 70 + i);
    ASSERT_TRUE(say_hello(proven[i], channels[i]));
    ASSERT_TRUE(answers(proven[i], channels[i]));
  }
  // All places are proven: whoever comes now is sent away.
  SocketConnection late;
  ASSERT_TRUE(late.connect(enclave.socket_path()));
  EXPECT_TRUE(late.wait_for_end());
  for (std::size_t i = 0; i < proven.size(); i++) EXPECT_TRUE(answers(proven[i], channels[i]));
  EXPECT_EQ(world.host.call(Command::status).error, Error::ok);
}

TEST_F(KeyEnclave, AClientThatNeverReadsDoesNotHoldUpAnother) {
  World world(1, &enclave);
  SocketConnection deaf;
  HostChannel channel(world.host.channel_key(), 80);
  ASSERT_TRUE(say_hello(deaf, channel));
  // Requests until the socket and the core's buffers are full: a refusal to take more, twice with a signature between.
  Bytes rest;
  int refusals = 0;
  while (refusals < 3) {
    if (rest.empty()) rest = channel.request(Command::status, {});
    const std::size_t sent = deaf.send_some(rest);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(sent));
    if (sent == 0) {
      refusals++;
      ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
    }
  }
  for (int i = 0; i < 20; i++) ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

// The signal comes between the start and the first wait: it must not be lost.
TEST(Serve, StopsOnASignalThatArrivedBeforeItWaited) {
  static volatile bool stop = false;
  const pid_t child = fork();
  if (child == 0) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    struct sigaction action {};
    action.sa_handler = [](int) { stop = true; };
    sigaction(SIGTERM, &action, nullptr);
    raise(SIGTERM);
    TemporaryFolder folder;
    TestHost host;
    if (host.provision() != Error::ok || host.start() != Error::ok) _exit(2);
    const int listener = listen_on((folder.path() + "/socket").c_str());
    _exit(serve(host.core(), listener, &stop) && stop ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// After a COMMIT whose outcome is unknown the process ends, so that its supervisor starts it anew.
TEST(Serve, EndsWhenTheCoreStoppedItself) {
  TemporaryFolder folder;
  World world;
  protocol::KeyCreateRequest request;
  const OwnedPath path = world.host.tree.path(world.host.next_leaf());
  request.path = path.view();
  request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
  ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
  world.host.store.fail_write(1, MemoryStore::Fault::refuse);
  ASSERT_EQ(world.host.commit().error, Error::store_failed);
  const int listener = listen_on((folder.path() + "/socket").c_str());
  ASSERT_GE(listener, 0);
  volatile bool stop = false;
  EXPECT_TRUE(serve(world.host.core(), listener, &stop));
  close(listener);
}

}  // namespace
}  // namespace community::trusted::testing
