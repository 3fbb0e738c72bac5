// SPDX-License-Identifier: Apache-2.0
// Rule 1: a server key signs a user operation only after the core itself recomputed its hash, found the passkey's
// assertion over that hash, and decoded and checked everything the operation does.
#include "trusted/base/keccak.hpp"
#include "trusted/core/call_rules.hpp"
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

Error CallRules::check(const ethereum::Call& call) {
  if (base::is_zero(call.to)) return Error::call_to_zero_address;
  if (call.to == sender_) return Error::call_to_self;
  if (find_entry_point(chain_, call.to) != nullptr) return Error::call_to_entry_point;
  if (call.value > policy_.call_value_cap) return Error::call_value_over_cap;
  const Error listed = check_rules(policy_, call);
  if (listed != Error::ok) return listed;
  const auto sum = add(total_, call.value);
  if (!sum || *sum > policy_.operation_value_cap) return Error::operation_value_over_cap;
  total_ = *sum;
  return Error::ok;
}

protocol::CallSummary summary_of(const ethereum::Call& call) {
  return {call.to, call.value, ethereum::selector_of(call.data), static_cast<std::uint32_t>(call.data.size())};
}

Error to_protocol(ethereum::BatchError error, Error other) {
  switch (error) {
    case ethereum::BatchError::none:
      return Error::ok;
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
  return other;
}

Error to_protocol(ethereum::TransactionError error) {
  switch (error) {
    case ethereum::TransactionError::none:
      return Error::ok;
    case ethereum::TransactionError::type:
      return Error::transaction_type_not_allowed;
    case ethereum::TransactionError::authorization:
      return Error::authorization_malformed;
    case ethereum::TransactionError::encoding:
      break;
  }
  return Error::transaction_malformed;
}

Error read_cost(const protocol::UseropFields& userop, UseropCost& cost) {
  const ByteView data = userop.paymaster_and_data;
  Uint256 paymaster_gas;
  if (!data.empty()) {
    if (data.size() < 52) return Error::paymaster_data_malformed;
    base::copy(cost.paymaster, data.first(20));
    paymaster_gas = *add(Uint256::from_be(data.subspan(20, 16)), Uint256::from_be(data.subspan(36, 16)));
  }
  const auto max_cost = max_userop_cost(userop, paymaster_gas);
  if (!max_cost) return Error::cost_over_cap;
  cost.max_cost = *max_cost;
  return Error::ok;
}

Bytes32 hash_of(const protocol::UseropFields& userop, const protocol::EntryPointConfig& entry_point,
                std::uint64_t chain_id) {
  ethereum::PackedUserOp op;
  op.sender = userop.sender;
  op.nonce = userop.nonce;
  op.init_code = userop.init_code;
  op.call_data = userop.call_data;
  op.account_gas_limits = userop.account_gas_limits;
  op.pre_verification_gas = userop.pre_verification_gas;
  op.gas_fees = userop.gas_fees;
  op.paymaster_and_data = userop.paymaster_and_data;
  const auto version = static_cast<ethereum::EntryPointVersion>(entry_point.version);
  return userop_hash(op, version, entry_point.address, Uint256(chain_id).to_be());
}

const protocol::AccountBinding* find_account(const WalletRecord& wallet, std::uint64_t chain_id,
                                             const protocol::Address& address) {
  for (std::size_t i = 0; i < wallet.account_count; i++)
    if (wallet.accounts[i].chain_id == chain_id && wallet.accounts[i].address == address) return &wallet.accounts[i];
  return nullptr;
}

Error sign_as_server(const Port& port, const WalletRecord& wallet, const protocol::AccountBinding& account,
                     std::uint32_t index, const Bytes32& digest, protocol::Signature65& signature) {
  if (index < account.server_key_index || index > account.last_server_key_index) return Error::server_key_not_accounts;
  base::Secret<32> secret;
  const Error error = derive_server_key(wallet, index, secret.bytes);
  if (error != Error::ok) return error;
  return port.secp256k1_sign(port.context, secret.bytes, digest, signature.data()) ? Error::ok : Error::crypto_failed;
}

Error Core::check_deployment(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                             const protocol::AccountBinding& account) const {
  const ByteView init_code = request.userop.init_code;
  if (init_code.empty()) return Error::ok;
  // The core never saw its init data, and with those the account would obey another wallet's server key.
  if (account.is_adopted()) return Error::adopted_account_deploys;
  if (init_code.size() < 20 || !base::equal(init_code.first(20), chain.account_factory)) return Error::factory_not_ours;
  const auto init_data = ethereum::read_create_account(init_code.subspan(20));
  if (!init_data || base::keccak256(*init_data) != account.init_data_hash) return Error::init_data_not_wallets;
  return Error::ok;
}

Error Core::check_calls(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                        const WalletRecord& wallet, protocol::SignUseropReply& result) const {
  CallRules rules(chain, wallet.policy, request.userop.sender);
  Error error = Error::ok;
  std::size_t count = 0;
  // The call to the account itself, if there is one.
  std::optional<ByteView> self_call;
  const auto visit = [&](const ethereum::Call& call) {
    count++;
    if (call.to == request.userop.sender && ethereum::is_self_call(call.data)) {
      self_call = call.data;
      if (!call.value.is_zero()) error = Error::self_call_has_value;
    } else {
      error = rules.check(call);
      if (error == Error::ok) result.calls[result.call_count++] = summary_of(call);
    }
    return error == Error::ok;
  };
  const auto read = ethereum::read_batch(request.userop.call_data, protocol::kMaxCallsPerUserop, visit);
  if (error == Error::ok) error = to_protocol(read, Error::call_encoding_not_canonical);
  if (error != Error::ok || !self_call) return error;
  if (count != 1) return Error::self_call_not_alone;
  return check_self_call(*self_call, request, chain, wallet, result);
}

Error Core::check_cost(const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                       const WalletRecord& wallet, protocol::SignUseropReply& result) const {
  UseropCost cost;
  const Error error = read_cost(request.userop, cost);
  if (error != Error::ok) return error;
  result.max_cost = cost.max_cost;
  result.sponsored = find_paymaster(chain, cost.paymaster, request.entry_point) != nullptr ? 1 : 0;
  return result.sponsored != 0 || cost.max_cost <= wallet.policy.cost_cap ? Error::ok : Error::cost_over_cap;
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

  const protocol::AccountBinding* account = find_account(wallet, request.chain_id, request.userop.sender);
  if (account == nullptr) return Error::sender_not_account;
  protocol::SignUseropReply result;
  error = check_deployment(request, *chain, *account);
  if (error == Error::ok) error = check_calls(request, *chain, wallet, result);
  if (error == Error::ok) error = check_cost(request, *chain, wallet, result);
  if (error != Error::ok) return error;

  result.userop_hash = hash_of(request.userop, *entry_point, chain->chain_id);
  error = check_assertion(request.assertion, result.userop_hash, wallet);
  if (error != Error::ok) return error;
  error = sign_as_server(port_, wallet, *account, request.server_key_index, result.userop_hash, result.signature);
  if (error != Error::ok) return error;
  result.deploys = request.userop.init_code.empty() ? 0 : 1;
  result.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
