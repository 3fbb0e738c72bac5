// SPDX-License-Identifier: Apache-2.0
// ERC-4337 user operations of EntryPoint 0.7 and 0.8: the unpacked form that clients exchange as JSON, the packed form
// that contracts read, and the hash. The hash itself is trusted/ethereum/userop.hpp, shared with the trusted core.
#pragma once
#include "community/core/json.hpp"
#include "community/core/transaction.hpp"
#include "trusted/ethereum/userop.hpp"

namespace community::core {

using ethereum::EntryPointVersion;

// A bundle transaction has at most 262,144 bytes; no single field of an operation may be larger.
inline constexpr std::size_t kMaxUserOpFieldBytes = 262'144;

// EIP-7702 marker in place of a factory (ERC-4337, "Support for EIP-7702 authorizations"): 0x7702 and 18 zero bytes.
inline constexpr Address kEip7702Marker = {0x77, 0x02};

struct UserOperation {
  Address sender{};
  Uint256 nonce;
  // Absent when the account exists. kEip7702Marker for EIP-7702 accounts.
  std::optional<Address> factory;
  // The client wrote the marker as "0x7702"; echoed so, and packed to two bytes when there is no factory data.
  bool marker_is_short = false;
  Bytes factory_data;
  Bytes call_data;
  // Gas limits and fees have 128 bits, preVerificationGas 256.
  Uint256 call_gas_limit;
  Uint256 verification_gas_limit;
  Uint256 pre_verification_gas;
  Uint256 max_fee_per_gas;
  Uint256 max_priority_fee_per_gas;
  std::optional<Address> paymaster;
  // Zero without a paymaster.
  Uint256 paymaster_verification_gas_limit;
  Uint256 paymaster_post_op_gas_limit;
  Bytes paymaster_data;
  Bytes signature;
  // Authorization that a bundle transaction has to carry for this operation.
  std::optional<Authorization> eip7702_auth;

  bool operator==(const UserOperation&) const = default;
  bool uses_eip7702() const { return factory == kEip7702Marker; }
};

// PackedUserOperation with its own bytes.
struct PackedUserOperation {
  Address sender{};
  Uint256 nonce;
  Bytes init_code;
  Bytes call_data;
  // verificationGasLimit || callGasLimit
  Bytes32 account_gas_limits{};
  Uint256 pre_verification_gas;
  // maxPriorityFeePerGas || maxFeePerGas
  Bytes32 gas_fees{};
  Bytes paymaster_and_data;
  Bytes signature;

  bool operator==(const PackedUserOperation&) const = default;
};

// userop_gas_out_of_range, userop_factory_data_without_factory, userop_paymaster_data_without_paymaster.
Result<PackedUserOperation> pack(const UserOperation& op);
// userop_init_code_length, userop_paymaster_and_data_length: shorter than their fixed parts but not empty.
Result<UserOperation> unpack(const PackedUserOperation& packed);

// userop_auth_missing: EntryPoint 0.8 hashes the delegate of an EIP-7702 account, which is in eip7702Auth. Pass
// `delegate` where it is known from the chain instead.
Result<Bytes32> userop_hash(const UserOperation& op, EntryPointVersion version, const Address& entry_point,
                            const Uint256& chain_id, const std::optional<Address>& delegate = std::nullopt);

enum class UserOpParse : std::uint8_t {
  complete,
  // Gas fields, fees and signature may be missing or null and then are zero or empty.
  estimate,
};
// The unpacked JSON form. Null members count as absent; leading zeros in numbers are allowed; addresses in mixed case
// need their checksum; paymaster gas limits without a paymaster are ignored; unknown members are ignored.
Result<UserOperation> userop_from_json(const json::object& object, UserOpParse mode = UserOpParse::complete);
Result<UserOperation> userop_from_json(const json::value& value, UserOpParse mode = UserOpParse::complete);
// The unpacked form: absent fields absent, numbers as quantities, addresses with checksum.
json::object to_json(const UserOperation& op);
// Members of PackedUserOperation.
json::object to_json(const PackedUserOperation& packed);

Result<Authorization> authorization_from_json(const json::object& object);
json::object to_json(const Authorization& authorization);

// The tuple PackedUserOperation as handleOps takes it; see abi.hpp.
class AbiValue;
AbiValue to_abi(const PackedUserOperation& packed);
// "handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)".
Result<Bytes> encode_handle_ops(const std::vector<PackedUserOperation>& ops, const Address& beneficiary);

}  // namespace community::core
