// SPDX-License-Identifier: Apache-2.0
// /wallets: the person's records in the trusted core, with their accounts.
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

Task<Result<HttpResponse>> get_user_wallets(Api& api, Call& call) {
  const auto wallets = co_await api.users().get_user_wallets(user_of(call));
  if (!wallets) co_return refuse(wallets.error());
  json::array entries;
  for (const users::Wallet& wallet : *wallets) entries.push_back(to_json(wallet));
  json::object out;
  out["wallets"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> create_wallet(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::WalletRequest request;
  request.escape_key = in.address("escapeKey");
  request.request_id = in.uuid("requestId");
  request.alias = in.optional_text("alias").value_or("");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto wallet = co_await api.users().create_wallet(*call.identity, std::move(request));
  if (!wallet) co_return refuse(wallet.error());
  co_return answer_json(201, to_json(*wallet));
}

Task<Result<HttpResponse>> get_wallet(Api& api, Call& call) {
  const auto wallet = co_await api.users().wallet(user_of(call), call.id());
  if (!wallet) co_return refuse(wallet.error());
  co_return answer_json(200, to_json(*wallet));
}

Task<Result<HttpResponse>> update_wallet(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::WalletChange change;
  change.alias = in.nullable_text("alias");
  change.make_primary = in.optional_true("isPrimary");
  change.recovery_file_saved = in.optional_true("recoveryFileSaved");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto wallet = co_await api.users().update_wallet(user_of(call), call.id(), std::move(change));
  if (!wallet) co_return refuse(wallet.error());
  co_return answer_json(200, to_json(*wallet));
}

}  // namespace

void add_wallets(Api& api, infra::HttpRouter& router) {
  api.add(router, "GET", "/api/v1/wallets", Access::person, Cost::request,
          [&api](Call& call) { return get_user_wallets(api, call); });
  api.add(router, "POST", "/api/v1/wallets", Access::person, Cost::request,
          [&api](Call& call) { return create_wallet(api, call); });
  api.add(router, "GET", "/api/v1/wallets/{walletId}", Access::person, Cost::request,
          [&api](Call& call) { return get_wallet(api, call); });
  api.add(router, "PATCH", "/api/v1/wallets/{walletId}", Access::person, Cost::request,
          [&api](Call& call) { return update_wallet(api, call); });
}

}  // namespace community::gateway::api_v1
