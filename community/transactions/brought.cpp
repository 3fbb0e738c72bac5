// SPDX-License-Identifier: Apache-2.0
// Escape and recovery: plain functions whose signatures come from elsewhere, from the escape key in a recovery file or
// from guardians. The node reads what it is given, tries it, and brings it: who signed is for the contract to say.
#include "community/transactions/api/brought.hpp"

#include "community/accounts/api/reverts.hpp"
#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

// spec/account.md, section 2.
constexpr std::uint32_t kEscapeDelay_s = 3 * 86'400;

}  // namespace

Result<accounts::StartedAction> read_brought(ByteView call) {
  auto read = accounts::read_started_item(call);
  auto* started = read ? std::get_if<accounts::StartedAction>(&*read) : nullptr;
  const bool is_brought = started != nullptr && (std::holds_alternative<accounts::Escape>(started->action) ||
                                                 std::holds_alternative<accounts::Recover>(started->action));
  if (!is_brought) return fail(ErrorCode::calls_invalid, "this is no call of escape or recover");
  return std::move(*started);
}

Task<Result<void>> try_call(chain::ExecutionClient& chain, Address account, Bytes call) {
  chain::CallRequest trial;
  trial.to = account;
  trial.data = std::move(call);
  const auto tried = co_await chain.call(std::move(trial));
  if (!tried && tried.error().reverted)
    co_return tl::unexpected(refusal_of_revert(tried.error().data, tried.error().text()));
  if (!tried) co_return fail(ErrorCode::chain_unavailable, tried.error().text());
  co_return Result<void>{};
}

std::vector<WaitingItem> read_waiting(const accounts::AccountOnChain& where, std::uint32_t key_epoch,
                                      std::vector<accounts::WaitingItem> items) {
  std::vector<WaitingItem> out;
  for (accounts::WaitingItem& one : items) {
    WaitingItem item;
    auto content = accounts::read_started_item(one.call);
    // Believed only when it is what the id commits to.
    if (content && accounts::item_id(where, key_epoch, *content) == one.id) item.content = std::move(*content);
    item.item = std::move(one);
    out.push_back(std::move(item));
  }
  return out;
}

Task<Result<Stored>> TransactionService::prepare_brought(Moment now, BroughtOrder order) {
  if (!now.state.deployed) co_return fail(ErrorCode::account_not_deployed);
  if (order.call.size() > kMaxCallData) co_return fail_field("/call", "65,536 bytes at most");
  const auto started = read_brought(order.call);
  if (!started) co_return fail_field("/call", started.error().message);
  const auto* escape = std::get_if<accounts::Escape>(&started->action);
  const auto* recover = std::get_if<accounts::Recover>(&started->action);
  const bool is_right = order.kind == Kind::escape ? escape != nullptr : recover != nullptr;
  if (!is_right) co_return fail_field("/call", "this is the call of another function");
  auto tried = co_await try_call(now.chain->served.chain, now.wallet.account, order.call);
  if (!tried) co_return tl::unexpected(tried.error());
  Stored row = new_row(now, order.kind);
  row.transaction.credential_ids.clear();
  row.passkeys.clear();
  row.submission = std::move(order.call);
  core::json::object summary;
  summary["meaning"] = in_camel_case(name(order.kind));
  summary["hash"] = core::to_hex(accounts::action_digest(now.where(), started->action, started->stamp));
  summary["serverKey"] = core::format_address(escape != nullptr ? escape->server_key : recover->server_key);
  summary["seconds"] = escape != nullptr ? kEscapeDelay_s : now.state.recovery_delay_s;
  summary["count"] = escape != nullptr ? escape->passkeys.size() : recover->passkeys.size();
  row.transaction.summary.push_back(std::move(summary));
  co_return row;
}

}  // namespace community::transactions
