// SPDX-License-Identifier: Apache-2.0
#include "community/accounts/api/self_calls.hpp"

#include <algorithm>

#include "community/core/abi.hpp"
#include "trusted/base/keccak.hpp"

namespace community::accounts {
namespace {

using core::AbiValue;

constexpr std::size_t kMaxSelectors = 8;
constexpr std::uint8_t kSessionKind = 0x02;
constexpr std::string_view kGrantType = "(address,bytes4[],uint128,uint128,uint48,uint48,address,uint256)";

Bytes encode(std::string_view types, const std::vector<AbiValue>& values) {
  return core::abi_encode(core::parse_abi_parameters(types).value(), values).value();
}

AbiValue grant_value(const Grant& grant) {
  AbiValue::List selectors;
  for (const auto& selector : grant.selectors) selectors.emplace_back(core::to_bytes(selector));
  return AbiValue(AbiValue::List{AbiValue(grant.target), AbiValue(std::move(selectors)), grant.value_per_call,
                                 grant.value_total, grant.valid_after_s, grant.valid_until_s, AbiValue(grant.paymaster),
                                 grant.salt});
}

Result<Bytes> to_result(core::Result<Bytes> encoded, ErrorCode code) {
  if (!encoded) return fail(code, encoded.error().message);
  return std::move(*encoded);
}

Result<Bytes> encode_self_call(const Address& account, std::string_view function, std::vector<AbiValue> values,
                               ErrorCode code) {
  auto data = core::parse_abi_function(function).value().encode(values);
  if (!data) return fail(code, data.error().message);
  return encode_batch({{account, {}, std::move(*data)}});
}

Result<Bytes> encode_queue_call(const Address& account, std::string_view function, const Queued& queued) {
  return encode_self_call(
      account, std::string(function) + "(uint8,bytes,uint256)",
      {AbiValue(static_cast<std::uint64_t>(queued.kind)), AbiValue(queued.content), AbiValue(queued.salt)},
      ErrorCode::calls_invalid);
}

}  // namespace

Result<Queued> queued_spend(const std::vector<Call>& calls, const Uint256& salt) {
  auto content = encode_calls(calls);
  if (!content) return tl::unexpected(std::move(content.error()));
  return Queued{QueueKind::spend, std::move(*content), salt};
}

Queued queued_limit(const Address& token, const Uint256& per_day, const Uint256& salt) {
  return {QueueKind::limit, encode("address,uint256", {AbiValue(token), AbiValue(per_day)}), salt};
}

Queued queued_gas_cap(const Uint256& max_cost, const Uint256& salt) {
  return {QueueKind::gas_cap, encode("uint256", {AbiValue(max_cost)}), salt};
}

Queued queued_domain(const Bytes32& domain_separator, const Uint256& salt) {
  return {QueueKind::domain, core::to_bytes(domain_separator), salt};
}

Queued queued_allowed_call(const Address& target, const std::array<std::uint8_t, 4>& selector, const Uint256& salt) {
  return {QueueKind::allowed_call, encode("address,bytes4", {AbiValue(target), AbiValue(core::to_bytes(selector))}),
          salt};
}

Bytes32 queued_id(const AccountOnChain& where, std::uint32_t key_epoch, const Queued& queued) {
  return base::keccak256(
      encode("uint256,address,uint8,bytes32,uint256,uint32",
             {AbiValue(where.chain_id), AbiValue(where.account), AbiValue(static_cast<std::uint64_t>(queued.kind)),
              AbiValue(base::keccak256(queued.content)), AbiValue(queued.salt), AbiValue(std::uint64_t{key_epoch})}));
}

Result<Bytes> encode_queue(const Address& account, const Queued& queued) {
  return encode_queue_call(account, "queue", queued);
}

Result<Bytes> encode_confirm(const Address& account, const Queued& queued) {
  return encode_queue_call(account, "confirm", queued);
}

Result<void> normalise_grant(Grant& grant, const Address& account) {
  std::ranges::sort(grant.selectors);
  const std::size_t count = grant.selectors.size();
  if (count == 0 || count > kMaxSelectors) return fail(ErrorCode::grant_invalid, "a grant names 1 to 8 functions");
  if (base::is_zero(grant.selectors.front()) || std::ranges::adjacent_find(grant.selectors) != grant.selectors.end())
    return fail(ErrorCode::grant_invalid, "a function is there twice, or is zero");
  if (base::is_zero(grant.target) || grant.target == account)
    return fail(ErrorCode::grant_invalid, "a grant cannot reach the account itself");
  if (base::is_zero(grant.paymaster)) return fail(ErrorCode::grant_invalid, "somebody else must pay for a session");
  if (grant.valid_after_s >= grant.valid_until_s) return fail(ErrorCode::grant_invalid, "it ends before it begins");
  return {};
}

Bytes32 grant_id(const AccountOnChain& where, std::uint32_t key_epoch, const Grant& grant) {
  return base::keccak256(encode(
      "uint256,address,uint32," + std::string(kGrantType),
      {AbiValue(where.chain_id), AbiValue(where.account), AbiValue(std::uint64_t{key_epoch}), grant_value(grant)}));
}

Result<Bytes> encode_create_grant(const Address& account, const Grant& grant) {
  return encode_self_call(account, "createGrant(" + std::string(kGrantType) + ")", {grant_value(grant)},
                          ErrorCode::grant_invalid);
}

Result<Bytes> encode_execute_session(const Grant& grant, const std::vector<Call>& calls) {
  auto batch = encode_calls(calls);
  if (!batch) return batch;
  return to_result(core::parse_abi_function("executeSession(" + std::string(kGrantType) + ",bytes)")
                       .value()
                       .encode({grant_value(grant), AbiValue(std::move(*batch))}),
                   ErrorCode::grant_invalid);
}

Bytes encode_session_signature(const core::Signature& server) {
  Bytes out{kSessionKind};
  core::append(out, server.to_rsv());
  return out;
}

Bytes dummy_session_signature() {
  Bytes out(66, 0x11);
  out.front() = kSessionKind;
  out.back() = 27;
  return out;
}

}  // namespace community::accounts
