// SPDX-License-Identifier: Apache-2.0
// Escape and recovery: plain functions whose signatures come from elsewhere, from the escape key in a recovery file or
// from guardians. The node reads what it is given, tries it, and brings it: who signed is for the contract to say.
#include "community/accounts/api/reverts.hpp"
#include "community/transactions/service.hpp"

namespace community::transactions {

Task<Result<Stored>> TransactionService::prepare_brought(Moment now, BroughtOrder order) {
  if (!now.state.deployed) co_return fail(ErrorCode::account_not_deployed);
  if (order.call.size() > kMaxCallData) co_return fail_field("/call", "65,536 bytes at most");
  const auto read = accounts::read_started_item(order.call);
  const auto* started = read ? std::get_if<accounts::StartedAction>(&*read) : nullptr;
  if (started == nullptr) co_return fail_field("/call", "this is no call of escape or recover");
  const auto* escape = std::get_if<accounts::Escape>(&started->action);
  const auto* recover = std::get_if<accounts::Recover>(&started->action);
  const bool is_right = order.kind == Kind::escape ? escape != nullptr : recover != nullptr;
  if (!is_right) co_return fail_field("/call", "this is the call of another function");
  chain::CallRequest trial;
  trial.to = now.wallet.account;
  trial.data = order.call;
  const auto tried = co_await now.chain->served.chain.call(std::move(trial));
  if (!tried && tried.error().reverted)
    co_return tl::unexpected(refusal_of_revert(tried.error().data, tried.error().text()));
  if (!tried) co_return fail(ErrorCode::chain_unavailable, tried.error().text());
  Stored row = new_row(now, order.kind);
  row.transaction.credential_ids.clear();
  row.passkeys.clear();
  row.submission = std::move(order.call);
  core::json::object summary;
  summary["meaning"] = in_camel_case(name(order.kind));
  summary["hash"] = core::to_hex(accounts::action_digest(now.where(), started->action, started->stamp));
  summary["serverKey"] = core::format_address(escape != nullptr ? escape->server_key : recover->server_key);
  summary["count"] = escape != nullptr ? escape->passkeys.size() : recover->passkeys.size();
  row.transaction.summary.push_back(std::move(summary));
  co_return row;
}

}  // namespace community::transactions
