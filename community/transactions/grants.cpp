// SPDX-License-Identifier: Apache-2.0
// Session grants (spec/account.md, section 4): one touch lets this node sign, for two hours at the most, calls of some
// functions of one contract within caps. The trusted core gives a ticket for the grant that it signed; with it, and
// with nothing else, it signs the operations of the session. A paymaster pays for them.
#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

constexpr std::uint64_t kMaxGrant_s = 2 * 3'600;

std::string hex(ByteView bytes) { return core::to_hex(bytes); }

json::array selectors_json(const accounts::Grant& grant) {
  json::array out;
  for (const auto& selector : grant.selectors) out.push_back(json::string(hex(selector)));
  return out;
}

}  // namespace

json::object grant_json(const accounts::Grant& grant) {
  json::object out;
  out["target"] = core::format_address(grant.target);
  out["selectors"] = selectors_json(grant);
  out["valuePerCall"] = core::format_decimal(grant.value_per_call);
  out["valueTotal"] = core::format_decimal(grant.value_total);
  out["validAfter"] = grant.valid_after_s;
  out["validUntil"] = grant.valid_until_s;
  out["paymaster"] = core::format_address(grant.paymaster);
  out["salt"] = core::format_decimal(grant.salt);
  return out;
}

std::optional<accounts::Grant> read_grant_json(const json::object& object) {
  accounts::Grant grant;
  const auto target = core::address_member(object, "target"), paymaster = core::address_member(object, "paymaster");
  const auto per_call = core::string_member(object, "valuePerCall"), total = core::string_member(object, "valueTotal");
  const auto salt = core::string_member(object, "salt");
  const auto after = core::number_member(object, "validAfter"), until = core::number_member(object, "validUntil");
  const json::value* selectors = core::find_member(object, "selectors");
  if (!target || !paymaster || !per_call || !total || !salt || !after || !until || selectors == nullptr ||
      !selectors->is_array())
    return std::nullopt;
  grant.target = *target;
  grant.paymaster = *paymaster;
  grant.value_per_call = core::parse_decimal(*per_call).value_or(Uint256());
  grant.value_total = core::parse_decimal(*total).value_or(Uint256());
  grant.salt = core::parse_decimal(*salt).value_or(Uint256());
  grant.valid_after_s = after->to_u64().value_or(0);
  grant.valid_until_s = until->to_u64().value_or(0);
  for (const json::value& one : selectors->get_array()) {
    const auto selector = one.is_string() ? core::parse_hex_array<4>(one.get_string()) : core::parse_hex_array<4>("");
    if (!selector) return std::nullopt;
    grant.selectors.push_back(*selector);
  }
  return grant;
}

Task<Result<Stored>> TransactionService::prepare_grant(Moment now, GrantOrder order, bool sponsored) {
  const ServedChain& served = now.chain->served;
  if (order.valid_for_s < 1 || order.valid_for_s > kMaxGrant_s) co_return fail_field("/grant/validFor", "1 to 7,200");
  accounts::Grant grant;
  grant.target = order.target;
  grant.selectors = std::move(order.selectors);
  grant.value_per_call = order.value_per_call;
  grant.value_total = order.value_total;
  // From the block on that is known now, so that the first operation of the session need not wait.
  grant.valid_after_s = now.state.block_time_s - 1;
  grant.valid_until_s = now.state.block_time_s + order.valid_for_s;
  if (served.sponsor != nullptr)
    for (const paymaster::PaymasterContract& one : served.sponsor->contracts())
      if (one.entry_point == served.entry_point.address()) grant.paymaster = one.paymaster;
  if (base::is_zero(grant.paymaster))
    co_return fail(ErrorCode::sponsor_missing, "this node has no paymaster that would pay for the session");
  Bytes32 salt{};
  d_.random.fill(salt);
  grant.salt = Uint256::from_be(salt);
  if (auto good = accounts::normalise_grant(grant, now.wallet.account); !good)
    co_return fail_field("/grant", good.error().text());
  auto call = accounts::encode_create_grant(now.wallet.account, grant);
  if (!call) co_return tl::unexpected(from_accounts(call.error()));
  OperationDraft draft;
  draft.kind = Kind::grant;
  draft.call_data = std::move(*call);
  draft.wants_sponsor = sponsored;
  json::object summary;
  summary["meaning"] = "createGrant";
  summary["to"] = core::format_address(grant.target);
  summary["selectors"] = selectors_json(grant);
  summary["valuePerCall"] = core::format_decimal(grant.value_per_call);
  summary["amount"] = core::format_decimal(grant.value_total);
  summary["seconds"] = order.valid_for_s;
  const Bytes32 id = accounts::grant_id(now.where(), now.state.key_epoch, grant);
  summary["hash"] = hex(id);
  draft.summary.push_back(std::move(summary));
  draft.warnings.push_back(warning_json(Warning::signs_without_touch, std::nullopt, grant.target));
  auto row = co_await prepare_operation(std::move(now), std::move(draft));
  if (row) row->grant = StoredGrant{id, {}, std::move(grant)};
  co_return row;
}

