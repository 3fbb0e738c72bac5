// SPDX-License-Identifier: Apache-2.0
// /transactions, /wallets/…/state and /development/funds: input, call, output.
#include <charconv>

#include "community/core/uuid.hpp"
#include "community/gateway/api_v1/resources.hpp"
#include "community/gateway/api_v1/transaction_json.hpp"
#include "community/gateway/api_v1/transaction_reader.hpp"

namespace community::gateway::api_v1 {
namespace {

using transactions::ErrorCode;
using transactions::Transactions;

constexpr ProblemRule<ErrorCode> kRules[] = {
    {ErrorCode::field_invalid, 400, "A member of the request is not what it has to be."},
    {ErrorCode::not_found, 404, "There is no such thing."},
    {ErrorCode::chain_unknown, 404, "The wallet has no account on this chain."},
    {ErrorCode::calls_invalid, 400, "The calls make no operation."},
    {ErrorCode::account_not_deployed, 409, "The account is not on this chain yet."},
    {ErrorCode::account_frozen, 409, "The account is frozen."},
    {ErrorCode::account_not_frozen, 409, "The account is not frozen."},
    {ErrorCode::account_elsewhere, 409, "The account moved to another node."},
    {ErrorCode::passkey_not_accounts, 409, "The account does not take this passkey."},
    {ErrorCode::passkey_started_item, 409, "Another vote than the one that started it has to cancel it."},
    {ErrorCode::passkey_voted, 409, "The second vote has to come from another passkey."},
    {ErrorCode::escape_key_has_no_vote, 409, "The recovery file has no vote in this."},
    {ErrorCode::escape_key_voted, 409, "The recovery file gave its vote; the other one comes from a passkey."},
    {ErrorCode::escape_signature_refused, 400, "The recovery file's signature was refused."},
    {ErrorCode::passkey_known, 409, "The account has the passkey already."},
    {ErrorCode::votes_missing, 409, "The person has too few votes in the account."},
    {ErrorCode::item_kind, 409, "The item ends another way."},
    {ErrorCode::item_not_ready, 409, "The item has to wait."},
    {ErrorCode::would_revert, 409, "The contract refuses."},
    {ErrorCode::over_limit, 409, "It is over the account's limits; queue it."},
    {ErrorCode::insufficient_funds, 409, "The account has too little."},
    {ErrorCode::gas_cost_over_cap, 409, "Gas may cost more than the account pays."},
    {ErrorCode::domain_not_listed, 409, "The account does not sign for this domain."},
    {ErrorCode::message_refused, 403, "No such message is signed."},
    {ErrorCode::phrase_missing, 409, "The wallet has no phrase."},
    {ErrorCode::nonce_taken, 409, "Another transaction of the key has its number."},
    {ErrorCode::phrase_exists, 409, "The wallet has a phrase."},
    {ErrorCode::grant_over, 409, "The grant is over."},
    {ErrorCode::sponsor_missing, 409, "Nobody pays for the session."},
    {ErrorCode::account_deploying, 409,
     "Another operation brings the account on chain; wait for it, and prepare again."},
    {ErrorCode::too_many_under_way, 409, "Too many operations of the account are under way."},
    {ErrorCode::not_prepared, 409, "It waits for no signature."},
    {ErrorCode::not_signed, 409, "It is not signed."},
    {ErrorCode::transaction_expired, 410, "It is too old; prepare it again."},
    {ErrorCode::digest_differs, 409, "This is not what was prepared."},
    {ErrorCode::passkey_refused, 400, "The assertion was refused."},
    {ErrorCode::transaction_limit, 403, "It is over this node's limit for a day."},
    {ErrorCode::policy_refused, 403, "This node's policy refuses it."},
    {ErrorCode::too_many_requests, 429, "Too many requests; wait."},
    {ErrorCode::not_replaceable, 409, "It cannot be replaced."},
    {ErrorCode::too_late, 409, "It is too late for that."},
    {ErrorCode::refused_by_node, 409, "The signed operation was refused."},
    {ErrorCode::funds_given, 429, "Funds were given lately; wait."},
    {ErrorCode::core_refused, 403, "The trusted core refused."},
    {ErrorCode::core_unavailable, 503, "The trusted core is away or busy; try again."},
    {ErrorCode::chain_unavailable, 503, "The chain is away or busy; try again."},
    {ErrorCode::database_unavailable, 503, "The database is away or busy; try again."},
};
static_assert(rules_without_row(kRules) == 0);

}  // namespace

Problem to_problem(const transactions::Error& error) {
  Problem problem = problem_of(error, kRules);
  problem.revert = error.revert;
  problem.refusal = with_hyphens(error.refusal);
  if (error.domain_separator) problem.domain_separator = core::to_hex(*error.domain_separator);
  return problem;
}

namespace {

tl::unexpected<Problem> refuse(const transactions::Error& error) { return tl::unexpected(to_problem(error)); }

// A decimal number of the query within the bounds; nothing for anything else.
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > most) return std::nullopt;
  return value;
}

