// SPDX-License-Identifier: Apache-2.0
// The JSON form of user operations, as lenient as real clients need and no more: every member that is there must be
// well-formed.
#include "community/core/userop.hpp"

namespace community::core {

namespace {

// Reads members one after the other and keeps the first error.
class Reader {
 public:
  explicit Reader(const json::object& object) : object_(object) {}

  bool has(std::string_view key) const { return find_member(object_, key) != nullptr; }
  template <class T>
  T take(Result<T> result) {
    if (!result) {
      if (!error_) error_ = std::move(result.error());
      return T{};
    }
    return std::move(*result);
  }
  Address address(std::string_view key) { return take(address_member(object_, key)); }
  Uint256 number(std::string_view key) { return take(number_member(object_, key)); }
  Uint256 number_or_zero(std::string_view key) { return has(key) ? number(key) : Uint256(); }
  Uint256 gas(std::string_view key, bool optional) {
    if (optional && !has(key)) return {};
    const Uint256 value = number(key);
    if (!value.fits_u128()) refuse(ErrorCode::userop_gas_out_of_range, key);
    return value;
  }
  Bytes bytes(std::string_view key) {
    Bytes value = take(bytes_member(object_, key));
    if (value.size() > kMaxUserOpFieldBytes) refuse(ErrorCode::userop_too_large, key);
    return value;
  }
  Bytes bytes_or_empty(std::string_view key) { return has(key) ? bytes(key) : Bytes(); }
  void refuse(ErrorCode code, std::string_view key) {
    if (!error_) error_ = Error{code, std::string(key)};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const json::object& object_;
  std::optional<Error> error_;
};

void read_factory(Reader& in, const json::object& object, UserOperation& op) {
  if (in.has("factory")) {
    const auto text = string_member(object, "factory");
    if (text && *text == "0x7702") {
      op.factory = kEip7702Marker;
      op.marker_is_short = true;
    } else if (!text || *text != "0x") {
      op.factory = in.address("factory");
    }
  }
  op.factory_data = in.bytes_or_empty("factoryData");
  if (!op.factory && !op.factory_data.empty()) in.refuse(ErrorCode::userop_factory_data_without_factory, "factoryData");
}

void read_paymaster(Reader& in, const json::object& object, UserOperation& op, bool estimate) {
  const auto text = string_member(object, "paymaster");
  if (in.has("paymaster") && !(text && *text == "0x")) op.paymaster = in.address("paymaster");
  op.paymaster_data = in.bytes_or_empty("paymasterData");
  if (!op.paymaster) {
    if (!op.paymaster_data.empty()) in.refuse(ErrorCode::userop_paymaster_data_without_paymaster, "paymasterData");
    return;
  }
  op.paymaster_verification_gas_limit = in.gas("paymasterVerificationGasLimit", estimate);
  op.paymaster_post_op_gas_limit = in.gas("paymasterPostOpGasLimit", estimate);
}

}  // namespace

Result<UserOperation> userop_from_json(const json::object& object, UserOpParse mode) {
  const bool estimate = mode == UserOpParse::estimate;
  Reader in(object);
  UserOperation op;
  op.sender = in.address("sender");
  op.nonce = in.number("nonce");
  read_factory(in, object, op);
  op.call_data = in.bytes("callData");
  op.call_gas_limit = in.gas("callGasLimit", estimate);
  op.verification_gas_limit = in.gas("verificationGasLimit", estimate);
  op.pre_verification_gas = estimate ? in.number_or_zero("preVerificationGas") : in.number("preVerificationGas");
  op.max_fee_per_gas = in.gas("maxFeePerGas", estimate);
  op.max_priority_fee_per_gas = in.gas("maxPriorityFeePerGas", estimate);
  read_paymaster(in, object, op, estimate);
  op.signature = estimate ? in.bytes_or_empty("signature") : in.bytes("signature");
  if (in.has("eip7702Auth")) {
    const auto auth = object_member(object, "eip7702Auth");
    const auto parsed = auth ? authorization_from_json(**auth) : tl::unexpected(auth.error());
    if (!parsed) return tl::unexpected(parsed.error());
    op.eip7702_auth = *parsed;
  }
  if (in.error()) return tl::unexpected(*in.error());
  return op;
}

Result<UserOperation> userop_from_json(const json::value& value, UserOpParse mode) {
  if (!value.is_object()) return fail(ErrorCode::json_wrong_type, "user operation is not an object");
  return userop_from_json(value.get_object(), mode);
}

Result<Authorization> authorization_from_json(const json::object& object) {
  Reader in(object);
  Authorization auth;
  auth.address = in.address("address");
  auth.chain_id = in.number_or_zero("chainId");
  const Uint256 nonce = in.number_or_zero("nonce");
  if (!nonce.fits_u64()) in.refuse(ErrorCode::number_out_of_range, "nonce");
  auth.nonce = nonce.limb[0];
  auth.r = in.number_or_zero("r");
  auth.s = in.number_or_zero("s");
  // Clients send the parity as yParity, or as v of 0, 1, 27 or 28.
  Uint256 parity = in.number_or_zero(in.has("yParity") ? "yParity" : "v");
  if (!in.has("yParity") && parity >= Uint256(27)) parity = *subtract(parity, Uint256(27));
  if (parity > Uint256(1)) in.refuse(ErrorCode::signature_y_parity, "yParity");
  auth.y_parity = static_cast<std::uint8_t>(parity.limb[0]);
  if (in.error()) {
    Error error = *in.error();
    error.message = "eip7702Auth: " + error.message;
    return tl::unexpected(std::move(error));
  }
  return auth;
}

json::object to_json(const Authorization& auth) {
  json::object out;
  out["chainId"] = format_quantity(auth.chain_id);
  out["address"] = format_address(auth.address);
  out["nonce"] = format_quantity(auth.nonce);
  out["yParity"] = format_quantity(auth.y_parity);
  out["r"] = to_hex(auth.r.to_be());
  out["s"] = to_hex(auth.s.to_be());
  return out;
}

json::object to_json(const UserOperation& op) {
  json::object out;
  out["sender"] = format_address(op.sender);
  out["nonce"] = format_quantity(op.nonce);
  if (op.factory) {
    out["factory"] = op.uses_eip7702() && op.marker_is_short ? "0x7702" : format_address(*op.factory);
    out["factoryData"] = to_hex(op.factory_data);
  }
  out["callData"] = to_hex(op.call_data);
  out["callGasLimit"] = format_quantity(op.call_gas_limit);
  out["verificationGasLimit"] = format_quantity(op.verification_gas_limit);
  out["preVerificationGas"] = format_quantity(op.pre_verification_gas);
  out["maxFeePerGas"] = format_quantity(op.max_fee_per_gas);
  out["maxPriorityFeePerGas"] = format_quantity(op.max_priority_fee_per_gas);
  if (op.paymaster) {
    out["paymaster"] = format_address(*op.paymaster);
    out["paymasterVerificationGasLimit"] = format_quantity(op.paymaster_verification_gas_limit);
    out["paymasterPostOpGasLimit"] = format_quantity(op.paymaster_post_op_gas_limit);
    out["paymasterData"] = to_hex(op.paymaster_data);
  }
  out["signature"] = to_hex(op.signature);
  if (op.eip7702_auth) out["eip7702Auth"] = to_json(*op.eip7702_auth);
  return out;
}

json::object to_json(const PackedUserOperation& packed) {
  json::object out;
  out["sender"] = format_address(packed.sender);
  out["nonce"] = format_quantity(packed.nonce);
  out["initCode"] = to_hex(packed.init_code);
  out["callData"] = to_hex(packed.call_data);
  out["accountGasLimits"] = to_hex(packed.account_gas_limits);
  out["preVerificationGas"] = format_quantity(packed.pre_verification_gas);
  out["gasFees"] = to_hex(packed.gas_fees);
  out["paymasterAndData"] = to_hex(packed.paymaster_and_data);
  out["signature"] = to_hex(packed.signature);
  return out;
}

}  // namespace community::core
