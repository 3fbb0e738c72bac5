// SPDX-License-Identifier: Apache-2.0
// Rule 1 for the one call to the account itself that an operation may consist of: a person sees what is queued,
// confirmed or granted, because the core decoded it and refuses what has a second reading.
#include "trusted/core/call_rules.hpp"

namespace community::trusted {
namespace {

Error check_queue(ByteView data, const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                  const WalletRecord& wallet, protocol::SignUseropReply& result) {
  const auto call = ethereum::read_queue_call(data);
  if (!call) return Error::self_call_malformed;
  if (call->kind > ethereum::kLastQueueKind) return Error::queue_kind_unknown;
  const auto kind = static_cast<ethereum::QueueKind>(call->kind);
  result.self_call.effect = protocol::effect_of(ethereum::selector_of(data) == ethereum::kConfirm, kind);
  result.self_call.salt = call->salt;
  if (kind != ethereum::QueueKind::spend) {
    const auto content = ethereum::read_queue_content(kind, call->content);
    if (!content) return Error::queue_content_malformed;
    result.self_call.content = *content;
    return Error::ok;
  }
  CallRules rules(chain, wallet.policy, request.userop.sender);
  Error error = Error::ok;
  const auto visit = [&](const ethereum::Call& inner) {
    error = rules.check(inner);
    if (error == Error::ok) result.calls[result.call_count++] = summary_of(inner);
    return error == Error::ok;
  };
  const auto read = ethereum::read_calls(call->content, protocol::kMaxCallsPerUserop, visit);
  return error != Error::ok ? error : to_protocol(read, Error::queue_content_malformed);
}

}  // namespace

Error check_self_call(ByteView data, const protocol::SignUseropRequest& request, const protocol::ChainConfig& chain,
                      const WalletRecord& wallet, protocol::SignUseropReply& result) {
  if (ethereum::selector_of(data) != ethereum::kCreateGrant) return check_queue(data, request, chain, wallet, result);
  const auto call = ethereum::read_create_grant(data);
  if (!call) return Error::grant_malformed;
  const Error error = check_grant(call->grant, request, chain, wallet.policy);
  if (error != Error::ok) return error;
  result.self_call.effect = protocol::Effect::create_grant;
  result.self_call.grant = call->grant;
  grant_ticket(wallet, chain.chain_id, request.userop.sender, call->hash, result.self_call.ticket);
  return Error::ok;
}

Error check_grant(const ethereum::Grant& grant, const protocol::SignUseropRequest& request,
                  const protocol::ChainConfig& chain, const protocol::Policy& policy) {
  const bool refused = base::is_zero(grant.target) || grant.target == request.userop.sender ||
                       find_entry_point(chain, grant.target) != nullptr;
  if (refused) return Error::grant_target_refused;
  for (std::size_t i = 0; i < grant.selector_count; i++) {
    const ethereum::Selector& selector = grant.selectors[i];
    if (base::is_zero(selector) || (i > 0 && selector <= grant.selectors[i - 1]))
      return Error::grant_selectors_out_of_order;
    if (ethereum::is_token_function(selector)) return Error::grant_selector_of_token;
    const Error listed = check_rules(policy, {grant.target, grant.value_per_call, selector});
    if (listed != Error::ok) return listed;
  }
  if (find_paymaster(chain, grant.paymaster, request.entry_point) == nullptr) return Error::paymaster_not_configured;
  // How far both lie from the present only the chain can say.
  if (grant.valid_after >= grant.valid_until) return Error::grant_never_valid;
  if (grant.value_per_call > policy.call_value_cap) return Error::call_value_over_cap;
  return grant.value_total > policy.operation_value_cap ? Error::operation_value_over_cap : Error::ok;
}

void grant_ticket(const WalletRecord& wallet, std::uint64_t chain_id, const protocol::Address& account,
                  const Bytes32& grant_hash, Bytes32& ticket) {
  base::Secret<32> key;
  base::hkdf<base::Sha256>(wallet.server_secret, base::view("community grant ticket"), {}, key.bytes);
  ticket = base::hmac_sha256(key, {Uint256(chain_id).to_be(), account, grant_hash});
}

}  // namespace community::trusted
