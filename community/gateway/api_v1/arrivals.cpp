// SPDX-License-Identifier: Apache-2.0
// /arrivals: accounts that people bring from elsewhere.
#include "community/arrivals/api/arrivals.hpp"

#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/arrival_problem.hpp"
#include "community/gateway/api_v1/credentials.hpp"
#include "community/gateway/api_v1/resources.hpp"
#include "community/gateway/api_v1/transaction_json.hpp"
#include "community/gateway/api_v1/transaction_reader.hpp"

namespace community::gateway::api_v1 {
namespace {

using arrivals::ArrivalReport;
using arrivals::Arrivals;
using arrivals::ErrorCode;

constexpr ProblemRule<ErrorCode> kRules[] = {
    {ErrorCode::field_invalid, 400, "A member of the request is not what it has to be."},
    {ErrorCode::not_found, 404, "There is no such thing."},
    {ErrorCode::chain_unknown, 404, "The node does not serve this chain."},
    {ErrorCode::too_many_arrivals, 409, "Too many accounts are on their way."},
    {ErrorCode::too_many_wallets, 409, "The person has as many wallets as one may."},
    {ErrorCode::already_arrived, 409, "The account is here."},
    {ErrorCode::not_expected, 409, "The passkey has not agreed yet."},
    {ErrorCode::challenge_stale, 409, "The wallet changed meanwhile; ask for the challenge again."},
    {ErrorCode::passkey_refused, 400, "The assertion was refused."},
    {ErrorCode::call_refused, 409, "The node does not pay for this call."},
    {ErrorCode::would_revert, 409, "The contract refuses."},
    {ErrorCode::refused_by_node, 409, "The node cannot bring the call."},
    {ErrorCode::import_invalid, 400, "The file is no history that this node reads."},
    {ErrorCode::too_many_imports, 409, "The person has as many imports as one may."},
    {ErrorCode::too_many_entries, 409, "The person has as much history as one may."},
    {ErrorCode::too_many_requests, 429, "Too many requests; wait."},
    {ErrorCode::core_refused, 403, "The trusted core refused."},
    {ErrorCode::core_unavailable, 503, "The trusted core is away or busy; try again."},
    {ErrorCode::chain_unavailable, 503, "The chain is away or busy; try again."},
    {ErrorCode::database_unavailable, 503, "The database is away or busy; try again."},
};
static_assert(rules_without_row(kRules) == 0);

// --- output ----------------------------------------------------------------------------------------------------------

json::object key_json(const accounts::InitPasskey& passkey) {
  json::object out;
  out["publicKey"] = core::to_hex(passkey.public_key);
  out["rpIdHash"] = core::to_hex(passkey.rp_id_hash);
  return out;
}

json::object adoption_json(const arrivals::Adoption& adoption, std::uint32_t index, const std::string& rp_id) {
  json::object out;
  out["challenge"] = core::to_base64url(adoption.challenge);
  out["rpId"] = rp_id;
  json::array ids;
  for (const core::Bytes& id : adoption.credential_ids) ids.emplace_back(core::to_base64url(id));
  out["credentialIds"] = std::move(ids);
  out["revision"] = adoption.revision;
  out["serverKeyIndex"] = index;
  return out;
}

json::object chain_json(const arrivals::OnChain& on_chain, const accounts::AccountOnChain& where) {
  const accounts::AccountState& state = on_chain.state;
  json::object out;
  out["deployed"] = state.deployed;
  out["serverKey"] = core::format_address(state.server_key);
  json::array passkeys;
  for (const accounts::ChainPasskey& one : state.passkeys) passkeys.push_back(key_json(one.key));
  out["passkeys"] = std::move(passkeys);
  out["escapeKey"] = core::format_address(state.escape_key);
  out["guardiansHash"] = core::to_hex(state.guardians_hash);
  out["guardianThreshold"] = state.guardian_threshold;
  out["recoveryDelaySeconds"] = state.recovery_delay_s;
  out["keyEpoch"] = state.key_epoch;
  out["blockTime"] = format_time(static_cast<std::int64_t>(state.block_time_s) * 1'000);
  json::array waiting;
  for (const transactions::WaitingItem& item : on_chain.waiting) waiting.push_back(waiting_json(item, where));
  out["waiting"] = std::move(waiting);
  return out;
}

json::object to_json(const ArrivalReport& report, const std::string& rp_id) {
  const arrivals::Arrival& arrival = report.arrival;
  json::object out;
  out["arrivalId"] = arrival.arrival_id;
  out["walletId"] = arrival.wallet_id;
  out["chainId"] = arrival.chain_id;
  out["account"] = core::format_address(arrival.account);
  out["alias"] = text_or_null(arrival.alias);
  out["state"] = arrivals::name(arrival.state);
  out["adoption"] = nullptr;
  if (report.adoption) out["adoption"] = adoption_json(*report.adoption, arrival.server_key_index, rp_id);
  json::object keys;
  keys["passkey"] = key_json(arrival.passkey);
  keys["serverKey"] = core::format_address(arrival.server_key);
  out["keys"] = std::move(keys);
  out["onChain"] = nullptr;
  if (report.on_chain) out["onChain"] = chain_json(*report.on_chain, {arrival.chain_id, arrival.account});
  out["createdAt"] = format_time(arrival.created_ms);
  out["arrivedAt"] = nullptr;
  if (arrival.arrived_ms != 0) out["arrivedAt"] = format_time(arrival.arrived_ms);
  return out;
}

// --- routes ----------------------------------------------------------------------------------------------------------

// What every handler needs.
struct Desk {
  Arrivals& arrivals;
  const std::string rp_id;
};

Result<HttpResponse> answer(const Desk& desk, unsigned status, const arrivals::Result<ArrivalReport>& report) {
  if (!report) return refuse_arrival(report.error());
  return answer_json(status, to_json(*report, desk.rp_id));
}

Task<Result<HttpResponse>> list(const Desk& desk, Call& call) {
  const auto found = co_await desk.arrivals.list(user_of(call));
  if (!found) co_return refuse_arrival(found.error());
  json::array entries;
  for (const ArrivalReport& one : *found) entries.push_back(to_json(one, desk.rp_id));
  json::object out;
  out["arrivals"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> name_arrival(const Desk& desk, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  arrivals::NameRequest request;
  request.request_id = in.uuid("requestId");
  request.chain_id = read_chain_id(in);
  request.account = in.address("account");
  request.alias = in.nullable_text("alias").value_or("");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  co_return answer(desk, 201, co_await desk.arrivals.name(*call.identity, std::move(request)));
}

Task<Result<HttpResponse>> get_arrival(const Desk& desk, Call& call) {
  co_return answer(desk, 200, co_await desk.arrivals.arrival(user_of(call), call.id()));
}

Task<Result<HttpResponse>> adopt(const Desk& desk, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::LogInAssertion assertion = read_assertion(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  co_return answer(desk, 200, co_await desk.arrivals.adopt(user_of(call), call.id(), std::move(assertion)));
}

Task<Result<HttpResponse>> bring(const Desk& desk, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  auto data = core::parse_hex(in.text("data", 2 + 2 * arrivals::kMaxCallBytes), core::HexPrefix::required,
                              arrivals::kMaxCallBytes);
  if (!data) in.refuse("data", "bytes in hexadecimal with 0x are expected, 16,384 at most");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  co_return answer(desk, 202, co_await desk.arrivals.bring(user_of(call), call.id(), std::move(*data)));
}

Task<Result<HttpResponse>> forget(const Desk& desk, Call& call) {
  const auto done = co_await desk.arrivals.forget(user_of(call), call.id());
  if (!done) co_return refuse_arrival(done.error());
  co_return no_content();
}

}  // namespace

tl::unexpected<Problem> refuse_arrival(const arrivals::Error& error) {
  Problem problem = problem_of(error, kRules);
  problem.revert = error.revert;
  problem.refusal = with_hyphens(error.refusal);
  return tl::unexpected(std::move(problem));
}

void add_arrivals(Api& api, infra::HttpRouter& router, Arrivals& arrivals) {
  const auto desk = std::make_shared<const Desk>(Desk{arrivals, api.options().relying_party.id});
  using Handler = Task<Result<HttpResponse>> (*)(const Desk&, Call&);
  const auto add = [&](const char* method, const char* pattern, Cost cost, Handler handler) {
    api.add(router, method, pattern, Access::person, cost,
            [desk, handler](Call& call) { return handler(*desk, call); });
  };
  add("GET", "/api/v1/arrivals", Cost::request, list);
  add("POST", "/api/v1/arrivals", Cost::request, name_arrival);
  add("GET", "/api/v1/arrivals/{arrivalId}", Cost::request, get_arrival);
  add("DELETE", "/api/v1/arrivals/{arrivalId}", Cost::request, forget);
  add("POST", "/api/v1/arrivals/{arrivalId}/adoption", Cost::attempt, adopt);
  add("POST", "/api/v1/arrivals/{arrivalId}/calls", Cost::request, bring);
}

}  // namespace community::gateway::api_v1
