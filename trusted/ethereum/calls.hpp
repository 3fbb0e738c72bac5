// SPDX-License-Identifier: Apache-2.0
// The calls the trusted core must understand before it signs: an account's batch (ERC-7821), the EntryPoint's
// `handleOps` (ERC-4337), the factory's `createAccount` and the init data it carries (spec/wire-formats.md).
#pragma once
#include "trusted/ethereum/abi.hpp"

namespace community::ethereum {

using Selector = std::array<std::uint8_t, 4>;

// execute(bytes32,bytes), ERC-7821
inline constexpr Selector kExecute{0xe9, 0xae, 0x5c, 0x53};
// executeUserOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32), ERC-4337
inline constexpr Selector kExecuteUserOp{0x8d, 0xd7, 0x71, 0x2f};
// handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address), EntryPoint 0.7 and 0.8
inline constexpr Selector kHandleOps{0x76, 0x5e, 0x82, 0x7f};
// createAccount(bytes), CommunityAccountFactory
inline constexpr Selector kCreateAccount{0xa9, 0xea, 0x85, 0x8f};
// depositTo(address), StakeManager of EntryPoint 0.7 and 0.8
inline constexpr Selector kDepositTo{0xb7, 0x60, 0xfa, 0xf9};
// ERC-7821 mode of a plain batch: call type 1, all or nothing, no optional data.
inline constexpr Bytes32 kBatchMode{0x01};

inline Selector selector_of(ByteView data) {
  Selector selector{};
  base::copy(selector, data.first(data.size() < 4 ? data.size() : 4));
  return selector;
}

struct Call {
  Address to{};
  Uint256 value;
  ByteView data;
};

enum class BatchError : std::uint8_t { none, selector, execute_user_op, mode, encoding, count };

// Reads `abi.encode(Call[])` and hands each call to `visit(const Call&) -> bool`; a false from `visit` ends the walk
// with BatchError::none, so the caller keeps its own reason.
template <class Visit>
BatchError read_calls(ByteView execution_data, std::size_t max_calls, Visit&& visit) {
  auto wrapper = AbiTuple::open(execution_data, 1);
  if (!wrapper) return BatchError::encoding;
  const auto array = wrapper->last_array(0);
  if (!array) return BatchError::encoding;
  if (array->count == 0 || array->count > max_calls) return BatchError::count;
  AbiElements elements(*array);
  for (std::size_t i = 0; i < elements.count(); i++) {
    const auto element = elements.element(i);
    if (!element) return BatchError::encoding;
    auto fields = AbiTuple::open(*element, 3);
    if (!fields) return BatchError::encoding;
    const auto to = fields->address(0);
    const auto data = fields->bytes(2);
    if (!to || !data || !fields->finished()) return BatchError::encoding;
    if (!visit(Call{*to, fields->number(1), *data})) return BatchError::none;
  }
  return BatchError::none;
}

// Reads `execute(mode, abi.encode(Call[]))`.
template <class Visit>
BatchError read_batch(ByteView call_data, std::size_t max_calls, Visit&& visit) {
  if (call_data.size() < 4) return BatchError::selector;
  const Selector selector = selector_of(call_data);
  if (selector == kExecuteUserOp) return BatchError::execute_user_op;
  if (selector != kExecute) return BatchError::selector;
  auto arguments = AbiTuple::open(call_data.subspan(4), 2);
  if (!arguments) return BatchError::encoding;
  if (arguments->bytes32(0) != kBatchMode) return BatchError::mode;
  const auto execution_data = arguments->bytes(1);
  if (!execution_data || !arguments->finished()) return BatchError::encoding;
  return read_calls(*execution_data, max_calls, visit);
}

// The beneficiary of `handleOps(ops, beneficiary)` with every operation in canonical form; nothing when it is not that.
inline std::optional<Address> read_handle_ops(ByteView call_data) {
  if (call_data.size() < 4 || selector_of(call_data) != kHandleOps) return std::nullopt;
  auto arguments = AbiTuple::open(call_data.subspan(4), 2);
  if (!arguments) return std::nullopt;
  const auto beneficiary = arguments->address(1);
  const auto array = arguments->last_array(0);
  if (!beneficiary || !array || array->count == 0) return std::nullopt;
  AbiElements elements(*array);
  for (std::size_t i = 0; i < elements.count(); i++) {
    const auto element = elements.element(i);
    if (!element) return std::nullopt;
    auto op = AbiTuple::open(*element, 9);
    if (!op || !op->address(0)) return std::nullopt;
    for (const std::size_t dynamic : {2u, 3u, 7u, 8u})
      if (!op->bytes(dynamic)) return std::nullopt;
    if (!op->finished()) return std::nullopt;
  }
  return beneficiary;
}

// Whose deposit `depositTo(address account)` raises, canonical; nothing when it is not that.
inline std::optional<Address> read_deposit_to(ByteView call_data) {
  if (call_data.size() != 4 + 32 || selector_of(call_data) != kDepositTo) return std::nullopt;
  const auto arguments = AbiTuple::open(call_data.subspan(4), 1);
  if (!arguments) return std::nullopt;
  return arguments->address(0);
}

// The argument of `createAccount(bytes initData)`, canonical; nothing when it is not that.
inline std::optional<ByteView> read_create_account(ByteView factory_data) {
  if (factory_data.size() < 4 || selector_of(factory_data) != kCreateAccount) return std::nullopt;
  auto arguments = AbiTuple::open(factory_data.subspan(4), 1);
  if (!arguments) return std::nullopt;
  const auto init_data = arguments->bytes(0);
  if (!init_data || !arguments->finished()) return std::nullopt;
  return init_data;
}

struct InitPasskey {
  std::array<std::uint8_t, 64> public_key{};
  Bytes32 rp_id_hash{};
};

struct InitData {
  std::size_t passkey_count = 0;
  std::array<InitPasskey, 8> passkeys{};
  Address server_key{};
  Address escape_key{};
  Bytes32 guardians_hash{};
  std::uint8_t guardian_threshold = 0;
  // seconds
  std::uint32_t recovery_delay = 0;
  // Rows of (chain id, cap) and of (chain id, token, limit a day), one word a column.
  AbiTuple::Array gas_caps, limits;
};

// Reads the parts of `abi.encode(AccountInit)` that bind an account to a wallet or that the factory has rules for, and
// checks that the whole is canonical.
inline std::optional<InitData> read_init_data(ByteView init_data) {
  auto wrapper = AbiTuple::open(init_data, 1);
  if (!wrapper || AbiTuple::small(wrapper->word(0)) != 32) return std::nullopt;
  auto fields = AbiTuple::open(init_data.subspan(32), 10);
  if (!fields) return std::nullopt;
  const auto passkeys = fields->static_array(0, 3);
  const auto server_key = fields->address(1);
  const auto escape_key = fields->address(2);
  const auto gas_caps = fields->static_array(7, 2);
  const auto limits = fields->static_array(8, 3);
  InitData result;
  if (!passkeys || !server_key || !escape_key || !gas_caps || !limits || !fields->finished()) return std::nullopt;
  if (passkeys->count == 0 || passkeys->count > result.passkeys.size()) return std::nullopt;
  // guardianThreshold uint8, recoveryDelay uint32, strict bool
  if (!base::is_zero(fields->word(4).first(31)) || !base::is_zero(fields->word(5).first(28)) ||
      fields->number(6) > Uint256(1))
    return std::nullopt;
  for (std::size_t i = 0; i < limits->count; i++)
    if (!base::is_zero(limits->elements.subspan(i * 96 + 32, 12))) return std::nullopt;
  result.passkey_count = passkeys->count;
  for (std::size_t i = 0; i < passkeys->count; i++) {
    base::copy(result.passkeys[i].public_key, passkeys->elements.subspan(i * 96, 64));
    base::copy(result.passkeys[i].rp_id_hash, passkeys->elements.subspan(i * 96 + 64, 32));
  }
  result.server_key = *server_key;
  result.escape_key = *escape_key;
  result.guardians_hash = fields->bytes32(3);
  result.guardian_threshold = fields->word(4).back();
  result.recovery_delay = base::load_be<std::uint32_t>(fields->word(5).data() + 28);
  result.gas_caps = *gas_caps;
  result.limits = *limits;
  return result;
}

}  // namespace community::ethereum
