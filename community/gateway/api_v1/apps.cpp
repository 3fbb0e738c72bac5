// SPDX-License-Identifier: Apache-2.0
// /app-permissions: what a person lets web apps of others do. /apps: what such an app's own script may ask for, with
// its token and without any cookie (EIP-5792).
#include "community/gateway/api_v1/resources.hpp"
#include "community/gateway/api_v1/transaction_reader.hpp"

namespace community::gateway::api_v1 {
namespace {

using apps::Apps;
using apps::ErrorCode;

constexpr std::size_t kMaxToken = 128;

constexpr ProblemRule<ErrorCode> kRules[] = {
    {ErrorCode::field_invalid, 400, "A member of the request is not what it has to be."},
    {ErrorCode::not_found, 404, "There is no such thing."},
    {ErrorCode::too_many_apps, 409, "The person has connected as many apps as one may."},
    {ErrorCode::too_many_requests, 429, "Too many requests; wait."},
    {ErrorCode::token_invalid, 401, "The token is over; ask the person again."},
    {ErrorCode::origin_wrong, 403, "The token belongs to another page."},
    {ErrorCode::database_unavailable, 503, "The database is away or busy; try again."},
};
// refused is told by its cause.
static_assert(rules_without_row(kRules) == 1);

tl::unexpected<Problem> refused(const apps::Error& error) {
  if (error.code == ErrorCode::refused) return tl::unexpected(to_problem(*error.cause));
  return tl::unexpected(problem_of(error, kRules));
}

json::object to_json(const apps::Permission& permission) {
  json::array tokens;
  for (const apps::TokenState& token : permission.tokens) {
    json::object one;
    one["grantId"] = core::to_hex(token.grant_id);
    one["expiresAt"] = format_time(token.expires_ms);
    tokens.push_back(std::move(one));
  }
  json::object out;
  out["permissionId"] = permission.permission_id;
  out["origin"] = permission.origin;
  out["walletId"] = permission.wallet_id;
  out["address"] = core::format_address(permission.account);
  out["chainId"] = permission.chain_id;
  out["createdAt"] = format_time(permission.created_ms);
  out["lastUsedAt"] = nullptr;
  if (permission.last_used_ms != 0) out["lastUsedAt"] = format_time(permission.last_used_ms);
  out["tokens"] = std::move(tokens);
  return out;
}

// EIP-5792, section "wallet_getCallsStatus".
int status_code(transactions::State state) {
  using enum transactions::State;
  if (state == included || state == final_) return 200;
  if (state == failed) return 500;
  // Nothing of it came on chain, and nobody tries again.
  if (state == dropped || state == replaced || state == expired || state == discarded) return 400;
  return 100;
}

json::object to_json(const apps::CallsStatus& status) {
  json::array receipts;
  if (status.receipt) {
    const transactions::UseropReceipt& receipt = *status.receipt;
    json::object one;
    one["logs"] = receipt.logs;
    one["status"] = receipt.success ? "0x1" : "0x0";
    one["blockHash"] = core::to_hex(receipt.block_hash);
    one["blockNumber"] = core::format_quantity(core::Uint256(receipt.block_number));
    one["gasUsed"] = core::format_quantity(receipt.gas_used);
    one["transactionHash"] = core::to_hex(receipt.transaction_hash);
    receipts.push_back(std::move(one));
  }
  json::object out;
  out["version"] = "2.0.0";
  out["id"] = status.transaction.transaction_id;
  out["chainId"] = core::format_quantity(core::Uint256(status.transaction.chain_id));
  out["status"] = status_code(status.transaction.state);
  out["atomic"] = true;
  out["receipts"] = std::move(receipts);
  return out;
}

// --- a person's ------------------------------------------------------------------------------------------------------

Task<Result<HttpResponse>> list(Apps& apps, Call& call) {
  const auto found = co_await apps.permissions(user_of(call));
  if (!found) co_return refused(found.error());
  json::array entries;
  for (const apps::Permission& one : *found) entries.push_back(to_json(one));
  json::object out;
  out["permissions"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> connect(Apps& apps, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  apps::ConnectRequest request;
  request.origin = in.text("origin", 1'024);
  request.wallet_id = in.uuid("walletId");
  request.chain_id = read_chain_id(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto made = co_await apps.connect(user_of(call), std::move(request));
  if (!made) co_return refused(made.error());
  co_return answer_json(201, to_json(*made));
}

Task<Result<HttpResponse>> disconnect(Apps& apps, Call& call) {
  const auto done = co_await apps.disconnect(user_of(call), call.id());
  if (!done) co_return refused(done.error());
  co_return no_content();
}

Task<Result<HttpResponse>> issue_token(Apps& apps, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  const auto grant_id = core::parse_bytes32(in.text("grantId", 66));
  if (!grant_id) in.refuse("grantId", "0x and 64 hexadecimal digits are expected");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const std::string& session_id = call.identity->session.session_id;
  const auto made = co_await apps.issue_token(user_of(call), session_id, call.id(), *grant_id);
  if (!made) co_return refused(made.error());
  json::object out;
  out["token"] = made->token;
  out["expiresAt"] = format_time(made->expires_ms);
  co_return answer_json(201, out);
}

Task<Result<HttpResponse>> note_calls(Apps& apps, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  std::string transaction_id = in.uuid("transactionId");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto done = co_await apps.note_calls(user_of(call), call.id(), std::move(transaction_id));
  if (!done) co_return refused(done.error());
  co_return no_content();
}

// --- an app's --------------------------------------------------------------------------------------------------------

// RFC 6750, section 2.1; empty when there is none.
std::string bearer_token(const infra::HttpHeaders& headers) {
  const std::string_view value = headers.get("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() <= kScheme.size() || value.size() > kMaxToken) return {};
  std::string scheme(value.substr(0, kScheme.size()));
  for (char& c : scheme)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return scheme == kScheme ? std::string(value.substr(kScheme.size())) : std::string();
}

Task<Result<HttpResponse>> send_calls(Apps& apps, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  apps::AppRequest request;
  request.origin = call.app_origin;
  request.token = bearer_token(call.request.headers);
  request.request_id = in.uuid("requestId");
  request.calls = read_calls(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto sent = co_await apps.send_calls(std::move(request));
  // Another page's script does not even read the refusal.
  if (!sent && sent.error().code == ErrorCode::origin_wrong) call.app_origin.clear();
  if (!sent) co_return refused(sent.error());
  json::object out;
  out["id"] = sent->transaction_id;
  co_return answer_json(202, out);
}

Task<Result<HttpResponse>> calls_status(Apps& apps, Call& call) {
  const auto found = co_await apps.calls_status(call.app_origin, call.id());
  if (!found) co_return refused(found.error());
  co_return answer_json(200, to_json(*found));
}

// Before anybody is connected a page asks which chains there are.
HttpResponse list_chains(const NodeFacts& facts) {
  json::array chains;
  for (const ChainFacts& chain : facts.chains) {
    json::object one;
    one["chainId"] = chain.chain_id;
    chains.push_back(std::move(one));
  }
  json::object out;
  out["chains"] = std::move(chains);
  return answer_json(200, out);
}

}  // namespace

void add_apps(Api& api, infra::HttpRouter& router, Apps& apps, std::function<NodeFacts()> facts) {
  using Handler = Task<Result<HttpResponse>> (*)(Apps&, Call&);
  const auto add = [&](const char* method, const char* pattern, Access access, Handler handler,
                       std::size_t max_body = kMaxBody) {
    api.add(
        router, method, pattern, access, Cost::request, [&apps, handler](Call& call) { return handler(apps, call); },
        max_body);
  };
  add("GET", "/api/v1/app-permissions", Access::person, list);
  add("POST", "/api/v1/app-permissions", Access::person, connect);
  add("DELETE", "/api/v1/app-permissions/{permissionId}", Access::person, disconnect);
  add("POST", "/api/v1/app-permissions/{permissionId}/tokens", Access::person, issue_token);
  add("POST", "/api/v1/app-permissions/{permissionId}/calls", Access::person, note_calls);
  add("POST", "/api/v1/apps/calls", Access::app, send_calls, kMaxPrepareBody);
  add("GET", "/api/v1/apps/calls/{transactionId}", Access::app, calls_status);
  api.add(router, "GET", "/api/v1/apps/chains", Access::app, Cost::request,
          [facts = std::move(facts)](Call&) -> Task<Result<HttpResponse>> { co_return list_chains(facts()); });
}

}  // namespace community::gateway::api_v1
