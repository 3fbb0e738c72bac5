// SPDX-License-Identifier: Apache-2.0
// Rule 7: a key of the wallet's phrase signs only transactions and messages that the core itself parsed and hashed,
// with an assertion over that digest, within the wallet's policy.
#include "trusted/base/keccak.hpp"
#include "trusted/core/call_rules.hpp"
#include "trusted/core/phrase.hpp"
#include "trusted/ethereum/eoa_transaction.hpp"
#include "trusted/ethereum/typed_data.hpp"

namespace community::trusted {
namespace {

Error eoa_address(const Port& port, const Bytes32& secret, protocol::Address& address) {
  std::array<std::uint8_t, 64> public_key{};
  if (!port.secp256k1_public_key(port.context, secret, public_key.data())) return Error::crypto_failed;
  address = address_of(public_key.data());
  return Error::ok;
}

// What the policy says of an operation with one call.
Error check_policy(const ethereum::EoaTransaction& tx, const protocol::Policy& policy,
                   protocol::SignEoaTransactionReply& result) {
  // A policy has no word about code that does not exist yet.
  if (tx.to.empty()) return Error::transaction_creates_contract;
  if (tx.authorization_elsewhere) return Error::authorization_other_chain;
  ethereum::Call call;
  base::copy(call.to, tx.to);
  call.value = tx.value;
  call.data = tx.data;
  if (call.value > policy.call_value_cap) return Error::call_value_over_cap;
  if (call.value > policy.operation_value_cap) return Error::operation_value_over_cap;
  const Error error = check_rules(policy, call);
  if (error != Error::ok) return error;
  if (tx.max_priority_fee_per_gas > tx.max_fee_per_gas) return Error::transaction_fee_over_cap;
  const auto cost = multiply(Uint256(tx.gas_limit), tx.max_fee_per_gas);
  if (!cost || *cost > policy.cost_cap) return Error::cost_over_cap;
  result.type = tx.type;
  result.nonce = tx.nonce;
  result.max_cost = *cost;
  result.call = {call.to, call.value, ethereum::selector_of(call.data), static_cast<std::uint32_t>(call.data.size())};
  result.authorization_count = static_cast<std::uint16_t>(tx.authorization_count);
  return Error::ok;
}

}  // namespace

Error Core::eoa_describe(ByteView body, Writer& reply) {
  protocol::EoaDescribeRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  protocol::EoaDescribeReply answer;
  if (wallet.entropy_size != 0) {
    base::Secret<32> secret;
    const protocol::EoaKey& eoa = request.eoa;
    error = derive_eoa_key(port_, wallet, eoa.chain_id, eoa.account, eoa.index, secret.bytes);
    if (error == Error::ok) error = eoa_address(port_, secret.bytes, answer.address);
    if (error != Error::ok) return error;
    answer.has_phrase = 1;
  }
  answer.fields(reply);
  return Error::ok;
}

Error Core::sign_eoa_digest(const protocol::EoaKey& eoa, const protocol::Assertion& assertion,
                            const WalletRecord& wallet, const Bytes32& digest, protocol::Address& signer,
                            protocol::Signature65& signature) const {
  Error error = check_assertion(assertion, digest, wallet);
  if (error != Error::ok) return error;
  base::Secret<32> secret;
  error = derive_eoa_key(port_, wallet, eoa.chain_id, eoa.account, eoa.index, secret.bytes);
  if (error == Error::ok) error = eoa_address(port_, secret.bytes, signer);
  if (error != Error::ok) return error;
  return port_.secp256k1_sign(port_.context, secret.bytes, digest, signature.data()) ? Error::ok : Error::crypto_failed;
}

Error Core::sign_eoa_transaction(ByteView body, Writer& reply) {
  protocol::SignEoaTransactionRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  ethereum::EoaTransaction tx;
  Error error = to_protocol(ethereum::read_eoa_transaction(request.transaction, tx));
  if (error != Error::ok) return error;
  if (tx.chain_id != request.eoa.chain_id || find_chain(tx.chain_id) == nullptr) return Error::transaction_wrong_chain;
  WalletRecord wallet;
  RecordHeader header;
  error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  protocol::SignEoaTransactionReply result;
  error = check_policy(tx, wallet.policy, result);
  if (error != Error::ok) return error;
  result.digest = base::keccak256(request.transaction);
  error = sign_eoa_digest(request.eoa, request.assertion, wallet, result.digest, result.signer, result.signature);
  if (error == Error::ok) result.fields(reply);
  return error;
}

Error Core::sign_message(ByteView body, Writer& reply) {
  protocol::SignMessageRequest request;
  if (!protocol::decode(body, request)) return Error::malformed_request;
  if (find_chain(request.eoa.chain_id) == nullptr) return Error::unknown_chain;
  WalletRecord wallet;
  RecordHeader header;
  Error error = open_under(state_.root, request.record, RecordType::wallet, header, wallet);
  if (error != Error::ok) return error;
  protocol::SignMessageReply result;
  result.digest = ethereum::personal_message_hash(request.message);
  error = sign_eoa_digest(request.eoa, request.assertion, wallet, result.digest, result.signer, result.signature);
  if (error == Error::ok) result.fields(reply);
  return error;
}

}  // namespace community::trusted
