// SPDX-License-Identifier: Apache-2.0
// /imports: history that people bring in the file of another node.
#include "community/arrivals/api/imports.hpp"

#include <charconv>

#include "community/gateway/api_v1/arrival_problem.hpp"
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

using arrivals::Imports;

json::object to_json(const arrivals::Import& import) {
  json::object out;
  out["importId"] = import.import_id;
  out["origin"] = import.origin;
  out["exportedAt"] = format_time(import.exported_ms);
  out["importedAt"] = format_time(import.created_ms);
  out["entries"] = import.entries;
  out["leftOut"] = import.left_out;
  json::array accounts;
  for (const arrivals::ImportedAccount& one : import.accounts) {
    json::object account;
    account["chainId"] = one.chain_id;
    account["address"] = core::format_address(one.address);
    accounts.push_back(std::move(account));
  }
  out["accounts"] = std::move(accounts);
  return out;
}

json::object to_json(const arrivals::ImportedEntry& entry) {
  json::object out;
  out["sequence"] = entry.sequence;
  out["importId"] = entry.import_id;
  out["origin"] = entry.origin;
  out["chainId"] = entry.account.chain_id;
  out["address"] = core::format_address(entry.account.address);
  out["kind"] = entry.kind;
  out["state"] = "final";
  out["createdAt"] = format_time(entry.created_ms);
  out["transactionHash"] = core::to_hex(entry.transaction_hash);
  out["summary"] = entry.summary;
  out["checked"] = entry.checked;
  return out;
}

Task<Result<HttpResponse>> list(Imports& imports, Call& call) {
  const auto found = co_await imports.list(user_of(call));
  if (!found) co_return refuse_arrival(found.error());
  json::array entries;
  for (const arrivals::Import& one : *found) entries.push_back(to_json(one));
  json::object out;
  out["imports"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> keep(Imports& imports, Call& call) {
  const auto kept = co_await imports.keep(user_of(call), std::move(call.request.body));
  if (!kept) co_return refuse_arrival(kept.error());
  co_return answer_json(201, to_json(*kept));
}

// A decimal number of the query from 1 on; nothing for anything else.
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > most) return std::nullopt;
  return value;
}

Task<Result<HttpResponse>> list_entries(Imports& imports, Call& call) {
  arrivals::EntriesQuery query;
  if (const auto text = call.request.query_value("address")) {
    const auto address = core::parse_address(*text);
    if (!address) co_return tl::unexpected(malformed_request("address is an account's"));
    query.address = *address;
  }
  const auto before = call.request.query_value("before"), limit = call.request.query_value("limit");
  const auto below = before ? number(*before, INT64_MAX) : std::optional<std::uint64_t>(INT64_MAX);
  const auto most = limit ? number(*limit, arrivals::kMaxEntriesPage) : std::optional<std::uint64_t>(query.limit);
  if (!below || !most)
    co_return tl::unexpected(malformed_request("before is a sequence number, limit a number from 1 to 100"));
  query.before = *below;
  query.limit = static_cast<std::size_t>(*most);
  const std::size_t page = query.limit;
  const auto found = co_await imports.entries(user_of(call), std::move(query));
  if (!found) co_return refuse_arrival(found.error());
  json::array entries;
  for (const arrivals::ImportedEntry& one : *found) entries.push_back(to_json(one));
  json::object out;
  out["entries"] = std::move(entries);
  out["next"] = nullptr;
  if (found->size() == page) out["next"] = found->back().sequence;
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> forget(Imports& imports, Call& call) {
  const auto done = co_await imports.forget(user_of(call), call.id());
  if (!done) co_return refuse_arrival(done.error());
  co_return no_content();
}

}  // namespace

void add_imports(Api& api, infra::HttpRouter& router, Imports& imports) {
  using Handler = Task<Result<HttpResponse>> (*)(Imports&, Call&);
  const auto handled = [&imports](Handler handler) {
    return [&imports, handler](Call& call) { return handler(imports, call); };
  };
  api.add(router, "GET", "/api/v1/imports", Access::person, Cost::request, handled(list));
  api.add(router, "POST", "/api/v1/imports", Access::person, Cost::attempt, handled(keep), arrivals::kMaxFileBytes,
          Body::raw);
  api.add(router, "GET", "/api/v1/imports/entries", Access::person, Cost::request, handled(list_entries));
  api.add(router, "DELETE", "/api/v1/imports/{importId}", Access::person, Cost::request, handled(forget));
}

}  // namespace community::gateway::api_v1
