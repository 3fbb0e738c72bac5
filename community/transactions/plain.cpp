// SPDX-License-Identifier: Apache-2.0
// Plain functions of the account (spec/account.md, section 2): they work while it is frozen and without ether; the
// node's courier brings them and pays.
#include <bit>

#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

// How long a signed struct may be submitted: long enough for a stuck transaction, short enough to be forgotten.
constexpr std::uint64_t kSignedFor_s = 86'400;
// With the server key's part in it: kept back, it could be landed during an escape, whose item the new key epoch voids.
constexpr std::uint64_t kGatedFor_s = 3'600;
// Of the contract and the trusted core: a day at the least.
constexpr std::uint32_t kMinRecoveryDelay_s = 86'400;
constexpr std::uint16_t kVoteBits = (1U << 9) - 1;

std::string_view item_name(accounts::ItemKind kind) {
  using enum accounts::ItemKind;
  switch (kind) {
    case unfreeze:
      return "unfreeze";
    case change_keys:
      return "changeKeys";
    case change_rules:
      return "changeRules";
    case escape:
      return "escape";
    case recover:
      return "recover";
    case upgrade:
      return "upgrade";
    case queued:
      return "queued";
    case none:
    case done:
      break;
  }
  return "none";
}

json::object summary_of(Kind kind, const PlainFields& fields) {
  json::object out;
  out["meaning"] = in_camel_case(name(kind));
  switch (kind) {
    case Kind::cancel:
    case Kind::revoke_grant:
    case Kind::unlist_domain:
      out["hash"] = core::to_hex(fields.hash);
      break;
    case Kind::lower_limit:
      if (!base::is_zero(fields.subject)) out["to"] = core::format_address(fields.subject);
      out["amount"] = core::format_decimal(fields.amount);
      break;
    case Kind::lower_gas_cap:
      out["amount"] = core::format_decimal(fields.amount);
      break;
    case Kind::disallow_call:
      out["to"] = core::format_address(fields.subject);
      out["selector"] = core::to_hex(fields.selector);
      break;
    default:
      break;
  }
  return out;
}

}  // namespace

// Who may cancel what follows from the item (spec/account.md, section 2).
Task<Result<void>> TransactionService::look_at_item(const Moment& now, const accounts::Action& action, Stored& row) {
  const auto* cancel = std::get_if<accounts::Cancel>(&action);
  if (cancel == nullptr) co_return Result<void>{};
  const auto item = co_await find_item(now, cancel->item);
  if (!item) co_return tl::unexpected(item.error());
  using enum accounts::ItemKind;
  row.transaction.summary.back().get_object()["item"] = item_name(item->kind);
  std::size_t needed = 1;
  if (item->kind == recover) {
    needed = 2;
  } else if (item->kind != queued && item->kind != upgrade) {
    // "Any other vote": one that did not start it. What two votes started guardians alone end.
    if (std::popcount(static_cast<unsigned>(item->votes & kVoteBits)) != 1)
      co_return fail(ErrorCode::votes_missing, "two votes started it: only the guardians can cancel it");
    row.started_by = item->votes;
    std::erase_if(row.passkeys,
                  [&item](const accounts::ChainPasskey& one) { return ((item->votes >> one.slot) & 1) != 0; });
    keep_signers(now, row);
    if (row.passkeys.empty())
      co_return fail(ErrorCode::passkey_started_item, "it takes a vote other than the one that started it");
  }
  auto& prepared = std::get<PreparedAction>(row.transaction.content);
  prepared.votes_needed = static_cast<std::uint8_t>(needed);
  let_escape_key_vote(now, row, prepared);
  co_return Result<void>{};
}

