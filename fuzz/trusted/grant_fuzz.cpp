// SPDX-License-Identifier: Apache-2.0
// The readers of createGrant and executeSession: what they accept is exactly what an encoder makes of the fields they
// read, and both see the same grant.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/tests/support/account.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

namespace {

TestGrant encoder_of(const ethereum::Grant& grant) {
  TestGrant again;
  again.target = grant.target;
  again.selectors.clear();
  for (std::size_t i = 0; i < grant.selector_count; i++) again.selectors.push_back(to_hex(grant.selectors[i]));
  again.value_per_call = grant.value_per_call;
  again.value_total = grant.value_total;
  again.valid_after = grant.valid_after;
  again.valid_until = grant.valid_until;
  again.paymaster = grant.paymaster;
  again.salt = grant.salt;
  return again;
}

void check(ByteView input) {
  if (const auto created = ethereum::read_create_grant(input)) {
    require(created->grant.selector_count >= 1 && created->grant.selector_count <= 8, "1 to 8 selectors");
    const TestGrant again = encoder_of(created->grant);
    require(again.create_call() == to_bytes(input), "one encoding of createGrant");
    require(again.hash() == created->hash, "the hash is that of the grant");
    const Bytes session = again.session_call({});
    const auto used = ethereum::read_execute_session(session);
    require(used && used->hash == created->hash, "a session has the same hash");
  }
  if (const auto used = ethereum::read_execute_session(input)) {
    const TestGrant again = encoder_of(used->grant);
    require(again.session_call(used->execution_data) == to_bytes(input), "one encoding of executeSession");
    require(again.hash() == used->hash, "the hash is that of the grant");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check(input);
  // The same behind a good selector, which is hard to hit by chance.
  check(join({ethereum::kCreateGrant, input}));
  check(join({ethereum::kExecuteSession, input}));
  return 0;
}
