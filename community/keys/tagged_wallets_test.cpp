// SPDX-License-Identifier: Apache-2.0
// Wallets that are made exactly once: one tag, one wallet, whatever is cut off in between.
#include "community/keys/test_support/key_world.hpp"

namespace community::keys {
namespace {

WalletTag tag(std::uint64_t number) {
  WalletTag out{};
  base::store_be(out.data(), number);
  return out;
}

TEST_F(KeyServiceTest, ATagMakesOneWallet) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    const auto nothing = co_await service.find_wallet(tag(1));
    EXPECT_TRUE(nothing && !nothing->has_value());
    const auto made = co_await service.create_wallet_once(tag(1), passkey(1), {});
    EXPECT_TRUE(made.has_value()) << made.error().text();
    const auto again = co_await service.create_wallet_once(tag(1), passkey(1), {});
    const auto other = co_await service.create_wallet_once(tag(2), passkey(1), {});
    if (!made || !again || !other) co_return;
    EXPECT_EQ(again->id, made->id);
    EXPECT_EQ(again->server_key, made->server_key);
    EXPECT_NE(other->id, made->id);
    const auto found = co_await service.find_wallet(tag(1));
    EXPECT_TRUE(found && *found == made->id);
  };
  with_service(work);
}

TEST_F(KeyServiceTest, CallsWithOneTagAtTheSameTimeMakeOneWallet) {
  std::set<RecordId> ids;
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    infra::TaskGroup group(loop_.executor());
    auto one = [&]() -> Task<void> {
      const auto wallet = co_await service.create_wallet_once(tag(7), passkey(1), {});
      EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
      if (wallet) ids.insert(wallet->id);
    };
    for (int i = 0; i < 50; i++) group.spawn(one());
    co_await group.join();
  };
  with_service(work);
  EXPECT_EQ(ids.size(), 1u);
}

TEST_F(KeyServiceTest, ACallerThatIsCancelledLeavesTheTagToItsWallet) {
  auto work = [&](KeyService& service) -> Task<void> {
    co_await configure(service, operator_, configuration());
    infra::TaskGroup given_up(loop_.executor());
    auto one = [&]() -> Task<void> { co_await service.create_wallet_once(tag(3), passkey(1), {}); };
    given_up.spawn(one());
    // The call is on its way, wherever that is.
    for (int i = 0; i < 3; i++) co_await infra::reschedule();
    given_up.cancel();
    co_await given_up.join();
    const auto first = co_await service.create_wallet_once(tag(3), passkey(1), {});
    const auto second = co_await service.create_wallet_once(tag(3), passkey(1), {});
    EXPECT_TRUE(first && second && first->id == second->id);
  };
  with_service(work);
}

TEST_F(KeyServiceTest, ATagFindsItsWalletWhereverTheCoreWasKilled) {
  const int rounds = std::getenv("COMMUNITY_TEST_LONG") != nullptr && !is_optee() ? 100 : 10;
  constexpr std::uint64_t kTags = 20;
  infra::FakeRandom seeded(11);
  auto set_up = [&](KeyService& service) -> Task<void> { co_await configure(service, operator_, configuration()); };
  with_service(set_up);
  for (int round = 0; round < rounds && !HasFailure(); round++) {
    const auto first = static_cast<std::uint64_t>(round) * kTags;
    const auto victim = body_->pid();
    const auto delay_us = static_cast<useconds_t>(seeded.below(is_optee() ? 200'000 : 6'000));
    std::map<std::uint64_t, RecordId> answered;
    auto interrupted = [&](KeyService& service) -> Task<void> {
      infra::TaskGroup group(loop_.executor());
      auto one = [&](std::uint64_t number) -> Task<void> {
        const auto wallet = co_await service.create_wallet_once(tag(first + number), passkey(1), {});
        if (wallet) answered[number] = wallet->id;
      };
      for (std::uint64_t i = 0; i < kTags; i++) group.spawn(one(i));
      const pid_t killer = fork();
      if (killer == 0) {
        usleep(delay_us);
        kill(victim, SIGKILL);
        _exit(0);
      }
      co_await group.join();
      waitpid(killer, nullptr, 0);
    };
    with_service(interrupted);
    stop_core(SIGKILL);
    start_core();
    std::size_t found = 0;
    std::uint64_t before = 0, after = 0;
    auto repeat = [&](KeyService& service) -> Task<void> {
      before = (co_await service.status())->root_keys.back().records;
      for (std::uint64_t i = 0; i < kTags; i++) {
        const auto known = co_await service.find_wallet(tag(first + i));
        found += known && *known ? 1 : 0;
        const auto wallet = co_await service.create_wallet_once(tag(first + i), passkey(1), {});
        EXPECT_TRUE(wallet.has_value()) << wallet.error().text();
        if (!wallet) continue;
        EXPECT_EQ(wallet->id, answered.contains(i) ? answered[i] : wallet->id) << "round " << round;
        EXPECT_EQ(wallet->id, known && *known ? **known : wallet->id);
      }
      after = (co_await service.status())->root_keys.back().records;
    };
    with_service(repeat);
    EXPECT_GE(found, answered.size());
    // What was not found was made now and nothing else: no record of an interrupted call is left over.
    EXPECT_EQ(after, static_cast<std::uint64_t>(round + 1) * kTags) << before;
  }
}

}  // namespace
}  // namespace community::keys
