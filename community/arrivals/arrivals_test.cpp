// SPDX-License-Identifier: Apache-2.0
// When an account is here: both keys of the arrival, on chain; and which calls the node brings for it. The rest takes
// two nodes: tests/moving/run.
#include <gtest/gtest.h>

#include "community/arrivals/service.hpp"

namespace community::arrivals {
namespace {

accounts::InitPasskey passkey(std::uint8_t number) {
  accounts::InitPasskey out;
  out.public_key.fill(number);
  out.rp_id_hash.fill(static_cast<std::uint8_t>(number + 1));
  return out;
}

Arrival an_arrival() {
  Arrival arrival;
  arrival.server_key.fill(7);
  arrival.passkey = passkey(1);
  return arrival;
}

TEST(HasKeys, TakesServerKeyAndPasskeyTogether) {
  const Arrival arrival = an_arrival();
  accounts::AccountState state;
  state.server_key = arrival.server_key;
  state.passkeys = {{0, passkey(5)}, {1, passkey(1)}};
  EXPECT_FALSE(has_keys(state, arrival)) << "not deployed";
  state.deployed = true;
  EXPECT_TRUE(has_keys(state, arrival));
  accounts::AccountState other = state;
  other.server_key.fill(8);
  EXPECT_FALSE(has_keys(other, arrival)) << "the passkey alone";
  other = state;
  other.passkeys.pop_back();
  EXPECT_FALSE(has_keys(other, arrival)) << "the server key alone";
  other = state;
  other.passkeys[1].key.rp_id_hash.fill(9);
  EXPECT_FALSE(has_keys(other, arrival)) << "a passkey of another domain";
}

accounts::Recover recovery(const Arrival& arrival) {
  accounts::Recover out;
  out.passkeys = {arrival.passkey};
  out.server_key = arrival.server_key;
  out.escape_key.fill(9);
  return out;
}

TEST(WhatTheNodePaysFor, IsARecoveryToExactlyTheArrivalsKeys) {
  const Arrival arrival = an_arrival();
  const accounts::Recover good = recovery(arrival);
  EXPECT_TRUE(names_exactly(good, arrival));
  EXPECT_TRUE(brings(good, arrival)) << "and its end";
  accounts::Recover other = good;
  other.server_key.fill(8);
  EXPECT_FALSE(names_exactly(other, arrival)) << "a server key of somebody else";
  EXPECT_FALSE(brings(other, arrival));
  other = good;
  other.passkeys.push_back(passkey(3));
  EXPECT_FALSE(names_exactly(other, arrival)) << "a further passkey, which would be a vote of somebody else";
  EXPECT_FALSE(brings(other, arrival));
  other = good;
  other.passkeys.clear();
  EXPECT_FALSE(names_exactly(other, arrival)) << "no passkey";
  other = good;
  other.passkeys[0].rp_id_hash.fill(5);
  EXPECT_FALSE(names_exactly(other, arrival)) << "the passkey under another domain";
  other = good;
  other.passkeys[0].public_key.fill(5);
  EXPECT_FALSE(names_exactly(other, arrival)) << "another passkey";
}

TEST(WhatTheNodePaysFor, IsNoChangeOfKeysThatStarts) {
  const Arrival arrival = an_arrival();
  accounts::ChangeKeys change;
  change.added = {arrival.passkey};
  change.server_key = arrival.server_key;
  EXPECT_FALSE(names_exactly(change, arrival)) << "its votes come through the node that has the account";
  EXPECT_TRUE(brings(change, arrival)) << "what waits is finished";
  change.added = {passkey(3)};
  EXPECT_FALSE(brings(change, arrival));
}

}  // namespace
}  // namespace community::arrivals
