// SPDX-License-Identifier: Apache-2.0
// Rule 1: a server key signs a user operation only after the core itself recomputed its hash, found the passkey's
// assertion over that hash, and decoded and checked everything the operation does.
#include "trusted/core/core.hpp"

#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/ethereum/userop.hpp"

namespace community::trusted {

std::optional<Uint256> max_userop_cost(const protocol::UseropFields& userop, const Uint256& paymaster_gas) {
  const ByteView limits(userop.account_gas_limits);
  const auto account_gas = add(Uint256::from_be(limits.first(16)), Uint256::from_be(limits.last(16)));
  const auto with_paymaster = add(*account_gas, paymaster_gas);
  const auto gas = with_paymaster ? add(*with_paymaster, Uint256::from_be(userop.pre_verification_gas)) : std::nullopt;
  if (!gas) return std::nullopt;
  return multiply(*gas, Uint256::from_be(ByteView(userop.gas_fees).last(16)));
}

Error check_rules(const protocol::Policy& policy, const ethereum::Call& call) {
  if ((policy.flags & protocol::kPolicyListedOnly) == 0) return Error::ok;
  bool contract_listed = false;
  for (std::size_t i = 0; i < policy.rule_count; i++) {
    const protocol::PolicyRule& rule = policy.rules[i];
    if (rule.contract != call.to) continue;
    contract_listed = true;
    if ((rule.flags & protocol::kRuleAnyFunction) != 0) return Error::ok;
    if (call.data.size() >= 4 && rule.selector == ethereum::selector_of(call.data)) return Error::ok;
  }
  if (call.data.empty() && (policy.flags & protocol::kPolicyAnyTransfer) != 0) return Error::ok;
  return contract_listed ? Error::function_not_allowed : Error::contract_not_allowed;
}

Error Core::check_account(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                          const WalletRecord& wallet, const protocol::AccountBinding** account) const {
  *account = nullptr;
  for (std::size_t i = 0; i < wallet.account_count; i++)
    if (wallet.accounts[i].chain_id == chain.chain_id && wallet.accounts[i].address == request.userop.sender)
      *account = &wallet.accounts[i];
  if (*account == nullptr) return Error::sender_not_account;
  const ByteView init_code = request.userop.init_code;
  if (init_code.empty()) return Error::ok;
  if (init_code.size() < 20 || !base::equal(init_code.first(20), chain.account_factory)) return Error::factory_not_ours;
  const auto init_data = ethereum::read_create_account(init_code.subspan(20));
  if (!init_data || base::keccak256(*init_data) != (*account)->init_data_hash) return Error::init_data_not_wallets;
  return Error::ok;
}

Error Core::check_calls(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                        const WalletRecord& wallet, protocol::SignUseropReply& result) const {
  const protocol::Policy& policy = wallet.policy;
  Error error = Error::ok;
  Uint256 total;
  auto visit = [&](const ethereum::Call& call) {
    if (base::is_zero(call.to)) {
      error = Error::call_to_zero_address;
    } else if (call.to == request.userop.sender) {
      error = Error::call_to_self;
    } else if (find_entry_point(chain, call.to) != nullptr) {
      error = Error::call_to_entry_point;
    } else if (call.value > policy.call_value_cap) {
      error = Error::call_value_over_cap;
    } else {
      error = check_rules(policy, call);
    }
    if (error != Error::ok) return false;
    const auto sum = add(total, call.value);
    if (!sum || *sum > policy.operation_value_cap) {
      error = Error::operation_value_over_cap;
      return false;
    }
    total = *sum;
    result.calls[result.call_count++] = {call.to, call.value, ethereum::selector_of(call.data),
                                         static_cast<std::uint32_t>(call.data.size())};
    return true;
  };
  switch (ethereum::read_batch(request.userop.call_data, protocol::kMaxCallsPerUserop, visit)) {
    case ethereum::BatchError::none:
      return error;
    case ethereum::BatchError::selector:
      return Error::call_selector_not_execute;
    case ethereum::BatchError::execute_user_op:
      return Error::call_execute_user_op;
    case ethereum::BatchError::mode:
      return Error::call_mode_not_batch;
    case ethereum::BatchError::count:
      return Error::call_count_out_of_range;
    case ethereum::BatchError::encoding:
      break;
  }
  return Error::call_encoding_not_canonical;
}

Error Core::check_cost(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                       const WalletRecord& wallet, protocol::SignUseropReply& result) const {
  const ByteView paymaster_data = request.userop.paymaster_and_data;
  Uint256 paymaster_gas;
  if (!paymaster_data.empty()) {
    if (paymaster_data.size() < 52) return Error::paymaster_data_malformed;
    protocol::Address paymaster;
    base::copy(paymaster, paymaster_data.first(20));
    paymaster_gas =
        *add(Uint256::from_be(paymaster_data.subspan(20, 16)), Uint256::from_be(paymaster_data.subspan(36, 16)));
    result.sponsored = find_paymaster(chain, paymaster, request.entry_point) != nullptr ? 1 : 0;
  }
  const auto cost = max_userop_cost(request.userop, paymaster_gas);
  if (!cost) return Error::cost_over_cap;
  result.max_cost = *cost;
  return result.sponsored != 0 || *cost <= wallet.policy.cost_cap ? Error::ok : Error::cost_over_cap;
}

Error Core::sign_userop(ByteView body, Writer& reply) {
  protocol::SignUseropRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  const protocol::ChainConfig* chain = find_chain(request.chain_id);
  if (chain == nullptr) return Error::unknown_chain;
  const protocol::EntryPointConfig* entry_point = find_entry_point(*chain, request.entry_point);
  if (entry_point == nullptr) return Error::unknown_entry_point;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;

  const protocol::AccountBinding* account = nullptr;
  protocol::SignUseropReply result;
  error = check_account(request, *chain, wallet, &account);
  if (error == Error::ok) error = check_calls(request, *chain, wallet, result);
  if (error == Error::ok) error = check_cost(request, *chain, wallet, result);
  if (error != Error::ok) return error;

  ethereum::PackedUserOp op;
  op.sender = request.userop.sender;
  op.nonce = request.userop.nonce;
  op.init_code = request.userop.init_code;
  op.call_data = request.userop.call_data;
  op.account_gas_limits = request.userop.account_gas_limits;
  op.pre_verification_gas = request.userop.pre_verification_gas;
  op.gas_fees = request.userop.gas_fees;
  op.paymaster_and_data = request.userop.paymaster_and_data;
  result.userop_hash = userop_hash(op, static_cast<ethereum::EntryPointVersion>(entry_point->version),
                                   entry_point->address, Uint256(chain->chain_id).to_be());
  error = check_assertion(request.assertion, result.userop_hash, wallet);
  if (error != Error::ok) return error;

  base::Secret<32> secret;
  error = derive_server_key(wallet, account->server_key_index, secret.bytes);
  if (error != Error::ok) return error;
  if (!port_.secp256k1_sign(port_.context, secret.bytes, result.userop_hash, result.signature.data()))
    return Error::crypto_failed;
  result.deploys = op.init_code.empty() ? 0 : 1;
  result.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
