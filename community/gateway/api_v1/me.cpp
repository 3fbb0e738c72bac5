// SPDX-License-Identifier: Apache-2.0
// /me: the person.
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway::api_v1 {
namespace {

Task<Result<HttpResponse>> get_me(Call& call) { co_return answer_json(200, to_json(call.identity->person)); }

Task<Result<HttpResponse>> update_me(Api& api, Call& call) {
  JsonReader in(call.body, JsonReader::Unknown::refused);
  users::ProfileChange change;
  change.username = in.nullable_text("username");
  change.avatar_url = in.nullable_text("avatarUrl");
  change.phone_number = in.nullable_text("phoneNumber");
  change.locale = in.optional_text("locale");
  if (auto wrong = in.finish()) co_return tl::unexpected(*wrong);
  const auto person = co_await api.users().update_profile(user_of(call), std::move(change));
  if (!person) co_return refuse(person.error());
  co_return answer_json(200, to_json(*person));
}

}  // namespace

void add_me(Api& api, infra::HttpRouter& router) {
  api.add(router, "GET", "/api/v1/me", Access::person, Cost::request, [](Call& call) { return get_me(call); });
  api.add(router, "PATCH", "/api/v1/me", Access::person, Cost::request,
          [&api](Call& call) { return update_me(api, call); });
}

}  // namespace community::gateway::api_v1
