// SPDX-License-Identifier: Apache-2.0
// Attestation through the key service: with the real key-enclave, which has no quotes, and with a core that has.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "community/infra/factory.hpp"
#include "community/infra/fake/temporary_directory.hpp"
#include "community/infra/fake/test_database.hpp"
#include "community/keys/factory.hpp"
#include "trusted/base/sha2.hpp"

namespace community::keys {
namespace {

namespace fs = std::filesystem;
using protocol::QuoteKind;

const Bytes32 kChallenge = base::sha256(base::view("a challenge"));

// A core in a folder of its own, ended with the test.
class Core {
 public:
  Core(const char* program, const fs::path& folder)
      : program_(fs::path(COMMUNITY_BINARY_DIR) / program), state_(folder / "core"), socket_(folder / "socket") {
    fs::create_directory(state_);
    fs::permissions(state_, fs::perms::owner_all);
    const std::string command = program_.string() + " provision --state " + state_.string() + " --operator-key " +
                                core::to_plain_hex(std::array<std::uint8_t, 64>{1});
    FILE* out = popen(command.c_str(), "r");
    std::array<char, 128> line{};
    const bool provisioned = fgets(line.data(), line.size(), out) != nullptr;
    EXPECT_TRUE(pclose(out) == 0 && provisioned);
    options.socket_path = socket_.string();
    options.channel_key = core::parse_bytes32({line.data(), 64}, core::HexPrefix::optional).value();
    start();
  }
  ~Core() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  ChannelOptions options;

 private:
  void start() {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ready[1], 2);
      close(ready[0]);
      execl(program_.c_str(), program_.c_str(), "serve", "--state", state_.c_str(), "--socket", socket_.c_str(),
            static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ready[1]);
    std::array<char, 256> line{};
    ASSERT_GT(read(ready[0], line.data(), line.size() - 1), 0);
    ASSERT_NE(std::string_view(line.data()).find("ready"), std::string_view::npos) << line.data();
    close(ready[0]);
  }

  fs::path program_, state_, socket_;
  pid_t pid_ = -1;
};

class AttestingKeysTest : public ::testing::Test {
 protected:
  AttestingKeysTest() {
    database_ = infra::Database::open(place_.options(), {key_migrations()}).value();
    service_ = make_key_service({*database_, *random_});
  }
  template <class Work>
  void with_core(const char* program, Work work) {
    Core core(program, folder_.path());
    loop_.block_on(session(core.options, std::move(work)));
  }
  template <class Work>
  Task<void> session(ChannelOptions options, Work work) {
    infra::TaskGroup group(loop_.executor());
    group.spawn(serve(std::move(options)));
    const bool connected = co_await service_->connected().wait_for(infra::Milliseconds(20'000));
    EXPECT_TRUE(connected);
    if (connected) co_await work(*service_);
    group.cancel();
    co_await group.join();
  }
  Task<void> serve(ChannelOptions options) { (void)co_await service_->serve(std::move(options)); }

  infra::TemporaryDirectory folder_;
  infra::EventLoop loop_;
  std::unique_ptr<infra::Random> random_ = infra::make_system_random();
  infra::TestDatabase place_;
  std::unique_ptr<infra::Database> database_;
  std::unique_ptr<ConnectedKeyService> service_;
};

constexpr const char* kProcessBody = "bin/key-enclave";
constexpr const char* kQuotingBody = "helpers/quoting-enclave";

TEST_F(AttestingKeysTest, ASoftwareBodySaysWhatItIsWithoutQuotes) {
  auto work = [](ConnectedKeyService& service) -> Task<void> {
    const auto status = co_await service.status();
    const auto answer = co_await service.attest(kChallenge);
    EXPECT_TRUE(answer.has_value()) << answer.error().text();
    if (!answer || !status) co_return;
    EXPECT_FALSE(answer->quotes);
    EXPECT_EQ(answer->statement.challenge, kChallenge);
    EXPECT_EQ(answer->statement.core_id, status->core_id);
    EXPECT_EQ(answer->statement.hpke_key, status->hpke_key);
    EXPECT_EQ(answer->statement.epoch, status->epoch);
    EXPECT_EQ(answer->statement.body, static_cast<std::uint8_t>(protocol::Body::process));
  };
  with_core(kProcessBody, work);
}

TEST_F(AttestingKeysTest, BothQuotesAreByOneKeyOverOneStatement) {
  auto work = [](ConnectedKeyService& service) -> Task<void> {
    const auto answer = co_await service.attest(kChallenge);
    EXPECT_TRUE(answer.has_value()) << answer.error().text();
    if (!answer) co_return;
    EXPECT_TRUE(answer->quotes.has_value());
    if (!answer->quotes) co_return;
    const auto& [application, system] = *answer->quotes;
    EXPECT_EQ(application.measurement, base::sha256(base::view("an application")));
    EXPECT_EQ(system.measurement, base::sha256(base::view("a TEE core")));
    EXPECT_EQ(application.modulus, system.modulus);
    EXPECT_NE(application.signature, system.signature);
    EXPECT_EQ(answer->statement.body, static_cast<std::uint8_t>(protocol::Body::optee_qemu));
    EXPECT_EQ(answer->statement.protection, static_cast<std::uint8_t>(protocol::Protection::emulated));
  };
  with_core(kQuotingBody, work);
}

// Each COMMIT changes the epoch, which is in the statement of both quotes.
TEST_F(AttestingKeysTest, CommitsMeanwhileNeverMixTwoStates) {
  auto work = [](ConnectedKeyService& service) -> Task<void> {
    bool done = false;
    auto change = [&]() -> Task<void> {
      for (int i = 0; i < 25; i++) {
        const auto made = co_await service.create_key(Purpose::executor, 0);
        EXPECT_TRUE(made.has_value()) << made.error().text();
      }
      done = true;
    };
    infra::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(change());
    std::set<std::uint64_t> epochs;
    int answered = 0;
    while (!done) {
      const auto answer = co_await service.attest(kChallenge);
      EXPECT_TRUE(answer.has_value()) << answer.error().text();
      if (!answer) break;
      EXPECT_TRUE(answer->quotes.has_value());
      epochs.insert(answer->statement.epoch);
      answered++;
    }
    co_await group.join();
    EXPECT_GT(answered, 1);
    EXPECT_GT(epochs.size(), 1u) << "the state went on while it was attested";
  };
  with_core(kQuotingBody, work);
}

TEST_F(AttestingKeysTest, WithoutAConnectionItIsUnavailable) {
  auto work = [this]() -> Task<void> {
    const auto answer = co_await service_->attest(kChallenge);
    EXPECT_FALSE(answer.has_value());
    if (!answer) {
      EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    }
  };
  loop_.block_on(work());
}

}  // namespace
}  // namespace community::keys
