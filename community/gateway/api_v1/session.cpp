// SPDX-License-Identifier: Apache-2.0
// /session: who is logged in here.
#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/credentials.hpp"
#include "community/gateway/api_v1/resources.hpp"
#include "community/users/api/ended.hpp"

namespace community::gateway::api_v1 {
namespace {

constexpr int kTimeout_ms = 300'000;

Task<Result<HttpResponse>> begin_log_in(Api& api, const RelyingParty& relying_party, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  json::object out;
  out["challenge"] = core::to_base64url(api.users().begin_log_in());
  out["rpId"] = relying_party.id;
  out["timeout"] = kTimeout_ms;
  out["userVerification"] = "required";
  // Empty: the device shows which of its passkeys there are. A list would tell who has an account.
  out["allowCredentials"] = json::array();
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> authenticate_user(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::LogInAssertion assertion = read_assertion(in);
  users::Client client = call.client;
  client.device_name = in.optional_text("deviceName").value_or("");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto done = co_await api.users().authenticate_user(std::move(assertion), std::move(client));
  if (!done) {
    Problem problem = to_problem(done.error());
    if (done.error().code == users::ErrorCode::passkey_refused) problem.status = 401;
    co_return tl::unexpected(std::move(problem));
  }
  HttpResponse response =
      answer_json(200, logged_in(done->person, done->session.session, api.users().csrf_token(done->session.token)));
  api.add_cookies(response, done->session);
  co_return response;
}

// null, and no error, when nobody is logged in: a page asks this first. Whose passkey was removed is told so.
Task<Result<HttpResponse>> get_session(Api& api, Call& call) {
  if (call.token.empty()) co_return infra::http_json(200, "null");
  const auto identity = co_await api.users().identify(call.token);
  if (!identity && identity.error().code == users::ErrorCode::not_logged_in) {
    if (identity.error().message != users::kPasskeyRemoved) co_return infra::http_json(200, "null");
    json::object ended;
    ended["endedBy"] = users::kPasskeyRemoved;
    co_return answer_json(200, ended);
  }
  if (!identity) co_return refuse(identity.error());
  co_return answer_json(200, logged_in(identity->person, identity->session, api.users().csrf_token(call.token)));
}

Task<Result<HttpResponse>> log_out(Api& api, Call& call) {
  const users::Session& session = call.identity->session;
  const auto done = co_await api.users().revoke_session(session.user_id, session.session_id);
  // Another request may have ended it meanwhile.
  if (!done && done.error().code != users::ErrorCode::not_found) co_return refuse(done.error());
  HttpResponse response = no_content();
  response.headers.add("set-cookie", api.ended_cookie());
  co_return response;
}

}  // namespace

void add_session(Api& api, infra::HttpRouter& router, const RelyingParty& relying_party) {
  api.add(router, "POST", "/api/v1/session/challenge", Access::open, Cost::attempt,
          [&api, relying_party](Call& call) { return begin_log_in(api, relying_party, call); });
  api.add(router, "POST", "/api/v1/session", Access::open, Cost::attempt,
          [&api](Call& call) { return authenticate_user(api, call); });
  api.add(router, "GET", "/api/v1/session", Access::open, Cost::request,
          [&api](Call& call) { return get_session(api, call); });
  api.add(router, "DELETE", "/api/v1/session", Access::person, Cost::request,
          [&api](Call& call) { return log_out(api, call); });
}

}  // namespace community::gateway::api_v1
