// SPDX-License-Identifier: Apache-2.0
// Rule 3: an executor key signs only bundles to a configured entry point, an empty transaction to itself that cancels a
// nonce, a plain function of an account or the deployment of one, within gas and fee caps and a budget of signed
// maximum cost.
#include "trusted/base/keccak.hpp"
#include "trusted/core/call_rules.hpp"
#include "trusted/ethereum/selectors.hpp"
#include "trusted/ethereum/transaction.hpp"

namespace community::trusted {
namespace {

// People whose account is frozen, or not there yet, need somebody to pay for a call that carries its own signatures. It
// takes nothing of the executor's but gas.
Error check_plain_call(const ethereum::UnsignedTransaction& tx, const protocol::ChainConfig& chain) {
  if (tx.to == chain.account_factory) {
    if (!ethereum::read_create_account(tx.data)) return Error::transaction_not_create_account;
  } else if (is_paymaster(chain, tx.to) || tx.data.size() < 4 ||
             !ethereum::is_plain_function(ethereum::selector_of(tx.data))) {
    return Error::transaction_not_to_entry_point;
  }
  if (!tx.value.is_zero()) return Error::transaction_has_value;
  if (tx.type != 2) return Error::plain_call_type_not_allowed;
  return tx.gas_limit > protocol::kMaxPlainCallGas ? Error::transaction_gas_over_cap : Error::ok;
}

// What the transaction does: a bundle, a cancellation or a plain call, nothing else.
Error check_effect(const ethereum::UnsignedTransaction& tx, const protocol::ChainConfig& chain,
                   const protocol::Address& executor) {
  if (tx.to == executor) {
    if (!tx.value.is_zero()) return Error::transaction_has_value;
    return tx.data.empty() && tx.type == 2 ? Error::ok : Error::transaction_not_to_entry_point;
  }
  if (find_entry_point(chain, tx.to) == nullptr) return check_plain_call(tx, chain);
  if (!tx.value.is_zero()) return Error::transaction_has_value;
  const auto paid = ethereum::read_handle_ops(tx.data);
  if (!paid) return Error::transaction_not_handle_ops;
  const protocol::Address& beneficiary = base::is_zero(chain.beneficiary) ? executor : chain.beneficiary;
  return *paid == beneficiary ? Error::ok : Error::transaction_foreign_beneficiary;
}

}  // namespace

Error Core::sign_transaction(ByteView body, Writer& reply) {
  protocol::SignTransactionRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  KeyRecord key;
  protocol::Address executor{};
  Error error = open_key(request.record, protocol::Purpose::executor, key, executor);
  if (error != Error::ok) return error;
  ethereum::UnsignedTransaction tx;
  error = to_protocol(ethereum::read_unsigned_transaction(request.transaction, tx));
  if (error != Error::ok) return error;
  const protocol::ChainConfig* chain = find_chain(tx.chain_id);
  if (chain == nullptr || (key.chain_id != 0 && key.chain_id != tx.chain_id)) return Error::transaction_wrong_chain;
  if (!tx.access_list_empty) return Error::transaction_access_list;
  if (tx.gas_limit > chain->bundle_gas_cap) return Error::transaction_gas_over_cap;
  if (tx.max_fee_per_gas > chain->fee_cap || tx.max_priority_fee_per_gas > tx.max_fee_per_gas)
    return Error::transaction_fee_over_cap;
  error = check_effect(tx, *chain, executor);
  if (error != Error::ok) return error;

  const auto cost = multiply(Uint256(tx.gas_limit), tx.max_fee_per_gas);
  if (!cost) return Error::transaction_fee_over_cap;
  const Bytes32 approval =
      base::keccak256({base::view("executor"), Uint256(tx.chain_id).to_be(), executor, Uint256(tx.nonce).to_be()});
  error = budgets_.spend(port_, state_, executor_budget(*chain), approval, *cost);
  if (error != Error::ok) return error;
  protocol::SignTransactionReply result;
  const Bytes32 digest = base::keccak256(request.transaction);
  if (!port_.secp256k1_sign(port_.context, key.secret, digest, result.signature.data())) return Error::crypto_failed;
  result.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
