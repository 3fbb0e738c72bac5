// SPDX-License-Identifier: Apache-2.0
// Packing, unpacking, hashing and call encoding of user operations.
#include "community/core/userop.hpp"

#include "community/core/abi.hpp"

namespace community::core {

namespace {

// Two 128-bit numbers in one word, the first in the high half.
Bytes32 pack_pair(const Uint256& high, const Uint256& low) {
  Bytes32 word = low.to_be();
  const Bytes32 upper = high.to_be();
  std::copy(upper.begin() + 16, upper.end(), word.begin());
  return word;
}

Uint256 high_half(const Bytes32& word) { return Uint256::from_be(ByteView(word).first(16)); }
Uint256 low_half(const Bytes32& word) { return Uint256::from_be(ByteView(word).last(16)); }

Bytes make_init_code(const UserOperation& op) {
  if (!op.factory) return {};
  const bool short_marker = op.uses_eip7702() && op.marker_is_short && op.factory_data.empty();
  Bytes code = to_bytes(ByteView(*op.factory).first(short_marker ? 2 : 20));
  append(code, op.factory_data);
  return code;
}

// paymaster (20) || verification gas (16) || postOp gas (16) || data
Bytes make_paymaster_and_data(const UserOperation& op) {
  if (!op.paymaster) return {};
  Bytes bytes = to_bytes(*op.paymaster);
  append(bytes, pack_pair(op.paymaster_verification_gas_limit, op.paymaster_post_op_gas_limit));
  append(bytes, op.paymaster_data);
  return bytes;
}

}  // namespace

Result<PackedUserOperation> pack(const UserOperation& op) {
  for (const Uint256* gas :
       {&op.call_gas_limit, &op.verification_gas_limit, &op.max_fee_per_gas, &op.max_priority_fee_per_gas,
        &op.paymaster_verification_gas_limit, &op.paymaster_post_op_gas_limit})
    if (!gas->fits_u128()) return fail(ErrorCode::userop_gas_out_of_range);
  if (!op.factory && !op.factory_data.empty()) return fail(ErrorCode::userop_factory_data_without_factory);
  if (!op.paymaster && !op.paymaster_data.empty()) return fail(ErrorCode::userop_paymaster_data_without_paymaster);
  PackedUserOperation packed;
  packed.sender = op.sender;
  packed.nonce = op.nonce;
  packed.init_code = make_init_code(op);
  packed.call_data = op.call_data;
  packed.account_gas_limits = pack_pair(op.verification_gas_limit, op.call_gas_limit);
  packed.pre_verification_gas = op.pre_verification_gas;
  packed.gas_fees = pack_pair(op.max_priority_fee_per_gas, op.max_fee_per_gas);
  packed.paymaster_and_data = make_paymaster_and_data(op);
  packed.signature = op.signature;
  return packed;
}

Result<UserOperation> unpack(const PackedUserOperation& packed) {
  UserOperation op;
  op.sender = packed.sender;
  op.nonce = packed.nonce;
  const ByteView init_code = packed.init_code;
  if (init_code.size() == 2 && ethereum::has_eip7702_marker(init_code)) {
    op.factory = kEip7702Marker;
    op.marker_is_short = true;
  } else if (!init_code.empty()) {
    if (init_code.size() < 20) return fail(ErrorCode::userop_init_code_length);
    op.factory.emplace();
    std::copy_n(init_code.begin(), 20, op.factory->begin());
    op.factory_data = to_bytes(init_code.subspan(20));
  }
  op.call_data = packed.call_data;
  op.verification_gas_limit = high_half(packed.account_gas_limits);
  op.call_gas_limit = low_half(packed.account_gas_limits);
  op.pre_verification_gas = packed.pre_verification_gas;
  op.max_priority_fee_per_gas = high_half(packed.gas_fees);
  op.max_fee_per_gas = low_half(packed.gas_fees);
  const ByteView paymaster = packed.paymaster_and_data;
  if (!paymaster.empty()) {
    if (paymaster.size() < 52) return fail(ErrorCode::userop_paymaster_and_data_length);
    op.paymaster.emplace();
    std::copy_n(paymaster.begin(), 20, op.paymaster->begin());
    op.paymaster_verification_gas_limit = Uint256::from_be(paymaster.subspan(20, 16));
    op.paymaster_post_op_gas_limit = Uint256::from_be(paymaster.subspan(36, 16));
    op.paymaster_data = to_bytes(paymaster.subspan(52));
  }
  op.signature = packed.signature;
  return op;
}

Result<Bytes32> userop_hash(const UserOperation& op, EntryPointVersion version, const Address& entry_point,
                            const Uint256& chain_id, const std::optional<Address>& delegate) {
  const auto packed = pack(op);
  if (!packed) return tl::unexpected(packed.error());
  const Address* used = delegate ? &*delegate : nullptr;
  if (version == EntryPointVersion::v0_8 && op.uses_eip7702() && used == nullptr) {
    if (!op.eip7702_auth) return fail(ErrorCode::userop_auth_missing);
    used = &op.eip7702_auth->address;
  }
  ethereum::PackedUserOp view;
  view.sender = packed->sender;
  view.nonce = packed->nonce.to_be();
  view.init_code = packed->init_code;
  view.call_data = packed->call_data;
  view.account_gas_limits = packed->account_gas_limits;
  view.pre_verification_gas = packed->pre_verification_gas.to_be();
  view.gas_fees = packed->gas_fees;
  view.paymaster_and_data = packed->paymaster_and_data;
  return ethereum::userop_hash(view, version, entry_point, chain_id.to_be(), used);
}

AbiValue to_abi(const PackedUserOperation& packed) {
  return AbiValue::List{packed.sender,
                        packed.nonce,
                        packed.init_code,
                        packed.call_data,
                        packed.account_gas_limits,
                        packed.pre_verification_gas,
                        packed.gas_fees,
                        packed.paymaster_and_data,
                        packed.signature};
}

Result<Bytes> encode_handle_ops(const std::vector<PackedUserOperation>& ops, const Address& beneficiary) {
  static const auto kFunction =
      parse_abi_function("handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)");
  AbiValue::List list;
  list.reserve(ops.size());
  for (const PackedUserOperation& op : ops) list.push_back(to_abi(op));
  return kFunction->encode({AbiValue(std::move(list)), AbiValue(beneficiary)});
}

}  // namespace community::core
