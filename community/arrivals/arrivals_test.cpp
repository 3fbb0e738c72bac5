// SPDX-License-Identifier: Apache-2.0
// When an account is here: both keys of the arrival, on chain. The rest takes two nodes: tests/moving/run.
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

TEST(HasKeys, TakesServerKeyAndPasskeyTogether) {
  Arrival arrival;
  arrival.server_key.fill(7);
  arrival.passkey = passkey(1);
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

}  // namespace
}  // namespace community::arrivals
