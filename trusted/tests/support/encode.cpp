// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/encode.hpp"

#include <secp256k1_recovery.h>

namespace community::trusted::testing {

Bytes abi_word(const Uint256& value) { return to_bytes(value.to_be()); }

Bytes abi_word(const Address& value) {
  Bytes word(32);
  base::copy(base::MutableByteView(word).subspan(12), value);
  return word;
}

Bytes abi_bytes(ByteView contents) {
  Bytes out = abi_word(Uint256(contents.size()));
  append(out, contents);
  out.resize((out.size() + 31) / 32 * 32, 0);
  return out;
}

Bytes batch_data(const std::vector<TestCall>& calls) {
  std::vector<Bytes> elements;
  for (const TestCall& call : calls)
    elements.push_back(join({abi_word(call.to), abi_word(call.value), abi_word(Uint256(96)), abi_bytes(call.data)}));
  Bytes out = join({abi_word(Uint256(32)), abi_word(Uint256(calls.size()))});
  std::size_t offset = 32 * calls.size();
  for (const Bytes& element : elements) {
    append(out, abi_word(Uint256(offset)));
    offset += element.size();
  }
  for (const Bytes& element : elements) append(out, element);
  return out;
}

Bytes execute_call(const Bytes32& mode, ByteView execution_data) {
  return join({unhex("e9ae5c53"), mode, abi_word(Uint256(64)), abi_bytes(execution_data)});
}

Bytes batch_call(const std::vector<TestCall>& calls) { return execute_call(Bytes32{0x01}, batch_data(calls)); }

Bytes handle_ops(std::size_t op_count, const Address& beneficiary, ByteView op_call_data) {
  const Bytes sender = abi_word(address("00000000000000000000000000000000000000aa"));
  const Bytes zero = abi_word(Uint256(0)), empty = abi_bytes({}), call = abi_bytes(op_call_data);
  Bytes op = join({sender, zero, abi_word(Uint256(288)), abi_word(Uint256(320)), zero, zero, zero});
  append(op, abi_word(Uint256(320 + call.size())));
  append(op, abi_word(Uint256(352 + call.size())));
  append(op, join({empty, call, empty, abi_bytes(Bytes(65, 0x11))}));
  Bytes out = join({unhex("765e827f"), abi_word(Uint256(64)), abi_word(beneficiary), abi_word(Uint256(op_count))});
  for (std::size_t i = 0; i < op_count; i++) append(out, abi_word(Uint256(32 * op_count + i * op.size())));
  for (std::size_t i = 0; i < op_count; i++) append(out, op);
  return out;
}

namespace {

template <std::size_t N>
Bytes abi_rows(const std::vector<std::array<Uint256, N>>& rows) {
  Bytes out = abi_word(Uint256(rows.size()));
  for (const auto& row : rows)
    for (const Uint256& value : row) append(out, abi_word(value));
  return out;
}

}  // namespace

Bytes TestInitData::encode() const {
  Bytes keys = abi_word(Uint256(passkeys.size()));
  for (const auto& passkey : passkeys) append(keys, join({passkey.public_key, passkey.rp_id_hash}));
  const Bytes caps = abi_rows(gas_caps), limit_rows = abi_rows(limits);
  Bytes out =
      join({abi_word(Uint256(32)), abi_word(Uint256(320)), abi_word(server_key), abi_word(escape_key), guardians_hash,
            abi_word(Uint256(guardian_threshold)), abi_word(Uint256(recovery_delay)), abi_word(Uint256(0))});
  append(out, abi_word(Uint256(320 + keys.size())));
  append(out, abi_word(Uint256(320 + keys.size() + caps.size())));
  append(out, abi_word(salt));
  append(out, join({keys, caps, limit_rows}));
  return out;
}

Bytes create_account(const Address& factory, ByteView init_data) {
  return join({factory, unhex("a9ea858f"), abi_word(Uint256(32)), abi_bytes(init_data)});
}

namespace {

Bytes rlp_header(std::uint8_t base, std::size_t size) {
  if (size <= 55) return {static_cast<std::uint8_t>(base + size)};
  Bytes length;
  for (std::size_t rest = size; rest != 0; rest >>= 8) length.insert(length.begin(), static_cast<std::uint8_t>(rest));
  Bytes out{static_cast<std::uint8_t>(base + 55 + length.size())};
  append(out, length);
  return out;
}

Bytes32 pack(const Uint256& high, const Uint256& low) {
  Bytes32 word = low.to_be();
  base::copy(word, ByteView(high.to_be()).last(16));
  return word;
}

}  // namespace

Bytes rlp_string(ByteView contents) {
  if (contents.size() == 1 && contents[0] < 0x80) return to_bytes(contents);
  Bytes out = rlp_header(0x80, contents.size());
  append(out, contents);
  return out;
}

Bytes rlp_number(const Uint256& value) {
  const Bytes32 bytes = value.to_be();
  return rlp_string(ByteView(bytes).last((value.bit_length() + 7) / 8));
}

Bytes rlp_list(std::initializer_list<ByteView> items) {
  const Bytes payload = join(items);
  Bytes out = rlp_header(0xc0, payload.size());
  append(out, payload);
  return out;
}

Bytes authorization(const Uint256& chain_id, ByteView delegate, const Uint256& nonce, const Uint256& parity,
                    const Uint256& r, const Uint256& s) {
  return rlp_list({rlp_number(chain_id), rlp_string(delegate), rlp_number(nonce), rlp_number(parity), rlp_number(r),
                   rlp_number(s)});
}

Bytes TestTransaction::encode() const {
  Bytes out{type};
  append(out, rlp_list({rlp_number(chain_id), rlp_number(nonce), rlp_number(priority_fee), rlp_number(fee),
                        rlp_number(gas_limit), rlp_string(to), rlp_number(value), rlp_string(data), access_list,
                        authorizations}));
  return out;
}

protocol::UseropFields TestUserop::fields() const {
  protocol::UseropFields fields;
  fields.sender = sender;
  fields.nonce = nonce.to_be();
  fields.init_code = init_code;
  fields.call_data = call_data;
  fields.account_gas_limits = raw_gas_limits.value_or(pack(Uint256(verification_gas), Uint256(call_gas)));
  fields.pre_verification_gas = raw_pre_verification_gas.value_or(Uint256(pre_verification_gas).to_be());
  fields.gas_fees = raw_gas_fees.value_or(pack(priority_fee, max_fee));
  fields.paymaster_and_data = paymaster_and_data;
  return fields;
}

Bytes32 TestUserop::hash(const Address& entry_point, std::uint64_t chain_id,
                         ethereum::EntryPointVersion version) const {
  const protocol::UseropFields in = fields();
  ethereum::PackedUserOp op;
  op.sender = in.sender;
  op.nonce = in.nonce;
  op.init_code = in.init_code;
  op.call_data = in.call_data;
  op.account_gas_limits = in.account_gas_limits;
  op.pre_verification_gas = in.pre_verification_gas;
  op.gas_fees = in.gas_fees;
  op.paymaster_and_data = in.paymaster_and_data;
  return ethereum::userop_hash(op, version, entry_point, Uint256(chain_id).to_be());
}

Address recover_address(const Bytes32& digest, const protocol::Signature65& signature) {
  static secp256k1_context* const context = secp256k1_context_create(SECP256K1_CONTEXT_VERIFY);
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey key;
  std::array<std::uint8_t, 65> point;
  std::size_t size = point.size();
  Address address{};
  if (signature[64] > 1 ||
      secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parsed, signature.data(), signature[64]) != 1 ||
      secp256k1_ecdsa_recover(context, &key, &parsed, digest.data()) != 1)
    return address;
  secp256k1_ec_pubkey_serialize(context, point.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  const Bytes32 hash = base::keccak256(ByteView(point).subspan(1));
  base::copy(address, ByteView(hash).last(20));
  return address;
}

bool has_low_s(const protocol::Signature65& signature) {
  const Bytes half = unhex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
  return Uint256::from_be(ByteView(signature).subspan(32, 32)) <= Uint256::from_be(half);
}

Bytes paymaster_data(const Address& paymaster, std::uint64_t verification_gas, std::uint64_t post_op_gas,
                     ByteView rest) {
  const Bytes32 gas = pack(Uint256(verification_gas), Uint256(post_op_gas));
  return join({paymaster, gas, rest});
}

}  // namespace community::trusted::testing
