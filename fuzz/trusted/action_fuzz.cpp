// SPDX-License-Identifier: Apache-2.0
// Requests of actions, changes of keys and adoptions: their layouts have one encoding, and two that differ have two
// digests.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/tests/support/account.hpp"

using namespace community::trusted::testing;
namespace protocol = community::protocol;

namespace {

template <class Message>
bool reads(ByteView input, Message& message) {
  if (!protocol::decode(input, message)) return false;
  require(encoded(message) == to_bytes(input), "one encoding");
  return true;
}

// One byte of an accepted message changed: it is refused, or the digest is another.
void check_action(ByteView input) {
  protocol::AccountAction action, other;
  if (!reads(input, action)) return;
  const Bytes32 digest = action_digest(action, kChain, kShop);
  require(digest != action_digest(action, kOtherChain, kShop), "the chain counts");
  require(digest != action_digest(action, kChain, kStranger), "the account counts");
  Bytes bent = to_bytes(input);
  for (std::size_t i = 0; i < bent.size(); i++) {
    bent[i] ^= 1;
    if (reads(bent, other)) require(action_digest(other, kChain, kShop) != digest, "every byte counts");
    bent[i] ^= 1;
  }
}

void check_keys(ByteView input) {
  protocol::KeyChange change;
  if (!reads(input, change)) return;
  const Bytes32 digest = key_change_digest(change, kShop, kChain, kShop);
  require(digest != key_change_digest(change, kStranger, kChain, kShop), "the server key counts");
  protocol::KeyChange other = change;
  other.votes ^= 1;
  require(digest != key_change_digest(other, kShop, kChain, kShop), "the votes count");
  if (change.added_count == 0) return;
  other = change;
  other.added_count--;
  require(digest != key_change_digest(other, kShop, kChain, kShop), "every passkey counts");
}

void check_adoption(ByteView input) {
  protocol::AccountAdoptRequest request;
  if (!reads(input, request)) return;
  const auto challenge = [](std::uint64_t revision, std::uint64_t chain_id, const Address& account, std::uint32_t key) {
    return protocol::account_adoption_challenge({}, revision, chain_id, account, key);
  };
  const std::uint64_t chain_id = request.chain_id;
  const std::uint32_t key = request.server_key_index;
  Address other = request.account;
  other[key % other.size()] ^= 1;
  const Bytes32 good = challenge(1, chain_id, request.account, key);
  require(good != challenge(2, chain_id, request.account, key), "the revision counts");
  require(good != challenge(1, chain_id ^ 1, request.account, key), "the chain counts");
  require(good != challenge(1, chain_id, other, key), "the account counts");
  require(good != challenge(1, chain_id, request.account, key ^ 1), "the server key counts");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_action(input);
  check_keys(input);
  check_adoption(input);
  protocol::SignActionRequest action;
  protocol::AccountChangeKeysRequest keys;
  protocol::SignSessionRequest session;
  reads(input, action);
  reads(input, keys);
  reads(input, session);
  return 0;
}
