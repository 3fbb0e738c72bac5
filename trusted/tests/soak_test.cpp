// SPDX-License-Identifier: Apache-2.0
// A body that serves for long takes no more memory than one that has served for a while. Linked once for each body.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "trusted/tests/support/body_under_test.hpp"
#include "trusted/tests/support/programs.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

using Clock = std::chrono::steady_clock;

// What a node's day is made of, once: signatures of all kinds, a change of each kind of record, a new connection.
void serve(World& world, std::uint64_t round) {
  for (int i = 0; i < 20; i++) {
    ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
    ASSERT_EQ(world.sign(world.good_transaction()).error, Error::ok);
    ASSERT_EQ(world.sign(World::Sponsorship{world.good_userop()}).error, Error::ok);
  }
  protocol::Policy policy = world.policy;
  policy.call_value_cap = Uint256(1'000'000'000 + round);
  ASSERT_EQ(world.set_policy(policy), Error::ok);
  if (round % 10 == 0) {
    protocol::KeyCreateRequest request;
    const OwnedPath path = world.host.pending_tree.path(world.host.next_leaf());
    request.path = path.view();
    request.purpose = static_cast<std::uint8_t>(protocol::Purpose::executor);
    ASSERT_EQ(world.host.change(Command::key_create, request).error, Error::ok);
    ASSERT_EQ(world.host.commit().error, Error::ok);
    ASSERT_EQ(world.host.ask(Command::attest, protocol::AttestRequest{{1}, 1}).error, Error::ok);
    ASSERT_EQ(world.host.call(Command::release_leases).error, Error::ok);
  }
  if (round % 5 == 0) {
    // What is refused costs memory as well.
    ASSERT_EQ(world.host.call(Command::sign_userop, Bytes(64, 0xff)).error, Error::malformed_request);
    ASSERT_TRUE(world.host.reconnect());
  }
}

TEST(Soak, MixedLoadDoesNotGrowABodysMemory) {
  if (const std::string missing = body_missing(); !missing.empty()) GTEST_SKIP() << missing;
  const BodyUnderTest tested = make_body_under_test();
  const auto* program = dynamic_cast<ProgramBody*>(tested.body.get());
  ASSERT_NE(program, nullptr);
  const bool is_long = std::getenv("COMMUNITY_TEST_LONG") != nullptr;
  const auto warm = std::chrono::seconds(is_long ? 60 : 2), whole = std::chrono::seconds(is_long ? 600 : 4);
  World world(1, tested.body.get());
  const auto begin = Clock::now();
  std::uint64_t round = 0;
  auto serve_until = [&](Clock::time_point end) {
    long most = 0;
    do {
      serve(world, ++round);
      most = std::max(most, program->proc_kilobytes("VmRSS"));
    } while (!::testing::Test::HasFatalFailure() && Clock::now() < end);
    return most;
  };
  const long before = serve_until(begin + warm), after = serve_until(begin + whole);
  std::printf("%llu rounds, resident %ld kB after the first tenth, %ld kB at most afterwards\n",
              static_cast<unsigned long long>(round), before, after);
  ASSERT_GT(before, 0);
  // The emulator touches a guest's pages one by one; a leak of a hundred bytes a signature would be far beyond.
  EXPECT_LE(after, before + before / 50 + 1'024);
}

}  // namespace
}  // namespace community::trusted::testing
