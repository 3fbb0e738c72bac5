// SPDX-License-Identifier: Apache-2.0
// The readers of init data and of the factory's call.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/tests/support/encode.hpp"

using namespace community::trusted::testing;
namespace ethereum = community::ethereum;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto init_data = ethereum::read_create_account(input)) {
    const Address factory{};
    const Bytes again = create_account(factory, *init_data);
    require(Bytes(again.begin() + 20, again.end()) == to_bytes(input), "one encoding of the call");
  }
  const auto init = ethereum::read_init_data(input);
  if (!init) return 0;
  require(init->passkey_count >= 1 && init->passkey_count <= 8, "1 to 8 passkeys");
  // Head and three arrays, one directly behind the other: the sizes tell the offsets, whatever the words say.
  auto number = [&](std::size_t word) { return Uint256::from_be(input.subspan(word * 32, 32)); };
  const std::size_t passkeys = 32 * (1 + 3 * init->passkey_count);
  require(number(0) == Uint256(32) && number(1) == Uint256(320), "the head's offsets");
  require(number(8) == Uint256(320 + passkeys), "gas caps behind the passkeys");
  const auto gas_caps = number(1 + 10 + passkeys / 32).to_u64();
  require(gas_caps.has_value(), "a count of gas caps");
  const std::size_t caps = 32 * (1 + 2 * *gas_caps);
  require(number(9) == Uint256(320 + passkeys + caps), "limits behind the gas caps");
  const auto limits = number(1 + 10 + (passkeys + caps) / 32).to_u64();
  require(limits && size == 32 + 320 + passkeys + caps + 32 * (1 + 3 * *limits), "nothing is left over");
  return 0;
}
