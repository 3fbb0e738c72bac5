// SPDX-License-Identifier: Apache-2.0
// What the chain says of a user operation in a block: its own share of the bundle's receipt.
#include "community/transactions/service.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;

// Of a log what says something to whoever asked for the operation (EIP-5792, receipts of wallet_getCallsStatus).
json::array own_logs(const json::object& receipt, const pool::Inclusion& inclusion) {
  json::array own;
  const json::value* logs = core::find_member(receipt, "logs");
  if (logs == nullptr || !logs->is_array()) return own;
  const json::array& all = logs->get_array();
  for (std::size_t i = inclusion.first_log; i < inclusion.end_log && i < all.size(); i++) {
    if (!all[i].is_object()) continue;
    json::object log;
    for (const std::string_view member : {"address", "data", "topics"})
      if (const json::value* value = core::find_member(all[i].get_object(), member)) log[member] = *value;
    own.push_back(std::move(log));
  }
  return own;
}

}  // namespace

Task<Result<std::optional<UseropReceipt>>> TransactionService::receipt(std::string user_id,
                                                                       std::string transaction_id) {
  const auto found = co_await find(std::move(user_id), std::move(transaction_id));
  if (!found) co_return tl::unexpected(found.error());
  const Transaction& t = found->transaction;
  Chain* chain = find_chain(t.chain_id);
  if (chain == nullptr || !is_operation(t.kind) || !t.digest) co_return std::nullopt;
  const auto record = co_await chain->served.pool.record(*t.digest);
  // The pool forgets what was over long ago.
  if (!record && record.error().code == pool::ErrorCode::not_found) co_return std::nullopt;
  if (!record) co_return fail(ErrorCode::database_unavailable, record.error().text());
  if (!record->inclusion) co_return std::nullopt;
  const pool::Inclusion& inclusion = *record->inclusion;
  const auto whole = co_await chain->served.chain.receipt(inclusion.transaction_hash);
  if (!whole) co_return fail(ErrorCode::chain_unavailable, whole.error().message);
  // Its block was replaced just now.
  if (!*whole) co_return std::nullopt;
  UseropReceipt out;
  out.transaction_hash = inclusion.transaction_hash;
  out.block_hash = inclusion.block_hash;
  out.block_number = inclusion.block_number;
  out.success = inclusion.success;
  out.gas_used = inclusion.actual_gas_used;
  out.logs = own_logs((*whole)->raw, inclusion);
  co_return out;
}

}  // namespace community::transactions
