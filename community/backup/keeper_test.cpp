// SPDX-License-Identifier: Apache-2.0
// The keeper on a clock of the test: when it makes checkpoints, whom it brings them to, and what it says of them.
#include <gtest/gtest.h>

#include <set>

#include "community/backup/api/keeper.hpp"
#include "community/backup/test_support/fake_keys.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/fake/clock.hpp"
#include "community/infra/fake/http_client.hpp"
#include "community/infra/fake/temporary_directory.hpp"

namespace community::backup {
namespace {

using infra::HealthState;
using infra::Milliseconds;

constexpr Milliseconds kInterval{3'600'000};

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() {
    keys_.core.core_id = {0xc0};
    keys_.core.backup_generation = 3;
    keys_.core.revision = 10;
    keys_.core.root_keys.push_back({1, 0});
    EXPECT_TRUE(infra::write_file_atomically(files.description(), format_backup(source.made())));
    EXPECT_TRUE(write_holders(files, {"http://a", "http://b", "http://c"}));
    http.answer_with([this](const infra::HttpCall& call) -> infra::Result<infra::HttpResponse> {
      const std::string holder = call.url.substr(7, 1);
      if (away.contains(holder)) return infra::fail(infra::ErrorCode::transport, "away");
      const auto document = parse_checkpoint(call.body);
      EXPECT_TRUE(document) << document.error().text();
      const auto header = checkpoint_header(document->checkpoint);
      certificate = document->certificate;
      auto& held = held_by[holder];
      if (held >= header->revision) return infra::http_json(409, R"({"error":"checkpoint_not_newer"})");
      held = header->revision;
      return infra::http_json(200, "{}");
    });
    make();
  }
  void make(std::vector<std::string> holders = {}) {
    keeper = make_keeper({keys_, keys_, http, clock, &metrics}, {files, kInterval, std::move(holders)});
  }
  // Lets the keeper run for this long, in steps of its look.
  void pass(Milliseconds time) {
    auto run = [this, time]() -> Task<void> {
      infra::TaskGroup group(loop.executor());
      group.spawn(keeper->run());
      for (Milliseconds passed{0}; passed <= time; passed += Milliseconds(5'000)) {
        co_await clock.wait_for_sleepers(1);
        for (int turn = 0; turn < 60; turn++) co_await infra::reschedule();
        if (passed + Milliseconds(5'000) <= time) clock.advance(Milliseconds(5'000));
      }
      group.cancel();
      co_await group.join();
    };
    loop.block_on(run());
  }
  HealthState state() const { return keeper->report().state; }

  infra::EventLoop loop;
  infra::FakeClock clock;
  infra::FakeHttpClient http;
  infra::Metrics metrics;
  infra::TemporaryDirectory folder;
  BackupFiles files{folder.path()};
  FakeSource source;
  FakeKeys keys_;
  std::unique_ptr<Keeper> keeper;
  std::set<std::string> away;
  std::map<std::string, std::uint64_t> held_by;
  std::optional<FenceCertificate> certificate;
};

TEST_F(KeeperTest, WithoutABackupNothingIsMadeAndNothingIsWrong) {
  keys_.core.backup_generation = 0;
  pass(Milliseconds(60'000));
  EXPECT_EQ(keys_.checkpoints, 0u);
  EXPECT_TRUE(http.calls.empty());
  EXPECT_EQ(state(), HealthState::ok);
}

TEST_F(KeeperTest, EveryHolderGetsTheFirstAndOneAnInterval) {
  pass(Milliseconds(0));
  EXPECT_EQ(keys_.checkpoints, 1u);
  EXPECT_EQ(held_by, (std::map<std::string, std::uint64_t>{{"a", 10}, {"b", 10}, {"c", 10}}));
  EXPECT_EQ(state(), HealthState::ok);
  EXPECT_TRUE(std::filesystem::exists(files.checkpoint())) << "for holders that are offline";
  keys_.core.revision = 11;
  pass(kInterval - Milliseconds(5'000));
  EXPECT_EQ(keys_.checkpoints, 1u);
  pass(Milliseconds(10'000));
  EXPECT_EQ(keys_.checkpoints, 2u);
  EXPECT_EQ(held_by.at("c"), 11u);
}

TEST_F(KeeperTest, AStateThatDidNotChangeNeedsNoOther) {
  pass(4 * kInterval);
  EXPECT_EQ(keys_.checkpoints, 1u);
  EXPECT_EQ(http.calls.size(), 3u);
  EXPECT_EQ(state(), HealthState::ok) << "what they have is the newest there is";
}

TEST_F(KeeperTest, RotationConfigurationRecoveryAndGenerationAreBroughtSoon) {
  pass(Milliseconds(0));
  const std::function<void()> occasions[] = {[this] {
                                               keys_.core.root_keys.push_back({2, 0});
                                             },
                                             [this] { keys_.core.configuration_sequence++; },
                                             [this] { keys_.core.recovery_count++; },
                                             [this] { keys_.core.backup_generation++; }};
  std::size_t expected = 1;
  for (const auto& occasion : occasions) {
    occasion();
    keys_.core.revision++;
    pass(Milliseconds(5'000));
    EXPECT_EQ(keys_.checkpoints, ++expected);
    EXPECT_EQ(held_by.at("a"), keys_.core.revision);
  }
  ASSERT_TRUE(certificate) << "after a recovery the holders are shown whom to follow";
  EXPECT_EQ(certificate->recovery_count, 1u);
}

TEST_F(KeeperTest, AHolderThatIsAwayIsTriedAgainWithGrowingPauses) {
  away = {"b"};
  pass(Milliseconds(120'000));
  std::size_t tried = 0;
  for (const infra::HttpCall& call : http.calls) tried += call.url.starts_with("http://b") ? 1 : 0;
  EXPECT_GE(tried, 4u);
  EXPECT_LE(tried, 6u) << "5, 10, 20, 40 seconds apart";
  EXPECT_EQ(state(), HealthState::ok) << "two of the threshold of two have it";
  away.clear();
  pass(Milliseconds(120'000));
  EXPECT_EQ(held_by.at("b"), 10u);
  const auto known = read_state(files);
  ASSERT_TRUE(known) << known.error().text();
  EXPECT_TRUE(known->holders[1].trouble.empty());
}

TEST_F(KeeperTest, FewerFreshHoldersThanTheThresholdIsDegraded) {
  away = {"b", "c"};
  pass(Milliseconds(60'000));
  EXPECT_EQ(state(), HealthState::degraded);
  EXPECT_NE(metrics.text().find("community_backup_holders_fresh 1"), std::string::npos) << metrics.text();
  away.clear();
  pass(Milliseconds(120'000));
  EXPECT_EQ(state(), HealthState::ok);
  // They went away after they had one: for three intervals it is good enough.
  away = {"a", "b", "c"};
  for (std::uint64_t i = 0; i < 2; i++) {
    keys_.core.revision++;
    pass(kInterval);
  }
  EXPECT_EQ(state(), HealthState::ok);
  pass(kInterval);
  EXPECT_EQ(state(), HealthState::degraded);
}

TEST_F(KeeperTest, ALaterStartKnowsWhatTheHoldersHave) {
  pass(Milliseconds(0));
  make();
  EXPECT_EQ(state(), HealthState::ok);
  clock.advance(3 * kInterval);
  EXPECT_EQ(state(), HealthState::degraded);
  const std::size_t before = http.calls.size();
  pass(Milliseconds(0));
  EXPECT_EQ(state(), HealthState::ok);
  EXPECT_EQ(http.calls.size(), before) << "the core's revision is the one they have";
}

TEST_F(KeeperTest, ALostAnswerIsNoFailure) {
  held_by = {{"a", 10}, {"b", 10}, {"c", 10}};
  const auto brought = loop.block_on(keeper->bring_now());
  ASSERT_TRUE(brought) << brought.error().text();
  for (const HolderState& holder : brought->holders) {
    EXPECT_TRUE(holder.trouble.empty()) << holder.trouble;
    EXPECT_EQ(holder.held.revision, 10u);
  }
}

TEST_F(KeeperTest, TheConfigurationsHoldersComeFirst) {
  make({"http://c"});
  pass(Milliseconds(0));
  EXPECT_EQ(held_by, (std::map<std::string, std::uint64_t>{{"c", 10}}));
}

TEST_F(KeeperTest, ACoreThatIsAwayOrFencedIsLeftAlone) {
  keys_.down = true;
  pass(Milliseconds(30'000));
  keys_.down = false;
  keys_.core.fenced = true;
  pass(Milliseconds(30'000));
  EXPECT_EQ(keys_.checkpoints, 0u);
  EXPECT_TRUE(http.calls.empty());
  keys_.core.fenced = false;
  keys_.core.backup_generation = 0;
  EXPECT_EQ(loop.block_on(keeper->bring_now()).error().rule, "backup_missing");
}

}  // namespace
}  // namespace community::backup
