// SPDX-License-Identifier: Apache-2.0
// Rule 3: a treasury key pays executors of this core and the deposits of the operator's own paymasters, and nobody
// else, under a cap a transaction and a budget of value and maximum gas cost.
#include "trusted/base/keccak.hpp"
#include "trusted/core/call_rules.hpp"

namespace community::trusted {

// Who is paid, and how much. An executor is known by the record of its key, which only this core can have sealed: a
// host's word about an address is worth nothing here.
Error Core::check_payment(const protocol::SignTreasuryRequest& request, const ethereum::UnsignedTransaction& tx,
                          const protocol::ChainConfig& chain, const protocol::Address& treasury) {
  if (!tx.data.empty()) {
    // A deposit names no executor; nothing may be shown that is not looked at.
    if (request.executor_count != 0) return Error::malformed_request;
    if (find_entry_point(chain, tx.to) == nullptr) return Error::treasury_destination_refused;
    const auto paymaster = ethereum::read_deposit_to(tx.data);
    if (!paymaster) return Error::treasury_call_refused;
    return find_paymaster(chain, *paymaster, tx.to) != nullptr ? Error::ok : Error::paymaster_not_configured;
  }
  if (request.executor_count == 0) return Error::treasury_destination_refused;
  KeyRecord key;
  protocol::Address executor{};
  const Error error = open_key(request.executor[0], protocol::Purpose::executor, key, executor);
  if (error != Error::ok) return error;
  const bool pays_it = executor == tx.to && tx.to != treasury && (key.chain_id == 0 || key.chain_id == tx.chain_id);
  return pays_it ? Error::ok : Error::treasury_destination_refused;
}

Error Core::sign_treasury(ByteView body, Writer& reply) {
  protocol::SignTreasuryRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  KeyRecord key;
  protocol::Address treasury{};
  Error error = open_key(request.record, protocol::Purpose::treasury, key, treasury);
  if (error != Error::ok) return error;
  ethereum::UnsignedTransaction tx;
  error = to_protocol(ethereum::read_unsigned_transaction(request.transaction, tx));
  if (error != Error::ok) return error;
  if (tx.type != 2) return Error::transaction_type_not_allowed;
  const protocol::ChainConfig* chain = find_chain(tx.chain_id);
  if (chain == nullptr || (key.chain_id != 0 && key.chain_id != tx.chain_id)) return Error::transaction_wrong_chain;
  const protocol::TreasuryConfig* allowed = find_treasury(tx.chain_id);
  if (allowed == nullptr) return Error::treasury_not_configured;
  if (!tx.access_list_empty) return Error::transaction_access_list;
  if (tx.gas_limit > protocol::kMaxTreasuryGas) return Error::transaction_gas_over_cap;
  if (tx.max_fee_per_gas > chain->fee_cap || tx.max_priority_fee_per_gas > tx.max_fee_per_gas)
    return Error::transaction_fee_over_cap;
  const bool cancels = tx.to == treasury && tx.data.empty() && request.executor_count == 0;
  if (cancels) {
    if (!tx.value.is_zero()) return Error::transaction_has_value;
  } else {
    error = check_payment(request, tx, *chain, treasury);
    if (error != Error::ok) return error;
    if (tx.value.is_zero()) return Error::treasury_value_zero;
    if (tx.value > allowed->value_cap) return Error::treasury_value_over_cap;
  }

  const auto gas = multiply(Uint256(tx.gas_limit), tx.max_fee_per_gas);
  const auto cost = gas ? add(*gas, tx.value) : gas;
  if (!cost) return Error::transaction_fee_over_cap;
  const Bytes32 approval =
      base::keccak256({base::view("treasury"), Uint256(tx.chain_id).to_be(), treasury, Uint256(tx.nonce).to_be()});
  error = budgets_.spend(port_, state_, treasury_budget(*allowed), approval, *cost);
  if (error != Error::ok) return error;
  protocol::SignTreasuryReply result;
  result.cost = *cost;
  const Bytes32 digest = base::keccak256(request.transaction);
  if (!port_.secp256k1_sign(port_.context, key.secret, digest, result.signature.data())) return Error::crypto_failed;
  result.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
