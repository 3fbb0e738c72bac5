// SPDX-License-Identifier: Apache-2.0
// Rule 2: with a session grant a server key signs only what the grant names. No person is asked again: the ticket
// proves that one was. Times and revocations only the chain can know.
#include "trusted/core/call_rules.hpp"
#include "trusted/protocol/account_messages.hpp"

namespace community::trusted {
namespace {

Error check_granted(const ethereum::Grant& grant, const ethereum::Call& call) {
  if (call.to != grant.target) return Error::session_target_not_granted;
  // Fewer than four bytes reach a fallback function.
  if (call.data.size() < 4 || !grant.names(ethereum::selector_of(call.data)))
    return Error::session_selector_not_granted;
  return call.value > grant.value_per_call ? Error::session_value_over_grant : Error::ok;
}

// Each call obeys the grant, and the policy as it is now: one that was tightened since binds the grant too.
Error check_session_calls(const ethereum::GrantCall& call, const protocol::ChainConfig& chain,
                          const WalletRecord& wallet, const protocol::Address& sender,
                          protocol::SignSessionReply& result) {
  CallRules rules(chain, wallet.policy, sender);
  Error error = Error::ok;
  const auto visit = [&](const ethereum::Call& inner) {
    error = check_granted(call.grant, inner);
    if (error == Error::ok) error = rules.check(inner);
    if (error == Error::ok && rules.total() > call.grant.value_total) error = Error::session_total_over_grant;
    if (error == Error::ok) result.calls[result.call_count++] = summary_of(inner);
    return error == Error::ok;
  };
  const auto read = ethereum::read_calls(call.execution_data, protocol::kMaxCallsPerUserop, visit);
  return error != Error::ok ? error : to_protocol(read, Error::session_call_malformed);
}

}  // namespace

Error Core::sign_session(ByteView body, Writer& reply) {
  protocol::SignSessionRequest request;
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
  if (!request.userop.init_code.empty()) return Error::session_deploys;

  const auto call = ethereum::read_execute_session(request.userop.call_data);
  if (!call) return Error::session_call_malformed;
  base::Secret<32> expected;
  grant_ticket(wallet, request.chain_id, account->address, call->hash, expected.bytes);
  if (!base::equal_constant_time(expected, request.ticket)) return Error::grant_ticket_invalid;
  protocol::SignSessionReply result;
  error = check_session_calls(*call, *chain, wallet, account->address, result);
  if (error != Error::ok) return error;
  UseropCost cost;
  error = read_cost(request.userop, cost);
  if (error != Error::ok) return error;
  if (cost.paymaster != call->grant.paymaster) return Error::session_paymaster_not_granted;
  // The operator may have taken it out since.
  if (find_paymaster(*chain, cost.paymaster, request.entry_point) == nullptr) return Error::paymaster_not_configured;
  result.max_cost = cost.max_cost;

  result.userop_hash = hash_of(request.userop, *entry_point, chain->chain_id);
  error = sign_as_server(port_, wallet, *account, request.server_key_index, result.userop_hash, result.signature);
  if (error != Error::ok) return error;
  result.fields(reply);
  return Error::ok;
}

}  // namespace community::trusted
