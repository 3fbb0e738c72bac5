// SPDX-License-Identifier: Apache-2.0
// Transactions of a key of the wallet's phrase: legacy, EIP-1559 and EIP-7702. The node finds nonce, gas and fees and
// shows the call like every other; the passkey signs the transaction's digest, the trusted core parses and signs it,
// and the node brings it itself. What is signed is on disk before it is sent, and the chain knows it by its hash:
// sending it again, after a crash at any point, does nothing.
#include "community/accounts/api/reverts.hpp"
#include "community/core/transaction.hpp"
#include "community/transactions/service.hpp"
#include "community/transactions/text.hpp"

namespace community::transactions {
namespace {

namespace json = core::json;
using core::TransactionType;

// Base fees that the offered fee survives: nine full blocks raise one less than threefold (EIP-1559).
constexpr std::uint64_t kHeadroom = 3;
// Between the estimate and the block the state may change; a transfer of ether to no contract always costs the same.
constexpr std::uint64_t kGasMargin_percent = 25, kTransferGas = 21'000;
// What pools ask of a replacement (a tenth), and an eighth for those that ask for more.
constexpr unsigned kReplacement_permille = 125;
constexpr std::size_t kMaxAuthorizations = 16;

std::optional<TransactionType> type_of(std::string_view text) {
  if (text == "legacy") return TransactionType::legacy;
  if (text == "eip1559") return TransactionType::dynamic_fee;
  if (text == "eip7702") return TransactionType::set_code;
  return std::nullopt;
}

// wei at the most; nothing for what is more than there is.
std::optional<Uint256> gas_cost(const core::Transaction& tx) {
  return base::multiply(tx.gas_limit, tx.type == TransactionType::legacy ? tx.gas_price : tx.max_fee_per_gas);
}

void offer(core::Transaction& tx, const Uint256& max_fee, const Uint256& priority_fee) {
  if (tx.type == TransactionType::legacy) {
    tx.gas_price = max_fee;
    return;
  }
  tx.max_priority_fee_per_gas = priority_fee;
  tx.max_fee_per_gas = std::max(max_fee, priority_fee);
}

void set_fees(core::Transaction& tx, const chain::FeeSuggestion& fees) {
  const Uint256 priority = fees.fast.max_priority_fee_per_gas;
  // A legacy transaction pays its whole price, so that it offers less head-room.
  if (tx.type == TransactionType::legacy) return offer(tx, fees.fast.max_fee_per_gas, priority);
  const auto base = base::multiply(fees.base_fee, Uint256(kHeadroom));
  const auto sum = base ? base::add(*base, priority) : std::nullopt;
  offer(tx, sum ? std::max(*sum, fees.fast.max_fee_per_gas) : fees.fast.max_fee_per_gas, priority);
}

void raise_fees(core::Transaction& tx, const core::Transaction& old) {
  const bool legacy = tx.type == TransactionType::legacy;
  const Uint256 least = chain::raised_fee(legacy ? old.gas_price : old.max_fee_per_gas, kReplacement_permille);
  const Uint256 priority = chain::raised_fee(old.max_priority_fee_per_gas, kReplacement_permille);
  offer(tx, std::max(legacy ? tx.gas_price : tx.max_fee_per_gas, least),
        std::max(tx.max_priority_fee_per_gas, priority));
}

// Answers of a node that no other moment changes.
bool is_refused_for_good(const std::string& words) {
  for (const std::string_view part : {"intrinsic gas", "exceeds block gas limit", "invalid sender", "oversized data",
                                      "gas limit too high", "exceeds transaction gas limit"})
    if (words.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

json::object eoa_json(const PreparedEoa& prepared) {
  const core::Transaction& tx = prepared.transaction;
  json::object out;
  out["type"] = tx.type == TransactionType::legacy        ? "legacy"
                : tx.type == TransactionType::dynamic_fee ? "eip1559"
                                                          : "eip7702";
  out["nonce"] = core::format_quantity(Uint256(tx.nonce));
  out["gas"] = core::format_quantity(tx.gas_limit);
  if (tx.type == TransactionType::legacy) {
    out["gasPrice"] = core::format_quantity(tx.gas_price);
  } else {
    out["maxFeePerGas"] = core::format_quantity(tx.max_fee_per_gas);
    out["maxPriorityFeePerGas"] = core::format_quantity(tx.max_priority_fee_per_gas);
  }
  out["to"] = core::format_address(tx.to.value_or(Address{}));
  out["value"] = core::format_quantity(tx.value);
  out["data"] = core::to_hex(tx.data);
  if (tx.type == TransactionType::set_code) {
    json::array list;
    for (const core::Authorization& one : tx.authorization_list) list.push_back(core::to_json(one));
    out["authorizationList"] = std::move(list);
  }
  return out;
}

bool read_eoa_json(const json::object& object, std::uint64_t chain_id, core::Transaction& tx) {
  const auto type = core::string_member(object, "type");
  const auto kind = type ? type_of(*type) : std::nullopt;
  const auto nonce = core::number_member(object, "nonce"), gas = core::number_member(object, "gas");
  const auto value = core::number_member(object, "value");
  const auto to = core::address_member(object, "to");
  auto data = core::bytes_member(object, "data");
  if (!kind || !nonce || !gas || !value || !to || !data) return false;
  tx.type = *kind;
  tx.chain_id = Uint256(chain_id);
  tx.nonce = nonce->to_u64().value_or(0);
  tx.gas_limit = *gas;
  tx.to = *to;
  tx.value = *value;
  tx.data = std::move(*data);
  const bool legacy = tx.type == TransactionType::legacy;
  const auto fee = core::number_member(object, legacy ? "gasPrice" : "maxFeePerGas");
  const auto priority = legacy ? fee : core::number_member(object, "maxPriorityFeePerGas");
  if (!fee || !priority) return false;
  offer(tx, *fee, *priority);
  if (tx.type != TransactionType::set_code) return true;
  const json::value* list = core::find_member(object, "authorizationList");
  if (list == nullptr || !list->is_array()) return false;
  for (const json::value& one : list->get_array()) {
    const auto read = one.is_object() ? core::authorization_from_json(one.get_object())
                                      : core::Result<core::Authorization>(core::fail(core::ErrorCode::json_wrong_type));
    if (!read) return false;
    tx.authorization_list.push_back(*read);
  }
  return true;
}

// --- prepared --------------------------------------------------------------------------------------------------------

// The chain's count with what waits in its pool, and what this node has under way: the first number that is free.
Task<Result<std::uint64_t>> TransactionService::next_eoa_nonce(const Chain& chain, Address sender) {
  const auto counted = co_await chain.served.chain.transaction_count(sender, chain::BlockRef::pending());
  if (!counted) co_return fail(ErrorCode::chain_unavailable, counted.error().text());
  std::uint64_t next = *counted;
  for (const auto& [id, row] : live_) {
    const Transaction& t = row.transaction;
    if (t.kind == Kind::eoa && t.account == sender && t.chain_id == chain.served.chain_id && is_under_way(t.state))
      next = std::max(next, row.lane_sequence + 1);
  }
  co_return next;
}

Task<Result<void>> TransactionService::estimate_eoa(const Chain& chain, Address sender, core::Transaction& tx) {
  chain::CallRequest question;
  question.from = sender;
  question.to = tx.to;
  question.value = tx.value;
  question.data = tx.data;
  question.authorization_list = tx.authorization_list;
  const auto gas = co_await chain.served.chain.estimate_gas(std::move(question));
  if (!gas && gas.error().reverted) co_return tl::unexpected(refusal_of_revert(gas.error().data, gas.error().text()));
  if (!gas && gas.error().kind != chain::ChainErrorKind::rpc)
    co_return fail(ErrorCode::chain_unavailable, gas.error().text());
  // Most nodes say so where the balance does not do.
  if (!gas) co_return fail(ErrorCode::insufficient_funds, clean_text(gas.error().text(), kMaxRevertCharacters));
  const std::uint64_t margin = *gas == kTransferGas && tx.data.empty() ? 0 : *gas / 100 * kGasMargin_percent;
  tx.gas_limit = Uint256(*gas + margin);
  co_return Result<void>{};
}

// As for calls of the account; who the wallet paid before is known, by whichever of its keys.
Task<Result<void>> TransactionService::describe_eoa(const Moment& now, Address sender, Stored& row) {
  const core::Transaction& tx = std::get<PreparedEoa>(row.transaction.content).transaction;
  auto known = co_await known_recipients(now);
  if (!known) co_return tl::unexpected(known.error());
  DescribeRequest question;
  question.account = sender;
  question.calls.push_back({*tx.to, tx.value, tx.data});
  auto these = Describer::these(*known);
  auto described = co_await now.chain->describer.describe(std::move(question), std::move(these));
  if (!described) co_return tl::unexpected(described.error());
  Transaction& t = row.transaction;
  const auto is_known = [&known](const Address& one) {
    return std::find(known->begin(), known->end(), one) != known->end();
  };
  for (json::value& warning : described->warnings) {
    const auto address = core::address_member(warning.get_object(), "address");
    const bool first = warning.get_object().at("rule") == "first-payment";
    if (!first || !address || !is_known(*address)) t.warnings.push_back(std::move(warning));
  }
  for (const core::Authorization& one : tx.authorization_list) {
    const auto authority = one.authority();
    t.warnings.push_back(
        warning_json(Warning::gives_code, std::nullopt, authority ? std::optional<Address>(*authority) : std::nullopt));
  }
  t.summary = std::move(described->summary);
  row.recipients = std::move(described->recipients);
  std::erase_if(described->new_recipients, is_known);
  row.new_recipients = std::move(described->new_recipients);
  t.value = described->value;
  co_return Result<void>{};
}

// Balance, cost and digest of a transaction whose fees are chosen.
Task<Result<Stored>> TransactionService::settle_eoa(const Moment& now, Stored row) {
  Transaction& t = row.transaction;
  const core::Transaction& tx = std::get<PreparedEoa>(t.content).transaction;
  const auto cost = gas_cost(tx);
  const auto whole = cost ? base::add(*cost, tx.value) : std::nullopt;
  const auto balance = co_await now.chain->served.chain.balance(t.account);
  if (!balance) co_return fail(ErrorCode::chain_unavailable, balance.error().text());
  if (!whole || *whole > *balance)
    co_return fail(ErrorCode::insufficient_funds, "value and gas may cost " +
                                                      (whole ? core::format_decimal(*whole) : std::string("too many")) +
                                                      " wei, and the key has " + core::format_decimal(*balance));
  t.max_cost = *cost;
  t.payer = Payer::account;
  t.digest = tx.signing_hash();
  row.lane_sequence = tx.nonce;
  row.remembered_by = now.wallet.account;
  keep_own_signers(now, row);
  co_return row;
}

Task<Result<Stored>> TransactionService::prepare_eoa(Moment now, EoaOrder order) {
  const auto sender = co_await key_address(now, order.key, "/eoa/key");
  if (!sender) co_return tl::unexpected(sender.error());
  if (base::is_zero(order.to))
    co_return fail_field("/eoa/to", "the zero address is nobody's; no contract is made here");
  if (order.data.size() > kMaxCallData) co_return fail_field("/eoa/data", "65,536 bytes at most");
  const bool has_list = !order.authorizations.empty();
  if ((order.type == TransactionType::set_code) != has_list || order.authorizations.size() > kMaxAuthorizations)
    co_return fail_field("/eoa/authorizationList", "1 to 16 authorizations with eip7702, none with other types");
  PreparedEoa prepared;
  prepared.key = order.key;
  core::Transaction& tx = prepared.transaction;
  tx.type = order.type;
  tx.chain_id = Uint256(now.chain->served.chain_id);
  tx.to = order.to;
  tx.value = order.value;
  tx.data = std::move(order.data);
  tx.authorization_list = std::move(order.authorizations);
  for (const core::Authorization& one : tx.authorization_list)
    if (one.chain_id != *tx.chain_id || !one.authority())
      co_return fail_field("/eoa/authorizationList", "signed for this chain, each; for all chains (0) none is sent");
  const auto nonce = co_await next_eoa_nonce(*now.chain, *sender);
  if (!nonce) co_return tl::unexpected(nonce.error());
  tx.nonce = *nonce;
  if (auto gas = co_await estimate_eoa(*now.chain, *sender, tx); !gas) co_return tl::unexpected(gas.error());
  const auto fees = co_await now.chain->served.fees.suggest();
  if (!fees) co_return fail(ErrorCode::chain_unavailable, fees.error().text());
  set_fees(tx, *fees);
  Stored row = new_row(now, Kind::eoa);
  row.transaction.account = *sender;
  row.transaction.content = std::move(prepared);
  if (auto shown = co_await describe_eoa(now, *sender, row); !shown) co_return tl::unexpected(shown.error());
  co_return co_await settle_eoa(now, std::move(row));
}

Task<Result<Stored>> TransactionService::replace_eoa(Moment now, Stored old) {
  const Transaction& t = old.transaction;
  const auto fees = co_await now.chain->served.fees.suggest();
  if (!fees) co_return fail(ErrorCode::chain_unavailable, fees.error().text());
  PreparedEoa prepared = std::get<PreparedEoa>(t.content);
  const core::Transaction before = prepared.transaction;
  set_fees(prepared.transaction, *fees);
  raise_fees(prepared.transaction, before);
  Stored row = new_row(now, Kind::eoa);
  row.transaction.account = t.account;
  row.transaction.summary = t.summary;
  row.transaction.warnings = t.warnings;
  row.transaction.value = t.value;
  row.transaction.replaces = t.transaction_id;
  row.recipients = old.recipients;
  row.new_recipients = old.new_recipients;
  row.transaction.content = std::move(prepared);
  co_return co_await settle_eoa(now, std::move(row));
}

// --- signed ----------------------------------------------------------------------------------------------------------

Task<Result<Stored>> TransactionService::sign_eoa(Stored row, SignRequest request) {
  auto assertion = to_core(request);
  if (!assertion) co_return fail(ErrorCode::passkey_refused, "signature_malformed");
  const PreparedEoa& prepared = std::get<PreparedEoa>(row.transaction.content);
  const protocol::EoaKey key{row.transaction.chain_id, prepared.key.account, prepared.key.index};
  core::Transaction tx = prepared.transaction;
  Bytes unsigned_transaction = tx.unsigned_encoding();
  const auto answer =
      co_await d_.phrases.sign_eoa_transaction(row.wallet, key, std::move(unsigned_transaction), std::move(*assertion));
  if (!answer) co_return from_core(answer.error());
  if (answer->digest != *row.transaction.digest || answer->signer != row.transaction.account)
    co_return fail(ErrorCode::core_refused, "the trusted core signed another transaction, or with another key");
  tx.signature = answer->signature;
  auto encoded = tx.signed_encoding();
  const auto hash = tx.hash();
  if (!encoded || !hash) co_return fail(ErrorCode::core_refused, "the signature does not fit the transaction");
  row.submission = std::move(*encoded);
  row.transaction.transaction_hash = *hash;
  co_return row;
}

// --- on chain --------------------------------------------------------------------------------------------------------

Task<TransactionService::Outcome> TransactionService::submit_eoa(Stored& row) {
  Chain* chain = find_chain(row.transaction.chain_id);
  if (chain == nullptr) co_return Outcome{Sent::later, {}};
  Bytes transaction = row.submission;
  const auto sent = co_await chain->served.chain.send_raw_transaction(std::move(transaction));
  if (sent) co_return Outcome{Sent::sent, {}};
  if (sent.error().kind != chain::ChainErrorKind::rpc) co_return Outcome{Sent::later, {}};
  const std::string words = clean_text(sent.error().text(), kMaxRevertCharacters);
  if (is_refused_for_good(words)) co_return Outcome{Sent::refused, words};
  // Its number is used: by itself, when an answer was lost, or by another one. Following it tells.
  const auto used = co_await chain->served.chain.transaction_count(row.transaction.account);
  if (used && *used > row.lane_sequence) co_return Outcome{Sent::sent, {}};
  co_return Outcome{Sent::later, words};
}

// Asked once for each block.
Task<void> TransactionService::follow_eoa(Stored& row) {
  Transaction& t = row.transaction;
  Chain* chain = find_chain(t.chain_id);
  const auto& head = chain->served.blocks.head();
  if (!head) co_return;
  const auto seen = looked_at_.find(t.transaction_id);
  if (seen != looked_at_.end() && seen->second == head->hash) co_return;
  chain::ExecutionClient& client = chain->served.chain;
  const auto receipt = co_await client.receipt(*t.transaction_hash);
  if (!receipt) co_return;
  looked_at_[t.transaction_id] = head->hash;
  if (*receipt) {
    t.state = (*receipt)->success ? State::included : State::failed;
    t.block_number = (*receipt)->block_number;
    t.reason = (*receipt)->success ? std::string() : "the contract reverted";
    t.actual_cost = base::multiply(Uint256((*receipt)->gas_used), (*receipt)->effective_gas_price).value_or(Uint256());
    co_return;
  }
  // Not in a block, or no longer.
  t.state = State::submitted;
  t.block_number = 0;
  t.reason.clear();
  const std::uint64_t depth = chain->served.final_depth;
  const std::uint64_t deep = head->number > depth ? head->number - depth : 0;
  const auto used = co_await client.transaction_count(t.account, chain::BlockRef::number(deep));
  if (used && *used > row.lane_sequence) {
    t.state = State::replaced;
    t.reason = "another transaction of this key took its number";
    row.is_over = true;
    // The one that did may be final by now, and no longer in memory.
    auto read = [t](soci::session& sql) { return store::replacement_in_block(sql, t); };
    if (auto by = co_await d_.database.read(read)) t.replaced_by = std::move(*by);
    co_return;
  }
  // A pool that forgot it gets it again, while its number is free.
  const auto [known, latest] =
      co_await infra::both(client.transaction(*t.transaction_hash), client.transaction_count(t.account));
  if (known && known->is_null() && latest && *latest <= row.lane_sequence) t.state = State::signed_;
}

}  // namespace community::transactions