Task<Result<Stored>> TransactionService::prepare_plain(Moment now, PlainOrder order) {
  if (!now.state.deployed)
    co_return fail(ErrorCode::account_not_deployed, "the account is on this chain from its first operation on");
  if (const auto* rules = std::get_if<accounts::ChangeRules>(&order.action))
    co_return co_await prepare_rules(std::move(now), *rules);
  const auto fields = fields_of(order.action);
  if (!fields) co_return fail_field("/kind", "this is not ordered so");
  const Kind kind = fields->first;
  if (kind == Kind::freeze && now.is_frozen() && now.state.frozen_until_s == accounts::kFrozenForever)
    co_return fail(ErrorCode::account_frozen, "a vote froze the account already");
  if (kind == Kind::unfreeze && !now.is_frozen()) co_return fail(ErrorCode::account_not_frozen);
  Stored row = new_row(now, kind);
  PreparedAction prepared;
  prepared.action = std::move(order.action);
  if (const auto* unfreeze = std::get_if<accounts::Unfreeze>(&prepared.action)) {
    if (unfreeze->votes < 1 || unfreeze->votes > 2) co_return fail_field("/votes", "1 or 2");
    prepared.votes_needed = unfreeze->votes;
    let_escape_key_vote(now, row, prepared);
    if (unfreeze->votes == 1) row.transaction.warnings.push_back(warning_json(Warning::second_passkey_or_wait));
    const auto index = co_await server_key_index(now);
    if (!index) co_return tl::unexpected(index.error());
    row.server_key_index = *index;
  }
  Bytes32 nonce{};
  d_.random.fill(nonce);
  prepared.stamp.key_epoch = now.state.key_epoch;
  prepared.stamp.nonce = Uint256::from_be(nonce);
  prepared.stamp.deadline_s = now.state.block_time_s + (kind == Kind::unfreeze ? kGatedFor_s : kSignedFor_s);
  Transaction& t = row.transaction;
  t.digest = accounts::action_digest(now.where(), prepared.action, prepared.stamp);
  t.payer = Payer::node;
  json::array summary;
  summary.push_back(summary_of(kind, fields->second));
  t.summary = co_await now.chain->describer.name_tokens(std::move(summary));
  t.content = prepared;
  if (auto looked = co_await look_at_item(now, prepared.action, row); !looked) co_return tl::unexpected(looked.error());
  co_return row;
}

Task<Result<Stored>> TransactionService::prepare_rules(Moment now, accounts::ChangeRules rules) {
  // What the contract and the trusted core refuse, by name.
  const bool has_guardians = !base::is_zero(rules.guardians_hash);
  if (has_guardians != (rules.guardian_threshold != 0) || rules.guardian_threshold > accounts::kMaxGuardians)
    co_return fail_field("/rules/guardianThreshold", "1 to 16 with guardians, 0 without");
  if (rules.recovery_delay_s < kMinRecoveryDelay_s)
    co_return fail_field("/rules/recoveryDelay", "a day at the least, in seconds");
  if (!now.state.deployed)
    co_return fail(ErrorCode::account_not_deployed, "its rules change from its first operation on");
  Stored row = new_row(now, Kind::rules);
  const auto index = co_await server_key_index(now);
  if (!index) co_return tl::unexpected(index.error());
  row.server_key_index = *index;
  json::object summary;
  summary["meaning"] = "changeRules";
  summary["hash"] = core::to_hex(rules.guardians_hash);
  summary["count"] = rules.guardian_threshold;
  summary["seconds"] = rules.recovery_delay_s;
  summary["strict"] = rules.strict;
  summary["unlistedTokens"] = rules.unlisted_tokens;
  row.transaction.summary.push_back(std::move(summary));
  row.transaction.warnings.push_back(warning_json(Warning::voids_what_waits));
  const std::uint8_t votes = rules.votes;
  co_return prepare_gated(now, std::move(row), rules, votes);
}

Task<Result<Stored>> TransactionService::prepare_finish(Moment now, FinishOrder order) {
  if (!now.state.deployed) co_return fail(ErrorCode::account_not_deployed);
  const auto item = co_await find_item(now, order.item);
  if (!item) co_return tl::unexpected(item.error());
  const auto content = accounts::read_started_item(item->call);
  const auto* started = content ? std::get_if<accounts::StartedAction>(&*content) : nullptr;
  if (started == nullptr) co_return fail(ErrorCode::item_kind, "a queued item is confirmed by an operation");
  if (accounts::item_id(now.where(), now.state.key_epoch, *content) != order.item)
    co_return fail(ErrorCode::chain_unavailable, "the chain's server tells another content than the item's");
  if (item->age_s < item->delay_s)
    co_return fail_until(ErrorCode::item_not_ready, static_cast<std::int64_t>(item->delay_s - item->age_s));
  auto call = accounts::encode_finish(started->action, started->stamp);
  if (!call) co_return fail(ErrorCode::item_kind, call.error().text());
  Stored row = new_row(now, Kind::finish);
  row.transaction.credential_ids.clear();
  row.submission = std::move(*call);
  json::object summary;
  summary["meaning"] = "finish";
  summary["hash"] = core::to_hex(order.item);
  summary["item"] = item_name(item->kind);
  row.transaction.summary.push_back(std::move(summary));
  co_return row;
}

}  // namespace community::transactions