Task<Result<Stored>> TransactionService::prepare_session(Moment now, SessionOrder order) {
  auto read = [user_id = now.user_id, id = order.grant_id](soci::session& sql) -> Result<StoredGrant> {
    auto found = store::grant(sql, user_id, id);
    if (!found) return fail(ErrorCode::not_found, "no such grant was made here");
    return std::move(*found);
  };
  auto found = from_database(co_await d_.database.read(read));
  if (!found) co_return tl::unexpected(found.error());
  const accounts::Grant& grant = found->grant;
  // Of this account, and of the keys that it has now.
  if (accounts::grant_id(now.where(), now.state.key_epoch, grant) != order.grant_id ||
      now.state.block_time_s >= grant.valid_until_s)
    co_return fail(ErrorCode::grant_over, "make another one");
  for (std::size_t i = 0; i < order.calls.size(); i++) {
    const accounts::Call& call = order.calls[i];
    const std::string at = "/calls/" + std::to_string(i);
    if (call.to != grant.target) co_return fail_field(at + "/to", "the grant reaches another contract");
    std::array<std::uint8_t, 4> selector{};
    if (call.data.size() >= selector.size()) std::copy_n(call.data.begin(), selector.size(), selector.begin());
    if (call.data.size() < selector.size() ||
        std::find(grant.selectors.begin(), grant.selectors.end(), selector) == grant.selectors.end())
      co_return fail_field(at + "/data", "the grant does not allow this function");
    if (call.value > grant.value_per_call) co_return fail_field(at + "/value", "more than the grant allows a call");
  }
  auto call = accounts::encode_execute_session(grant, order.calls);
  if (!call) co_return tl::unexpected(from_accounts(call.error()));
  OperationDraft draft;
  draft.kind = Kind::session;
  draft.call_data = std::move(*call);
  draft.calls = std::move(order.calls);
  draft.paymaster = grant.paymaster;
  auto row = co_await prepare_operation(std::move(now), std::move(draft));
  if (!row) co_return row;
  row->grant = std::move(*found);
  row->transaction.credential_ids.clear();
  row->passkeys.clear();
  co_return row;
}

Task<Result<OwnGrant>> TransactionService::grant(std::string user_id, Bytes32 grant_id) {
  auto read = [user_id, grant_id](soci::session& sql) -> Result<OwnGrant> {
    const auto found = store::grant(sql, user_id, grant_id);
    if (!found) return fail(ErrorCode::not_found, "no such grant was made here");
    return OwnGrant{store::wallet_of_grant(sql, user_id, grant_id), found->grant.valid_until_s};
  };
  co_return from_database(co_await d_.database.read(read));
}

// The ticket stands for the touch that made the grant.
Task<Result<Stored>> TransactionService::sign_session(Stored row) {
  auto read = [user_id = row.transaction.user_id, id = row.grant->id](soci::session& sql) -> Result<StoredGrant> {
    auto found = store::grant(sql, user_id, id);
    if (!found) return fail(ErrorCode::grant_over, "make another one");
    return std::move(*found);
  };
  auto grant = from_database(co_await d_.database.read(read));
  if (!grant) co_return tl::unexpected(grant.error());
  const auto& operation = std::get<PreparedOperation>(row.transaction.content);
  auto packed = core::pack(operation.userop);
  if (!packed) co_return fail(ErrorCode::calls_invalid, packed.error().text());
  keys::SessionRequest question;
  question.wallet = row.wallet;
  question.chain_id = row.transaction.chain_id;
  question.entry_point = operation.entry_point;
  question.userop = std::move(*packed);
  question.ticket = grant->ticket;
  question.server_key_index = row.server_key_index;
  const auto answer = co_await d_.wallets.sign_session(std::move(question));
  if (!answer) co_return from_core(answer.error());
  if (answer->hash != *row.transaction.digest)
    co_return fail(ErrorCode::core_refused, "the trusted core computes another hash of the operation");
  row.submission = accounts::encode_session_signature(answer->signature);
  co_return row;
}

}  // namespace community::transactions
