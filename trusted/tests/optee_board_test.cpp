// SPDX-License-Identifier: Apache-2.0
// tee-bridge as a board runs it: a unix socket, clients that come and go, and a TEE that outlives both.
#include <gtest/gtest.h>

#include "trusted/tests/support/guest.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {
namespace {

class Board : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HostileGuest::exists()) GTEST_SKIP() << "no hostile guest: tools/optee tests";
    board = std::make_unique<BoardDevice>();
  }
  std::unique_ptr<BoardDevice> board;
};

TEST_F(Board, TheSocketIsItsUsersAlone) {
  World world(1, board.get());
  EXPECT_EQ(board->socket_mode(), 0600u);
}

// The bridge dies and is started again beside an application that goes on: nothing is lost, the old session ends with
// it.
TEST_F(Board, ANewBridgeFindsTheSameApplication) {
  World world(1, board.get());
  const auto before = world.host.status();
  for (int i = 0; i < 6; i++) {
    board->restart_bridge();
    ASSERT_TRUE(world.host.reconnect()) << i;
    EXPECT_EQ(world.host.status().root, before.root);
    ASSERT_EQ(world.sign(world.good_userop()).error, Error::ok);
  }
}

// Neither silent connections nor repeated hellos keep the node waiting.
TEST_F(Board, AStrangerOnTheSocketMakesWay) {
  World world(1, board.get());
  // The node goes, and strangers are there before it comes back.
  for (int i = 0; i < 2; i++) ASSERT_TRUE(board->connect_stranger());
  ASSERT_TRUE(world.host.reconnect());
  EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
  // Who proved the channel key stays, whoever waits.
  ASSERT_TRUE(board->connect_stranger());
  for (int i = 0; i < 3; i++) EXPECT_EQ(world.sign(world.good_userop()).error, Error::ok);
}

}  // namespace
}  // namespace community::trusted::testing
