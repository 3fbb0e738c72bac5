// SPDX-License-Identifier: Apache-2.0
// What a core says of itself reaches the doors of the node whole, and back again.
#include <gtest/gtest.h>

#include "community/keys/api/core_status.hpp"

namespace community::keys {
namespace {

TEST(CoreStatus, NothingOfAStatusIsLostOnTheWay) {
  protocol::StatusReply reply;
  reply.body = 2;
  reply.protection = 1;
  reply.core_id[0] = 3;
  reply.epoch = 4;
  reply.root[0] = 5;
  reply.recovery_count = 6;
  reply.root_key_version = 7;
  reply.configuration_sequence = 8;
  reply.configuration_digest[0] = 9;
  reply.hpke_key[0] = 10;
  reply.budget_count = 1;
  reply.budgets[0].chain_id = 11;
  reply.records_counted = 1;
  reply.root_key_count = 2;
  reply.root_keys[0] = {5, 12};
  reply.root_keys[1] = {7, 13};
  reply.revision = 14;
  reply.backup_generation = 15;
  reply.fenced = 1;
  reply.configuration_floor = 16;
  reply.order_sequence = 17;
  const CoreStatus status = to_core_status(reply);
  EXPECT_EQ(status.revision, 14u);
  EXPECT_EQ(status.backup_generation, 15u);
  EXPECT_TRUE(status.fenced);
  EXPECT_EQ(status.configuration_floor, 16u);
  std::vector<std::uint8_t> before(4'096), after(4'096);
  const auto one = protocol::encode(reply, before), other = protocol::encode(to_status_reply(status), after);
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(std::vector(one.begin(), one.end()), std::vector(other.begin(), other.end()));
}

}  // namespace
}  // namespace community::keys
