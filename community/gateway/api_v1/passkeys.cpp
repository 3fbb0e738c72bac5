// SPDX-License-Identifier: Apache-2.0
// /passkeys: what the person logs in and signs with.
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

Task<Result<HttpResponse>> list(Api& api, Call& call) {
  const auto passkeys = co_await api.users().passkeys(call.identity->person.user_id);
  if (!passkeys) co_return refuse(passkeys.error());
  json::array entries;
  for (const users::PasskeyProfile& passkey : *passkeys) entries.push_back(to_json(passkey));
  json::object out;
  out["passkeys"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> rename(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  std::string name = in.text("name");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto passkey = co_await api.users().rename_passkey(call.identity->person.user_id, call.id(), std::move(name));
  if (!passkey) co_return refuse(passkey.error());
  co_return answer_json(200, to_json(*passkey));
}

}  // namespace

void add_passkeys(Api& api, infra::HttpRouter& router) {
  api.add(router, "GET", "/api/v1/passkeys", Access::person, Cost::request,
          [&api](Call& call) { return list(api, call); });
  api.add(router, "PATCH", "/api/v1/passkeys/{passkeyId}", Access::person, Cost::request,
          [&api](Call& call) { return rename(api, call); });
}

}  // namespace community::gateway::api_v1
