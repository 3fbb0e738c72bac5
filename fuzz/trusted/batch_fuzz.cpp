// SPDX-License-Identifier: Apache-2.0
// The reader of an account's batch: what it accepts is exactly what an encoder makes of the calls it read.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/tests/support/encode.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

namespace {

void check(ByteView call_data) {
  std::vector<TestCall> calls;
  const auto error = ethereum::read_batch(call_data, 32, [&](const ethereum::Call& call) {
    calls.push_back({call.to, call.value, to_bytes(call.data)});
    return true;
  });
  if (error != ethereum::BatchError::none) return;
  require(!calls.empty() && calls.size() <= 32, "the count is in range");
  require(batch_call(calls) == to_bytes(call_data), "one encoding");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check(input);
  // The same as execution data inside a good call, which is hard to hit by chance.
  check(execute_call(community::base::Bytes32{0x01}, input));
  return 0;
}
