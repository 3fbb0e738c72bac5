// SPDX-License-Identifier: Apache-2.0
// /me/export, /me/privacy and the end of a person: what there is of them here, all of it, and its deletion.
#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/credentials.hpp"
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

using privacy::Privacy;

constexpr int kTimeout_ms = 300'000;

tl::unexpected<Problem> refused(const privacy::Error& error) {
  users::Error out;
  out.code = users::ErrorCode::database_unavailable;
  if (error.code == privacy::ErrorCode::not_found) out.code = users::ErrorCode::not_found;
  if (error.code == privacy::ErrorCode::too_many_exports) {
    out.code = users::ErrorCode::too_many_requests;
    out.message = "others export just now";
    out.retry_after_s = 10;
  }
  return refuse(out);
}

Task<Result<HttpResponse>> get_privacy(Privacy& privacy, Call& call) {
  const auto overview = co_await privacy.overview(user_of(call));
  if (!overview) co_return refused(overview.error());
  co_return answer_json(200, *overview);
}

Task<Result<HttpResponse>> export_person(Privacy& privacy, Call& call) {
  auto response = co_await privacy.export_person(user_of(call));
  if (!response) co_return refused(response.error());
  co_return std::move(*response);
}

// What the passkey signs names the deletion: nothing else that is signed anywhere can be mistaken for it.
Task<Result<HttpResponse>> begin_deletion(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const std::string& user_id = user_of(call);
  const auto passkeys = co_await api.users().passkeys(user_id);
  if (!passkeys) co_return refuse(passkeys.error());
  json::array credentials;
  for (const users::PasskeyProfile& passkey : *passkeys) {
    json::object credential;
    credential["type"] = "public-key";
    credential["id"] = core::to_base64url(passkey.credential_id);
    credentials.push_back(std::move(credential));
  }
  json::object out;
  out["challenge"] = core::to_base64url(api.users().begin_deletion(user_id));
  out["rpId"] = api.options().relying_party.id;
  out["timeout"] = kTimeout_ms;
  out["userVerification"] = "required";
  out["allowCredentials"] = std::move(credentials);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> delete_me(Api& api, Privacy& privacy, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::LogInAssertion assertion = read_assertion(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const std::string& user_id = user_of(call);
  if (auto proven = co_await api.users().prove_deletion(user_id, std::move(assertion)); !proven)
    co_return refuse(proven.error());
  const auto erased = co_await privacy.erase_person(user_id);
  // Another request was quicker.
  if (!erased && erased.error().code != privacy::ErrorCode::not_found) co_return refused(erased.error());
  HttpResponse response = no_content();
  api.end_cookies(response);
  co_return response;
}

}  // namespace

void add_leave(Api& api, infra::HttpRouter& router, Privacy& privacy) {
  api.add(router, "GET", "/api/v1/me/privacy", Access::person, Cost::request,
          [&privacy](Call& call) { return get_privacy(privacy, call); });
  api.add(router, "GET", "/api/v1/me/export", Access::person, Cost::export_,
          [&privacy](Call& call) { return export_person(privacy, call); });
  api.add(router, "POST", "/api/v1/me/deletion", Access::person, Cost::attempt,
          [&api](Call& call) { return begin_deletion(api, call); });
  api.add(
      router, "DELETE", "/api/v1/me", Access::person, Cost::attempt,
      [&api, &privacy](Call& call) { return delete_me(api, privacy, call); }, kMaxBody, Body::json);
}

}  // namespace community::gateway::api_v1
