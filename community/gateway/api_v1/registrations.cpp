// SPDX-License-Identifier: Apache-2.0
// /registrations: an address, a code, a passkey, a person.
#include "community/core/base64url.hpp"
#include "community/gateway/api_v1/credentials.hpp"
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

constexpr std::size_t kMaxCode = 16;

Task<Result<HttpResponse>> register_user(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::RegisterRequest request;
  request.email = in.text("email");
  request.username = in.optional_text("username").value_or("");
  request.locale = in.optional_text("locale").value_or("");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto pending = co_await api.users().register_user(std::move(request), call.client);
  if (!pending) co_return refuse(pending.error());
  json::object out;
  out["registrationId"] = pending->registration_id;
  out["expiresAt"] = format_time(pending->expires_ms);
  co_return answer_json(202, out);
}

Task<Result<HttpResponse>> prove_email(Api& api, const RelyingParty& relying_party, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  std::string code = in.text("code", kMaxCode);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto question = co_await api.users().prove_email(call.id(), std::move(code));
  if (!question) co_return refuse(question.error());
  json::object out;
  out["passkey"] = creation_options(*question, relying_party);
  out["expiresAt"] = format_time(question->expires_ms);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> setup_biometric(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::NewPasskey passkey = read_new_passkey(in);
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  users::Client client = call.client;
  client.device_name = passkey.device_name;
  const auto registered = co_await api.users().setup_biometric(call.id(), std::move(passkey), std::move(client));
  if (!registered) co_return refuse(registered.error());
  const users::LoggedIn& in_session = registered->logged_in;
  json::object out =
      logged_in(in_session.person, in_session.session.session, api.users().csrf_token(in_session.session.token));
  out["wallet"] = to_json(registered->wallet);
  HttpResponse response = answer_json(201, out);
  api.add_cookies(response, in_session.session);
  co_return response;
}

}  // namespace

void add_registrations(Api& api, infra::HttpRouter& router, const RelyingParty& relying_party) {
  api.add(router, "POST", "/api/v1/registrations", Access::open, Cost::registration,
          [&api](Call& call) { return register_user(api, call); });
  api.add(router, "POST", "/api/v1/registrations/{registrationId}/code", Access::open, Cost::attempt,
          [&api, relying_party](Call& call) { return prove_email(api, relying_party, call); });
  api.add(router, "POST", "/api/v1/registrations/{registrationId}/passkey", Access::open, Cost::attempt,
          [&api](Call& call) { return setup_biometric(api, call); });
}

}  // namespace community::gateway::api_v1
