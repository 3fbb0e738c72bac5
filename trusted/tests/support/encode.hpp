// SPDX-License-Identifier: Apache-2.0
// Writers of contract ABI, RLP and the product's structures for tests. Written apart from the readers they test, and
// made of loose words, so that a test can bend any one of them.
#pragma once
#include <optional>

#include "trusted/ethereum/userop.hpp"
#include "trusted/protocol/messages.hpp"
#include "trusted/tests/support/bytes.hpp"

namespace community::trusted::testing {

struct TestCall {
  Address to{};
  Uint256 value;
  Bytes data;
};

Bytes abi_word(const Uint256& value);
Bytes abi_word(const Address& value);
// Length word and padded contents.
Bytes abi_bytes(ByteView contents);

// abi.encode(Call[])
Bytes batch_data(const std::vector<TestCall>& calls);
// execute(mode, data)
Bytes execute_call(const Bytes32& mode, ByteView execution_data);
Bytes batch_call(const std::vector<TestCall>& calls);

// One operation of a bundle, with the fields a reader must step over.
Bytes handle_ops(std::size_t op_count, const Address& beneficiary, ByteView op_call_data = {});

struct TestInitData {
  std::vector<protocol::Passkey> passkeys;
  Address server_key{};
  Address escape_key = address("00000000000000000000000000000000000e5ca9");
  Bytes32 guardians_hash{};
  std::uint8_t guardian_threshold = 0;
  std::uint32_t recovery_delay = 604'800;
  // Rows of words
  std::vector<std::array<Uint256, 2>> gas_caps{{Uint256(31'337), Uint256(1'000'000'000)}};
  std::vector<std::array<Uint256, 3>> limits{{Uint256(31'337), Uint256(0), Uint256(1'000'000'000)}};
  Uint256 salt;
  Bytes encode() const;
};
Bytes create_account(const Address& factory, ByteView init_data);

// RLP
Bytes rlp_string(ByteView contents);
Bytes rlp_number(const Uint256& value);
Bytes rlp_list(std::initializer_list<ByteView> items);

struct TestTransaction {
  std::uint8_t type = 2;
  Uint256 chain_id = 31'337;
  Uint256 nonce = 0;
  Uint256 priority_fee = 1'000'000'000;
  Uint256 fee = 2'000'000'000;
  Uint256 gas_limit = 1'000'000;
  Bytes to;
  Uint256 value;
  Bytes data;
  // Encoded lists
  Bytes access_list = Bytes{0xc0};
  Bytes authorizations;
  Bytes encode() const;
};
Bytes authorization(const Uint256& chain_id, ByteView delegate, const Uint256& nonce, const Uint256& parity,
                    const Uint256& r, const Uint256& s);

// A user operation that owns its parts.
struct TestUserop {
  Address sender{};
  Uint256 nonce;
  Bytes init_code;
  Bytes call_data;
  std::uint64_t verification_gas = 100'000, call_gas = 200'000, pre_verification_gas = 50'000;
  Uint256 max_fee = 1'000'000'000, priority_fee = 1'000'000'000;
  Bytes paymaster_and_data;
  // When set, stands instead of the numbers above.
  std::optional<Bytes32> raw_gas_limits, raw_pre_verification_gas, raw_gas_fees;

  protocol::UseropFields fields() const;
  Bytes32 hash(const Address& entry_point, std::uint64_t chain_id,
               ethereum::EntryPointVersion version = ethereum::EntryPointVersion::v0_8) const;
};
// paymaster || two gas limits || rest
Bytes paymaster_data(const Address& paymaster, std::uint64_t verification_gas, std::uint64_t post_op_gas,
                     ByteView rest);

// Who made a signature r || s || recovery id over a digest; zero when nobody can have.
Address recover_address(const Bytes32& digest, const protocol::Signature65& signature);
// s in the lower half of the group's order.
bool has_low_s(const protocol::Signature65& signature);

}  // namespace community::trusted::testing
