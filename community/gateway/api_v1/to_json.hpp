// SPDX-License-Identifier: Apache-2.0
// Values of people in the words of spec/openapi.json.
#pragma once
#include "community/gateway/api_v1/api.hpp"

namespace community::gateway::api_v1 {

// RFC 3339 in UTC, with milliseconds: "2026-01-01T00:00:00.000Z".
std::string format_time(std::int64_t time_ms);
// An empty text means that there is none.
json::value text_or_null(const std::string& text);

json::object to_json(const users::Person& person);
json::object to_json(const users::Session& session, const std::string& current_session_id);
json::object to_json(const users::PasskeyProfile& passkey);
json::object to_json(const users::Wallet& wallet);
// Who is logged in, and what the page sends with whatever changes something.
json::object logged_in(const users::Person& person, const users::Session& session, std::string csrf_token);

HttpResponse answer_json(unsigned status, const json::object& body);
HttpResponse no_content();

}  // namespace community::gateway::api_v1
