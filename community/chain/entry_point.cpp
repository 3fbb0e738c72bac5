// SPDX-License-Identifier: Apache-2.0
// Calls, events and errors of the EntryPoint. Contracts' bytes are decoded strictly; what does not decode is treated
// as something else, never as a broken value.
#include <algorithm>
#include <cassert>

#include "community/chain/entry_point_base.hpp"
#include "community/core/abi.hpp"

namespace community::chain {
namespace {

// Text of a revert that is shown or logged.
constexpr std::size_t kMaxShownRevertBytes = 256;

core::AbiFunction function(std::string_view text) {
  auto parsed = core::parse_abi_function(text);
  assert(parsed);
  return std::move(*parsed);
}

std::vector<core::AbiType> types(std::string_view text) {
  auto parsed = core::parse_abi_parameters(text);
  assert(parsed);
  return std::move(*parsed);
}

// Parsed once: signatures are constants of this file.
struct Signatures {
  core::AbiFunction get_nonce = function("getNonce(address,uint192)");
  core::AbiFunction balance_of = function("balanceOf(address)");
  core::AbiFunction get_deposit_info = function("getDepositInfo(address)");
  core::AbiFunction failed_op = function("FailedOp(uint256,string)");
  core::AbiFunction failed_op_with_revert = function("FailedOpWithRevert(uint256,string,bytes)");
  core::AbiFunction error = function("Error(string)");
  core::AbiFunction panic = function("Panic(uint256)");
  std::vector<core::AbiType> deposit_info = types("uint256,bool,uint112,uint32,uint48");
  std::vector<core::AbiType> user_operation = types("uint256,bool,uint256,uint256");
  std::vector<core::AbiType> reason = types("uint256,bytes");
  std::vector<core::AbiType> deployed = types("address,address");
};

const Signatures& signatures() {
  static const Signatures kSignatures;
  return kSignatures;
}

Bytes encode(const core::AbiFunction& function, const std::vector<core::AbiValue>& values) {
  auto encoded = function.encode(values);
  assert(encoded);
  return std::move(*encoded);
}

std::optional<EntryPointEvent> decode_user_operation(const Log& log) {
  if (log.topics.size() != 4) return std::nullopt;
  const auto values = core::abi_decode(signatures().user_operation, log.data);
  if (!values) return std::nullopt;
  UserOperationEvent event;
  event.userop_hash = log.topics[1];
  event.sender = core::address_from_word(log.topics[2]);
  event.paymaster = core::address_from_word(log.topics[3]);
  event.nonce = (*values)[0].word();
  event.success = !(*values)[1].word().is_zero();
  event.actual_gas_cost = (*values)[2].word();
  event.actual_gas_used = (*values)[3].word();
  return event;
}

std::optional<EntryPointEvent> decode_reason(const Log& log, bool post_op) {
  if (log.topics.size() != 3) return std::nullopt;
  auto values = core::abi_decode(signatures().reason, log.data);
  if (!values) return std::nullopt;
  RevertReasonEvent event;
  event.userop_hash = log.topics[1];
  event.sender = core::address_from_word(log.topics[2]);
  event.nonce = (*values)[0].word();
  event.reason = (*values)[1].bytes();
  event.post_op = post_op;
  return event;
}

std::optional<EntryPointEvent> decode_deployed(const Log& log) {
  if (log.topics.size() != 3) return std::nullopt;
  const auto values = core::abi_decode(signatures().deployed, log.data);
  if (!values) return std::nullopt;
  AccountDeployedEvent event;
  event.userop_hash = log.topics[1];
  event.sender = core::address_from_word(log.topics[2]);
  event.factory = (*values)[0].address();
  event.paymaster = (*values)[1].address();
  return event;
}

std::string as_text(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

}  // namespace

const EntryPointTopics& entry_point_topics() {
  static const EntryPointTopics kTopics{
      core::event_topic("UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)"),
      core::event_topic("UserOperationRevertReason(bytes32,address,uint256,bytes)"),
      core::event_topic("PostOpRevertReason(bytes32,address,uint256,bytes)"),
      core::event_topic("AccountDeployed(bytes32,address,address,address)"),
      core::event_topic("BeforeExecution()"),
  };
  return kTopics;
}

// The EntryPoint creates it in its constructor: the first contract of an account of nonce 1 (EIP-161).
Address EntryPointBase::sender_creator() const { return core::create_address(address_, 1); }

core::Result<Bytes32> EntryPointBase::userop_hash(const core::UserOperation& op, const Uint256& chain_id,
                                                  const std::optional<Address>& delegate) const {
  return core::userop_hash(op, version_, address_, chain_id, delegate);
}

core::Result<Bytes> EntryPointBase::encode_handle_ops(const std::vector<PackedUserOperation>& ops,
                                                      const Address& beneficiary) const {
  return core::encode_handle_ops(ops, beneficiary);
}

Bytes EntryPointBase::encode_get_nonce(const Address& sender, const Uint256& key) const {
  assert(key.bit_length() <= 192);
  return encode(signatures().get_nonce, {sender, key});
}

Bytes EntryPointBase::encode_balance_of(const Address& account) const {
  return encode(signatures().balance_of, {account});
}

Bytes EntryPointBase::encode_get_deposit_info(const Address& account) const {
  return encode(signatures().get_deposit_info, {account});
}

core::Result<DepositInfo> EntryPointBase::decode_deposit_info(ByteView returned) const {
  const auto values = core::abi_decode(signatures().deposit_info, returned);
  if (!values) return tl::unexpected(values.error());
  DepositInfo info;
  info.deposit = (*values)[0].word();
  info.staked = !(*values)[1].word().is_zero();
  info.stake = (*values)[2].word();
  info.unstake_delay_s = static_cast<std::uint32_t>((*values)[3].word().limb[0]);
  info.withdraw_time = (*values)[4].word().limb[0];
  return info;
}

std::optional<EntryPointEvent> EntryPointBase::decode_event(const Log& log) const {
  if (log.address != address_ || log.topics.empty()) return std::nullopt;
  const auto& topics = entry_point_topics();
  const Bytes32& topic = log.topics[0];
  if (topic == topics.user_operation) return decode_user_operation(log);
  if (topic == topics.revert_reason) return decode_reason(log, false);
  if (topic == topics.post_op_revert_reason) return decode_reason(log, true);
  if (topic == topics.account_deployed) return decode_deployed(log);
  if (topic == topics.before_execution) return BeforeExecutionEvent{};
  return std::nullopt;
}

std::optional<FailedOp> EntryPointBase::decode_failed_op(ByteView revert) const {
  FailedOp failed;
  auto values = signatures().failed_op.decode(revert);
  if (!values) values = signatures().failed_op_with_revert.decode(revert);
  if (!values || !(*values)[0].word().fits_u64()) return std::nullopt;
  failed.index = (*values)[0].word().limb[0];
  failed.reason = as_text((*values)[1].bytes());
  if (values->size() > 2) failed.inner = (*values)[2].bytes();
  return failed;
}

std::optional<Uint256> decode_word(ByteView returned) {
  if (returned.size() != 32) return std::nullopt;
  return Uint256::from_be(returned);
}

std::string describe_revert(ByteView revert) {
  if (const auto values = signatures().error.decode(revert)) {
    const Bytes& said = (*values)[0].bytes();
    const ByteView shown = ByteView(said).first(std::min<std::size_t>(said.size(), kMaxShownRevertBytes));
    // Anybody's contract says this: it goes to terminals, logs and databases, which keep UTF-8 without zero bytes.
    if (!core::is_utf8(shown)) return core::to_hex(shown);
    std::string text(shown.begin(), shown.end());
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    std::replace_if(text.begin(), text.end(), is_control, ' ');
    return text;
  }
  if (const auto values = signatures().panic.decode(revert))
    return "Panic(" + core::format_quantity((*values)[0].word()) + ")";
  if (revert.empty()) return {};
  if (revert.size() > kMaxShownRevertBytes) return core::to_hex(revert.first(kMaxShownRevertBytes)) + "…";
  return core::to_hex(revert);
}

}  // namespace community::chain
