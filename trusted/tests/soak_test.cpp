// SPDX-License-Identifier: Apache-2.0
// A body that serves for long takes no more memory than one that has served for a while. Linked once for each body.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <climits>
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
  const auto warm = std::chrono::seconds(is_long ? 60 : 1), whole = std::chrono::seconds(is_long ? 600 : 6);
  World world(1, tested.body.get());
  const auto begin = Clock::now();
  std::uint64_t round = 0;
  struct Resident {
    long least = LONG_MAX, most = 0;
  };
  auto serve_until = [&](Clock::time_point end) {
    Resident resident;
    do {
      serve(world, ++round);
      const long now = program->proc_kilobytes("VmRSS");
      resident.least = std::min(resident.least, now);
      resident.most = std::max(resident.most, now);
    } while (!::testing::Test::HasFatalFailure() && Clock::now() < end);
    return resident;
  };
  serve_until(begin + warm);
  const Resident before = serve_until(begin + 2 * warm), between = serve_until(begin + whole - warm),
                 after = serve_until(begin + whole);
  std::printf("%llu rounds, resident %ld to %ld kB in the second tenth, %ld to %ld kB in the last, %ld kB at most\n",
              static_cast<unsigned long long>(round), before.least, before.most, after.least, after.most,
              std::max(between.most, after.most));
  ASSERT_GT(before.most, 0);
  // An emulator's tables come and go with the load; what leaks stays, so the least of a while is what shows it. One in
  // a hundred is some ten bytes a signature in the long run.
  EXPECT_LE(after.least, before.least + before.least / 100);
  // Whatever it does meanwhile has an end, too.
  EXPECT_LE(std::max(between.most, after.most), before.least + before.least / 10);
}

}  // namespace
}  // namespace community::trusted::testing
