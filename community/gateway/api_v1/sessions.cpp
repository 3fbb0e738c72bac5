// SPDX-License-Identifier: Apache-2.0
// /sessions: every place where the person is logged in.
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

Task<Result<HttpResponse>> list(Api& api, Call& call) {
  const auto sessions = co_await api.users().sessions(user_of(call));
  if (!sessions) co_return refuse(sessions.error());
  json::array entries;
  for (const users::Session& session : *sessions)
    entries.push_back(to_json(session, call.identity->session.session_id));
  json::object out;
  out["sessions"] = std::move(entries);
  co_return answer_json(200, out);
}

Task<Result<HttpResponse>> revoke_one(Api& api, Call& call) {
  const auto done = co_await api.users().revoke_session(user_of(call), call.id());
  if (!done) co_return refuse(done.error());
  HttpResponse response = no_content();
  if (call.id() == call.identity->session.session_id) response.headers.add("set-cookie", api.ended_cookie());
  co_return response;
}

Task<Result<HttpResponse>> revoke_others(Api& api, Call& call) {
  const users::Session& own = call.identity->session;
  const auto done = co_await api.users().revoke_other_sessions(own.user_id, own.session_id);
  if (!done) co_return refuse(done.error());
  co_return no_content();
}

}  // namespace

void add_sessions(Api& api, infra::HttpRouter& router) {
  api.add(router, "GET", "/api/v1/sessions", Access::person, Cost::request,
          [&api](Call& call) { return list(api, call); });
  api.add(router, "DELETE", "/api/v1/sessions", Access::person, Cost::request,
          [&api](Call& call) { return revoke_others(api, call); });
  api.add(router, "DELETE", "/api/v1/sessions/{sessionId}", Access::person, Cost::request,
          [&api](Call& call) { return revoke_one(api, call); });
}

}  // namespace community::gateway::api_v1
