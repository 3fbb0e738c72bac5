// SPDX-License-Identifier: Apache-2.0
// The hash of an ERC-4337 user operation for EntryPoint 0.7 and 0.8. One source for the trusted core, which never signs
// a hash it was handed, and for all hosted code.
#pragma once
#include "trusted/base/keccak.hpp"

namespace community::ethereum {

using base::Address;
using base::Bytes32;
using base::ByteView;

enum class EntryPointVersion : std::uint8_t { v0_7 = 7, v0_8 = 8 };

// `PackedUserOperation` of ERC-4337; numbers are big-endian words, views are not owned.
struct PackedUserOp {
  Address sender{};
  Bytes32 nonce{};
  ByteView init_code;
  ByteView call_data;
  // verificationGasLimit (16 bytes) || callGasLimit (16 bytes)
  Bytes32 account_gas_limits{};
  Bytes32 pre_verification_gas{};
  // maxPriorityFeePerGas (16 bytes) || maxFeePerGas (16 bytes)
  Bytes32 gas_fees{};
  ByteView paymaster_and_data;
};

// An initCode that begins with 0x7702 padded to 20 bytes (or is just 0x7702) marks an EIP-7702 account (ERC-4337,
// "Support for EIP-7702 authorizations").
inline bool has_eip7702_marker(ByteView init_code) {
  if (init_code.size() < 2 || init_code[0] != 0x77 || init_code[1] != 0x02) return false;
  const std::size_t checked = init_code.size() < 20 ? init_code.size() : 20;
  return base::is_zero(init_code.subspan(2, checked - 2));
}

// `delegate` is the EIP-7702 delegate of the sender, needed by EntryPoint 0.8 when the marker is present, else unused.
inline Bytes32 userop_hash(const PackedUserOp& op, EntryPointVersion version, const Address& entry_point,
                           const Bytes32& chain_id, const Address* delegate = nullptr) {
  using base::keccak256;
  static constexpr std::array<std::uint8_t, 12> kAddressPadding{};
  Bytes32 init_code_hash;
  if (version == EntryPointVersion::v0_8 && delegate != nullptr && has_eip7702_marker(op.init_code)) {
    const ByteView rest = op.init_code.size() > 20 ? op.init_code.subspan(20) : ByteView{};
    init_code_hash = keccak256({*delegate, rest});
  } else {
    init_code_hash = keccak256(op.init_code);
  }
  const Bytes32 call_data_hash = keccak256(op.call_data);
  const Bytes32 paymaster_hash = keccak256(op.paymaster_and_data);

  base::Keccak256 fields;
  if (version == EntryPointVersion::v0_8) {
    // EIP-712 struct of EntryPoint 0.8.
    fields.add(
        keccak256(base::view("PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,"
                             "bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,"
                             "bytes paymasterAndData)")));
  }
  fields.add(kAddressPadding).add(op.sender).add(op.nonce).add(init_code_hash).add(call_data_hash);
  fields.add(op.account_gas_limits).add(op.pre_verification_gas).add(op.gas_fees).add(paymaster_hash);
  const Bytes32 fields_hash = fields.finish();

  if (version == EntryPointVersion::v0_7) {
    return keccak256({fields_hash, kAddressPadding, entry_point, chain_id});
  }
  const Bytes32 domain = keccak256(
      {keccak256(base::view("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")),
       keccak256(base::view("ERC4337")), keccak256(base::view("1")), chain_id, kAddressPadding, entry_point});
  static constexpr std::array<std::uint8_t, 2> kPrefix{0x19, 0x01};
  return keccak256({kPrefix, domain, fields_hash});
}

}  // namespace community::ethereum