Task<Result<HttpResponse>> prepare_transaction(Transactions& transactions, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  transactions::PrepareRequest request = read_prepare_request(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto prepared = co_await transactions.prepare_transaction(user_of(call), std::move(request));
  if (!prepared) co_return refuse(prepared.error());
  co_return answer_json(201, to_json(*prepared));
}

// The founders' sign_transaction and broadcast_transaction: one touch is one request.
Task<Result<HttpResponse>> sign_and_broadcast(Transactions& transactions, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  transactions::SignRequest request = read_sign_request(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto done = co_await transactions.sign_and_broadcast(user_of(call), call.id(), std::move(request));
  if (!done) co_return refuse(done.error());
  co_return answer_json(202, to_json(*done));
}

Task<Result<HttpResponse>> broadcast(Transactions& transactions, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto brought = co_await transactions.broadcast_transaction(user_of(call), call.id());
  if (!brought) co_return refuse(brought.error());
  co_return answer_json(202, to_json(*brought));
}

Task<Result<HttpResponse>> get_transaction(Transactions& transactions, Call& call) {
  const auto found = co_await transactions.transaction(user_of(call), call.id());
  if (!found) co_return refuse(found.error());
  co_return answer_json(200, to_json(*found));
}

Task<Result<HttpResponse>> discard_transaction(Transactions& transactions, Call& call) {
  const auto done = co_await transactions.discard(user_of(call), call.id());
  if (!done) co_return refuse(done.error());
  co_return answer_json(200, to_json(*done));
}

Task<Result<HttpResponse>> list_transactions(Transactions& transactions, Call& call) {
  transactions::HistoryQuery query;
  if (const auto wallet = call.request.query_value("walletId")) {
    if (!core::parse_uuid(*wallet)) co_return tl::unexpected(malformed_request("walletId is a UUID"));
    query.wallet_id = *wallet;
  }
  const auto before = call.request.query_value("before"), limit = call.request.query_value("limit");
  const auto below = before ? number(*before, INT64_MAX) : std::optional<std::uint64_t>(INT64_MAX);
  const auto most = limit ? number(*limit, transactions::kMaxPage) : std::optional<std::uint64_t>(query.limit);
  if (!below || !most)
    co_return tl::unexpected(malformed_request("before is a sequence number, limit a number from 1 to 100"));
  query.before = *below;
  query.limit = static_cast<std::size_t>(*most);
  const std::size_t page = query.limit;
  const auto found = co_await transactions.history(user_of(call), std::move(query));
  if (!found) co_return refuse(found.error());
  json::array entries;
  for (const transactions::Transaction& one : *found) entries.push_back(to_json(one));
  json::object out;
  out["entries"] = std::move(entries);
  out["next"] = nullptr;
  if (found->size() == page) out["next"] = found->back().sequence;
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> get_wallet_state(Transactions& transactions, Call& call) {
  const auto chain = call.request.query_value("chainId"), tokens = call.request.query_value("token");
  const auto chain_id = chain ? number(*chain, INT64_MAX) : std::nullopt;
  if (!chain_id) co_return tl::unexpected(malformed_request("chainId is the number of a chain"));
  auto wanted = tokens ? read_addresses(*tokens) : std::optional<std::vector<core::Address>>(std::in_place);
  if (!wanted) co_return tl::unexpected(malformed_request("token is a list of 1 to 32 addresses with commas"));
  const auto state = co_await transactions.wallet_state(user_of(call), call.id(), *chain_id, std::move(*wanted));
  if (!state) co_return refuse(state.error());
  co_return answer_json(200, to_json(*state));
}

// A number of a path in the query; 0 where none is given.
std::optional<std::uint32_t> path_number(const Call& call, std::string_view name) {
  const auto text = call.request.query_value(name);
  if (!text) return 0;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value > 0x7fff'ffff) return std::nullopt;
  return value;
}

// The founders' derive_address.
Task<Result<HttpResponse>> derive_address(Transactions& transactions, Call& call) {
  const auto chain = call.request.query_value("chainId");
  const auto chain_id = chain ? number(*chain, INT64_MAX) : std::nullopt;
  const auto account = path_number(call, "account"), index = path_number(call, "index");
  if (!chain_id) co_return tl::unexpected(malformed_request("chainId is the number of a chain"));
  if (!account || !index) co_return tl::unexpected(malformed_request("account and index are numbers below 2^31"));
  const transactions::PhraseKey key{*account, *index};
  const auto derived = co_await transactions.derive_address(user_of(call), call.id(), *chain_id, key);
  if (!derived) co_return refuse(derived.error());
  co_return answer_json(200, to_json(*derived));
}

Task<Result<HttpResponse>> give_funds(Transactions& transactions, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  const std::string wallet_id = in.uuid("walletId");
  const std::uint64_t chain_id = read_chain_id(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto given = co_await transactions.give_funds(user_of(call), wallet_id, chain_id);
  if (!given) co_return refuse(given.error());
  json::object out;
  out["transactionHash"] = core::to_hex(given->transaction_hash);
  out["amount"] = core::format_decimal(given->amount);
  co_return answer_json(202, out);
}

}  // namespace

void add_transactions(Api& api, infra::HttpRouter& router, Transactions& transactions) {
  using Handler = Task<Result<HttpResponse>> (*)(Transactions&, Call&);
  const auto add = [&](const char* method, const char* pattern, Cost cost, Handler handler,
                       std::size_t max_body = kMaxBody) {
    api.add(
        router, method, pattern, Access::person, cost,
        [&transactions, handler](Call& call) { return handler(transactions, call); }, max_body);
  };
  add("POST", "/api/v1/transactions", Cost::request, prepare_transaction, kMaxPrepareBody);
  add("GET", "/api/v1/transactions", Cost::request, list_transactions);
  add("GET", "/api/v1/transactions/{transactionId}", Cost::request, get_transaction);
  add("DELETE", "/api/v1/transactions/{transactionId}", Cost::request, discard_transaction);
  add("POST", "/api/v1/transactions/{transactionId}/signature", Cost::attempt, sign_and_broadcast);
  add("POST", "/api/v1/transactions/{transactionId}/broadcast", Cost::request, broadcast);
  add("GET", "/api/v1/wallets/{walletId}/state", Cost::request, get_wallet_state);
  add("GET", "/api/v1/wallets/{walletId}/address", Cost::request, derive_address);
  add("POST", "/api/v1/development/funds", Cost::request, give_funds);
}

}  // namespace community::gateway::api_v1
